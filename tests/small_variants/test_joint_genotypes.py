"""Joint genotypes: priors, transmissions and posteriors held against sums worked out by hand or by brute force."""

import itertools

import numpy as np
import pytest

from strandwise.formats.vcf import genotype_order
from strandwise.small_variants.joint_genotypes import (
    ARTEFACT_RATE,
    MUTATION_RATE,
    Family,
    JointModel,
    alternate_counts,
    composition,
    genotype_index,
    subset,
    transmission,
)
from strandwise.small_variants.priors import ALTERNATE_WEIGHT, copies_prior, frequency_grid, genotype_prior

WEIGHT = ALTERNATE_WEIGHT[True]
TRIO = Family(father=1, mother=0, children=(2,))


def likelihoods(*phred: tuple[float, ...]) -> np.ndarray:
    """One locus, a row of phred-scaled likelihoods per sample."""
    return 10 ** (-np.array([phred], dtype=float) / 10)


def test_the_prior_of_one_person_is_that_of_the_neutral_spectrum() -> None:
    """P(het) = integral of w/f * 2f(1-f) = w; P(hom) = integral of w/f * f^2 = w/2."""
    none, one, two = copies_prior(True)
    assert one == pytest.approx(WEIGHT, rel=2e-3)
    assert two == pytest.approx(WEIGHT / 2, rel=2e-3)
    assert none + one + two == pytest.approx(1, abs=1e-12)


def test_the_prior_of_genotypes_is_the_product_over_their_alternates() -> None:
    """SNVs 10 log10 3000 = 34.8 phred for one copy, 3 more for two, and for a single copy per cell as for two; 0.0667 and 0.0333
    against 0.9 where an alternate was asked for with one chance in ten: 11.3 and 14.3."""
    assert genotype_prior(3, True) == pytest.approx([0, 34.77, 37.78, 34.77, 69.54, 37.78], abs=0.03)
    assert genotype_prior(2, True, 1) == pytest.approx([0, 37.78], abs=0.03)
    assert genotype_prior(2, False) == pytest.approx([0, 40, 43.01], abs=0.03)
    assert genotype_prior(3, False, given=((2, 0.1),)) == pytest.approx([0, 40, 43.01, 11.3, 51.3, 14.3], abs=0.03)


def test_frequencies_have_the_chances_of_a_beta_distribution() -> None:
    frequencies, chances = frequency_grid(1.0)  # uniform
    assert chances.sum() == pytest.approx(1)
    assert chances[frequencies < 0.25].sum() == pytest.approx(0.25, abs=0.03)
    assert (chances * frequencies).sum() == pytest.approx(0.5, abs=0.005)


def test_a_cohort_of_one_has_the_genotype_of_its_gvcf() -> None:
    """The prior that the caller took out of the PL comes in again: nothing may change, with one alternate or with two."""
    for phred in ((30.0, 0.0, 40.0), (60.0, 20.0, 50.0, 0.0, 7.0, 30.0)):
        alleles = 2 if len(phred) == 3 else 3
        own = np.array(phred) - genotype_prior(alleles, True)
        found = JointModel(alleles, True, [2]).posteriors(likelihoods(tuple(own - own.min())))
        wanted = 10 ** (-np.array(phred) / 10)
        np.testing.assert_allclose(found.genotypes[0, 0], wanted / wanted.sum(), rtol=2e-3)
        assert found.reference[0] == pytest.approx(-10 * np.log10(wanted[0] / wanted.sum()), abs=0.01)


def test_transmission_by_hand() -> None:
    """Mother 0/1, father 0/0, rate r: the child is 0/0 with 1/2 of (1-r), and so on."""
    rate = 1e-3
    whole, unchanged = transmission(2, "both", rate)
    assert whole.sum(axis=2) == pytest.approx(np.ones((3, 3)))
    assert unchanged[1, 0].tolist() == pytest.approx([0.5 * (1 - rate) ** 2, 0.5 * (1 - rate) ** 2, 0])
    # 0/0 x 0/0: one of two transmitted alleles has mutated.
    assert whole[0, 0, 1] == pytest.approx(2 * rate * (1 - rate))
    assert unchanged[0, 0, 1] == 0
    assert unchanged[2, 0].tolist() == pytest.approx([0, (1 - rate) ** 2, 0])


