"""--alleles, --phase, --par and --gvcf_bands through the pipeline, on the demo's real reads."""

from pathlib import Path

import pysam
import pytest
from pipeline_runs import ROOT, copy_project, published, run

pytestmark = [pytest.mark.pipeline]

DEMO = ROOT / "assets" / "demo"
HEAD = "##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n"
SITES = (
    (10_050_828, "T", "C"),  # a heterozygote of both samples
    (10_051_448, "T", "G"),  # a place where both carry T>C
    (10_054_999, "TAA", "TA,TAT"),  # nobody's: a deletion and an SNV
    (10_070_019, "TTTTTTG", "TTTTTG"),  # nobody's, not left-aligned: GT>G at 10,070,018
    (10_200_001, "T", "A"),  # outside of the intervals
)


def records(path: Path) -> list[pysam.VariantRecord]:
    with pysam.VariantFile(str(path)) as file:
        return list(file)


def place(record: pysam.VariantRecord) -> tuple[int, str, tuple[str, ...]]:
    return record.pos, record.ref, record.alts


def test_given_alleles_phase_and_bands(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    folder = tmp_path / "run"
    folder.mkdir()
    rows = [f"chr20\t{at}\t.\t{old}\t{new}\t.\t.\t.\n" for at, old, new in SITES]
    (folder / "sites.vcf").write_text(HEAD + "".join(rows))
    words = ["-profile", "test,local", "--tools", "small_variants", "--intervals", str(DEMO / "intervals.bed")]
    words += ["--explain_sites", "0"]
    plain = run(project, folder, *words, "--outdir", "plain", results=folder / "plain")
    assert plain.status == 0, plain.output
    more = [
        "--alleles",
        "sites.vcf",
        "--alleles_prior",
        "0.3",
        "--phase",
        "--gvcf_bands",
        "5,20,60",
        "--outdir",
        "more",
        "-resume",
    ]
    done = run(project, folder, *words, *more, results=folder / "more")
    assert done.status == 0, done.output
    assert {"PREPARE_ALLELES", "PHASE_SMALL_VARIANTS"} <= done.with_status("COMPLETED")
    assert "1 of 5 alleles lie outside of --intervals" in done.output
    trees = [{name for name in published(folder / tree) if "/explain/" not in name} for tree in ("plain", "more")]
    assert trees[0] == trees[1]

    for sample in ("NA12878", "NA12878_7x"):
        before = records(folder / f"plain/small_variants/{sample}/{sample}.vcf.gz")
        after = records(folder / f"more/small_variants/{sample}/{sample}.vcf.gz")
        given = {place(record): record for record in after if "GIVEN" in record.info}
        assert set(given) == {
            (10_050_828, "T", ("C",)),
            (10_051_448, "T", ("C", "G")),
            (10_054_999, "TA", ("T",)),
            (10_055_001, "A", ("T",)),
            (10_070_018, "GT", ("G",)),
        }
        shares = [tuple(share and round(share, 3) for share in record.info["GIVEN"]) for record in given.values()]
        assert shares == [(0.3,), (None, 0.3), (0.3,), (0.3,), (0.3,)]
        copies = {key: sorted(record.samples[0]["GT"]) for key, record in given.items()}
        assert list(copies.values()) == [[0, 1], [0, 1], [0, 0], [0, 0], [0, 0]]
        elsewhere = [record for record in after if "GIVEN" not in record.info]
        others = [record for record in before if (record.pos, record.ref) not in {key[:2] for key in given}]
        assert list(map(place, elsewhere)) == list(map(place, others))
        for one, other in zip(others, elsewhere, strict=True):
            assert sorted(one.samples[0]["GT"], key=str) == sorted(other.samples[0]["GT"], key=str)
            assert all(one.samples[0][name] == other.samples[0][name] for name in ("GQ", "DP", "AD", "PL"))
        phased = [record for record in after if record.samples[0].phased and record.samples[0].get("PS")]
        assert len(phased) >= 0.6 * sum(
            "PASS" in record.filter and len(set(record.samples[0]["GT"])) == 2 for record in after
        )
        with pysam.BGZFile(str(folder / f"more/small_variants/{sample}/{sample}.g.vcf.gz"), "r", None) as file:
            lines = [line.decode() for line in file]
        assert [line for line in lines if line.startswith("##GVCFBlock20-60=")]
        assert sum("GIVEN" in line for line in lines if not line.startswith("#")) == len(given)
    assert "Phased by reads" in (folder / "more/multiqc_report.html").read_text()


def test_what_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    (tmp_path / "sites.vcf").write_text(HEAD + "20\t5\t.\tA\tC\t.\t.\t.\nchr20\t10050828\t.\tG\tC\t.\t.\t.\n")
    (tmp_path / "par.bed").write_text("chr20\t1\t100\n")
    words = ["-profile", "test,local", "--tools", "small_variants", "--validate_only"]
    done = run(project, tmp_path, *words, "--alleles", "sites.vcf", "--par", "par.bed", "--gvcf_bands", "20,5")
    assert done.status != 0
    for text in (
        "4 problems with the input",
        "--gvcf_bands: gVCF bands '20,5'",
        "par.bed: contig 'chr20' is neither X nor Y",
        "sites.vcf: row 3: contig '20' is not in the reference",
        "sites.vcf: row 4: chr20:10050828 G>C: REF is not the reference's T",
    ):
        assert text in done.output
