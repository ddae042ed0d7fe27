"""What an ideal judge of a simulated set calls: each decision worked out by hand, and a small sample from file to table."""

import importlib
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pysam
import pytest
from made_reads import MadeRead, random_bases, write_alignment, write_fasta
from typer.testing import CliRunner

BENCHMARKS = Path(__file__).parents[2] / "benchmarks" / "germline"


@pytest.fixture(scope="module")
def ceiling() -> Iterator[ModuleType]:
    sys.path.insert(0, str(BENCHMARKS))
    yield importlib.import_module("ceiling")
    sys.path.remove(str(BENCHMARKS))


def test_copies_from_error_free_reads(ceiling: ModuleType) -> None:
    assert ceiling.error_free(0, 5, 0.4) == 0  # nothing shows it
    assert ceiling.error_free(1, 9, 0.4) == 1  # one read is enough where reads do not err
    # reads of the allele alone: two copies at 0.3 against one at 0.7 x 0.5 = 0.35; with a second read at 0.175
    assert ceiling.error_free(1, 0, 0.3) == 1
    assert ceiling.error_free(2, 0, 0.3) == 2
    assert ceiling.error_free(1, 0, 0.4) == 2


def test_copies_from_bases_as_they_are_read(ceiling: ModuleType) -> None:
    """At Q30 an error into one certain base has 1/3000 = 3.3e-4."""
    prior = (1.0, 3e-4, 2e-4)
    allele, reference = (True, False, 30), (False, True, 30)
    # one copy: 3e-4 / 2^7 = 2.3e-6, none 3.3e-4
    assert ceiling.as_read([allele] + [reference] * 6, prior) == 0
    # one copy: 3e-4 / 2^4 = 1.9e-5, none 3.3e-4^2 = 1.1e-7
    assert ceiling.as_read([allele] * 2 + [reference] * 2, prior) == 1
    # two copies 2e-4, one 3e-4 / 2^3 = 3.8e-5
    assert ceiling.as_read([allele] * 3, prior) == 2
    # a lone read: no copy 3.3e-4, two 2e-4; at Q40 no copy has 3.3e-5
    assert ceiling.as_read([allele], prior) == 0
    assert ceiling.as_read([(True, False, 40)], prior) == 2


def test_a_wrong_genotype_is_missed_and_false(ceiling: ModuleType) -> None:
    assert ceiling.errors_of(1, 1) == ceiling.Errors(0, 0)
    assert ceiling.errors_of(0, 2) == ceiling.Errors(1, 0)
    assert ceiling.errors_of(2, 1) == ceiling.Errors(1, 1)


def test_table_of_a_made_sample(ceiling: ModuleType, tmp_path: Path) -> None:
    """Two haplotypes, reads of the first numbered before those of the second.

    400: SNV of the second, four reads of either. 700: deletion of one of six A of the first, on which only reads of the second
    lie: missed. 900: SNV of both, three reads of either. 1100: SNV of the first, seen once in five reads: missed as read only.
    1300: SNV of the second, two reads of it and none of the first: taken for two copies, missed and false by both judges.
    """
    rng = random.Random(5)
    reference = random_bases(700, rng) + "C" + "A" * 6 + "G" + random_bases(800, rng)

    def other(at: int) -> str:
        return "ACGT"[("ACGT".index(reference[at]) + 2) % 4]

    snvs = {400: "0|1", 900: "1|1", 1100: "1|0", 1300: "0|1"}
    records = [(at, reference[at], other(at), genotype) for at, genotype in snvs.items()] + [(700, "CA", "C", "1|0")]
    plain = tmp_path / "truth.vcf"
    plain.write_text(
        f"##fileformat=VCFv4.3\n##contig=<ID=c,length={len(reference)}>\n"
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS\n"
        + "".join(
            f"c\t{at + 1}\t.\t{old}\t{new}\t.\t.\t.\tGT\t{genotype}\n" for at, old, new, genotype in sorted(records)
        )
    )
    truth = pysam.tabix_index(str(plain), preset="vcf", force=True)
    haplotypes = []
    for copy in (0, 2):
        bases = list(reference)
        for at, genotype in snvs.items():
            if genotype[copy] == "1":
                bases[at] = other(at)
        haplotypes.append("".join(bases))
    starts = (
        (350, 350, 350, 350, 850, 850, 850, 1050),
        (350, 350, 350, 350, 660, 660, 850, 850, 850, 1050, 1050, 1050, 1050, 1250, 1250),
    )
    reads = []
    for copy, places in enumerate(starts):
        for start in places:
            reads.append(MadeRead(start, haplotypes[copy][start : start + 100], name=f"r{len(reads)}", qualities=30))
    fasta = write_fasta(tmp_path / "r.fa", {"c": reference})
    bam = write_alignment(tmp_path / "a.bam", "c", len(reference), reads)
    (tmp_path / "s.bed").write_text(f"c\t100\t{len(reference) - 100}\n")
    sets = tmp_path / "SETS.tsv"
    sets.write_text(f"name\tbam\ttruth\tbed\tfasta\nmade\t{bam}\t{truth}\t{tmp_path / 's.bed'}\t{fasta}\n")
    result = CliRunner().invoke(ceiling.app, ["--sets", str(sets), "--only", "made"])
    assert result.exit_code == 0, result.output
    assert result.output.splitlines()[2:] == [
        "| made | SNP | 4 | error-free | 1 | 1 | 0.7500 |",
        "| made | SNP | 4 | as read | 2 | 1 | 0.5714 |",
        "| made | INDEL | 1 | error-free | 1 | 0 | 0.0000 |",
    ]
