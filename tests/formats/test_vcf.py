"""VCF and gVCF: what stands in them, that bcftools takes them without a word, and what is refused."""

import dataclasses
import subprocess
import sys

import numpy
import pysam
import pysam.bcftools
import pytest
from made_alignments import CONTIGS, make_reference, sequence

from strandwise.errors import InputError
from strandwise.formats.vcf import (
    GRID,
    IntervalCalls,
    SiteCall,
    blocks,
    check_site,
    gvcf_lines,
    gvcf_record,
    header,
    joined,
    quality_bands,
    record,
    with_non_reference,
    write_calls,
)

BASES = sequence(CONTIGS["chr1"], 0)


def snp(position, contig="chr1", bases=BASES, **changes):
    """A heterozygous SNP of 10 reads, 4 of them alternate."""
    reference = bases[position]
    alternate = "ACGT"["ACGT".index(reference) - 1]
    values = {
        "contig": contig,
        "position": position,
        "alleles": (reference, alternate),
        "genotype": (0, 1),
        "quality": 41.25,
        "genotype_quality": 40,
        "depth": 10,
        "allele_depths": (6, 4),
        "likelihoods": (41, 0, 90),
    }
    return SiteCall(**{**values, **changes})


def interval(start, end, sites=(), depth=20, quality=50, contig="chr1", ploidy=2):
    length = end - start
    return IntervalCalls(
        contig,
        start,
        end,
        list(sites),
        numpy.full(length, depth, numpy.int32),
        numpy.full(length, quality, numpy.uint8),
        ploidy,
    )


@pytest.fixture
def reference(tmp_path):
    return make_reference(tmp_path)


def written_files(folder, reference, intervals, sample="S"):
    output, gvcf = folder / "x.vcf.gz", folder / "x.g.vcf.gz"
    write_calls(intervals, reference, sample, "tiny 1", output, gvcf)
    return output, gvcf


def records(text):
    return [line for line in text.splitlines() if not line.startswith("#")]


def test_record_as_text():
    site = snp(9, alleles=("G", "A"), filters=("LowQual",))
    assert record(site) == "chr1\t10\t.\tG\tA\t41.2\tLowQual\t.\tGT:GQ:DP:AD:VAF:PL\t0/1:40:10:6,4:0.4:41,0,90"


def test_missing_genotype_and_no_reads():
    site = snp(9, alleles=("G", "A"), genotype=(None, None), depth=0, allele_depths=(0, 0), likelihoods=(0, 0, 0))
    assert record(site).split("\t")[-1] == "./.:40:0:0,0:0:0,0,0"


def test_likelihoods_with_non_reference_worked_out_by_hand():
    # 0/0 41, 0/1 0, 1/1 90. 0/N: 41 and 3 for each of 6 reads; 1/N: 90 and 3 for each of 4; N/N: 41 + 90.
    assert with_non_reference(snp(9)) == (41, 0, 90, 59, 102, 131)
    # Haploid: N explains neither allele's reads.
    assert with_non_reference(snp(9, genotype=(1,), likelihoods=(80, 0))) == (80, 0, 80)


def test_gvcf_record_carries_non_ref_last():
    columns = gvcf_record(snp(9, alleles=("G", "A"))).split("\t")
    assert columns[4] == "A,<NON_REF>"
    assert columns[7] == "DP=10"
    assert columns[-1] == "0/1:40:10:6,4,0:0.4,0:41,0,90,59,102,131"


def test_blocks_end_at_sites_bands_grid_and_missing_depth():
    start, end = GRID - 30, GRID + 20
    calls = interval(start, end, [snp(GRID - 20)], quality=70)
    calls.reference_quality[:5] = 49  # the band below
    calls.reference_quality[7] = 55  # lower, but in the band of 70
    calls.depth[7] = 10
    calls.depth[-4:] = 0
    calls.reference_quality[-4:] = 0
    lines = [line.split("\t") for _, line in blocks(calls, BASES[start:end].encode())]
    assert [(int(line[1]), line[7], line[9]) for line in lines] == [
        (GRID - 29, f"END={GRID - 25}", "0/0:49:20:20:0,49,490"),
        (GRID - 24, f"END={GRID - 20}", "0/0:55:18:10:0,55,550"),  # 5 positions: four of depth 20, one of 10
        (GRID - 18, f"END={GRID}", "0/0:70:20:20:0,70,700"),
        (GRID + 1, f"END={GRID + 16}", "0/0:70:20:20:0,70,700"),
        (GRID + 17, f"END={GRID + 20}", "./.:0:0:0:0,0,0"),
    ]
    assert [line[3] for line in lines] == [BASES[int(line[1]) - 1] for line in lines]