def test_a_son_has_the_x_of_his_mother_and_the_y_of_his_father() -> None:
    by_mother, by_father = (transmission(2, by, 0.0)[0] for by in ("mother", "father"))
    assert by_mother[1, 2].tolist() == [0.5, 0, 0.5]  # mother 0/1, father 1
    assert by_mother[0, 2].tolist() == [1, 0, 0]
    assert by_father[0, 2].tolist() == [0, 0, 1]


def test_alternates_are_drawn_from_an_urn() -> None:
    """Weights 1 and 3: first 1/4 and 3/4; the drawn one comes back with a copy, so the same again has 2/5 and 4/5."""
    counts = np.array([[0, 0], [1, 0], [2, 0], [1, 1]])
    found = composition(np.array([1.0, 3.0]), counts)
    assert found.tolist() == pytest.approx([1, 1 / 4, 1 / 4 * 2 / 5, 1 / 4 * 3 / 5])


def test_copies_and_places_of_genotypes() -> None:
    assert alternate_counts(3, 2).tolist() == [[0, 0], [1, 0], [2, 0], [0, 1], [1, 1], [0, 2]]
    assert alternate_counts(3, 1).tolist() == [[0, 0], [1, 0], [1, 0], [0, 1], [1, 1], [0, 1]]
    assert [genotype_index(genotype) for genotype in genotype_order(4, 2)] == list(range(10))
    assert subset((0, 2)) == [0, 3, 5]  # 0/0, 0/2, 2/2


def brute_force_trio(
    given: np.ndarray, frequencies: np.ndarray, chances: np.ndarray, rate: float
) -> tuple[np.ndarray, float]:
    """Posterior of every (mother, father, child) of a biallelic SNV, and of a mutation, by loops over everything."""
    genotypes = [(0, 0), (0, 1), (1, 1)]
    joint, mutated = np.zeros((3, 3, 3)), 0.0
    for f, chance in zip(frequencies, chances, strict=True):
        hardy = [(1 - f) ** 2, 2 * f * (1 - f), f * f]
        for m, d in itertools.product(range(3), repeat=2):
            # Every way: which allele each parent hands down, and whether it mutates to the other one.
            for one, other, first, second in itertools.product(genotypes[m], genotypes[d], (0, 1), (0, 1)):
                way = 0.25 * (rate if first else 1 - rate) * (rate if second else 1 - rate)
                child = genotypes.index(tuple(sorted((one ^ first, other ^ second))))
                share = chance * hardy[m] * hardy[d] * way * given[0, m] * given[1, d] * given[2, child]
                joint[m, d, child] += share
                mutated += share * (first or second)
    return joint / joint.sum(), mutated / joint.sum()


@pytest.mark.parametrize(
    "phred",
    [
        ((0, 30, 300), (0, 24, 240), (60, 0, 50)),
        ((0, 5, 9), (12, 0, 3), (8, 0, 2)),
        ((40, 0, 60), (0, 60, 600), (9, 0, 30)),
        ((0, 90, 900), (0, 90, 900), (120, 0, 120)),
    ],
)
def test_a_trio_is_summed_exactly(phred: tuple[tuple[float, ...], ...]) -> None:
    given = likelihoods(*phred)
    model = JointModel(2, True, [2, 2, 2], [TRIO])
    found = model.posteriors(given)
    joint, mutated = brute_force_trio(given[0], model.frequencies, model.chances, MUTATION_RATE[True])
    for axis, sample in ((0, 0), (1, 1), (2, 2)):
        others = tuple(other for other in range(3) if other != axis)
        np.testing.assert_allclose(found.genotypes[0, sample], joint.sum(axis=others), rtol=1e-6, atol=1e-12)
    best = np.unravel_index(joint.argmax(), joint.shape)
    assert found.best[0].tolist() == list(best)
    assert found.reference[0] == pytest.approx(-10 * np.log10(joint[0, 0, 0]), abs=1e-3)
    assert found.de_novo[2][0] == pytest.approx(mutated, rel=1e-4, abs=1e-7)


