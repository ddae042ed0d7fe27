"""--mode evaluate from calls to report: scores by stratum, depth included, and the reliability of GQ."""

import csv
from pathlib import Path

import pysam
import pytest
from pipeline_runs import ROOT, copy_project, published, run

pytestmark = [pytest.mark.pipeline]

DEMO = ROOT / "assets" / "demo"
FIRST, SECOND, THIRD = 10_052_000, 10_054_000, 10_056_000


def write_vcf(path: Path, records: list[tuple[int, str, int]]) -> Path:
    """records: (1-based position, genotype, GQ); the alternate base is not the reference's."""
    lines = ["##fileformat=VCFv4.3", "##contig=<ID=chr20,length=63025520>", "##source=by hand"]
    lines += [
        f'##FORMAT=<ID={name},Number=1,Type={kind},Description="{name}">'
        for name, kind in (("GT", "String"), ("GQ", "Integer"))
    ]
    lines.append("\t".join(["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT", "S"]))
    with pysam.FastaFile(str(DEMO / "reference.fa.gz")) as fasta:
        for position, genotype, quality in records:
            base = fasta.fetch("chr20", position - 1, position).upper()
            lines.append(
                f"chr20\t{position}\t.\t{base}\t{'C' if base != 'C' else 'T'}\t50\tPASS\t.\tGT:GQ\t{genotype}:{quality}"
            )
    with pysam.BGZFile(str(path), "w", None) as file:
        file.write("".join(f"{line}\n" for line in lines).encode())
    pysam.tabix_index(str(path), preset="vcf", force=True)
    return path


def test_calls_are_scored_by_stratum_and_by_what_their_gq_promises(tmp_path: Path) -> None:
    """One right, one with a wrong genotype, one missed."""
    truth = write_vcf(tmp_path / "truth.vcf.gz", [(FIRST, "0/1", 99), (SECOND, "0/1", 99), (THIRD, "0/1", 99)])
    calls = write_vcf(tmp_path / "mine.vcf.gz", [(FIRST, "0/1", 30), (SECOND, "1/1", 12)])
    regions = tmp_path / "regions.bed"
    regions.write_text("chr20\t10050000\t10060000\n")
    project = copy_project(tmp_path / "project")
    done = run(
        project, tmp_path, "-profile", "local", "--mode", "evaluate", "--calls", str(calls), "--truth", str(truth),
        "--truth_regions", str(regions), "--fasta", str(DEMO / "reference.fa.gz"), "--reads", str(DEMO / "NA12878.bam"),
        "--outdir", "results", results=tmp_path / "results",
    )  # fmt: skip
    assert done.status == 0, done.output
    folder = tmp_path / "results"
    names = {f"evaluation/mine.{kind}.tsv" for kind in ("evaluation", "reliability", "discordant")}
    assert names <= published(folder)
    with (folder / "evaluation/mine.evaluation.tsv").open() as lines:
        rows = list(csv.DictReader(lines, delimiter="\t"))
    overall = next(row for row in rows if (row["stratum"], row["type"]) == ("all", "SNP"))
    assert [overall[name] for name in ("truth_total", "query_total", "fn", "fp", "genotype_errors")] == [
        "3",
        "2",
        "2",
        "1",
        "1",
    ]
    assert sum(int(row["truth_total"]) for row in rows if (row["stratum"], row["type"]) == ("depth", "SNP")) == 3
    with (folder / "evaluation/mine.reliability.tsv").open() as lines:
        bins = [row for row in csv.DictReader(lines, delimiter="\t") if row["genotypes"] != "0"]
    assert [(row["gq_from"], row["observed"]) for row in bins] == [("10", "1"), ("30", "0")]
    report = (folder / "multiqc_report.html").read_text()
    assert "Where the errors are" in report and "Does GQ mean what it says?" in report
