"""Joint genotyping from files to files: the VCF, Mendelian errors, de novo candidates, what is told."""

import json
from pathlib import Path

import pysam
import pytest
from gvcf_files import CONTIGS, block, site, write_gvcf, write_reference
from joint_runs import PED, Outcome, run, trio
from typer.testing import CliRunner

from strandwise.errors import InputError
from strandwise.formats.pedigree import Person
from strandwise.formats.vcf import header
from strandwise.small_variants.joint import joint
from strandwise.small_variants.joint_genotypes import Family
from strandwise.small_variants.joint_trios import relations

pytestmark = pytest.mark.usefixtures("calling_image")

HET = site(100, "A", "G", "0/1", "15,15", "100,0,100")


def test_an_inherited_variant(tmp_path: Path) -> None:
    found = run(tmp_path, trio([HET], [block(1, 200, 60)], [HET]), PED)
    (line,) = found.lines
    assert line[:5] == ["chr1", "100", ".", "A", "G"]
    assert line[6:9] == ["PASS", "AC=2;AN=6;AF=0.3333", "GT:GQ:DP:AD:PL:FT"]
    assert [cell.split(":")[0] for cell in line[9:]] == ["0/1", "0/0", "0/1"]
    father = line[10].split(":")
    assert father[2:] == ["30", "30,0", "0,60,600", "PASS"]
    assert found.table("de_novo") == []
    whole = next(row for row in found.table("mendelian") if row["type"] == "ALL" and row["min_gq"] == "0")
    assert (whole["sites"], whole["errors_alone"], whole["errors"]) == ("1", "0", "0")


def test_a_violation_is_de_novo_where_the_reads_are_good_and_an_error_where_they_are_not(tmp_path: Path) -> None:
    """At 100 both parents have 60 phred and the child 100 both ways: de novo. At 200 the child's evidence is weak: 0/0. At 300 the
    mother's depth is low, which is why she seems 0/0: inherited from her."""
    second = site(200, "A", "G", "0/1", "25,3", "20,0,100", quality=19)
    third = site(300, "A", "G", "0/1", "15,15", "100,0,100")
    parents = [block(1, 290, 60)], [block(1, 400, 60)]
    mother = [*parents[0], block(291, 310, 12, depth=4), block(311, 400, 60)]
    child = [block(1, 99, 60), HET, block(101, 199, 60), second, block(201, 299, 60), third, block(301, 400, 60)]
    found = run(tmp_path, trio(mother, parents[1], child), PED)
    assert [line[1] for line in found.lines] == ["100", "300"]
    assert [cell.split(":")[0] for cell in found.lines[0][9:]] == ["0/0", "0/0", "0/1"]
    assert [cell.split(":")[0] for cell in found.lines[1][9:]] == ["0/1", "0/0", "0/1"]
    candidate, unlikely = found.table("de_novo")
    assert (candidate["position"], candidate["reference"], candidate["alternate"]) == ("100", "A", "G")
    assert (candidate["child"], candidate["father"], candidate["mother"]) == ("child", "father", "mother")
    # Mutation 8e-9; a parent missed: 1/3000 * 1/2 * 1e-6 = 1.7e-10 (test_joint_genotypes has the derivation).
    assert float(candidate["probability"]) == pytest.approx(8e-9 / (8e-9 + 1.67e-10), rel=0.01)
    # Mother with 12 phred: 1/3000 * 1/4 * 10^-1.2 = 5.3e-6.
    assert unlikely["position"] == "300" and float(unlikely["probability"]) == pytest.approx(8e-9 / 5.3e-6, rel=0.02)
    assert (candidate["child_ad"], candidate["mother_pl"], candidate["father_dp"]) == ("15,15", "0,60,600", "30")
    whole = next(row for row in found.table("mendelian") if row["type"] == "SNP" and row["min_gq"] == "0")
    assert (whole["sites"], whole["errors_alone"], whole["errors"]) == ("2", "2", "1")
    strict = next(row for row in found.table("mendelian") if row["type"] == "SNP" and row["min_gq"] == "20")
    assert (strict["sites"], strict["errors_alone"]) == ("1", "1")
    assert found.summary["trios"][0]["de_novo"] == {"SNP": 1, "INDEL": 0}


