"""Explanations: gradients against TensorFlow, completeness, faithfulness on real reads, and the step that decided."""

import csv
import random
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pysam
import pytest
import strandwise_core
from made_reads import MadeRead, random_bases, tiled, write_alignment, write_fasta
from PIL import Image
from scipy.stats import wilcoxon

from strandwise.errors import InputError
from strandwise.formats.alleles import prepare_alleles
from strandwise.formats.intervals import Interval
from strandwise.formats.places import Place
from strandwise.models.card import load_card
from strandwise.small_variants.candidates import ROWS, CandidateReader
from strandwise.small_variants.explain import MOST_SITES, choose_places, explain, file_name
from strandwise.small_variants.explain_attributions import (
    PHRED,
    STEPS,
    Attributor,
    integrated_gradients,
    log_odds,
    mean_of_training,
    shares_of_reads,
)
from strandwise.small_variants.explain_decisions import Decision, Examiner
from strandwise.small_variants.explain_network import TracedNetwork
from strandwise.small_variants.explain_parts import explained, name_hash
from strandwise.small_variants.explain_reads import MISFIT, cost_by_base, evidence_of_reads
from strandwise.small_variants.labels import normalised
from strandwise.small_variants.network import Genotyper, reads_network, summary_network
from strandwise.small_variants.shards import call_to_files

ROOT = Path(__file__).parents[2]
DEMO = ROOT / "assets" / "demo"
MODEL = ROOT / "assets" / "models" / "small_variants"
REFERENCE = DEMO / "reference.fa.gz"
FEATURES, CHANNELS = len(strandwise_core.FEATURES), strandwise_core.READ_CHANNELS


# ---- gradients -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["summary", "reads"])
def test_gradients_are_those_of_tensorflow(tmp_path: Path, name: str) -> None:
    import tensorflow as tf

    mean, deviation = np.full(FEATURES, 1.5), np.full(FEATURES, 0.8)
    if name == "summary":
        network = summary_network(FEATURES, mean, deviation, seed=3)
    else:
        network = reads_network(FEATURES, CHANNELS, mean, deviation, seed=3)
    network.export(str(tmp_path / "network.tflite"), format="litert", verbose=False)
    generator = np.random.default_rng(5)
    inputs = [generator.normal(1.5, 1, (4, FEATURES)).astype(np.float32)]
    if name == "reads":
        rows = generator.random((4, ROWS, CHANNELS)).astype(np.float32)
        rows[:, :, 0] = np.arange(ROWS) < np.array([1, 7, 20, 32])[:, None]
        inputs.append(rows)
    pull = generator.normal(size=(4, 3))
    with tf.GradientTape() as tape:
        given = [tf.constant(values) for values in inputs]
        tape.watch(given)
        logits = network(given if len(given) > 1 else given[0])
        summed = tf.reduce_sum(logits * pull.astype(np.float32))
    expected = tape.gradient(summed, given)
    traced = TracedNetwork(tmp_path / "network.tflite", 4)
    assert traced.logits(*inputs) == pytest.approx(logits.numpy(), abs=1e-4)
    for found, wanted in zip(traced.gradients(pull), expected, strict=True):
        assert np.abs(wanted.numpy()).max() > 0.01
        assert found == pytest.approx(wanted.numpy(), abs=2e-4)


def test_networks_of_other_layers_are_refused_by_name(tmp_path: Path) -> None:
    """A layer without a rule for its gradient, and a network without the mean that explanations begin at: a line each."""
    import keras

    given = keras.Input((FEATURES,))
    network = keras.Model(given, keras.layers.Dense(3, activation="tanh")(given))
    path = tmp_path / "other.tflite"
    network.export(str(path), format="litert", verbose=False)
    traced = TracedNetwork(path, 2)
    traced.logits(np.ones((2, FEATURES)))
    with pytest.raises(InputError, match=r"other\.tflite: holds the operation TANH"):
        traced.gradients(np.ones((2, 3)))
    with pytest.raises(InputError, match=r"other\.tflite: does not take the mean of training"):
        mean_of_training(traced)