def test_a_de_novo_variant_by_hand() -> None:
    """Parents sure to be 0/0 (90 phred), child sure to be 0/1. A mutation: 2 x 4e-9. A parent who is 0/1 after all: two
    parents, each with the integral of w/f 2f(1-f)(1-f)^2 = w/2, half transmitted, 1e-9 for the reads. Nothing else counts."""
    sure = likelihoods((0, 90, 900), (0, 90, 900), (200, 0, 200))
    model = JointModel(2, True, [2, 2, 2], [TRIO])
    mutation, inherited = 2 * MUTATION_RATE[True], 2 * WEIGHT / 2 / 2 * 1e-9
    assert model.posteriors(sure).de_novo[2][0] == pytest.approx(mutation / (mutation + inherited), rel=1e-4)
    # With 40 phred for the parents (13 reads) an allele that was missed in one of them is twice as likely.
    weak = likelihoods((0, 40, 400), (0, 40, 400), (200, 0, 200))
    inherited = 2 * WEIGHT / 2 / 2 * 1e-4
    assert model.posteriors(weak).de_novo[2][0] == pytest.approx(mutation / (mutation + inherited), rel=5e-3)
    assert model.posteriors(weak).de_novo[2][0] < 0.34


def test_weak_evidence_of_a_child_is_no_de_novo_variant_but_an_error() -> None:
    given = likelihoods((0, 90, 900), (0, 90, 900), (40, 0, 60))
    found = JointModel(2, True, [2, 2, 2], [TRIO]).posteriors(given)
    assert found.best[0].tolist() == [0, 0, 0]
    assert found.de_novo[2][0] < 1e-3


def test_a_parent_helps_a_child_and_a_child_its_parent() -> None:
    alone = JointModel(2, True, [2, 2, 2])
    together = JointModel(2, True, [2, 2, 2], [TRIO])
    given = likelihoods((0, 0, 30), (0, 60, 600), (200, 0, 200))  # mother: nothing known between 0/0 and 0/1
    assert alone.posteriors(given).genotypes[0, 0, 1] < 0.4
    found = together.posteriors(given)
    assert found.best[0].tolist() == [1, 0, 1]
    assert found.genotypes[0, 0, 1] > 0.999


def test_genotypes_of_a_family_agree_with_inheritance() -> None:
    """Random evidence, two children: the genotypes that are written can be inherited, whatever each sample says alone."""
    random = np.random.default_rng(3)
    given = 10 ** (-random.uniform(0, 60, (300, 4, 3)) / 10)
    given[np.arange(300)[:, None], np.arange(4), random.integers(0, 3, (300, 4))] = 1
    found = JointModel(2, True, [2] * 4, [Family(1, 0, (2, 3))]).posteriors(given)
    possible = transmission(2, "both", 0.0)[0] > 0
    for best in found.best.tolist():
        assert all(possible[best[0], best[1], best[child]] for child in (2, 3))


def test_sons_daughters_and_fathers_on_x() -> None:
    """Mother 0/1 surely; father has 1; the son's reads say nothing: half and half, never a heterozygote; a daughter has her
    father's 1 at least."""
    sure_mother, father, nothing = (200.0, 0.0, 200.0), (200.0, 200.0, 0.0), (0.0, 0.0, 0.0)
    model = JointModel(2, True, [2, 1, 1, 2], [Family(1, 0, (2, 3))], "mother")
    found = model.posteriors(likelihoods(sure_mother, father, nothing, nothing))
    assert found.genotypes[0, 2].tolist() == pytest.approx([0.5, 0, 0.5], abs=1e-6)
    assert found.genotypes[0, 3].tolist() == pytest.approx([0, 0.5, 0.5], abs=1e-6)
    # A son with an allele that only his father has did not get it from him: a mutation (4e-9), or his mother has it after all. Given
    # the father's allele she is 0/1 as likely as 0/0 (integrals of 2f(1-f) and (1-f)^2), half of that comes down, 1e-6 for her reads.
    fathers = likelihoods((0.0, 60.0, 600.0), father, (200.0, 200.0, 0.0), nothing)
    wanted = MUTATION_RATE[True] / (MUTATION_RATE[True] + 0.5 * 1e-6)
    assert model.posteriors(fathers).de_novo[2][0] == pytest.approx(wanted, rel=0.01)


