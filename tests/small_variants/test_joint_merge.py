"""gVCFs side by side: alleles of different records, likelihoods of alleles that a sample has no record of, missing coverage."""

from pathlib import Path

import numpy as np
import pysam
import pytest
from gvcf_files import block, site, write_gvcf, write_reference

from strandwise.errors import InputError
from strandwise.formats.intervals import Interval
from strandwise.formats.vcf import QUALITIES, SiteCall, gvcf_lines, gvcf_record
from strandwise.small_variants.joint_merge import Cohort, Locus, Row, read_headers, trimmed

WHOLE = Interval("chr1", 0, 1000)


def loci_of(folder: Path, samples: dict[str, list[str]], interval: Interval = WHOLE) -> list[Locus]:
    reference = write_reference(folder)
    paths = [write_gvcf(folder, name, lines) for name, lines in samples.items()]
    with Cohort(read_headers(paths, reference)) as cohort:
        return [locus for window in cohort.loci(interval) for locus in window]


def test_an_allele_is_the_same_however_far_its_record_reaches() -> None:
    assert trimmed("CAA", "CA") == trimmed("CA", "C") == ("CA", "C")
    assert trimmed("CAA", "CAAT") == ("C", "CT") or trimmed("CA", "CATA") == ("C", "CAT")


def test_deletions_of_different_length_and_an_insertion_are_one_site(tmp_path: Path) -> None:
    """CA>C, CAA>C and C>CT of three samples: REF is the longest, each allele is written on it."""
    found = loci_of(
        tmp_path,
        {
            "A": [site(100, "CA", "C", "0/1", "10,9", "50,0,60"), block(102, 200, 60)],
            "B": [site(100, "CAA", "C,CA", "1/2", "0,8,9", "90,60,70,60,0,80"), block(103, 200, 60)],
            "C": [block(50, 99, 60), site(100, "C", "CT", "0/1", "9,9", "50,0,60"), block(101, 200, 60)],
        },
    )
    assert [(locus.position, locus.alleles, locus.snv) for locus in found] == [(99, ("CAA", "C", "CA", "CTAA"), False)]
    a, b, c = found[0].samples
    assert (a.depths, b.depths, c.depths) == ([10, 0, 9, 0], [0, 8, 9, 0], [9, 0, 0, 9])
    assert (a.own, b.own, c.own) == (3, 4, 6)  # 0/2, 1/2, 0/3
    for sample in (a, b, c):
        assert int(sample.likelihoods.argmin()) == sample.own


def test_likelihoods_of_known_alleles_are_those_of_the_file(tmp_path: Path) -> None:
    (locus,) = loci_of(tmp_path, {"A": [site(100, "A", "G", "0/1", "10,9", "50,0,60"), block(101, 200, 60)]})
    assert locus.samples[0].likelihoods.tolist() == [50, 0, 60]


def test_an_allele_without_a_record_costs_what_the_reads_say_against_it(tmp_path: Path) -> None:
    """A: 0/0 with 60 phred in a block. B: A>G, 20 + 0 reads of it for T: 0/T costs 3.01 phred a read beyond 0/0."""
    (locus,) = loci_of(
        tmp_path,
        {
            "A": [block(50, 200, 60, depth=20)],
            "B": [site(100, "A", "G", "0/1", "12,8", "50,0,60"), block(101, 200, 60)],
            "C": [site(100, "A", "T", "0/1", "12,8", "50,0,60"), block(101, 200, 60)],
        },
    )
    a, b, c = locus.samples
    assert locus.alleles == ("A", "G", "T")
    # Order 0/0, 0/G, G/G, 0/T, G/T, T/T
    assert a.likelihoods.tolist() == [0, 60, 600, 60, 600, 600]
    assert (a.depth, a.depths, a.own) == (20, [20, 0, 0], 0)
    assert b.likelihoods[3] - b.likelihoods[0] == pytest.approx(12 * 3.0103)
    assert b.likelihoods[4] - b.likelihoods[2] == pytest.approx(8 * 3.0103)
    assert b.likelihoods[5] - b.likelihoods[0] == pytest.approx(30 * 20)
    assert c.likelihoods[1] - c.likelihoods[0] == pytest.approx(12 * 3.0103)