def test_log_odds_by_hand() -> None:
    """Probabilities 0.9, 0.08, 0.02: odds of no copy 9, 10 log10 9 = 9.542; of one copy 0.08 / 0.92."""
    scores = np.log([[0.9, 0.08, 0.02]])
    assert log_odds(scores, 0, (0, 1, 2))[0][0] == pytest.approx(9.542, abs=1e-3)
    assert log_odds(scores, 1, (0, 1, 2))[0][0] == pytest.approx(10 * np.log10(0.08 / 0.92))
    # with one copy per cell the heterozygote does not exist
    assert log_odds(scores, 2, (0, 2))[0][0] == pytest.approx(10 * np.log10(0.02 / 0.9))


@pytest.mark.parametrize("copies", [0, 1, 2])
def test_gradient_of_log_odds_is_the_difference_quotient(copies: int) -> None:
    scores = np.array([[0.3, -1.2, 0.8]])
    _, gradient = log_odds(scores, copies, (0, 1, 2))
    for number in range(3):
        step = np.zeros((1, 3))
        step[0, number] = 1e-5
        above, below = (log_odds(scores + sign * step, copies, (0, 1, 2))[0][0] for sign in (1, -1))
        assert gradient[0, number] == pytest.approx((above - below) / 2e-5, abs=1e-4)


