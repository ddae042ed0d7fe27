"""Gathering: order by name, nothing lost, nothing twice."""

import itertools

import numpy
import pysam
import pytest
from made_alignments import make_reference

from strandwise.errors import InputError
from strandwise.formats.vcf import GRID, IntervalCalls, SiteCall, record_count, write_calls
from strandwise.small_variants.gather import gather
from strandwise.small_variants.summary import summarise

pytestmark = pytest.mark.usefixtures("calling_image")


LENGTH = 6 * GRID


@pytest.fixture
def reference(tmp_path):
    return make_reference(tmp_path)


def calls_of(reference, start, end):
    """A SNP every 1,000 bases: transitions on even thousands, every third one homozygous, GQ 5 filtered on multiples of 7."""
    with pysam.FastaFile(str(reference)) as fasta:
        bases = fasta.fetch("chr1").upper()
    sites = []
    for position in range(start, end, 1000):
        number = position // 1000
        alternate = {"A": "GC", "G": "AT", "C": "TA", "T": "CG"}[bases[position]][number % 2]
        homozygous = number % 3 == 0
        sites.append(
            SiteCall(
                "chr1",
                position,
                (bases[position], alternate),
                (1, 1) if homozygous else (0, 1),
                50.0,
                5 if number % 7 == 0 else 35,
                20,
                (0, 20) if homozygous else (10, 10),
                (90, 40, 0) if homozygous else (50, 0, 50),
                ("LowQual",) if number % 7 == 0 else ("PASS",),
            )
        )
    depth = numpy.full(end - start, 20, numpy.int32)
    return IntervalCalls("chr1", start, end, sites, depth, numpy.full(end - start, 15, numpy.uint8))


def shard_files(folder, reference, borders, sample="S"):
    folder.mkdir()
    files = ([], [])
    for number, (start, end) in enumerate(itertools.pairwise(borders), 1):
        paths = folder / f"{number:04}.vcf.gz", folder / f"{number:04}.g.vcf.gz"
        given = [calls_of(reference, start, end)] if end > start else []
        write_calls(given, reference, sample, "tiny 1", *paths)
        for side, path in zip(files, paths, strict=True):
            side.append(path)
    return files


def text(path):
    with pysam.BGZFile(str(path), "r", None) as file:
        return file.read()


def test_any_number_of_shards_gives_the_same_files(tmp_path, reference):
    whole = shard_files(tmp_path / "1", reference, [0, LENGTH])
    borders = [0, GRID, GRID, 3 * GRID, 4 * GRID, 5 * GRID, LENGTH]  # the second of seven is empty
    calls, gvcfs = shard_files(tmp_path / "6", reference, borders)
    output, gvcf = tmp_path / "S.vcf.gz", tmp_path / "S.g.vcf.gz"
    assert gather(calls[::-1], gvcfs[3:] + gvcfs[:3], output, gvcf) == 60
    assert text(output) == text(whole[0][0])
    assert text(gvcf) == text(whole[1][0])
    assert (record_count(output), record_count(gvcf)) == (60, 120)
    with pysam.VariantFile(str(output)) as variants:
        assert [record.pos for record in variants.fetch("chr1", 5500, 7500)] == [6001, 7001]


def test_shards_out_of_order_are_found(tmp_path, reference):
    calls, gvcfs = shard_files(tmp_path / "a", reference, [0, GRID, 2 * GRID])
    for first, second in (calls, gvcfs):
        for suffix in ("", ".tbi"):
            one, two = first.with_name(first.name + suffix), second.with_name(second.name + suffix)
            kept = one.read_bytes()
            one.write_bytes(two.read_bytes())
            two.write_bytes(kept)
    with pytest.raises(ValueError, match="out of order"):
        gather(calls, gvcfs, tmp_path / "S.vcf.gz", tmp_path / "S.g.vcf.gz")
    assert not list(tmp_path.glob("*.vcf.gz*"))


def test_what_gather_refuses(tmp_path, reference):
    calls, gvcfs = shard_files(tmp_path / "a", reference, [0, GRID, 2 * GRID])
    others, _ = shard_files(tmp_path / "b", reference, [0, GRID, 2 * GRID], sample="T")
    outputs = tmp_path / "S.vcf.gz", tmp_path / "S.g.vcf.gz"
    with pytest.raises(InputError, match="shard 0002: has calls or gVCF but not both"):
        gather(calls, gvcfs[:1], *outputs)
    with pytest.raises(InputError, match=r"0001\.vcf\.gz: given twice"):
        gather([*calls, calls[0]], gvcfs, *outputs)
    with pytest.raises(InputError, match="headers differ"):
        gather([calls[0], others[1]], gvcfs, *outputs)


def test_summary_counts_what_lies_there(tmp_path, reference):
    from made_alignments import make_bam

    (calls,), (gvcf,) = shard_files(tmp_path / "a", reference, [0, LENGTH])
    found = summarise(calls, gvcf, [make_bam(tmp_path), make_bam(tmp_path, "2.bam")], reference, "S", tmp_path)
    # Of 60 numbers 0 to 59, nine are multiples of 7; of the other 51, 25 are even (30 - 5), 17 multiples of 3 (20 - 3).
    assert found["filters"] == {"LowQual": 9, "PASS": 51}
    assert found["records"] == {"snp": 51, "indel": 0, "multiallelic": 0}
    assert (found["ti"], found["tv"], found["het"], found["hom_alt"]) == (25, 26, 34, 17)
    assert found["gq"]["snp"] == [0, 0, 0, 51, 0, 0, 0, 0, 0, 0]
    # 60,000 bases of depth 20; GQ 15 but at the 51 sites with GQ 35.
    assert (found["bases"], found["mean_depth"]) == (60_000, 20.0)
    assert found["callable_share"] == round(51 / 60_000, 5)
    assert found["model_version"] == "tiny 1"
    names = sorted(path.name for path in tmp_path.glob("S.*"))
    assert names == [
        "S.2.samtools_stats.txt",
        "S.bcftools_stats.txt",
        "S.coverage.txt",
        "S.samtools_stats.txt",
        "S.small_variants.json",
    ]
    assert "number of SNPs:\t51" in (tmp_path / "S.bcftools_stats.txt").read_text()
    assert "raw total sequences:\t2000" in (tmp_path / "S.samtools_stats.txt").read_text()