def test_a_site_inside_the_deletion_of_another_sample(tmp_path: Path) -> None:
    """A has a heterozygous deletion over the place: its 11 reads of the other chromosome say that there is no G, and the 9 with
    the deletion say nothing. B's SNV is in its own record, and it has no deletion by the lowest of its blocks and the SNV's depth."""
    found = loci_of(
        tmp_path,
        {
            "A": [block(1, 99, 60), site(100, "CAA", "C", "0/1", "11,9", "50,0,60"), block(103, 200, 60)],
            "B": [block(1, 100, 90), site(101, "A", "G", "0/1", "7,7", "50,0,60"), block(102, 200, 80)],
        },
    )
    deletion, snv = found
    assert snv.samples[0].likelihoods.tolist() == pytest.approx([0, 11 * 3.0103, 110 * 3.0103])
    assert snv.samples[0].depth == 11
    assert deletion.samples[1].likelihoods.tolist() == pytest.approx([0, 14 * 3.0103, 140 * 3.0103])
    assert deletion.samples[1].depth == 14


def test_an_snv_and_an_insertion_after_the_same_base_are_two_sites(tmp_path: Path) -> None:
    found = loci_of(
        tmp_path,
        {
            "A": [
                site(100, "C", "T", "0/1", "11,9", "50,0,60"),
                site(100, "C", "CA", "0/1", "11,9", "50,0,60"),
                block(101, 200, 60),
            ],
            "B": [block(1, 200, 60)],
        },
    )
    assert [(locus.alleles, locus.snv) for locus in found] == [(("C", "T"), True), (("C", "CA"), False)]


def test_no_coverage_is_no_genotype(tmp_path: Path) -> None:
    """No reads (block of depth 0), and a place that was not looked at (no block): flat likelihoods, no own genotype."""
    (locus,) = loci_of(
        tmp_path,
        {
            "A": [site(100, "A", "G", "0/1", "12,8", "50,0,60"), block(101, 200, 60)],
            "B": [block(50, 200, 0, depth=0)],
            "C": [block(150, 200, 60)],
        },
    )
    for sample in locus.samples[1:]:
        assert sample.missing and sample.depth == 0
        assert not sample.likelihoods.any()


def test_one_copy(tmp_path: Path) -> None:
    """Haploid records: PL of 0 and 1 stand at the homozygous genotypes; blocks with one likelihood more."""
    (locus,) = loci_of(
        tmp_path,
        {
            "A": [
                site(100, "A", "G", "1", "0,12", "80,0", contig="chrX"),
                block(101, 200, 60, ploidy=1, contig="chrX"),
            ],
            "B": [block(50, 200, 45, ploidy=1, contig="chrX")],
            "C": [block(50, 200, 60, contig="chrX")],
        },
        Interval("chrX", 0, 1000),
    )
    a, b, _c = locus.samples
    assert [sample.ploidy for sample in locus.samples] == [1, 1, 2]
    assert a.likelihoods[[0, 2]].tolist() == [80, 0]
    assert b.likelihoods[[0, 2]].tolist() == [0, 45]
    assert a.own == 2


def test_what_reads_do_not_show_is_no_evidence(tmp_path: Path) -> None:
    """A candidate with P(0/1) = 0.2 in a repeat, which no read shows: without the rule it would be 750 times as likely as 0/0, 29 phred,
    as the prior of a place anywhere is 1 in 3,000."""
    (locus,) = loci_of(tmp_path, {"A": [site(100, "A", "G", "0/0", "21,0", "29,0,21", "RefCall"), block(101, 200, 60)]})
    assert locus.samples[0].likelihoods.tolist() == pytest.approx([0, 0, 0])
    assert locus.samples[0].artefact == pytest.approx(0)