def test_integrated_gradients_of_a_product_are_halves() -> None:
    """f = x y from (0, 0) to (2, 3): both inputs get 3 (the integral of 2 t 3 dt, twice)."""

    def product(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
        return (x * y)[:, 0], [y, x]

    assert STEPS >= 64
    found = integrated_gradients(product, [np.zeros(1), np.zeros(1)], [np.array([2.0]), np.array([3.0])])
    assert [part[0] for part in found] == pytest.approx([3.0, 3.0])


def test_features_of_reads_are_shared_by_what_the_reads_say() -> None:
    """`reads_for` 6 goes to the two reads for it, 2 : 1; the reference's -2 to the third.

    A heterozygote is likeliest. Against 0 copies the two speak with 40 - 3.01 and 20 - 2.97, the third for them with 2.97: so the
    likelihood's 8 goes 36.99 : 17.03 : 2.97. The likelihood of the heterozygote itself goes by evidence.
    """
    names = ["reads_for", "reads_reference", "likelihood_0_copies", "is_snv"]
    likelihoods, everything = shares_of_reads(np.array([6.0, -2.0, 8.0, 5.0]), names, np.array([40.0, 20.0, -20.0]))
    wanted = 8 * np.array([36.990, 17.033, 2.967]) / 56.990
    assert likelihoods == pytest.approx(wanted, abs=1e-3)
    assert everything == pytest.approx(wanted + np.array([4, 2, -2]), abs=1e-3)
    likelihoods, _ = shares_of_reads(np.array([8.0]), ["likelihood_1_copy"], np.array([40.0, 20.0, -20.0]))
    assert likelihoods.tolist() == [4, 2, 2]


# ---- real reads ----------------------------------------------------------------------------------------------------


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t"))


@pytest.fixture(scope="session")
def examiners() -> dict[str, Examiner]:
    genotyper = Genotyper(load_card(MODEL, "small_variants"))
    return {name: Examiner([DEMO / f"{name}.bam"], REFERENCE, genotyper) for name in ("NA12878", "NA12878_7x")}


@pytest.fixture(scope="session")
def attributor() -> Attributor:
    return Attributor(load_card(MODEL, "small_variants"), strandwise_core.CHANNELS)


@pytest.fixture(scope="session")
def judged(examiners: dict[str, Examiner], attributor: Attributor) -> dict[str, list]:
    """Every candidate of 12 kb of the demo at 50x and at 7x, explained, where the summary network alone was not sure."""
    found = {}
    for name, examiner in examiners.items():
        ones = []
        for start in range(10_088_000, 10_100_000, 1000):
            examined, decisions = examiner.decisions(Place("chr20", start, start + 1000))
            ones += [
                explained(examiner, attributor, examined, decision)
                for decision in decisions
                if examined and decision.index is not None and not decision.settled
            ]
        found[name] = ones
    return found


def test_attributions_add_up_to_the_log_odds_of_what_was_decided(judged: dict[str, list]) -> None:
    ones = [one for many in judged.values() for one in many]
    assert len(ones) >= 40
    for one in ones:
        found, decision = one.attribution, one.decision
        probability = decision.probabilities[decision.copies]
        assert found.output == pytest.approx(PHRED * np.log(probability / (1 - probability)), abs=1e-3)
        missed = found.output - found.baseline - found.features.sum() - found.rows.sum()
        assert abs(missed) < 0.25  # phred; the integral is a sum of STEPS
        assert abs(found.output - found.baseline) > 4 * abs(missed) or abs(missed) < 0.1
        assert abs(found.rows).sum() > 0


def test_shares_of_reads_add_up_to_rows_and_positions_to_evidence(judged: dict[str, list]) -> None:
    channel = list(strandwise_core.CHANNELS).index("evidence")
    for one in judged["NA12878"]:
        assert sum(share.rows for share in one.by_read.values()) == pytest.approx(one.attribution.rows.sum(), abs=1e-9)
        evidence = sum(share.evidence for share in one.by_read.values())
        assert evidence == pytest.approx(one.attribution.rows[:, channel].sum(), abs=1e-9)
        speaking = {read.read for read in one.reads if read.phred}
        wanted = sum(share.evidence + share.likelihoods for read, share in one.by_read.items() if read in speaking)
        assert sum(one.by_position.values()) == pytest.approx(wanted, abs=1e-6)


def test_costs_by_base_are_the_costs_of_the_core(examiners: dict[str, Examiner]) -> None:
    """Every read on every haplotype: the bases' costs add up to what the core found, up to its cap."""
    compared = 0
    for start in range(10_090_000, 10_099_000, 1500):
        found = examiners["NA12878"].examine(Place("chr20", start, start + 1000)).found
        for trace in found["traces"]:
            if not trace["realigned"]:
                continue
            penalties = [strandwise_core.gap_open_penalties(haplotype) for haplotype in trace["haplotypes"]]
            for read_index, costs in zip(trace["reads"].tolist(), trace["costs"].tolist(), strict=True):
                read = found["used_reads"][read_index]
                sums = [
                    cost_by_base(read, trace, haplotype, penalties[haplotype], min(costs) > MISFIT).sum()
                    for haplotype in range(len(costs))
                ]
                most = min(sums) + min(max(read["mapping_quality"], 10), 45)
                assert [min(one, most) for one in sums] == costs
                compared += len(costs)
    assert compared > 2000


def test_evidence_by_base_adds_up_to_the_evidence_of_the_read(examiners: dict[str, Examiner]) -> None:
    examined = examiners["NA12878_7x"].examine(Place("chr20", 10_097_000, 10_098_000))
    for index in range(len(examined.candidates)):
        for read in evidence_of_reads(examined.found, index):
            assert read.by_base.sum() == pytest.approx(read.phred)


def test_the_hash_of_a_name_is_the_core_s(examiners: dict[str, Examiner]) -> None:
    found = examiners["NA12878_7x"].examine(Place("chr20", 10_060_000, 10_060_001)).found
    with pysam.AlignmentFile(str(DEMO / "NA12878_7x.bam")) as file:
        names = {name_hash(read.query_name) for read in file.fetch("chr20", 10_058_000, 10_062_000)}
    assert len(found["used_reads"]) > 50
    assert {read["name"] for read in found["used_reads"]} <= names


def log_odds_without(examiner: Examiner, decision: Decision, left_out: set[str], folder: Path, copies: int) -> float:
    """The log-odds of the same change after the reads of these names are taken out of the file."""
    path = folder / "left.bam"
    at = decision.position
    with (
        pysam.AlignmentFile(str(examiner.paths[0])) as file,
        pysam.AlignmentFile(str(path), "wb", header=file.header) as output,
    ):
        for read in file.fetch(decision.contig, at - 1100, at + 1100):
            if read.query_name not in left_out:
                output.write(read)
    pysam.index(str(path))
    reader = CandidateReader([path], REFERENCE)

    def base(position: int) -> str:
        return reader.sequence(decision.contig, position, position + 1)

    (event,) = normalised(at, decision.reference, decision.alternate, base)
    key = (event.position, event.reference_length, event.alternate)
    found = reader.candidates(decision.contig, at, at + 2, ROWS, [key])
    keys = list(zip(found.position.tolist(), found.reference_length.tolist(), found.alternates, strict=True))
    probability = examiner.genotyper.probabilities(found)[keys.index(key), copies]
    return float(PHRED * np.log(probability / (1 - probability)))


@pytest.mark.parametrize(("name", "calls", "p"), [("NA12878", 20, 0.001), ("NA12878_7x", 15, 0.01)])
def test_taking_away_the_top_attributed_reads_changes_a_call_more_than_taking_random_ones(
    examiners: dict[str, Examiner], judged: dict[str, list], tmp_path: Path, name: str, calls: int, p: float
) -> None:
    """A fifth of the molecules of each call, those with the largest attributions against as many at random, at 50x and 7x."""
    examiner, rng = examiners[name], random.Random(1)
    changes = []
    for one in judged[name]:
        names_of: dict[str, float] = defaultdict(float)
        hashes = {name_hash(read): read for read in _names_near(examiner, one.decision)}
        for read, share in one.by_read.items():
            names_of[hashes[one.examined.found["used_reads"][read]["name"]]] += share.total
        if len(names_of) < 3 or not one.decision.copies:
            continue
        number = max(1, len(names_of) // 5)
        top = set(sorted(names_of, key=lambda name: -abs(names_of[name]))[:number])
        drawn = [set(rng.sample(sorted(names_of), number)) for _ in range(3)]
        before = one.attribution.output
        after = [
            abs(before - log_odds_without(examiner, one.decision, names, tmp_path, one.decision.copies))
            for names in (top, *drawn)
        ]
        changes.append((after[0], np.mean(after[1:])))
    by_top, by_chance = np.array(changes).T
    assert len(changes) >= calls
    assert by_top.mean() > 1.5 * by_chance.mean()
    assert wilcoxon(by_top, by_chance, alternative="greater").pvalue < p


def _names_near(examiner: Examiner, decision: Decision) -> set[str]:
    with pysam.AlignmentFile(str(examiner.paths[0])) as file:
        return {
            read.query_name for read in file.fetch(decision.contig, decision.position - 1500, decision.position + 1500)
        }


# ---- which step decided --------------------------------------------------------------------------------------------

LENGTH, AT = 2400, 1200


@pytest.fixture
def place_of(tmp_path: Path) -> Callable[..., Decision]:
    """Makes a reference and reads around AT and tells what became of it.

    changed: reads that show another base at AT, as options of MadeRead; plain: reads that do not.
    """
    rng = random.Random(11)
    reference = random_bases(LENGTH, rng)
    other = "ACGT"[("ACGT".index(reference[AT]) + 1) % 4]

    def decide(
        changed: list[dict] | None = None,
        plain: int = 20,
        place: Place | None = None,
        contig: str = "chr1",
        sequence: str = reference,
        intervals: list[Interval] | None = None,
        sex: str = "NA",
    ) -> Decision:
        made = [
            MadeRead(start, bases, name=f"p{i}", flag=flag)
            for i, (start, bases, _, flag) in enumerate(
                (AT - 70 + 3 * (i % 15), reference[AT - 70 + 3 * (i % 15) :][:100], "", 16 * (i % 2))
                for i in range(plain)
            )
        ]
        for i, options in enumerate(changed or []):
            start = AT - 60 + 4 * (i % 12)
            bases = reference[start:AT] + other + reference[AT + 1 : start + 100]
            made.append(MadeRead(start, bases, name=f"c{i}", **{"flag": 16 * (i % 2), **options}))
        fasta = write_fasta(tmp_path / "reference.fa", {contig: sequence})
        bam = write_alignment(tmp_path / "reads.bam", contig, LENGTH, made)
        genotyper = Genotyper(load_card(MODEL, "small_variants"))
        examiner = Examiner([bam], fasta, genotyper, intervals, sex)
        _, (decision,) = examiner.decisions(place or Place(contig, AT, AT + 1))
        return decision

    return decide


def told(decision: Decision) -> tuple[str, str, str]:
    return decision.decision, decision.step, decision.cause


def test_no_read_at_all(place_of: Callable[..., Decision]) -> None:
    assert told(place_of(plain=0)) == ("not a candidate", "reads", "depth 0")


def test_all_reads_agree_with_the_reference(place_of: Callable[..., Decision]) -> None:
    found = place_of()
    assert told(found) == ("not a candidate", "candidate rule", "no difference")
    assert "depth 20, reference quality 60" in found.reason  # 20 x 3.01


def test_too_few_reads(place_of: Callable[..., Decision]) -> None:
    """One read at quality 30 has 35 phred; at depth 21 3.0103 x 21 + 5 = 68 are needed, or 3 reads (12 % of 21 = 2.52)."""
    found = place_of([{"qualities": 30}])
    assert told(found) == ("not a candidate", "candidate rule", "too few reads")
    assert found.reason.startswith(
        "1 of 21 reads shows it, with evidence of 35 phred; at this depth 68 phred are needed, or 3"
    )


@pytest.mark.parametrize(
    ("options", "cause"),
    [
        ({"flag": 1024}, "marked as duplicate"),
        ({"flag": 512}, "failed quality control"),
        ({"flag": 256}, "secondary or supplementary"),
        ({"flag": 2048}, "secondary or supplementary"),
        ({"mapping_quality": 3}, "mapping quality below 5"),
        ({"qualities": 8}, "base quality below 10"),
    ],
)
def test_reads_that_do_not_count(place_of: Callable[..., Decision], options: dict, cause: str) -> None:
    found = place_of([options] * 9)
    assert told(found) == ("not a candidate", "reads", cause)
    assert f"9 {cause}" in found.reason


def test_reads_that_do_not_count_beside_one_that_does(place_of: Callable[..., Decision]) -> None:
    found = place_of([{"flag": 1024}] * 9 + [{}])
    assert told(found) == ("not a candidate", "candidate rule", "marked as duplicate")
    assert "of the others that show it: 9 marked as duplicate" in found.reason


def test_only_reads_that_do_not_count(place_of: Callable[..., Decision]) -> None:
    found = place_of([{"mapping_quality": 0}] * 6, plain=0)
    assert told(found) == ("not a candidate", "reads", "mapping quality below 5")


def test_a_place_outside_of_the_intervals(place_of: Callable[..., Decision]) -> None:
    found = place_of([{}] * 10, intervals=[Interval("chr1", 1300, 1400)])
    assert told(found) == ("not looked at", "intervals", "outside the intervals")
    assert found.reason == "100 bases from the nearest interval, chr1:1301-1400"


def test_n_in_the_reference(place_of: Callable[..., Decision]) -> None:
    sequence = random_bases(LENGTH, random.Random(11))
    found = place_of([{}] * 10, sequence=sequence[:AT] + "N" + sequence[AT + 1 :])
    assert told(found) == ("not looked at", "reference", "N in the reference")


def test_a_list_for_another_build(place_of: Callable[..., Decision]) -> None:
    reference = random_bases(LENGTH, random.Random(11))[AT]
    wrong = "ACGT".replace(reference, "")[0]
    found = place_of([{}] * 10, place=Place("chr1", AT, AT + 1, wrong, reference))
    assert told(found) == ("not looked at", "reference", "another reference base")
    assert told(place_of(place=Place("chr9", 5, 6))) == ("not looked at", "reference", "no such contig")
    assert told(place_of(place=Place("chr1", LENGTH, LENGTH + 1))) == ("not looked at", "reference", "off the contig")


def test_chromosome_y_of_a_woman(tmp_path: Path, place_of: Callable[..., Decision]) -> None:
    bed = tmp_path / "par.bed"
    bed.write_text("chrY\t0\t100\n")
    fasta = write_fasta(tmp_path / "y.fa", {"chrY": random_bases(LENGTH, random.Random(11))})
    bam = write_alignment(tmp_path / "y.bam", "chrY", LENGTH, [])
    examiner = Examiner([bam], fasta, Genotyper(load_card(MODEL, "small_variants")), None, "XX", bed)
    _, (found,) = examiner.decisions(Place("chrY", AT, AT + 1))
    assert told(found) == ("not looked at", "copies", "no copy")


def test_a_call_and_its_haploid_twin(place_of: Callable[..., Decision]) -> None:
    found = place_of([{}] * 20)
    assert found.decision == "called" and found.site is not None
    assert (found.site.genotype, found.copies) == ((0, 1), 1)
    assert "20 of 40 reads show it" in found.reason
    haploid = place_of([{}] * 20, plain=0, contig="chrM")
    assert haploid.site is not None
    assert (haploid.decision, haploid.site.genotype, haploid.copies) == ("called", (1,), 2)


def test_a_network_turns_down_what_looks_like_an_error(place_of: Callable[..., Decision]) -> None:
    """Three reads of 40, all with quality 12 and mapping quality 12: a candidate by their number, an error by their looks."""
    found = place_of([{"qualities": 12, "mapping_quality": 12, "flag": 0}] * 6, plain=40)
    assert found.decision == "reference" and found.step in ("summary network", "both networks", "read-level network")
    assert found.site is not None and "RefCall" in found.site.filters
    assert "0 copies" in found.reason


def test_a_single_read_is_filtered(place_of: Callable[..., Decision]) -> None:
    found = place_of([{}], plain=0)
    assert found.decision == "filtered" and found.step == "filter LowDepth"
    assert "a depth of 1 is no basis for a genotype, which needs 2" in found.reason


def test_what_was_asked_for_by_its_alleles_is_shown_to_the_networks_all_the_same(
    place_of: Callable[..., Decision],
) -> None:
    reference = random_bases(LENGTH, random.Random(11))
    other = "ACGT"[("ACGT".index(reference[AT]) + 1) % 4]
    found = place_of([{"qualities": 30}], place=Place("chr1", AT, AT + 1, reference[AT], other))
    assert told(found) == ("not a candidate", "candidate rule", "too few reads")
    assert "shown to the networks all the same, it gets 0 copies" in found.reason
    assert found.alternate == other


def test_a_change_in_a_repeat_is_found_wherever_it_is_written(tmp_path: Path) -> None:
    """CA deleted from twelve copies: written at the last copy, called at the first."""
    rng = random.Random(8)
    left, right = random_bases(AT, rng) + "G", "G" + random_bases(AT, rng)
    reference = left + "CA" * 12 + right
    changed = left + "CA" * 11 + right
    reads = [
        MadeRead(start, changed[start : start + 100], f"{len(left) - start}M2D{100 - len(left) + start}M", f"d{start}")
        for start in range(AT - 60, AT - 20, 2)
    ]
    fasta = write_fasta(tmp_path / "r.fa", {"c": reference})
    bam = write_alignment(tmp_path / "r.bam", "c", len(reference), reads)
    examiner = Examiner([bam], fasta, Genotyper(load_card(MODEL, "small_variants")))
    last = len(left) + 2 * 11
    _, (found,) = examiner.decisions(Place("c", last - 1, last + 2, "ACA", "A"))
    assert (found.decision, found.position, found.reference, found.alternate) == ("called", AT, "GCA", "G")


# ---- files ---------------------------------------------------------------------------------------------------------


def vcf(path: Path, records: list[tuple[int, str, str, str, int]]) -> Path:
    lines = ["##fileformat=VCFv4.3", "##contig=<ID=chr20,length=63025520>", '##FILTER=<ID=RefCall,Description="r">']
    lines += [
        '##FORMAT=<ID=GT,Number=1,Type=String,Description="g">',
        '##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="q">',
    ]
    lines += ["#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS"]
    lines += [f"chr20\t{at}\t.\t{old}\t{new}\t.\t.\t.\tGT:GQ\t{gt}:{gq}" for at, old, new, gt, gq in records]
    path.write_text("\n".join(lines) + "\n")
    return path


LENGTHS = {"chr20": 63_025_520}


def test_the_least_certain_calls_are_chosen(tmp_path: Path) -> None:
    records = [
        (100, "A", "T", "0/1", 40),
        (200, "C", "G", "1/1", 7),
        (300, "G", "A", "0/0", 2),
        (400, "T", "C,G", "1|2", 9),
    ]
    calls = vcf(tmp_path / "s.vcf", records)
    found, notes = choose_places(calls, LENGTHS, "s", number=2)
    assert [str(place) for place in found] == ["chr20:200 C>G", "chr20:400 T>C"]
    assert notes == []
    every, _ = choose_places(calls, LENGTHS, "s", "all")
    assert [str(place) for place in every] == ["chr20:200 C>G", "chr20:400 T>C", "chr20:400 T>G", "chr20:100 A>T"]


def test_coding_calls_are_chosen_by_bed_and_by_gff(tmp_path: Path) -> None:
    calls = vcf(tmp_path / "s.vcf", [(100, "A", "T", "0/1", 40), (200, "C", "G", "1/1", 7)])
    bed = tmp_path / "coding.bed"
    bed.write_text("chr20\t99\t100\n")
    gff = tmp_path / "coding.gff3"
    gff.write_text("##gff-version 3\nchr20\tx\tgene\t1\t900\t.\t+\t.\tID=g\nchr20\tx\tCDS\t100\t150\t.\t+\t0\tID=c\n")
    for regions in (bed, gff):
        found, _ = choose_places(calls, LENGTHS, "s", "coding", coding_regions=regions)
        assert [str(place) for place in found] == ["chr20:100 A>T"]


def test_of_a_long_range_the_calls_are_explained(tmp_path: Path) -> None:
    calls = vcf(tmp_path / "s.vcf", [(100, "A", "T", "0/1", 40), (200, "C", "G", "1/1", 7), (9000, "C", "G", "1/1", 7)])
    places = tmp_path / "places.bed"
    places.write_text("chr20\t0\t5000\nchr20\t6000\t6100\n")
    found, _ = choose_places(calls, LENGTHS, "s", places=places)
    assert [str(place) for place in found] == ["chr20:6001-6100", "chr20:200 C>G", "chr20:100 A>T"]
    with pytest.raises(InputError, match="--choose: some is none of least_certain, all, coding"):
        choose_places(calls, LENGTHS, "s", "some")


def test_too_many_places_are_said(tmp_path: Path) -> None:
    calls = vcf(tmp_path / "s.vcf", [(100 + at, "A", "T", "0/1", 30) for at in range(MOST_SITES + 20)])
    found, (note,) = choose_places(calls, LENGTHS, "s", "all")
    assert len(found) == MOST_SITES
    assert note.level == "warning" and f"{MOST_SITES + 20} places" in note.text


@pytest.mark.parametrize(
    ("contig", "reference", "alternate", "name"),
    [
        ("chr20", "A", "T", "chr20_6_A_T"),
        ("HLA-A*01:01", "A", "", "HLA-A-01-01_6_A"),
        ("../etc", "A" * 30, "A", "etc_6_AAAAAAAA-30_A"),
    ],
)
def test_names_of_files_are_safe(contig: str, reference: str, alternate: str, name: str) -> None:
    assert file_name(Decision(contig, 5, reference, alternate, "", "", "", "")) == name


def test_everything_is_written(tmp_path: Path) -> None:
    places = tmp_path / "places.txt"
    places.write_text("chr20:10,099,055 T>C\nchr20:10060000\nchr20:5\n")
    bed = tmp_path / "called.bed"
    bed.write_text("chr20\t10050000\t10100000\n")
    calls = vcf(tmp_path / "s.vcf", [])
    folder, table = tmp_path / "explain", tmp_path / "s.explained.tsv"
    bam = DEMO / "NA12878_7x.bam"
    notes = explain([bam], REFERENCE, MODEL, calls, "s", folder, places=places, intervals=bed, table=table)
    assert notes == []
    assert table.read_text() == (folder / "sites.tsv").read_text()
    call, agreeing, outside = rows_of(table)
    assert (call["decision"], agreeing["decision"], outside["decision"]) == (
        "called",
        "not a candidate",
        "not looked at",
    )
    with Image.open(folder / call["picture"]) as picture:
        assert picture.format == "PNG" and picture.width > 1500 and picture.height > 500
    assert outside["picture"] == "" and agreeing["attributions"] == ""
    parts = rows_of(folder / call["attributions"])
    sums = {
        name: sum(float(row["attribution"]) for row in parts if row["part"] == name) for name in ("feature", "read")
    }
    added = sums["feature"] + sums["read"] + float(call["residual"])
    assert added == pytest.approx(float(call["log_odds"]) - float(call["baseline"]), abs=1e-3)
    names = {row["name"] for row in parts if row["part"] == "read_total"}
    with pysam.AlignmentFile(str(bam)) as file:
        real = {
            f"{read.query_name} {'-' if read.is_reverse else '+'}"
            for read in file.fetch("chr20", 10_098_000, 10_100_000)
        }
    assert names and names <= real


def test_the_same_input_gives_the_same_files(tmp_path: Path) -> None:
    places = tmp_path / "places.txt"
    places.write_text("chr20:10090289\n")
    calls = vcf(tmp_path / "s.vcf", [])
    for name in ("one", "two"):
        explain([DEMO / "NA12878_7x.bam"], REFERENCE, MODEL, calls, "s", tmp_path / name, places=places)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name


def test_a_list_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    places = tmp_path / "places.txt"
    places.write_text("chr20:10090289\nchr99:5\nnonsense\n")
    with pytest.raises(InputError) as error:
        choose_places(vcf(tmp_path / "s.vcf", []), LENGTHS, "s", places=places)
    assert len(error.value.problems) == 2


def test_tiled_reads_of_a_homozygote_are_explained_without_reads_where_the_summary_network_is_sure(
    tmp_path: Path, attributor: Attributor
) -> None:
    rng = random.Random(4)
    reference = random_bases(LENGTH, rng)
    changed = reference[:AT] + "ACGT"[("ACGT".index(reference[AT]) + 2) % 4] + reference[AT + 1 :]
    reads = [MadeRead(start, bases, name=name, flag=flag) for start, bases, name, flag in tiled(changed, 40, 100, rng)]
    fasta = write_fasta(tmp_path / "r.fa", {"c": reference})
    bam = write_alignment(tmp_path / "r.bam", "c", LENGTH, reads)
    examiner = Examiner([bam], fasta, Genotyper(load_card(MODEL, "small_variants")))
    examined, (decision,) = examiner.decisions(Place("c", AT, AT + 1))
    assert examined is not None
    assert decision.settled and decision.copies == 2
    one = explained(examiner, attributor, examined, decision)
    assert one.attribution is not None and not len(one.attribution.rows)
    assert all(share.rows == 0 for share in one.by_read.values())
    assert sum(share.shared for share in one.by_read.values()) > 0


def test_a_given_allele_is_explained_with_the_prior_that_called_it(tmp_path: Path) -> None:
    """One read of eight shows it: the networks hold it for an error, the prior of a given allele makes it a call, and the
    table says so with numbers that add up. Beside it an allele that nobody has, which is no candidate, is 0/0."""
    rng = random.Random(9)
    reference = random_bases(LENGTH, rng)
    other, absent = ("ACGT"[("ACGT".index(reference[at]) + 1) % 4] for at in (AT, AT + 40))
    reads = []
    for number in range(8):
        start = AT - 20 - 7 * number
        bases = reference[start : start + 100]
        if number == 4:
            bases = reference[start:AT] + other + reference[AT + 1 : start + 100]
        reads.append(MadeRead(start, bases, name=f"r{number}", flag=16 * (number % 2)))
    fasta = write_fasta(tmp_path / "r.fa", {"c": reference})
    bam = write_alignment(tmp_path / "r.bam", "c", LENGTH, reads)
    rows = [f"c\t{at + 1}\t.\t{reference[at]}\t{base}\t.\t.\t.\n" for at, base in ((AT, other), (AT + 40, absent))]
    (tmp_path / "given.vcf").write_text(
        "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n" + "".join(rows)
    )
    prepare_alleles(tmp_path / "given.vcf", fasta, tmp_path / "alleles.vcf.gz")
    (tmp_path / "all.bed").write_text(f"c\t0\t{LENGTH}\n")
    calls = tmp_path / "s.vcf.gz"
    call_to_files(
        [bam], fasta, MODEL, tmp_path / "all.bed", "s", "NA", True, 1, calls, tmp_path / "s.g.vcf.gz",
        alleles=tmp_path / "alleles.vcf.gz", alleles_prior=0.3,
    )  # fmt: skip
    places = tmp_path / "places.txt"
    places.write_text(f"c:{AT + 1}\nc:{AT + 41}\n")
    explain([bam], fasta, MODEL, calls, "s", tmp_path / "why", places=places)
    call, nobodys = rows_of(tmp_path / "why" / "sites.tsv")
    with pysam.VariantFile(str(calls)) as file:
        for record, row in zip(file, (call, nobodys), strict=True):
            genotype = record.samples[0]
            assert row["genotype"] == "/".join(map(str, genotype["GT"])) and int(row["gq"]) == genotype["GQ"]
    assert (call["decision"], call["step"]) == ("called", "prior of given alleles")
    assert "given, with a chance of 0.3 to be carried" in call["reason"]
    parts = rows_of(tmp_path / "why" / call["attributions"])
    sums = {
        name: sum(float(row["attribution"]) for row in parts if row["part"] == name)
        for name in ("prior", "feature", "read")
    }
    assert sums["prior"] > 10
    added = sum(sums.values()) + float(call["residual"])
    assert added == pytest.approx(float(call["log_odds"]) - float(call["baseline"]), abs=1e-3)
    probability = float(call["probability_1"])
    assert float(call["log_odds"]) == pytest.approx(PHRED * np.log(probability / (1 - probability)), abs=0.01)
    assert (nobodys["decision"], nobodys["genotype"]) == ("reference", "0/0")