def test_bands_may_be_chosen():
    """Edges 5, 20, 60: 19 and 20 differ, 20 to 59 are one block, 60 begins another."""
    calls = interval(0, 10)
    calls.reference_quality[:] = [4, 5, 19, 20, 40, 59, 59, 60, 99, 99]
    lines = [line.split("\t") for _, line in blocks(calls, BASES[:10].encode(), quality_bands("5,20,60"))]
    assert [(int(line[1]), line[7], line[9].split(":")[1]) for line in lines] == [
        (1, "END=1", "4"),
        (2, "END=3", "5"),
        (4, "END=7", "20"),
        (8, "END=10", "60"),
    ]
    text = header({"chr1": 10}, "S", "tiny 1", True, quality_bands("5,20,60"))
    assert [line for line in text.splitlines() if line.startswith("##GVCFBlock")] == [
        "##GVCFBlock0-5=minGQ=0(inclusive),maxGQ=5(exclusive)",
        "##GVCFBlock5-20=minGQ=5(inclusive),maxGQ=20(exclusive)",
        "##GVCFBlock20-60=minGQ=20(inclusive),maxGQ=60(exclusive)",
        "##GVCFBlock60-100=minGQ=60(inclusive),maxGQ=100(exclusive)",
    ]


@pytest.mark.parametrize("text", ["", "20,5", "5,5", "0,5", "100", "5;20", "-5", "5.5"])
def test_bands_that_do_not_rise_or_are_no_numbers(text):
    with pytest.raises(InputError, match="rising whole numbers from 1 to 99"):
        quality_bands(text)


def test_given_sites_are_flagged_in_both_files_and_in_the_header_where_there_are_any():
    site = snp(9, alleles=("G", "A"), given=(0.1,))
    assert record(site).split("\t")[7] == "GIVEN=0.1" and gvcf_record(site).split("\t")[7] == "DP=10;GIVEN=0.1,."
    assert "##INFO=<ID=GIVEN,Number=A," in header({"chr1": 10}, "S", "tiny 1", False, given=True)
    assert "GIVEN" not in header({"chr1": 10}, "S", "tiny 1", False)


def test_haploid_blocks():
    ((_, line),) = blocks(interval(0, 10, ploidy=1), BASES[:10].encode())
    assert line.split("\t")[9] == "0:50:20:20:0,50"


def test_a_deletion_covers_its_span_up_to_the_grid():
    start = GRID - 5
    deletion = snp(start, alleles=(BASES[start : start + 20], BASES[start]), likelihoods=(50, 0, 60))
    lines = [line.split("\t") for _, line in blocks(interval(0, GRID + 50, [deletion]), BASES[: GRID + 50].encode())]
    assert [(int(line[1]), line[7]) for line in lines] == [(1, f"END={start}"), (GRID + 1, f"END={GRID + 50}")]


def test_bcftools_takes_both_files_without_a_word(tmp_path, reference):
    other = sequence(CONTIGS["HLA-A*01:01:01:01"], 1)
    end = next(at for at in range(300, 400) if BASES[at] != BASES[at + 3])
    deletion = snp(end, alleles=(BASES[end : end + 4], BASES[end]), likelihoods=(50, 0, 60))
    two = snp(500, alleles=(BASES[500], *[base for base in "ACGT" if base != BASES[500]][:2]), genotype=(1, 2),
              allele_depths=(0, 5, 5), likelihoods=(90, 50, 60, 50, 0, 60))  # fmt: skip
    odd = "HLA-A*01:01:01:01"
    given = [
        interval(0, 12_000, [snp(100), deletion, two]),
        interval(0, 3_000, [snp(7, odd, other, genotype=(1,), likelihoods=(80, 0))], contig=odd, ploidy=1),
    ]
    for path, number in zip(written_files(tmp_path, reference, given), (4, 11), strict=True):
        for command in (["view"], ["stats"], ["norm", "--check-ref", "e", "--fasta-ref", str(reference)]):
            code = f"import pysam.bcftools as b; b.{command[0]}(*{[*command[1:], str(path)]}, catch_stdout=False)"
            done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
            messages = [line for line in done.stderr.splitlines() if not line.startswith("Lines   total")]
            assert messages == []
        normalised = records(pysam.bcftools.norm("--fasta-ref", str(reference), str(path)))
        assert normalised == records(pysam.bcftools.view(str(path)))
        assert len(normalised) == number
        with pysam.VariantFile(str(path)) as variants:
            assert len(list(variants.fetch(odd, 0, 3000))) >= 1