def test_reads_that_are_no_errors_and_no_variant_are_an_artefact(tmp_path: Path) -> None:
    """26 + 6 reads, P(0/0) = 0.615 and P(0/1) = 0.385, which without the prior of 1 in 3,000 is 33 phred for 0/1. Six errors have no
    chance, so 0/0 is all artefact: at a rate of 1e-4, 40 phred, an artefact explains the reads 7 phred better than 0/1."""
    (locus,) = loci_of(tmp_path, {"A": [site(100, "A", "G", "0/0", "26,6", "33,0,38", "RefCall"), block(101, 200, 60)]})
    sample = locus.samples[0]
    assert int(sample.likelihoods.argmin()) == 1
    assert sample.artefact == pytest.approx(33 - 40, abs=0.05)
    assert sample.errors == pytest.approx(6 * (30 - 3.0103) - 26 * 3.0103)
    assert sample.likelihoods[0] == 33  # errors and artefacts at their rate


def test_alleles_that_no_network_has_judged_have_no_artefacts(tmp_path: Path) -> None:
    """PL of an allele that was asked for and is no candidate come from the reads alone, 14 x 3 = 42 phred: 0/0 has one explanation,
    at whatever prior it was asked for."""
    row = site(100, "A", "G", "0/0", "14,0", "0,42,100", "RefCall", info="GIVEN=0.1,.;READS_ONLY=1")
    (locus,) = loci_of(tmp_path, {"A": [row, block(101, 200, 60)]})
    assert locus.samples[0].likelihoods.tolist() == [0, 42, 100]
    assert (locus.samples[0].errors, locus.samples[0].artefact, locus.samples[0].own) == (0, 0, 0)
    both = site(300, "A", "C,G", "0/1", "9,9,0", "70,0,80,99,42,99", info="GIVEN=.,0.1,.;READS_ONLY=2")
    (_, locus) = loci_of(tmp_path, {"A": [row, block(101, 299, 60), both]})
    assert locus.samples[0].likelihoods.tolist() == [70, 0, 80, 99, 42, 99]


