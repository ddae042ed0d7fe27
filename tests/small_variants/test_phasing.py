"""Read-backed phasing against the haplotypes that the reads were drawn from; all else in the file stays."""

from pathlib import Path

import pysam
import pytest
from sample import Sample, make_sample

from strandwise.errors import InputError
from strandwise.formats.intervals import Interval
from strandwise.formats.vcf import write_calls
from strandwise.small_variants.call import call_shard
from strandwise.small_variants.phasing import Phasing, n50, phase

pytestmark = pytest.mark.usefixtures("calling_image")


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return make_sample(tmp_path_factory.mktemp("phasing"), 31, gap=50, read_length=150, depth=40)


def calls_of(sample: Sample, folder: Path, ploidies: tuple[int, ...] = (2,)) -> Path:
    """The calls, with a number of copies for each of as many equal parts of the contig."""
    size = len(sample.reference) // len(ploidies)
    parts = [Interval("c", i * size, (i + 1) * size) for i in range(len(ploidies))]
    path = folder / "S.vcf.gz"
    found = call_shard([sample.bam], sample.fasta, None, parts, ploidies)
    write_calls(found, sample.fasta, "S", "tiny 1", path, folder / "S.g.vcf.gz")
    return path


def lines(path: Path) -> list[str]:
    with pysam.BGZFile(str(path), "r", None) as file:
        return [line.decode() for line in file]


def test_phase_agrees_with_the_haplotypes(tmp_path: Path, sample: Sample) -> None:
    calls, output = calls_of(sample, tmp_path), tmp_path / "phased.vcf.gz"
    found = phase(calls, [sample.bam], sample.fasta, output)
    truth = {(at, old, new): genotype for at, old, new, genotype in sample.variants if genotype != "1|1"}
    sides: dict[int, list[bool]] = {}
    with pysam.VariantFile(str(output)) as phased:
        for row in phased:
            call = row.samples["S"]
            if not call.phased or (row.start, row.ref, row.alts[0]) not in truth:
                continue
            same = "|".join(map(str, call["GT"])) == truth[row.start, row.ref, row.alts[0]]
            sides.setdefault(call["PS"], []).append(same)
            assert call["PS"] <= row.pos
    assert sum(map(len, sides.values())) >= 0.8 * len(truth)
    assert all(len(set(block)) == 1 for block in sides.values()), "a switch within a block"
    assert max(map(len, sides.values())) > 5
    assert found.phased >= sum(map(len, sides.values())) and found.blocks >= len(sides) and found.n50 > 500


def test_nothing_but_gt_and_ps_changes(tmp_path: Path, sample: Sample) -> None:
    calls, output = calls_of(sample, tmp_path), tmp_path / "phased.vcf.gz"
    phase(calls, [sample.bam], sample.fasta, output)
    after = lines(output)
    assert [line for line in after if line.startswith("##FORMAT=<ID=PS")] == [
        '##FORMAT=<ID=PS,Number=1,Type=Integer,Description="Phase set: position of its first call, 1-based">'
    ]
    restored, changed = [], 0
    for line in after:
        columns = line.split("\t")
        if not line.startswith("#") and columns[8].endswith(":PS"):
            genotype, *values, phase_set = columns[9].split(":")
            assert "|" in genotype and int(phase_set) <= int(columns[1]) and columns[6] == "PASS"
            columns[8] = columns[8].removesuffix(":PS")
            columns[9] = ":".join(["/".join(sorted(genotype.split("|"))), *values])
            changed += 1
        if not line.startswith("##FORMAT=<ID=PS"):
            restored.append("\t".join(columns))
    assert restored == lines(calls) and changed > 20
    assert not [path for path in tmp_path.iterdir() if path.name.startswith((".", "tmp"))]


def test_haploid_calls_are_left_alone(tmp_path: Path, sample: Sample) -> None:
    calls, output = calls_of(sample, tmp_path, (2, 1)), tmp_path / "phased.vcf.gz"
    phase(calls, [sample.bam], sample.fasta, output)
    before, after = ([line for line in lines(path) if not line.startswith("#")] for path in (calls, output))
    haploid = [line for line in before if "/" not in line.split("\t")[9]]
    assert len(haploid) > 10 and set(haploid) <= set(after) and any(line.endswith("|") or "|" in line for line in after)


def test_the_same_from_one_and_from_several_threads(tmp_path: Path, sample: Sample) -> None:
    calls = calls_of(sample, tmp_path)
    for threads in (1, 3):
        phase(calls, [sample.bam], sample.fasta, tmp_path / f"{threads}.vcf.gz", threads)
    assert lines(tmp_path / "1.vcf.gz") == lines(tmp_path / "3.vcf.gz")


def test_without_heterozygotes_the_file_is_the_same_but_for_its_header(tmp_path: Path, sample: Sample) -> None:
    calls, output = calls_of(sample, tmp_path, (1,)), tmp_path / "phased.vcf.gz"
    found = phase(calls, [sample.bam], sample.fasta, output)
    assert found == Phasing(0, 0, 0, 0)
    assert set(lines(output)) - set(lines(calls)) == {line for line in lines(output) if "ID=PS" in line}


def test_alignments_that_break_off_are_told_in_one_line(tmp_path: Path, sample: Sample) -> None:
    calls = calls_of(sample, tmp_path)
    broken = tmp_path / "broken.bam"
    broken.write_bytes(sample.bam.read_bytes()[:3000])
    (tmp_path / "broken.bam.bai").write_bytes(Path(f"{sample.bam}.bai").read_bytes())
    with pytest.raises(InputError, match=r"broken\.bam: cannot be phased"):
        phase(calls, [broken], sample.fasta, tmp_path / "phased.vcf.gz")
    assert not (tmp_path / "phased.vcf.gz").exists()


def test_n50_by_hand() -> None:
    """2 + 3 + 5 + 10 = 20: the block of 10 holds half. 8 + 7 + 4 = 19: 8 is less than half, 8 + 7 more."""
    assert (n50([2, 10, 3, 5]), n50([8, 4, 7]), n50([4, 4, 4]), n50([])) == (10, 7, 4, 0)
