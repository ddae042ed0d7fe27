"""Joint genotyping through the pipeline: a trio of real reads and a copy, and a gVCF of an earlier run."""

import json
import shutil
from pathlib import Path

import pysam
import pytest
from pipeline_runs import ROOT, copy_project, published, run

from strandwise.formats.vcf import header

pytestmark = [pytest.mark.pipeline]

DEMO = ROOT / "assets" / "demo"
SHEET = """patient,sample,sex,bam,gvcf
M,mother,XX,NA12878.bam,
F,father,XY,NA12878_7x.bam,
C,child,XX,child.bam,
E,earlier,NA,,earlier.g.vcf.gz
"""
PEDIGREE = "T\tchild\tfather\tmother\t2\t0\nT\tfather\t0\t0\t1\t0\nT\tmother\t0\t0\t2\t0\n"


def earlier_gvcf(path: Path) -> None:
    """A sample that is 0/0 wherever the test calls."""
    with pysam.FastaFile(str(DEMO / "reference.fa.gz")) as fasta:
        contigs = dict(zip(fasta.references, fasta.lengths, strict=True))
    block = "chr20\t10050001\t.\tN\t<NON_REF>\t.\t.\tEND=10060000\tGT:GQ:DP:MIN_DP:PL\t0/0:60:30:20:0,60,600\n"
    with pysam.BGZFile(str(path), "w", None) as file:
        file.write((header(contigs, "earlier", "an older model 1", True) + block).encode())
    pysam.tabix_index(str(path), preset="vcf", force=True)


def test_a_trio_and_a_sample_of_an_earlier_run(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    folder = tmp_path / "run"
    folder.mkdir()
    for source, name in (("NA12878", "NA12878"), ("NA12878_7x", "NA12878_7x"), ("NA12878", "child")):
        for ending in ("bam", "bam.bai"):
            shutil.copy(DEMO / f"{source}.{ending}", folder / f"{name}.{ending}")
    earlier_gvcf(folder / "earlier.g.vcf.gz")
    (folder / "sheet.csv").write_text(SHEET)
    (folder / "family.ped").write_text(PEDIGREE)
    words = ["-profile", "test,local", "--input", "sheet.csv", "--tools", "small_variants", "--outdir", "results"]
    results = folder / "results"
    done = run(project, folder, *words, "--joint", "--pedigree", "family.ped", "--phase", results=results)
    assert done.status == 0, done.output
    names = ("joint.vcf.gz", "joint.vcf.gz.tbi", "mendelian.tsv", "de_novo.tsv")
    assert {f"small_variants/joint/{name}" for name in names} <= published(results)
    with pysam.VariantFile(str(results / "small_variants/joint/joint.vcf.gz")) as variants:
        assert list(variants.header.samples) == ["child", "earlier", "father", "mother"]
        records = list(variants)
    assert len(records) >= 4
    for record in records:
        genotypes = {name: record.samples[name]["GT"] for name in record.samples}
        # The child has its mother's reads, so nothing is new in it.
        assert sorted(genotypes["child"]) == sorted(genotypes["mother"])
        assert genotypes["earlier"] == (0, 0)
    with pysam.VariantFile(str(results / "small_variants/mother/mother.vcf.gz")) as alone:
        rows = [record for record in alone if "PASS" in record.filter]
        passing = {(record.pos, record.alts) for record in rows}
        phased = {record.pos for record in rows if record.samples[0].phased and len(set(record.samples[0]["GT"])) == 2}
    assert phased == {r.pos for r in records if r.samples["mother"].phased and len(set(r.samples["mother"]["GT"])) == 2}
    assert len(passing & {(record.pos, record.alts) for record in records}) >= 0.9 * len(passing)
    lines = (results / "small_variants/joint/mendelian.tsv").read_text().splitlines()
    assert len(lines) == 7 and lines[1].split("\t")[:3] == ["child", "father", "mother"]
    assert len((results / "small_variants/joint/de_novo.tsv").read_text().splitlines()) == 1
    report = (results / "multiqc_report.html").read_text()
    assert "Trios and Mendelian errors" in report and "different models" in report
    assert "small_variants/joint/" in (results / "README.txt").read_text()
    plan = json.loads((results / "pipeline_info/plan.json").read_text())
    assert [given["sample"] for given in plan["gvcfs"]] == ["earlier"]