def test_gvcfs_merge(tmp_path, reference):
    site = snp(100)
    _, first = written_files(tmp_path, reference, [interval(0, 1000, [site])], "S")
    (tmp_path / "b").mkdir()
    _, second = written_files(tmp_path / "b", reference, [interval(0, 1000)], "T")
    text = pysam.bcftools.merge("--gvcf", str(reference), str(first), str(second))
    (row,) = [line.split("\t") for line in text.splitlines() if line.startswith("chr1\t101\t")]
    assert row[3:5] == [site.alleles[0], f"{site.alleles[1]},<NON_REF>"]
    assert [column.split(":")[0] for column in row[9:]] == ["0/1", "0/0"]


def test_no_site_is_a_valid_indexed_file(tmp_path, reference):
    for path in written_files(tmp_path, reference, []):
        assert path.read_bytes().endswith(bytes.fromhex("1b0003000000000000000000"))  # the BGZF end block
        with pysam.VariantFile(str(path)) as variants:
            assert list(variants.header.samples) == ["S"]
            assert list(variants.fetch("chr1")) == []


def test_header_holds_no_date_and_names_the_model(tmp_path, reference):
    output, _ = written_files(tmp_path, reference, [])
    header = pysam.bcftools.view("--no-version", "-h", str(output))
    assert "##strandwise_model=tiny 1\n" in header
    assert "##contig=<ID=HLA-A*01:01:01:01,length=3000>\n" in header
    assert "Date" not in header and "##reference" not in header


def test_equal_input_gives_equal_bytes_and_cutting_at_the_grid_changes_nothing(tmp_path, reference):
    sites = [snp(position) for position in range(500, 40_000, 700)]
    rng = numpy.random.default_rng(1)
    whole = interval(0, 45_000, sites)
    whole.reference_quality[:] = rng.integers(0, 99, 4500).repeat(10)
    pieces = []
    for start, end in ((0, 2 * GRID), (2 * GRID, 3 * GRID), (3 * GRID, 45_000)):
        inside = [site for site in sites if start <= site.position < end]
        pieces.append(
            IntervalCalls("chr1", start, end, inside, whole.depth[start:end], whole.reference_quality[start:end])
        )
    (tmp_path / "b").mkdir()
    for one, other in zip(
        written_files(tmp_path, reference, [whole]), written_files(tmp_path / "b", reference, pieces), strict=True
    ):
        with pysam.BGZFile(str(one), "r", None) as first, pysam.BGZFile(str(other), "r", None) as second:
            assert first.read() == second.read()


def test_codes_of_several_bases_become_n(tmp_path):
    path = tmp_path / "iupac.fa"
    path.write_text(">c\nACGRYACGT\n")
    pysam.faidx(str(path))
    given = interval(3, 9, contig="c")
    _, gvcf = written_files(tmp_path, path, [given])
    assert pysam.bcftools.view("-H", str(gvcf)).split("\t")[3] == "N"


WRONG = {
    "REF is not the reference's": {"alleles": ("N", "A")},
    "alleles missing or repeated": {"alleles": (BASES[100],)},
    "not left-aligned": {"alleles": (BASES[100:102], "T" + BASES[101])},
    "not parsimonious": {"alleles": (BASES[100:102], BASES[100] + ("A" if BASES[101] != "A" else "C"))},
    "1 allele depths for 2 alleles": {"allele_depths": (5,)},
    "4 likelihoods for 2 alleles": {"likelihoods": (0, 1, 2, 3)},
    "unknown filters": {"filters": ("Bad",)},
    "outside chr1:1-1000": {"position": 2000},
}


@pytest.mark.parametrize("message", WRONG)
def test_sites_that_break_the_promises_are_refused(message):
    with pytest.raises(ValueError, match=message):
        check_site(dataclasses.replace(snp(100), **WRONG[message]), interval(0, 1000), BASES)


def test_disorder_leaves_no_file(tmp_path, reference):
    with pytest.raises(ValueError, match="comes after"):
        written_files(tmp_path, reference, [interval(0, 1000, [snp(200), snp(100)])])
    with pytest.raises(ValueError, match="comes after"):
        written_files(tmp_path, reference, [interval(500, 1000), interval(0, 600)])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ref.fa", "ref.fa.fai"]