def test_another_indel_of_a_parent_makes_a_candidate_doubtful(tmp_path: Path) -> None:
    """Mother C>CAA, child C>CAAAA, both sure: a new allele by all that is known, or the mother's one read otherwise."""
    mother = site(100, "C", "CAA", "0/1", "15,15", "100,0,100")
    child = site(100, "C", "CAAAA", "0/1", "15,15", "100,0,100")
    found = run(tmp_path, trio([mother], [block(1, 200, 90)], [child]), PED)
    (candidate,) = found.table("de_novo")
    assert float(candidate["probability"]) > 0.5
    assert candidate["filter"] == "OtherAllele"
    assert found.summary["trios"][0]["de_novo"] == {"SNP": 0, "INDEL": 0}


def test_the_allele_that_a_parent_was_given_jointly_is_no_other_one(tmp_path: Path) -> None:
    """An indel of the child, 27 phred against a heterozygous mother: mutation 2 x 1e-9; mother missed 1e-4 x 1/4 x 0.002 = 5e-8
    (she rather than the father, and handed down). So she gets it, and who looks at the list finds the candidate, 1 in 26, without a filter."""
    child = site(100, "C", "CAA", "0/1", "15,15", "100,0,100")
    found = run(tmp_path, trio([block(1, 200, 27, depth=9)], [block(1, 200, 90)], [child]), PED)
    (candidate,) = found.table("de_novo")
    assert float(candidate["probability"]) == pytest.approx(1 / 26, rel=0.02)
    assert (candidate["mother_gt"], candidate["mother_dp"], candidate["filter"]) == ("0/1", "9", "PASS")


def test_an_unsure_parent_is_in_the_probability_and_no_filter(tmp_path: Path) -> None:
    """30 phred against each parent: one of them has it, no one knows which, GQ 3 at most."""
    thin = [block(1, 200, 30, depth=10)]
    found = run(tmp_path, trio(thin, thin, [site(100, "A", "G", "0/1", "15,15", "100,0,100")]), PED)
    (candidate,) = found.table("de_novo")
    assert sorted(candidate[f"{parent}_gt"] for parent in ("father", "mother")) == ["0/0", "0/1"]
    assert max(int(candidate[f"{parent}_gq"]) for parent in ("father", "mother")) <= 3
    assert 0.001 < float(candidate["probability"]) < 0.05 and candidate["filter"] == "PASS"


def test_without_a_pedigree_nobody_is_related(tmp_path: Path) -> None:
    found = run(tmp_path, trio([block(1, 200, 60)], [block(1, 200, 60)], [HET]))
    assert [cell.split(":")[0] for cell in found.lines[0][9:]] == ["0/0", "0/0", "0/1"]
    assert found.table("mendelian") == [] and found.table("de_novo") == []
    assert found.notes == []


def test_sons_have_their_x_from_the_mother(tmp_path: Path) -> None:
    """Mother 0/1, father 1, son 0 with little evidence against 1: 0 of his mother; nothing contradicts inheritance."""
    mother = [site(100, "A", "G", "0/1", "15,15", "100,0,100", contig="chrX")]
    father = [site(100, "A", "G", "1", "0,14", "90,0", contig="chrX")]
    son = [block(50, 200, 40, ploidy=1, contig="chrX")]
    found = run(tmp_path, trio(mother, father, son), PED)
    (line,) = found.lines
    assert [cell.split(":")[0] for cell in line[9:]] == ["0/1", "1", "0"]
    assert line[7] == "AC=2;AN=4;AF=0.5"
    assert [len(cell.split(":")[4].split(",")) for cell in line[9:]] == [3, 2, 2]
    whole = next(row for row in found.table("mendelian") if row["type"] == "ALL" and row["min_gq"] == "0")
    assert (whole["sites"], whole["errors_alone"], whole["errors"]) == ("1", "0", "0")


