"""Given alleles in the calls: all of them told, with genotype, and all else as without them."""

import itertools
import random
from pathlib import Path

import pysam
import pytest
from made_reads import write_alignment
from sample import Sample, make_sample

from strandwise.formats.alleles import prepare_alleles
from strandwise.formats.intervals import Interval
from strandwise.formats.vcf import SiteCall, check_site, record
from strandwise.small_variants.call import call_shard

pytestmark = pytest.mark.usefixtures("calling_image")


HEAD = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return make_sample(tmp_path_factory.mktemp("given"), 21, errors=0.003)


def given_rows(sample: Sample) -> list[tuple[int, str, str]]:
    """Every true allele, another allele at every second true SNV, and three that nobody has beside every true one."""
    rng, rows = random.Random(4), []
    for number, (at, old, new, _) in enumerate(sample.variants):
        rows.append((at, old, new))
        if len(old) == len(new) == 1 and number % 2:
            rows.append((at, old, next(base for base in "ACGT" if base not in (old, new))))
        for place in (at + 30, at + 45, at + 60):
            base = sample.reference[place]
            rows.append((place, base, base + "GATTACA"[: rng.randrange(1, 7)]))
    return rows


def prepared(folder: Path, sample: Sample, rows: list[tuple[int, str, str]]) -> Path:
    text = "".join(f"c\t{at + 1}\t.\t{old}\t{new}\t.\t.\t.\n" for at, old, new in rows)
    (folder / "given.vcf").write_text(HEAD + text)
    prepare_alleles(folder / "given.vcf", sample.fasta, folder / "alleles.vcf.gz")
    return folder / "alleles.vcf.gz"


def called(
    sample: Sample, alleles: Path | None, borders: tuple[int, ...] = (), bam: Path | None = None, ploidy: int = 2
) -> list[SiteCall]:
    cuts = itertools.pairwise((0, *borders, len(sample.reference)))
    intervals = [Interval("c", start, end) for start, end in cuts]
    sites = []
    for piece in call_shard([bam or sample.bam], sample.fasta, None, intervals, ploidy, alleles=alleles):
        for site in piece.sites:
            check_site(site, piece, sample.reference[piece.start :])
            sites.append(site)
    return sites


def normalised(sample: Sample, sites: list[SiteCall], folder: Path) -> set[tuple[int, str, str]]:
    """Alleles of the sites as bcftools norm spells them, which is how prepare_alleles does."""
    rows = [(site.position, site.alleles[0], allele) for site in sites for allele in site.alleles[1:]]
    path = prepared(folder, sample, rows)
    with pysam.VariantFile(str(path)) as file:
        return {(row.start, row.ref, row.alts[0]) for row in file}


def test_every_given_allele_is_told_and_calls_elsewhere_stay(tmp_path: Path, sample: Sample) -> None:
    alleles = prepared(tmp_path, sample, given_rows(sample))
    with pysam.VariantFile(str(alleles)) as file:
        wanted = {(row.start, row.ref, row.alts[0]) for row in file}
    plain, forced = called(sample, None), called(sample, alleles)
    (tmp_path / "told").mkdir()
    assert wanted <= normalised(sample, [site for site in forced if site.given], tmp_path / "told")
    places = {(site.position, len(site.alleles[0]) == len(site.alleles[1])) for site in forced if site.given}
    elsewhere = [site for site in plain if (site.position, len(site.alleles[0]) == len(site.alleles[1])) not in places]
    assert [site for site in forced if not site.given] == elsewhere


def test_true_alleles_keep_their_genotypes_and_the_others_have_none(tmp_path: Path, sample: Sample) -> None:
    forced = called(sample, prepared(tmp_path, sample, given_rows(sample)))
    truth = {(at, new): genotype for at, old, new, genotype in sample.variants if len(old) == len(new) == 1}
    for site in forced:
        if len(site.alleles[0]) > 1 or len(site.alleles[1]) > 1 or not 200 < site.position < 5800:
            continue
        for number, allele in enumerate(site.alleles[1:], 1):
            assert site.genotype.count(number) == truth.get((site.position, allele), "0|0").count("1")
    absent = [s for s in forced if len(s.reads_only) == len(s.alleles) - 1 and s.depth > 10]
    assert len(absent) > 60
    assert all(site.genotype == (0, 0) and site.filters == ("RefCall",) for site in absent)
    assert all(site.likelihoods[0] == 0 and min(site.likelihoods[1:]) > 20 for site in absent)


def test_five_shards_give_the_calls_of_one(tmp_path: Path, sample: Sample) -> None:
    rows = given_rows(sample)
    alleles = prepared(tmp_path, sample, rows)
    whole = called(sample, alleles)
    rng = random.Random(5)
    for _ in range(3):
        borders = tuple(sorted(rng.sample([at + rng.randrange(3) for at, *_ in rows], 4)))
        assert called(sample, alleles, borders) == whole


def test_no_reads_give_no_genotype(tmp_path: Path, sample: Sample) -> None:
    bam = write_alignment(tmp_path / "empty.bam", "c", len(sample.reference), [])
    base = sample.reference[500]
    others = [other for other in "ACGT" if other != base]
    alleles = prepared(tmp_path, sample, [(500, base, others[0]), (500, base, others[1]), (500, base, base + "GAT")])
    snv, insertion = called(sample, alleles, bam=bam)
    assert record(snv).split("\t")[3:8] == [base, ",".join(others[:2]), "0.0", "LowDepth", "GIVEN;READS_ONLY=1,2"]
    assert record(snv).split("\t")[9] == "./.:0:0:0,0,0:0,0:0,0,0,0,0,0"
    assert (insertion.genotype, insertion.likelihoods) == ((None, None), (0, 0, 0))
    (haploid, _) = called(sample, alleles, bam=bam, ploidy=1)
    assert (haploid.genotype, haploid.likelihoods) == ((None,), (0, 0, 0))


def test_one_copy_per_cell(tmp_path: Path, sample: Sample) -> None:
    forced = called(sample, prepared(tmp_path, sample, given_rows(sample)), ploidy=1)
    assert {len(site.genotype) for site in forced} == {1}
    assert all(len(site.likelihoods) == len(site.alleles) for site in forced)