def indel(position, text, bases=BASES, **changes):
    """A homozygous insertion of 10 reads, all alternate."""
    values = {
        "alleles": (bases[position], bases[position] + text),
        "genotype": (1, 1),
        "allele_depths": (0, 10),
        "likelihoods": (90, 30, 0),
        "genotype_quality": 30,
        "quality": 50.0,
    }
    return snp(position, bases=bases, **{**values, **changes})


def test_an_snv_and_an_indel_at_one_base_are_one_line_of_the_gvcf():
    """A>G 0/1 and A>AT 0/1 on two copies: alleles G, AT and, as their phase is not known, GT. PL are sums: G/AT is 0/1 of both."""
    snv = snp(9, alleles=("A", "G"))  # 41, 0, 90
    other = indel(9, "T", genotype=(0, 1), likelihoods=(70, 0, 60), allele_depths=(5, 5), bases="A" * 20)
    ((position, line),) = gvcf_lines([snv, other])
    columns = line.split("\t")
    assert position == 9
    assert columns[3:7] == ["A", "G,AT,GT,<NON_REF>", "50.0", "PASS"]
    assert columns[7] == "DP=10;PARTS=1:41.2:PASS:0/1:40:10:6/4,2:50.0:PASS:0/1:30:10:5/5"
    genotype, quality, depth, depths, _, likelihoods = columns[9].split(":")
    assert (genotype, quality, depth, depths) == ("1/2", "30", "10", "5,4,5,0,0")
    # 0/0 41+70, 0/G 0+70, G/G 90+70, 0/AT 41+0, G/AT 0+0, AT/AT 41+60, 0/GT 0+0, G/GT 90+0, AT/GT 0+60, GT/GT 90+60
    assert likelihoods.split(",")[:10] == ["111", "70", "160", "41", "0", "101", "0", "90", "60", "150"]


def test_both_changes_on_one_copy_where_there_are_more_than_two():
    """A>G 0/1 and A>AT 1/1: AT and GT. Four reads show both; the insertion's other six show it alone."""
    site, parts = joined([snp(9, alleles=("A", "G")), indel(9, "T", bases="A" * 20)])
    assert site.alleles == ("A", "G", "AT", "GT") and parts == [[1], [2]]
    assert site.genotype == (2, 3)
    assert site.allele_depths == (0, 0, 6, 4)
    assert site.likelihoods[8] == 0  # AT/GT: 0/1 of the SNV, 1/1 of the insertion


def test_a_deletion_and_an_snv_that_was_turned_down():
    """The longest REF is that of both; who carries nothing says nothing on the filter; one copy."""
    snv = snp(9, alleles=("A", "C"), genotype=(0,), likelihoods=(0, 40), filters=("RefCall",), quality=0.0)
    deletion = snp(9, alleles=("AGT", "A"), genotype=(1,), likelihoods=(55, 0), given=(0.1,), reads_only=(1,))
    ((_, line),) = gvcf_lines([snv, deletion])
    columns = line.split("\t")
    assert columns[3:5] == ["AGT", "CGT,A,<NON_REF>"] and columns[6] == "PASS"
    assert "GIVEN=.,0.1,.;READS_ONLY=2" in columns[7]
    assert columns[9].split(":")[0] == "2"
    assert columns[9].split(":")[-1].split(",")[:3] == ["55", "95", "0"]


def test_no_genotype_where_one_is_unknown():
    site, _ = joined([snp(9, alleles=("A", "G"), genotype=(None, None)), indel(9, "T", bases="A" * 20)])
    assert site.genotype == (None, None) and site.alleles == ("A", "G", "AT")


def test_the_gvcf_has_one_line_per_base_and_the_vcf_each_record(tmp_path, reference):
    base = BASES[49]
    other = "ACGT"["ACGT".index(base) - 1]
    sites = [snp(49, alleles=(base, other)), snp(49, alleles=(base, base + ("A" if base != "A" else "C") + other))]
    output, gvcf = written_files(tmp_path, reference, [interval(0, 100, sites)])
    assert pysam.bcftools.view("-H", str(output)).count("\n") == 2
    positions = [line.split("\t")[1] for line in records(pysam.bcftools.view(str(gvcf)))]
    assert positions == ["1", "50", "51"]