def test_records_are_whole(tmp_path: Path) -> None:
    """Alleles that nobody carries go, and the bases that only they needed; missing samples have no genotype; phase stays where
    the genotype stays."""
    samples = {
        "A": [site(100, "CAA", "C,CA", "0/2", "15,1,15", "100,90,150,0,90,100", phase_set=77).replace("0/2", "2|0")],
        "B": [block(1, 200, 0, depth=0)],
        "C": [block(1, 200, 60)],
    }
    found = run(tmp_path, samples)
    (line,) = found.lines
    assert line[3:5] == ["CA", "C"]
    assert line[8] == "GT:GQ:DP:AD:PL:FT:PS"
    a, b, c = (cell.split(":") for cell in line[9:])
    assert (a[0], a[3], a[-1].strip()) == ("1|0", "15,15", "77")
    assert b[:3] == ["./.", ".", "0"]
    assert (c[0], c[-1].strip()) == ("0/0", ".")
    record = found.records[0]
    assert record.samples["A"]["PL"][1] == 0 and record.samples["A"]["GT"] == (1, 0)


def test_phase_of_a_vcf_that_was_phased_after_calling(tmp_path: Path) -> None:
    """The phased VCF has the same records without <NON_REF>; its phase is taken where alleles and genotype are the same."""
    reference = write_reference(tmp_path)
    second = site(120, "A", "T", "0/1", "15,15", "100,0,100")
    gvcf = write_gvcf(tmp_path, "A", [HET, block(101, 119, 60), second, block(121, 200, 60)])
    head = header(CONTIGS, "A", "model 1", False).replace(
        "##contig", '##FORMAT=<ID=PS,Number=1,Type=Integer,Description="Phase set">\n##contig', 1
    )
    rows = ["chr1\t100\t.\tA\tG\t60\tPASS\t.\tGT:PS\t1|0:100", "chr1\t120\t.\tA\tC\t60\tPASS\t.\tGT:PS\t0|1:100"]
    phased = tmp_path / "A.vcf.gz"
    with pysam.BGZFile(str(phased), "w", None) as file:
        file.write((head + "\n".join(rows) + "\n").encode())
    pysam.tabix_index(str(phased), preset="vcf", force=True)
    outputs = [tmp_path / name for name in ("joint.vcf.gz", "mendelian.tsv", "de_novo.tsv", "joint.json")]
    joint([gvcf], reference, *outputs, phased=[phased])
    found = [line[9].strip().split(":") for line in Outcome(tmp_path, []).lines]
    assert [(cell[0], cell[-1]) for cell in found] == [("1|0", "100"), ("0/1", "PASS")]
    other = write_gvcf(tmp_path, "B", [HET])
    with pytest.raises(InputError, match=r"A\.vcf\.gz: holds A; give phased VCFs of the gVCFs' samples"):
        joint([other], reference, *outputs, phased=[phased])


def test_filters_of_samples_and_sites(tmp_path: Path) -> None:
    """A single read counts beside somebody who has the allele, with its filter. A site passes with one of its carriers."""
    low = site(100, "A", "G", "0/1", "0,1", "25,0,3", "LowDepth")
    found = run(tmp_path, {"A": [low], "B": [HET]})
    assert [line[6] for line in found.lines] == ["PASS"]
    assert [cell.strip().split(":")[-1] for cell in found.lines[0][9:]] == ["LowDepth", "PASS"]
    doubtful = run(tmp_path, {"A": [site(100, "A", "G", "0/1", "9,5", "37,0,0", quality=2)]})
    assert [(line[6], line[9].strip()[-7:]) for line in doubtful.lines] == [("LowQual", "LowQual")]


