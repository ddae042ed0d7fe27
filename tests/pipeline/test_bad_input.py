"""Wrong parameters and wrong input: everything is told at once, and one bad sample does not take the others with it."""

import json
import os
import shutil
import sys
from pathlib import Path

import pysam
import pytest
from pipeline_runs import ROOT, published, run, written

pytestmark = [pytest.mark.pipeline]

DEMO = ROOT / "assets" / "demo"


def test_every_wrong_parameter_is_told_at_once(tmp_path: Path) -> None:
    written(tmp_path, {"ref.fasta": ">a\nA\n"})
    words = [
        "--inptu",
        "x.csv",
        "--mode",
        "trian",
        "--interval_padding",
        "1.5",
        "--tools",
        "drivers,x",
        "--fasta",
        "ref.fast",
    ]
    words += [
        "--validate_only",
        "maybe",
        "--cohort_maf",
        f"{DEMO}/laml.maf.gz,*.maf,{DEMO}/lamm.maf.gz",
        "--drivers_model",
        "ref.fasta",
        "--outdir",
        "ref.fasta/results",
    ]
    for parser in ("v1", "v2"):
        done = run(ROOT, tmp_path, *words, NXF_SYNTAX_PARSER=parser)
        assert done.status == 1
        assert [line.strip() for line in done.output.splitlines() if line.startswith("  --")] == [
            "--inptu: no such parameter; nearest: --input. --help lists all",
            "--tools: drivers,x: give one or more of small_variants, drivers, drug_response, with commas between them and no spaces",
            "--mode: trian is not one of run, train, evaluate; nearest: train",
            "--validate_only: maybe is not true or false; needed: Check parameters, sheet, tables and headers, then stop.",
            "--fasta: ref.fast: no such file; the folder holds ref.fasta",
            "--interval_padding: 1.5 is not a whole number; needed: Bases added on both sides of each interval.",
            "--cohort_maf: *.maf: no file fits this pattern",
            f"--cohort_maf: {DEMO}/lamm.maf.gz: no such file; the folder holds laml.maf.gz",
            "--drivers_model: ref.fasta: a file; a folder is needed",
            f"--outdir: ref.fasta/results: {tmp_path}/ref.fasta is a file; give a folder",
        ]
        assert "10 problems with the parameters" in done.output
        assert "Submitted process" not in done.output


def test_what_a_mode_needs_is_told(tmp_path: Path) -> None:
    for words, missing in (
        (["--mode", "train", "--model", "drivers"], ["training_data", "driver_labels"]),
        (["--mode", "evaluate", "--fasta", f"{DEMO}/reference.fa.gz"], ["calls", "truth", "truth_regions"]),
    ):
        done = run(ROOT, tmp_path, *words)
        assert done.status == 1
        told = [line.strip() for line in done.output.splitlines() if line.startswith("  --")]
        assert told == [f"--{name}: missing; --mode {words[1]} needs it" for name in missing]


def test_without_a_profile_the_end_says_which_to_take(tmp_path: Path) -> None:
    """The Python that is found has none of the packages."""
    bare = tmp_path / "bin" / "python3"
    bare.parent.mkdir()
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S "$@"\n')
    bare.chmod(0o755)
    words = ["--cohort_maf", f"{DEMO}/laml.maf.gz", "--validate_only"]
    done = run(ROOT, tmp_path, *words, PATH=f"{bare.parent}:{os.environ['PATH']}")
    assert done.status == 1
    assert "No module named 'typer'; run with -profile local (after make setup)" in done.output


def test_help_lists_every_parameter_and_version_is_the_packages(tmp_path: Path) -> None:
    schema = json.loads((ROOT / "nextflow_schema.json").read_text())
    helped = run(ROOT, tmp_path, "--help", "--nonsense")
    assert helped.status == 0
    for group in schema["$defs"].values():
        assert group["title"] in helped.output
        for name in group["properties"]:
            assert f"--{name} " in helped.output
    assert "0.1.0" in run(ROOT, tmp_path, "--version").output.splitlines()


@pytest.mark.parametrize("kind", ["yaml", "json"])
def test_a_parameters_file_and_all_problems_of_the_input(tmp_path: Path, kind: str) -> None:
    sheet = "patient,sample,sex,lane,bam,colour\nP1,S 1,XX,1,NA12878.bam,\nP1,S2,male,1,,red\n"
    written(tmp_path, {"sheet.csv": sheet})
    shutil.copy(DEMO / "NA12878.bam", tmp_path / "NA12879.bam")
    parameters = {
        "input": "sheet.csv",
        "fasta": f"{DEMO}/reference.fa.gz",
        "validate_only": True,
        "cohort_expression": f"{DEMO}/leukaemia_expression.tsv.gz",
    }
    path = tmp_path / f"params.{kind}"
    path.write_text(
        json.dumps(parameters)
        if kind == "json"
        else "".join(f"{name}: {json.dumps(value)}\n" for name, value in parameters.items())
    )
    done = run(
        ROOT,
        tmp_path,
        "-profile",
        "local",
        "-params-file",
        path.name,
        NXF_SYNTAX_PARSER="v2" if kind == "json" else "v1",
    )
    assert done.status == 1
    assert [line.strip() for line in done.output.splitlines() if line.startswith(("  sheet", "  --"))] == [
        "sheet.csv: no column 'colour' is known; nearest: cram. Rename or remove it",
        "--expression_scale: missing; say what the expression values are: tpm, counts, log2 or zscore",
        "sheet.csv: row 2, sample: 'S 1': letters, digits, '.', '_' and '-' are possible, a letter or digit first",
        "sheet.csv: row 2, bam: NA12878.bam: no such file; the folder holds NA12879.bam",
        "sheet.csv: row 3, sex: 'male': one of XX, XY, NA is possible",
        "sheet.csv: row 3, bam: none of bam, cram, gvcf, maf, expression is given; a row needs at least one",
        "sheet.csv: row 3, sex: patient P1 has sex male here and XX in row 2; write the same in all rows of the patient",
    ]


