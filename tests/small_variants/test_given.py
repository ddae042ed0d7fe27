"""Given alleles in the calls: all of them told, with genotype, and all else as without them."""

import importlib.util
import inspect
import itertools
import json
import random
from pathlib import Path

import numpy as np
import pysam
import pytest
from made_reads import MadeRead, write_alignment
from sample import Sample, make_sample

from strandwise.formats.alleles import ALLELES_PRIOR, prepare_alleles
from strandwise.formats.intervals import Interval
from strandwise.formats.vcf import SiteCall, check_site, gvcf_record, record
from strandwise.models.card import load_card
from strandwise.small_variants.call import call_shard
from strandwise.small_variants.candidates import GIVEN, GIVEN_ONLY, Candidates
from strandwise.small_variants.given import weighed
from strandwise.small_variants.priors import copies_prior, genotype_prior

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
    sample: Sample,
    alleles: Path | None,
    borders: tuple[int, ...] = (),
    bam: Path | None = None,
    ploidy: int = 2,
    share: float = ALLELES_PRIOR,
) -> list[SiteCall]:
    cuts = itertools.pairwise((0, *borders, len(sample.reference)))
    sites = []
    for start, end in cuts:
        shard = [Interval("c", start, end)]
        (piece,) = call_shard([bam or sample.bam], sample.fasta, None, shard, ploidy, alleles=alleles, share=share)
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


def candidate(given: int, likelihoods: tuple[float, float, float]) -> Candidates:
    """One SNV of a place with nothing but what weighing looks at."""
    none = np.zeros(1, np.int32)
    return Candidates(
        contig="c", start=0, end=1, record=none, kind=none, reference_length=none + 1, alternates=["A"],
        features=np.zeros((1, 1)), likelihoods=np.array([likelihoods], np.float32), counts=np.zeros((1, 3), int),
        read_rows=None, depth=none, disagreeing=none, low_depth=none, given=np.array([given]),
    )  # fmt: skip


def test_the_given_prior_takes_the_place_of_the_genomes() -> None:
    """A heterozygote of 1 in 100 by a network that starts from 1 in 2,000: the reads say odds of 0.01/0.99 x 1999/1, twenty to one
    for the allele; with a prior of 1 in 10 that is 20.2 / 9 = 2.24 to one. As bases alone say more (30 phred), nothing bounds it."""
    carried = 1 - copies_prior(True)[0]
    assert carried == pytest.approx(1 / 2000, rel=1e-3)
    by_network = np.array([[0.99, 0.01 * 2 / 3, 0.01 / 3]])
    (found,) = weighed(candidate(GIVEN, (30, 0, 0)), by_network, 0.1)
    odds = 0.01 / 0.99 * (1 - carried) / carried * 0.1 / 0.9
    assert odds == pytest.approx(2.24, abs=0.01)
    assert found.tolist() == pytest.approx([1 / (1 + odds), odds / (1 + odds) * 2 / 3, odds / (1 + odds) / 3], abs=1e-3)
    # The higher the prior, the likelier the allele; nobody asked for it: as it was.
    chances = [weighed(candidate(GIVEN, (30, 0, 0)), by_network, share)[0, 0] for share in (0.01, 0.1, 0.5, 0.9)]
    assert chances == sorted(chances, reverse=True)
    assert (weighed(candidate(0, (30, 0, 0)), by_network, 0.1) == by_network).all()


def test_what_a_network_knows_of_a_place_is_no_evidence_for_a_given_allele() -> None:
    """Likelihoods that favour 0 copies by 3 phred bound the chance to be there by 0.1 x 0.5 / (0.9 + 0.1 x 0.5), the network's 1 % is
    below that, 20 % is above and stays."""
    likelihoods = (0, 10 * np.log10(2), 10 * np.log10(2))
    for by_network, wanted in ((0.01, 0.05 / 0.95), (0.2, 0.2)):
        probabilities = np.array([[1 - by_network, by_network * 2 / 3, by_network / 3]])
        (found,) = weighed(candidate(GIVEN, likelihoods), probabilities, 0.1)
        assert 1 - found[0] == pytest.approx(wanted, abs=1e-6)


def test_an_allele_that_is_no_candidate_is_weighed_by_its_reads() -> None:
    """Seven reads of the reference cost a heterozygote 21 phred: 0.9 against 0.0667 x 10^-2.1 and next to nothing."""
    (found,) = weighed(candidate(GIVEN_ONLY, (0, 21, 200)), np.array([[0.5, 0.5, 0]]), 0.1)
    alternate = 0.1 * 2 / 3 * 10**-2.1
    assert found.tolist() == pytest.approx([0.9 / (0.9 + alternate), alternate / (0.9 + alternate), 0], abs=1e-9)


