"""Haplotypes that relatives tell with different records: clusters, spelling, priors, and whole trios."""

from pathlib import Path

import numpy as np
import pytest
from gvcf_files import block, site
from joint_runs import PED, run, trio

from strandwise.small_variants.joint_genotypes import JointModel
from strandwise.small_variants.joint_haplotypes import clusters, event, founders_prior, spelled
from strandwise.small_variants.joint_merge import Locus, SampleData, shown_reference
from strandwise.small_variants.priors import ALTERNATE_WEIGHT

pytestmark = pytest.mark.usefixtures("calling_image")

BASES = "GATTTTTTTTTTTTTTTTTTTTCAGGCATCAGCATTCGGA"


def fetch(contig: str, start: int, end: int) -> str:
    return BASES[start:end]


def locus(position: int, *alleles: str) -> Locus:
    return Locus("chr1", position, alleles, all(len(text) == 1 for text in alleles))


def test_a_deletion_reaches_to_the_end_of_its_repeat() -> None:
    """AT>A at 1 can be told as far as base 22; the SNV at 31 is nearer than 10 bases to that, and farther from an SNV at 1."""
    assert clusters([locus(1, "AT", "A"), locus(31, "G", "A")], fetch) == [[0, 1]]
    assert clusters([locus(1, "AT", "A"), locus(32, "C", "A")], fetch) == [[0], [1]]
    assert clusters([locus(1, "A", "C"), locus(31, "G", "A")], fetch) == [[0], [1]]
    other = Locus("chr2", 2, ("T", "A"), True)
    assert clusters([locus(1, "A", "C"), other], fetch) == [[0], [1]]


def test_what_an_allele_changes() -> None:
    assert event("CAA", "CA") == (1, "A", "")
    assert event("C", "CTT") == (1, "", "TT")
    assert event("C", "A") == (0, "C", "A")
    assert event("CAG", "AAG") == (0, "C", "A")


def test_two_descriptions_of_one_haplotype() -> None:
    """C>A and A>C at 22 and 23 of CA, or an insertion of A before and a deletion of the A behind: AC both times."""
    bases = BASES[21:26]  # T CAGG
    told = [locus(21, "T", "TA"), locus(22, "C", "A"), locus(22, "CA", "C"), locus(23, "A", "C")]
    assert spelled(told, (1, 0, 1, 0), bases) == spelled(told, (0, 1, 0, 1), bases) == "TACGG"
    assert spelled(told, (0, 0, 0, 0), bases) == "TCAGG"
    assert spelled(told, (0, 0, 1, 1), bases) is None  # the A is deleted and changed


def test_the_prior_of_two_parents_by_hand() -> None:
    """Haplotypes: reference, and one with an SNV and an indel. All four copies the reference: 1. One copy: each alternate
    0! 3! / 4! of its weight, and two orders in the parent who has it. All four: 3! 0! / 4!."""
    weights = np.array([ALTERNATE_WEIGHT[True], ALTERNATE_WEIGHT[False]])
    found = founders_prior(np.array([[0, 0], [1, 1]]), weights, (2, 2))
    assert found[0, 0] == 1
    assert found[1, 0] == found[0, 1] == pytest.approx(2 * weights.prod() / 4**2)
    assert found[2, 2] == pytest.approx(weights.prod() / 4**2)
    assert found[1, 1] == pytest.approx(4 * weights.prod() / 12**2)  # two of four: 1! 2! / 4!, two orders in each
    son = founders_prior(np.array([[0, 0], [1, 1]]), weights, (2, 1))
    assert son[0, 1] == 0 and son[0, 2] == pytest.approx(weights.prod() / 3**2)  # one of three: 0! 2! / 3!


def sample(likelihoods: list[float], depths: list[int]) -> SampleData:
    return SampleData(2, np.array(likelihoods), likelihoods[0], likelihoods[0], sum(depths), depths, 1)


def test_reads_of_the_reference_beside_a_homozygous_genotype() -> None:
    """10 of 28: as errors of 1/1 they cost 300 phred, as 0/1 84 (3.01 each): 215.7 apart, where the network gave 4."""
    data = sample([116.0, 0.0, 4.0], [10, 18])
    assert data.by_reads == pytest.approx([116, 0, 300 - 28 * 3.0103])
    assert data.showing == pytest.approx([116, 0, 4])
    pure = sample([138.0, 51.0, 0.0], [0, 28])
    assert pure.by_reads == pytest.approx([138, 51, 0])
    assert pure.showing == pytest.approx([138, 51, 10 * np.log10(29 / 2)])  # 28 reads, none of the reference


def test_one_sample_keeps_its_likelihoods_and_relatives_without_such_reads_speak_against_it() -> None:
    """Both explanations together are what the network gave. In a trio with mother and child 1/1 without a read of the reference the father
    stays 0/1 with 7 phred against 1/1; their frequency alone would turn him."""
    model = JointModel(2, True, [2])
    father = sample([116.0, 0.0, 4.0], [10, 18])

    def posteriors(model: JointModel, *samples: SampleData) -> np.ndarray:
        by_reads, showing = (np.array([[getattr(data, name) for data in samples]]) for name in ("by_reads", "showing"))
        odds, there = shown_reference(by_reads, showing)
        return model.posteriors(10 ** (-by_reads / 10), None, odds, there).genotypes[0]

    whole = model.posteriors(10 ** (-father.likelihoods[None, None] / 10)).genotypes[0, 0]
    assert posteriors(model, father)[0] == pytest.approx(whole, rel=1e-6)
    from strandwise.small_variants.joint_genotypes import Family

    three = JointModel(2, True, [2, 2, 2], [Family(1, 0, (2,))])
    mother, child = sample([138.0, 51.0, 0.0], [0, 28]), sample([138.0, 59.0, 0.0], [0, 35])
    alone = np.array([[data.likelihoods for data in (mother, father, child)]])
    assert three.posteriors(10 ** (-alone / 10)).genotypes[0, 1].argmax() == 2
    assert posteriors(three, mother, father, child)[1].argmax() == 1