def test_the_frequency_in_a_cohort_is_learned() -> None:
    """30 people, half of the alleles alternate: one without reads gets the Hardy-Weinberg shares 1/4, 1/2, 1/4 (31 of 62)."""
    phred = [(0.0, 200.0, 200.0)] * 8 + [(200.0, 0.0, 200.0)] * 15 + [(200.0, 200.0, 0.0)] * 8 + [(0.0, 0.0, 0.0)]
    found = JointModel(2, True, [2] * 32).posteriors(likelihoods(*phred))
    assert found.genotypes[0, -1].tolist() == pytest.approx([0.25, 0.5, 0.25], abs=0.02)


def test_weak_evidence_of_many_adds_up() -> None:
    """Evidence of 20 phred for a heterozygote is too little in one person, and enough in ten of twenty."""
    weak, none = (20.0, 0.0, 40.0), (0.0, 30.0, 300.0)
    assert JointModel(2, True, [2]).posteriors(likelihoods(weak)).best[0, 0] == 0
    found = JointModel(2, True, [2] * 20).posteriors(likelihoods(*[weak] * 10, *[none] * 10))
    assert found.best[0].tolist() == [1] * 10 + [0] * 10
    assert found.reference[0] > 50


def test_two_people_with_weak_evidence_by_hand() -> None:
    """Likelihood ratio 100 in each of two for 0/1, homozygotes out of the question. Chances relative to 0/0 in both:
    one of them: integral of w/f 2f(1-f)(1-f)^2 = w/2, times 100, twice; both: integral of w/f (2f(1-f))^2 = w/3, times 10,000."""
    found = JointModel(2, True, [2, 2]).posteriors(likelihoods((20.0, 0.0, 400.0), (20.0, 0.0, 400.0)))
    one, both = 2 * 100 * WEIGHT / 2, 1e4 * WEIGHT / 3
    assert found.reference[0] == pytest.approx(10 * np.log10(1 + one + both), abs=0.05)
    assert found.genotypes[0, 0, 1] == pytest.approx((one / 2 + both) / (1 + one + both), rel=0.02)


def test_alternates_of_one_person_do_not_vouch_for_each_other() -> None:
    """A sure alternate beside one with 20 phred of evidence against it: the second stays out."""
    own = np.array([60.0, 0.0, 30.0, 60.0, 20.0, 60.0]) - genotype_prior(3, False)
    found = JointModel(3, False, [2]).posteriors(likelihoods(tuple(own - own.min())))
    assert found.best[0, 0] == 1
    assert found.genotypes[0, 0, 4] == pytest.approx(0.01, rel=0.1)


def test_relatives_without_data() -> None:
    """Two children of parents without data: the second one's allele makes the first one's likelier than a stranger's does."""
    given = likelihoods((200.0, 0.0, 200.0), (10.0, 0.0, 30.0))
    strangers = JointModel(2, True, [2, 2]).posteriors(given).genotypes[0, 1, 1]
    siblings = JointModel(2, True, [2, 2], [Family(None, None, (0, 1))]).posteriors(given).genotypes[0, 1, 1]
    assert siblings > strangers > 0.5


def test_an_artefact_that_two_people_show_is_no_variant() -> None:
    """P(0/0) = 0.6, P(0/1) = 0.4 in both, all of 0/0 by artefact. Both 0/1: 0.4 x 0.4 / w^2 x w/3, one: 0 (the other one's reads need
    the artefact). Artefact: 0.6 x 0.6 / 1e-4."""
    given = np.array([[[1e-30, 0.4 / WEIGHT, 1e-30], [1e-30, 0.4 / WEIGHT, 1e-30]]])
    artefacts = np.array([[0.6, 0.6]]) / ARTEFACT_RATE
    found = JointModel(2, True, [2, 2]).posteriors(given, artefacts)
    both, neither = 0.16 / WEIGHT / 3, 0.36 / ARTEFACT_RATE
    assert found.genotypes[0, 0].tolist() == pytest.approx(
        [neither / (both + neither), both / (both + neither), 0], abs=2e-3
    )
    assert found.best[0].tolist() == [0, 0]
    assert found.reference[0] == pytest.approx(10 * np.log10(1 + both / neither), abs=0.01)