def test_windows_do_not_change_anything(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    samples = {
        "A": [block(1, 99, 60), site(100, "CAA", "C", "0/1", "11,9", "50,0,60"), block(103, 300, 50)],
        "B": [block(1, 100, 90), site(101, "A", "G", "0/1", "7,7", "50,0,60"), block(102, 300, 80)],
    }
    whole = loci_of(tmp_path, samples)
    monkeypatch.setattr("strandwise.small_variants.joint_merge.WINDOW", 50)
    cut = loci_of(tmp_path, samples)
    assert [(locus.position, locus.alleles) for locus in whole] == [(locus.position, locus.alleles) for locus in cut]
    for one, other in zip(whole, cut, strict=True):
        for left, right in zip(one.samples, other.samples, strict=True):
            np.testing.assert_array_equal(left.likelihoods, right.likelihoods)
            assert (left.depth, left.depths, left.own) == (right.depth, right.depths, right.own)


def test_more_alternates_than_are_kept(tmp_path: Path) -> None:
    """Nine insertions in nine samples: the six with the highest probability stay."""
    sure = {f"S{n}": [site(100, "C", "C" + "A" * n, "0/1", "9,9", "60,0,60")] for n in range(1, 7)}
    doubtful = {f"T{n}": [site(100, "C", "C" + "A" * n, "0/0", "9,1", "0,5,60", "RefCall")] for n in range(7, 10)}
    (locus,) = loci_of(tmp_path, doubtful | sure)
    assert locus.alleles == ("C", *("C" + "A" * n for n in range(1, 7)))
    assert [sample.own for sample in locus.samples[:3]] == [0, 0, 0]


def test_files_that_cannot_be_used_are_told_together(tmp_path: Path) -> None:
    reference = write_reference(tmp_path)
    good = write_gvcf(tmp_path, "A", [block(1, 99, 60)])
    other = tmp_path / "other"
    other.mkdir()
    again = write_gvcf(other, "A", [block(1, 99, 60)])
    long = write_gvcf(tmp_path, "L", [block(1, 99, 60)], contigs={"chr1": 999, "chrX": 1000})
    plain = tmp_path / "plain.vcf"
    plain.write_text("##fileformat=VCFv4.3\n##source=GATK\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tP\n")
    bare = write_gvcf(tmp_path, "B", [block(1, 99, 60)])
    Path(f"{bare}.tbi").unlink()
    with pysam.BGZFile(str(good), "r", None) as file:
        lines = [line for line in file.read().decode().replace("\tA\n", "\tO\n").splitlines() if QUALITIES not in line]
    old = tmp_path / "O.g.vcf.gz"
    with pysam.BGZFile(str(old), "w", None) as file:
        file.write("".join(f"{line}\n" for line in lines).encode())
    pysam.tabix_index(str(old), preset="vcf")
    with pytest.raises(InputError) as error:
        read_headers([good, again, long, plain, bare, old], reference)
    assert error.value.problems == [
        "A.g.vcf.gz: sample A is in A.g.vcf.gz already; leave one of them out",
        "L.g.vcf.gz: contig 'chr1' is not in reference.fa with this length; give the reference that the sample was called with",
        "plain.vcf: is no gVCF of Strandwise, whose qualities joint genotyping relies on; give small_variants/<sample>/<sample>.g.vcf.gz",
        "B.g.vcf.gz: has no index beside it; make one with: bcftools index --tbi B.g.vcf.gz",
        "O.g.vcf.gz: its PL hold a prior, as earlier versions wrote them; call the sample again with this version",
    ]


def test_a_line_that_joins_an_snv_and_an_indel_is_read_as_both() -> None:
    """What the caller's gVCF writes as one line for two sites: the rows are those of two lines."""
    snv = SiteCall("chr1", 99, ("A", "G"), (0, 1), 60.0, 40, 30, (15, 15), (100, 0, 100), given=(0.1,))
    deletion = SiteCall(
        "chr1", 99, ("ACG", "A", "AT"), (1, 2), 70.0, 9, 28, (1, 13, 14), (90, 60, 80, 50, 0, 70), ("LowQual", "LowMapQ"), (), (2,)
    )  # fmt: skip
    ((_, line),) = gvcf_lines([snv, deletion])
    rows = Row(line).parts()
    for row, given in zip(rows, (snv, deletion), strict=True):
        alone = Row(gvcf_record(given))
        assert (row.start, row.end, row.is_snv, row.columns[3:7]) == (
            alone.start,
            alone.end,
            alone.is_snv,
            alone.columns[3:7],
        )
        assert row.likelihoods == list(given.likelihoods) and row.depths == alone.depths
        assert {name: row.fields[name] for name in ("GT", "GQ", "DP")} == {
            name: alone.fields[name] for name in ("GT", "GQ", "DP")
        }
        assert row.reads_only == alone.reads_only
    one = Row(gvcf_record(snv))
    assert one.parts() == [one]


def test_one_copy_of_a_joined_line() -> None:
    snv = SiteCall("chrX", 99, ("A", "G"), (1,), 60.0, 40, 30, (0, 30), (90, 0))
    insertion = SiteCall("chrX", 99, ("A", "AT"), (0,), 0.0, 20, 30, (29, 1), (0, 20), ("RefCall",))
    ((_, line),) = gvcf_lines([snv, insertion])
    assert [row.likelihoods for row in Row(line).parts()] == [[90, 0], [0, 20]]
    assert [row.genotype for row in Row(line).parts()] == [(1,), (0,)]