def test_intervals_and_empty_results(tmp_path: Path) -> None:
    found = run(tmp_path, {"A": [HET, block(101, 200, 60)]}, bed="chr1\t150\t200\n")
    assert found.lines == []
    assert (tmp_path / "joint.vcf.gz.tbi").exists()
    assert run(tmp_path, {"A": [HET, block(101, 200, 60)]}, bed="chr1\t99\t100\n").lines[0][1] == "100"


def test_notes_on_models_names_and_wrong_relations(tmp_path: Path) -> None:
    inherited = [site(100 + 20 * n, "A", "G", "0/1", "15,15", "100,0,100") for n in range(30)]
    between = [block(101 + 20 * n, 119 + 20 * n, 60) for n in range(30)]
    child = sorted([*inherited, *between], key=lambda line: int(line.split("\t")[1]))
    pedigree = PED + "trio aunt 0 0 2 0\n"
    samples = trio([block(1, 900, 60)], [block(1, 900, 60)], child) | {"stranger": [block(1, 900, 60)]}
    found = run(tmp_path, samples, pedigree, models=["m 1", "m 1", "m 1", "m 2"])
    texts = [(note.level, note.text) for note in found.notes]
    assert ("warning", "the gVCFs come from different models (m 1, m 2): call all with one") in texts
    assert ("warning", "pedigree: no gVCF of aunt: taken as relatives without data") in texts
    assert ("info", "pedigree: does not name stranger: taken as unrelated") in texts
    assert any("100.0% of the sites contradict inheritance" in text for _, text in texts)


def test_relations() -> None:
    def person(name: str, father: str | None = None, mother: str | None = None) -> Person:
        return Person("f", name, father, mother, "NA", 1)

    persons = [
        person("c1", "d", "m"),
        person("c2", "d", "m"),
        person("d"),
        person("m", "g", None),
        person("half", "d", None),
    ]
    families, trios = relations(persons, ["m", "d", "c1", "c2", "half"])
    assert families == [Family(1, 0, (2, 3)), Family(1, None, (4,))]
    assert [trio.members for trio in trios] == [(2, 1, 0), (3, 1, 0)]
    # Brothers whose parents have no data belong together all the same; a single child does not.
    assert relations(persons[:2], ["c1", "c2"])[0] == [Family(None, None, (0, 1))]
    assert relations(persons[:1], ["c1"])[0] == []


def test_a_pedigree_that_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        run(tmp_path, {"A": [HET]}, "f a b c 1\nf b 0 0 2 0\nf a b 0 1 0\n")
    assert error.value.problems == [
        "family.ped: row 1: 5 columns, 6 needed: family, individual, father, mother, sex, phenotype; unknown parents are 0",
        "family.ped: row 3: b is the father of a and has sex XX in row 2; sex is 1 for male and 2 for female",
    ]
    assert not (tmp_path / "joint.vcf.gz").exists()


def test_the_command(tmp_path: Path) -> None:
    import sys

    sys.path.insert(0, str(Path(__file__).parents[2] / "bin"))
    import small_variants

    reference = write_reference(tmp_path)
    gvcf = write_gvcf(tmp_path, "A", [HET, block(101, 200, 60)])
    names = {
        "--output": "j.vcf.gz",
        "--mendelian": "m.tsv",
        "--de-novo": "d.tsv",
        "--summary": "s.json",
        "--notes": "n.json",
    }
    words = [word for name, file in names.items() for word in (name, str(tmp_path / file))]
    done = CliRunner().invoke(small_variants.app, ["joint", "--gvcf", str(gvcf), "--reference", str(reference), *words])
    assert done.exit_code == 0, done.output
    assert json.loads((tmp_path / "n.json").read_text()) == []
    assert (tmp_path / "j.vcf.gz.tbi").exists()