MOTHER = [
    block(1, 99, 60),
    site(100, "T", "TC", "0/1", "15,15", "100,0,100"),
    site(101, "AC", "A", "0/1", "15,15", "100,0,100"),
    block(103, 200, 60),
]


def test_a_child_that_tells_the_haplotype_of_its_mother_with_other_records(tmp_path: Path) -> None:
    """Reference TACG: the mother's C inserted after T and C deleted after A, the child's A>C and C>A: TCAG. Record by record
    the child has two new alleles and the mother two that she did not hand down."""
    child = [
        block(1, 100, 60),
        site(101, "A", "C", "0/1", "15,15", "100,0,100"),
        site(102, "C", "A", "0/1", "15,15", "100,0,100"),
        block(103, 200, 60),
    ]
    found = run(tmp_path, trio(MOTHER, [block(1, 200, 60)], child), PED)
    assert len(found.lines) == 2
    for line in found.lines:
        assert [cell.split(":")[0] for cell in line[9:]] == ["0/1", "0/0", "0/1"]
    assert found.table("de_novo") == []
    whole = next(row for row in found.table("mendelian") if row["type"] == "ALL" and row["min_gq"] == "0")
    assert whole["errors"] == "0"


def test_records_that_nobody_carries_by_themselves_still_tell_a_haplotype(tmp_path: Path) -> None:
    """As above with a few reads in the child: each of its records by itself is sooner an error than a new mutation."""
    child = [
        block(1, 100, 60),
        site(101, "A", "C", "0/1", "4,4", "22,0,22"),
        site(102, "C", "A", "0/1", "4,4", "22,0,22"),
        block(103, 200, 60),
    ]
    alone = trio([block(1, 200, 60)], [block(1, 200, 60)], child)
    (tmp_path / "alone").mkdir()
    assert run(tmp_path / "alone", alone, PED).lines == []
    found = run(tmp_path, trio(MOTHER, [block(1, 200, 60)], child), PED)
    assert [[cell.split(":")[0] for cell in line[9:]] for line in found.lines] == [["0/1", "0/0", "0/1"]] * 2


def test_a_haplotype_that_neither_parent_has_stays_new(tmp_path: Path) -> None:
    """As above, but the child's second SNV is another one."""
    mother = [
        block(1, 99, 90),
        site(100, "T", "TC", "0/1", "15,15", "100,0,100"),
        site(101, "AC", "A", "0/1", "15,15", "100,0,100"),
        block(103, 200, 90),
    ]
    child = [
        block(1, 100, 90),
        site(101, "A", "C", "0/1", "15,15", "100,0,100"),
        block(102, 200, 90),
    ]
    found = run(tmp_path, trio(mother, [block(1, 200, 90)], child), PED)
    genotypes = {(line[1], line[3], line[4]): [cell.split(":")[0] for cell in line[9:]] for line in found.lines}
    assert genotypes[("101", "A", "C")] == ["0/0", "0/0", "0/1"]
    assert genotypes[("100", "T", "TC")] == ["0/1", "0/0", "0/0"]
    (candidate,) = found.table("de_novo")
    assert candidate["position"] == "101" and float(candidate["probability"]) > 0.5


def test_a_candidate_beside_an_indel_is_listed_though_a_parent_gets_its_allele(tmp_path: Path) -> None:
    """The child's SNV lies 5 bases after an insertion that it has from its father. No read tells whether on the same chromosome; if not, the
    mother, 27 phred, has it with 1/3000 x 1/4 x 0.002 against 8e-9 for a mutation, which the record by itself says as well."""
    insertion = site(100, "T", "TC", "0/1", "15,15", "100,0,100")
    child = [block(1, 99, 90), insertion, block(101, 104, 90), site(105, "A", "G", "0/1", "15,15", "100,0,100")]
    samples = trio(
        [block(1, 200, 27, depth=9)], [block(1, 99, 90), insertion, block(101, 200, 90)], [*child, block(106, 200, 90)]
    )
    (candidate,) = run(tmp_path, samples, PED).table("de_novo")
    assert candidate["position"] == "105" and candidate["mother_gt"] == "0/1"
    assert 0.01 < float(candidate["probability"]) < 8e-9 / (1 / 12000 * 0.002)


def test_clusters_are_not_cut_by_windows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A window that ends inside the cluster: the same lines."""
    from strandwise.small_variants import joint_merge

    mother = [site(100, "T", "TC", "0/1", "15,15", "100,0,100"), site(101, "AC", "A", "0/1", "15,15", "100,0,100")]
    child = [site(101, "A", "C", "0/1", "15,15", "100,0,100"), site(102, "C", "A", "0/1", "15,15", "100,0,100")]
    samples = trio(
        [block(1, 99, 60), *mother, block(103, 200, 60)],
        [block(1, 200, 60)],
        [block(1, 100, 60), *child, block(103, 200, 60)],
    )
    whole = run(tmp_path, samples, PED).lines
    monkeypatch.setattr(joint_merge, "WINDOW", 101)
    cut = tmp_path / "cut"
    cut.mkdir()
    assert run(cut, samples, PED).lines == whole