def test_one_read_of_seven_is_enough_for_a_given_allele_alone(tmp_path: Path, sample: Sample) -> None:
    """A heterozygote that one read of seven shows: GQ and QUAL are PL with the prior, which stands in the record; PL are the same whatever the prior."""
    at = 500
    other = "A" if sample.reference[at] != "A" else "C"
    reads = []
    for number in range(7):
        start, bases = at - 40 - 3 * number, list(sample.reference[at - 40 - 3 * number : at + 60 - 3 * number])
        if number == 3:
            bases[at - start] = other
        reads.append(MadeRead(start, "".join(bases), "100M", f"r{number}", [37] * 100, 16 * (number % 2)))
    bam = write_alignment(tmp_path / "one.bam", "c", len(sample.reference), reads)
    alleles = prepared(tmp_path, sample, [(at, sample.reference[at], other)])
    assert not any(any(site.genotype) for site in called(sample, None, bam=bam))
    sites = {share: called(sample, alleles, bam=bam, share=share)[0] for share in (0.01, ALLELES_PRIOR, 0.5)}
    assert [site.genotype for site in sites.values()] == [(0, 0), (0, 1), (0, 1)]
    assert len({site.likelihoods[:2] for site in sites.values()}) == 1  # that of 1/1 is as high as probabilities go
    for share, site in sites.items():
        assert site.given == (share,) and f"GIVEN={share:g}" in record(site)
        chances = 10 ** (-(genotype_prior(2, True, given=((1, share),)) + site.likelihoods) / 10)
        chances /= chances.sum()
        best = int(chances.argmax())
        assert -10 * np.log10(1 - chances[best]) == pytest.approx(site.genotype_quality + 0.5, abs=1)
        assert -10 * np.log10(chances[0]) == pytest.approx(site.quality, abs=0.6)


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
    assert record(snv).split("\t")[3:8] == [base, ",".join(others[:2]), "0.0", "LowDepth", "GIVEN=.,.;READS_ONLY=1,2"]
    assert record(snv).split("\t")[9] == "./.:0:0:0,0,0:0,0:0,0,0,0,0,0"
    assert (insertion.genotype, insertion.likelihoods) == ((None, None), (0, 0, 0))
    (haploid, _) = called(sample, alleles, bam=bam, ploidy=1)
    assert (haploid.genotype, haploid.likelihoods) == ((None,), (0, 0, 0))


def test_one_copy_per_cell(tmp_path: Path, sample: Sample) -> None:
    forced = called(sample, prepared(tmp_path, sample, given_rows(sample)), ploidy=1)
    assert {len(site.genotype) for site in forced} == {1}
    assert all(len(site.likelihoods) == len(site.alleles) for site in forced)


def test_the_usual_prior_is_the_same_in_the_command_and_in_the_schema() -> None:
    root = Path(__file__).parents[2]
    spec = importlib.util.spec_from_file_location("small_variants_script", root / "bin" / "small_variants.py")
    assert spec and spec.loader
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    assert inspect.signature(script.call).parameters["alleles_prior"].default == ALLELES_PRIOR
    groups = json.loads((root / "nextflow_schema.json").read_text())["$defs"].values()
    assert [g["properties"]["alleles_prior"]["default"] for g in groups if "alleles_prior" in g["properties"]] == [
        ALLELES_PRIOR
    ]


def test_with_networks_too_calls_elsewhere_stay_to_the_byte(tmp_path: Path) -> None:
    """The demo at 7x, with given alleles at and beside its calls: all other records are those of a run without, text for text."""
    root = Path(__file__).parents[2]
    demo, card = root / "assets" / "demo", load_card(root / "assets" / "models" / "small_variants", "small_variants")
    reference = demo / "reference.fa.gz"
    where = [Interval("chr20", 10_088_000, 10_100_000)]

    def lines(alleles: Path | None) -> dict[str, str]:
        pieces = call_shard([demo / "NA12878_7x.bam"], reference, card, where, alleles=alleles)
        return {record(site): gvcf_record(site) for piece in pieces for site in piece.sites}

    plain = lines(None)
    fields = [line.split("\t") for line in plain]
    rows = [(int(f[1]), f[3], f[4]) for f in fields[::3] if "," not in f[4]]
    with pysam.FastaFile(str(reference)) as fasta:
        for at in range(10_088_500, 10_099_500, 250):
            base = fasta.fetch("chr20", at - 1, at).upper()
            rows.append((at, base, "ACGT"[("ACGT".index(base) + 1) % 4]))
    text = "".join(f"chr20\t{at}\t.\t{old}\t{new}\t.\t.\t.\n" for at, old, new in rows)
    (tmp_path / "given.vcf").write_text(HEAD + text)
    prepare_alleles(tmp_path / "given.vcf", reference, tmp_path / "alleles.vcf.gz")
    more = lines(tmp_path / "alleles.vcf.gz")
    places = {(line.split("\t")[1], len(line.split("\t")[3]) == 1) for line in more if "GIVEN" in line}
    others = {line: full for line, full in more.items() if "GIVEN" not in line}
    kept = {
        line: full for line, full in plain.items() if (line.split("\t")[1], len(line.split("\t")[3]) == 1) not in places
    }
    assert len(places) > 40 and len(kept) > 20
    assert set(others.items()) <= set(plain.items())
    assert set(kept.items()) <= set(others.items())