def test_validate_only_checks_and_stops(tmp_path: Path) -> None:
    done = run(
        ROOT,
        tmp_path,
        "-profile",
        "local,test",
        "--validate_only",
        "--tools",
        "small_variants,drivers",
        results=tmp_path / "results" / "test",
    )
    assert done.status == 0, done.output
    assert "Plan: small_variants (samples: 2), drivers (MAF files: 1)" in done.output
    assert "found no problem" in done.output
    assert list(done.tasks.values()) == ["COMPLETED"] and len(done.tasks) == 1


def test_one_bad_sample_fails_by_name_and_the_others_finish(tmp_path: Path) -> None:
    """Three samples: of two lanes without index, cut short, of an odd path. The reference is plain and has no index."""
    reads = tmp_path / "reads of (today) & 'more'"
    reads.mkdir()
    with pysam.AlignmentFile(str(DEMO / "NA12878_7x.bam")) as source:
        header = source.header.to_dict()
        del header["RG"]
        lanes = [pysam.AlignmentFile(str(reads / f"lane {n}.bam"), "wb", header=header) for n in (1, 2)]
        for number, read in enumerate(source.fetch("chr20", 10_050_000, 10_052_000)):
            read.set_tag("RG", None)
            lanes[number % 2].write(read)
        for lane in lanes:
            lane.close()
    whole = (DEMO / "NA12878.bam").read_bytes()
    (tmp_path / "cut.bam").write_bytes(whole[: len(whole) // 2])
    shutil.copy(DEMO / "NA12878.bam.bai", tmp_path / "cut.bam.bai")
    shutil.copy(DEMO / "NA12878.bam", reads / "a;b {c}.bam")
    with pysam.FastaFile(str(DEMO / "reference.fa.gz")) as fasta:
        (tmp_path / "plain.fa").write_text(f">chr20\n{fasta.fetch('chr20')}\n")
    sheet = [
        {"patient": "P1", "sample": "two_lanes", "lane": 1, "bam": f"{reads.name}/lane 1.bam"},
        {"patient": "P1", "sample": "two_lanes", "lane": 2, "bam": f"{reads.name}/lane 2.bam"},
        {"patient": "P2", "sample": "bad.one", "bam": "cut.bam"},
        {"patient": "P3", "sample": "1-odd_path", "bam": reads.name + "/a;b {c}.bam"},
    ]
    written(tmp_path, {"sheet.json": json.dumps(sheet), "part.bed": "chr20\t10050000\t10052000\n"})
    results = tmp_path / "elsewhere"
    words = [
        "-profile",
        "local",
        "--outdir",
        "elsewhere",
        "--input",
        "sheet.json",
        "--fasta",
        "plain.fa",
        "--intervals",
        "part.bed",
        "--tools",
        "small_variants",
    ]
    done = run(ROOT, tmp_path, *words, results=results, NXF_SYNTAX_PARSER="v2")

    assert done.status == 1
    assert (
        "failed: ANALYSIS:SMALL_VARIANTS:SHARD_SMALL_VARIANTS (bad.one): error: cut.bam: is truncated: it ends inside a compressed block; copy the file again"
        in done.output
    )
    assert done.tasks["ANALYSIS:SMALL_VARIANTS:SHARD_SMALL_VARIANTS (bad.one)"] == "FAILED"
    assert {name for name in done.tasks if "INDEX" in name} >= {
        "INPUTS:INDEX (lane 1.bam)",
        "INPUTS:INDEX (lane 2.bam)",
        "INPUTS:INDEX (plain.fa)",
    }
    calls = {name for name in published(results) if name.endswith(".vcf.gz") and not name.endswith(".g.vcf.gz")}
    assert calls == {"small_variants/two_lanes/two_lanes.vcf.gz", "small_variants/1-odd_path/1-odd_path.vcf.gz"}
    report = (results / "multiqc_report.html").read_text()
    assert "bad.one" in report and "calling failed" in report.lower()
    assert "bad.one" in (results / "README.txt").read_text()
    with pysam.VariantFile(str(results / "small_variants/two_lanes/two_lanes.vcf.gz")) as both:
        assert list(both.header.samples) == ["two_lanes"]
        depths = [record.samples[0]["DP"] for record in both]
    assert depths and max(depths) > 4  # both lanes count