def test_an_artefact_is_out_of_the_question_where_one_is_sure() -> None:
    """A sure heterozygote (1e-10 for 0/0) makes the site a true one: the second person's 0.4 is no longer held down."""
    given = np.array([[[1e-30, 1 / WEIGHT, 1e-30], [1e-30, 0.4 / WEIGHT, 1e-30]]])
    artefacts = np.array([[1e-10, 0.6]]) / ARTEFACT_RATE
    found = JointModel(2, True, [2, 2]).posteriors(given, artefacts)
    assert found.best[0].tolist() == [1, 1]


def test_a_cohort_of_one_has_the_genotype_of_its_gvcf_with_artefacts_too() -> None:
    """0/0 = errors + rate x artefact, as it was split."""
    errors, artefact, het = 0.1, 0.5 / ARTEFACT_RATE, 0.4
    given = np.array([[[errors, het / copies_prior(True)[1], 1e-30]]])
    found = JointModel(2, True, [2]).posteriors(given, np.array([[artefact]]))
    assert found.genotypes[0, 0].tolist() == pytest.approx([0.6, 0.4, 0], abs=1e-3)


def test_an_artefact_that_parents_do_not_show() -> None:
    """The child is 80 phred from 0/0, all of it artefact; the parents are 60 from 0/1. Mutation 4e-9 x 2; artefact 1e-4 x 1e-4, of which
    parents with 39 clean reads each leave 1/20 x 1/20, and no less than one in a hundred."""
    given = likelihoods((0.0, 60.0, 600.0), (0.0, 60.0, 600.0), (300.0, 0.0, 80.0))
    artefacts = np.array([[1.0, 1.0, 1e-4]])
    model = JointModel(2, True, [2, 2, 2], [TRIO])
    missed = ALTERNATE_WEIGHT[True] * 0.5 * 1e-6 * 2
    mutated = 2 * MUTATION_RATE[True]
    for clean, chance in (
        ((1.0, 1.0, 1.0), 1.0),
        ((0.5, 0.1, 1.0), 0.05),
        ((0.05, 0.05, 1.0), 0.01),
        ((0.05, 1.0, 1.0), 0.05),
        ((0.05, 0.05, 0.05), 1.0),
    ):
        found = model.posteriors(given, artefacts, clean=np.array([clean])).de_novo[2][0]
        assert found == pytest.approx(mutated / (mutated + missed + ARTEFACT_RATE * 1e-4 * chance), rel=0.03)
    fatherless = JointModel(2, True, [2, 2, 2], [Family(None, 0, (2,))])
    alone = [fatherless.posteriors(given, artefacts, clean=np.array([[0.05, 0.05, c]])).genotypes for c in (1.0, 0.5)]
    np.testing.assert_array_equal(*alone)


def test_an_artefact_that_father_and_child_show_and_the_mother_does_not() -> None:
    """An artefact (1 in 10,000) explains each of them three times as well as 0/1 does. A couple has one copy with 1/3000, half of the time the
    father, who hands it down half of the time: 1/12000 against 9/10000, of which 39 clean reads of the mother leave 1/20."""
    given = likelihoods((0.0, 60.0, 600.0), (300.0, 0.0, 300.0), (300.0, 0.0, 300.0))
    artefacts = np.array([[1.0, 3.0, 3.0]])
    for clean, chance in ((1.0, 1.0), (0.05, 0.05)):
        found = JointModel(2, True, [2, 2, 2], [TRIO]).posteriors(given, artefacts, clean=np.array([[clean, 1.0, 1.0]]))
        artefact = ARTEFACT_RATE * 9 * chance
        carried = ALTERNATE_WEIGHT[True] / 4
        assert found.genotypes[0, 1:, 0] == pytest.approx(artefact / (artefact + carried), rel=0.03)
