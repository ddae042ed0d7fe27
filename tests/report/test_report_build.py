"""Whole reports through MultiQC: what stands in them, and what must not."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from built_report import Built
from numpy.random import default_rng
from report_inputs import (
    add_costs,
    add_drivers,
    add_drug_response,
    add_evaluation,
    add_history,
    add_notes,
    add_reliability,
    add_sample,
    add_sex,
    add_small_variants,
    write_parameters,
    write_versions,
)

from strandwise.errors import InputError
from strandwise.formats.notes import Note
from strandwise.report.build import build
from strandwise.report.drivers import _evidence
from strandwise.report.reliability import content

ROOT = Path(__file__).parents[2]
HOSTILE = '<img src=x onerror="alert(1)">&'
GENES = ["NPM1", "FLT3", "DNMT3A", HOSTILE, "IDH2", "RUNX1", "CEBPA", "TET2", *(f"GENE{index}" for index in range(60))]


def fill_everything(folder: Path) -> None:
    """All jobs; sample S2 failed; names that try to be HTML."""
    add_small_variants(folder, {"S1": "S1", "S2": "S2", "S3": HOSTILE, "S10": "S10"}, failed=("S2",))
    add_drivers(folder, GENES)
    add_drug_response(folder, [f"P{index}" for index in range(1, 8)] + [HOSTILE], drugs=40)
    add_notes(folder, "S1", Note("warning", f"reads of {HOSTILE} are short", "S1"))
    add_notes(folder, "drivers", Note("info", "12 mutations left out: unknown symbol"))
    add_notes(folder, "inputs", Note("warning", "column lane_x is not used"))


@pytest.fixture(scope="module")
def everything(reports: Callable[..., Built]) -> Built:
    return reports(fill_everything, cohort_maf=HOSTILE, tools=None)


def test_every_job_has_its_chapter_and_plots(everything: Built) -> None:
    assert {
        "glance",
        "attention",
        "small_variants",
        "samtools",
        "bcftools",
        "drivers",
        "drug_response",
        "methods",
    } <= everything.anchors
    assert {
        "small_variants_counts_plot",
        "small_variants_gq_plot",
        "samtools_insert_size",
        "samtools-coverage",
        "bcftools-stats-subtypes",
        "drivers_calibration_plot",
        "drivers_classes_plot",
        "drug_response_heat_map_plot",
    } <= set(everything.plots)


def test_chapters_stand_in_reading_order(everything: Built) -> None:
    chapters = [
        "glance",
        "attention",
        "small_variants",
        "samtools",
        "bcftools",
        "drivers",
        "drug_response",
        "methods",
        "parameters",
    ]
    places = [everything.page.index(f'id="mqc-module-section-{name}"') for name in chapters]
    assert places == sorted(places)


def test_plots_hold_the_numbers_of_the_jobs(everything: Built) -> None:
    """The bar of S1's SNVs is the count of its summary."""
    dataset = everything.plots["small_variants_counts_plot"]["datasets"][0]
    place = dataset["samples"].index("S1")
    assert next(cat for cat in dataset["cats"] if cat["name"] == "SNVs")["data"][place] == 3_975_861


def test_failed_sample_is_named_and_counted(everything: Built) -> None:
    assert "3 called, 1 failed" in everything.text
    assert "Variant calling failed" in everything.text
    assert "Failed samples (not in the results)\n  S2\n" in everything.readme


def test_notes_are_shown_with_their_level(everything: Built) -> None:
    assert "column lane_x is not used" in everything.text
    assert "12 mutations left out: unknown symbol" in everything.text
    assert "1 error, 2 warnings, 1 note" in everything.text


def test_names_are_text_and_never_elements(everything: Built) -> None:
    assert HOSTILE in everything.text
    assert not [attributes for _, attributes in everything.elements if "onerror" in attributes]
    assert "<img src=x" not in json.dumps(everything.plots)
    assert "<img src=x" not in everything.page


def test_pairs_of_genes_below_the_limit_are_listed(everything: Built) -> None:
    assert "NPM1 · FLT3" in everything.text
    assert "FLT3 · DNMT3A" in everything.text
    assert f"DNMT3A · {HOSTILE}" not in everything.text, "q is 0.9"


def test_heat_map_compares_samples_with_expression(everything: Built) -> None:
    """Eight samples, the last with mutations only; scores are relative to the median of the other seven."""
    heat_map = everything.plots["drug_response_heat_map_plot"]["datasets"][0]
    assert sorted(heat_map["xcats"]) == [f"P{index}" for index in range(1, 8)]
    assert all(sorted(row)[3] == 0 for row in heat_map["rows"])
    assert "1 sample with mutations only" in everything.text


def test_drugs_stand_out_from_one_standard_deviation_on(everything: Built) -> None:
    """The third strongest drug of a sample is no more than the third strongest: some lie among the others, or beyond them."""
    shown = [float(figure) for figure in re.findall(r'class="sw-score"[^>]*>.*?<i>([-+][\d.]+)</i>', everything.page)]
    assert len(shown) > 10 and min(abs(figure) for figure in shown) >= 1.0


def test_nothing_is_fetched(everything: Built) -> None:
    """Links to follow are allowed; what a browser loads by itself must lie inside the file."""
    loaded = []
    for tag, attributes in everything.elements:
        loaded += [attributes[name] for name in ("src", "srcset", "data", "poster", "action") if name in attributes]
        loaded += [attributes["href"] for _ in [0] if tag in ("link", "base", "image") and "href" in attributes]
    assert [address for address in loaded if not address.startswith("data:")] == []
    styles = "".join(re.findall(r"<style.*?</style>", everything.page, re.DOTALL))
    assert re.findall(r"@import", styles) == []
    assert [
        address
        for address in re.findall(r"url\(([^)]*)\)", styles)
        if not address.strip("\"' ").startswith(("data:", "#"))
    ] == []


def test_texts_are_not_kept_for_language_models(everything: Built) -> None:
    assert re.findall(r'aiReportMetadataBase64 = "([^"]*)"', everything.page) == ["e30="]


def test_methods_cite_only_what_ran(everything: Built) -> None:
    assert "Strandwise (drivers 1)" in everything.text
    assert "TensorFlow: a system" in everything.text


def test_links_are_relative_to_the_results_folder(everything: Built) -> None:
    links = {attributes["href"] for tag, attributes in everything.elements if tag == "a" and "href" in attributes}
    assert {
        "drivers/driver_genes.tsv",
        "drivers/gene_pairs.tsv",
        "drivers/genes/NPM1.html",
        "drug_response/response.tsv",
        "small_variants/S1/S1.vcf.gz",
        "pipeline_info/",
    } <= links
    assert [address for address in links if "<" in address] == [], (
        "a name that stands for several folders leads nowhere"
    )


def test_versions_and_parameters(everything: Built) -> None:
    assert re.search(r"xgboost\s*3\.2\.0", everything.text)
    assert re.search(r"multiqc\s*1\.35", everything.text)
    assert "--cohort_maf" in everything.text
    assert "--tools" not in everything.text, "a parameter that is not set is not listed"


def test_research_use_notice_everywhere(everything: Built) -> None:
    assert everything.text.count("For research use only") == 2
    assert "For research use only" in everything.readme
    for model in ("small_variants 1", "drivers 1", "drug_response 1"):
        assert model in everything.readme


@pytest.mark.parametrize(
    ("fill", "chapter", "others"),
    [
        (lambda folder: add_drivers(folder, GENES), "drivers", {"small_variants", "drug_response", "samtools"}),
        (lambda folder: add_small_variants(folder, {"S1": "S1"}), "small_variants", {"drivers", "drug_response"}),
    ],
    ids=["drivers", "small_variants"],
)
def test_one_job_alone(
    reports: Callable[..., Built], fill: Callable[[Path], None], chapter: str, others: set[str]
) -> None:
    built = reports(fill)
    assert chapter in built.anchors
    assert not others & built.anchors
    assert "nothing" in built.text, "nothing needs attention"


def test_summary_for_the_terminal(everything: Built) -> None:
    lines = everything.summary.splitlines()
    assert lines[0].startswith("Variants        ")
    assert lines[0].endswith(" indels in 3 samples")
    assert lines[1].startswith("Cancer drivers  ")
    assert "first: NPM1, FLT3, DNMT3A" in lines[1]
    assert lines[4].startswith("What needs attention")
    assert lines[5].startswith("  Error, small variants S2: Variant calling failed")
    assert "12 mutations left out" not in everything.summary, "notes without urgency stay in the report"


def test_no_calls_at_all(reports: Callable[..., Built]) -> None:
    """An empty VCF is a result: zeros, and the sample is named."""

    def fill(folder: Path) -> None:
        add_sample(folder, "S1", "S1", default_rng(1))
        nothing = {
            "sample": "S1",
            "model_version": "small_variants 1",
            "records": {"snp": 0, "indel": 0},
            "ti": 0,
            "tv": 0,
        }
        (folder / "S1.small_variants.json").write_text(json.dumps(nothing))

    built = reports(fill)
    assert "No variants: S1" in built.text


def test_scores_and_learning_curves(reports: Callable[..., Built]) -> None:
    """Two samples with 3 and 1 of 1,000 SNPs missed: recall .998, precision 1, F1 2 × .998 / 1.998 = .9990."""
    examples = {"train": {"candidates": 1234, "copies": [1000, 200, 34]}}
    card = {
        "training": {"examples": examples, "started_from": "shipped 0.1.0"},
        "networks": {"summary": {"tune_errors": {"snv": 3, "indel": 5}}},
        "trained_on": {"lines": 828, "cohorts": ["BRCA", "LAML"]},
        "figures": {
            "lines_left_out": {"normalised_pearson": 0.6123, "per_drug_pearson": 0.5, "interval_coverage": 0.899}
        },
    }

    def fill(folder: Path) -> None:
        add_evaluation(folder, "S1", missed=3)
        add_evaluation(folder, "S2", missed=1)
        add_reliability(folder / "S1.reliability.tsv", "calls")
        add_reliability(folder / "S2.reliability.tsv", "calls")
        add_history(folder, epochs=12)
        (folder / "card.json").write_text(json.dumps(card))

    built = reports(fill, mode="train", model="small_variants", model_name="ours")
    words = [line.split(maxsplit=1) for line in built.summary.splitlines()]
    assert words[0] == ["Accuracy", "SNP F1 0.9990 (4 missed, 0 false), INDEL F1 0.9524 (0 missed, 2 false)"]
    assert words[1] == ["Trained", "model  ours, for small_variants"]
    lines = {line["name"]: line["pairs"] for line in built.plots["training_curves_plot"]["datasets"][0]["lines"]}
    assert [float(epoch) for epoch, _ in lines["summary, held-out data"]] == list(range(1, 13))
    assert lines["summary, held-out data"][0][1] == 1.1
    for words in (
        "1,234; with 0, 1, 2 copies: [1000, 200, 34]",
        "shipped 0.1.0",
        "3 SNVs, 5 indels",
        "BRCA, LAML",
        "correlation 0.612 (normalised), 0.500 (per drug); 90 % intervals cover 89.9%",
    ):
        assert words in " ".join(built.text.split()), words
    assert "as vcfeval does [2]" in " ".join(built.text.split())
    # Errors 4 of 2,000 + 1,996 alleles: Wilson's interval of the share 0.001001 is 0.000389 to 0.002571.
    assert "0.9974–0.9996" in built.text
    assert "heterozygous, SNP (2,000): F1 0.9990 (0.9974–0.9996), 4 missed, 0 false" in built.text
    assert "calls SNP, GQ 15 to 20: 2,000 genotypes, 50.0 errors expected, 120 seen" in built.text


@pytest.fixture(scope="module")
def judged_samples(reports: Callable[..., Built]) -> Built:
    """S1 agrees with its sheet, S1.b, whose id begins like the other's, does not; the model brings its reliability."""

    def fill(folder: Path) -> None:
        add_small_variants(folder, {"S1": "S1", "S1.b": "S1 b"})
        add_sex(folder, "S1", "XX", 0.98, 0.01)
        add_sex(folder, "S1.b", "XX", 0.5, 0.35)
        add_costs(folder, "S1", shards=35)
        add_costs(folder, "S1.b", shards=2)
        add_reliability(folder / "reliability.tsv", "10x", "30x")

    return reports(fill)


def rows_of(built: Built, table: str) -> list[list[str]]:
    """Texts of the cells of one of our tables, row by row."""
    content = built.page.split(f'id="{table}"')[1].split("</table>")[0].split("<tbody>")[1]
    rows = re.findall(r"<tr>(.*?)</tr>", content)
    return [[re.sub(r"<[^>]*>", "", cell) for cell in re.findall(r"<td[^>]*>(.*?)</td>", row)] for row in rows]


def test_sex_by_depth_is_shown_what_disagrees_first(judged_samples: Built) -> None:
    first, second = rows_of(judged_samples, "sw-sex")
    assert first[:7] == ["S1 b (S1.b)", "XX", "XY", "disagrees", "31.2×", "0.50", "0.35"]
    assert "looks like XY, the sheet says XX" in first[7]
    assert second == ["S1", "XX", "XX", "agrees", "31.2×", "0.98", "0.01", ""]


def test_cost_is_summed_by_sample(judged_samples: Built) -> None:
    """S1: 35 shards of 60.5 s and 1 + 2 + 100.4 s around them are 2,220.9 s, that is 37 min; S1.b: 121 + 103.4 s, 4 min."""
    assert "at most 100 MB" in judged_samples.text
    second, first = rows_of(judged_samples, "sw-cost")
    assert first[:6] == ["S1", "38", "37 min", "18.3 s", "74 min", "100 MB"]
    assert second[:3] == ["S1 b (S1.b)", "5", "4 min"]
    assert "Cost of calling" not in judged_samples.summary, "plain texts are the same in every run"


def test_no_empty_figure_is_drawn_of_a_handful_of_genotypes() -> None:
    row = {"set": "calls", "type": "SNP", "decision": "called", "gq_from": 30.0, "gq_to": 40.0, "genotypes": 4}
    few = content(pd.DataFrame([row | {"expected": 0.002, "observed": 0}]))
    assert "<svg" not in few and "Too few genotypes" in few and "0.0005" in few
    assert "<svg" in content(pd.DataFrame([row | {"expected": 0.002, "observed": 1}]))


def test_reliability_of_the_model_is_drawn_and_summed_up(judged_samples: Built) -> None:
    """25 errors expected and 60 seen in one bin: off by more than two; expected calibration error 35 / 1,000."""
    rows = rows_of(judged_samples, "sw-reliability")
    assert rows[0] == [
        "10x",
        "SNP",
        "called",
        "1,000",
        "25.0",
        "60",
        "0.0350",
        "1",
        "GQ 15 to 20: 25.0 expected, 60 seen",
    ]
    assert rows[3] == ["30x", "INDEL", "rejected", "500", "2.0", "1", "0.0020", "0", "–"]
    assert "called genotypes" in judged_samples.text and "rejected genotypes" in judged_samples.text
    assert "10x SNP, GQ 15 to 20: 1,000 genotypes, 25.0 errors expected, 60 seen" in judged_samples.text


def test_without_sex_cost_and_reliability_nothing_is_said_of_them(everything: Built) -> None:
    assert not {"small_variants_sex", "small_variants_cost", "small_variants_reliability"} & everything.anchors


def test_a_chapter_that_multiqc_cannot_make_is_said(
    reports: Callable[..., Built], capfd: pytest.CaptureFixture[str]
) -> None:
    def fill(folder: Path) -> None:
        add_small_variants(folder, {"S1": "S1"})
        (folder / "S1.samtools_stats.txt").write_text(
            "# This file was produced by samtools stats (1.24)\nSN\traw total sequences:\t1\nSN\treads mapped:\t1\n"
        )

    built = reports(fill)
    assert "MultiQC could not read the files of samtools" in capfd.readouterr().err
    assert {"small_variants", "bcftools"} <= built.anchors


def test_all_samples_failed(reports: Callable[..., Built]) -> None:
    built = reports(lambda folder: add_small_variants(folder, {"S1": "S1", "S2": "S2"}, failed=("S1", "S2")))
    assert "0 called, 2 failed" in built.text
    assert "No job produced results." in built.text


def test_100_samples_stay_below_3_megabytes(reports: Callable[..., Built]) -> None:
    names = {f"S{index}": f"S{index}" for index in range(1, 101)}

    def fill(folder: Path) -> None:
        add_small_variants(folder, names)
        for name in names:
            add_sex(folder, name, "XX", 0.5, 0.35)
            add_costs(folder, name, shards=35)
        add_reliability(folder / "reliability.tsv", "10x", "30x")
        add_drivers(folder, [f"GENE{index}" for index in range(18_000)])
        add_drug_response(folder, list(names))

    built = reports(fill)
    assert built.size < 3_000_000
    assert len(built.plots["samtools_insert_size"]["datasets"][0]["lines"]) == 100


def test_command_needs_no_home_and_no_temporary_folder(tmp_path: Path) -> None:
    """As in a container whose file system is read-only but for the task's folder; paths are relative there."""
    (tmp_path / "parts").mkdir()
    add_drug_response(tmp_path / "parts", ["P1"], drugs=5)
    write_parameters(tmp_path / "parameters.json")
    write_versions(tmp_path / "versions.tsv")
    command = [
        sys.executable,
        "-B",
        ROOT / "bin" / "report.py",
        "build",
        "--folder",
        "parts",
        "--parameters",
        "parameters.json",
    ]
    command += [
        "--versions",
        "versions.tsv",
        "--config",
        ROOT / "assets" / "multiqc_config.yml",
        "--output",
        "report.html",
    ]
    nowhere = {"HOME": "/proc/none", "TMPDIR": "/proc/none", "MPLCONFIGDIR": "/proc/none", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, cwd=tmp_path, env=nowhere, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert "Drug response" in (tmp_path / "report.html").read_text()


def test_versions_line_with_two_fields_is_named(tmp_path: Path) -> None:
    (tmp_path / "parameters.json").write_text("{}")
    (tmp_path / "versions.tsv").write_text("A\tb\t1\nA\tb\n")
    with pytest.raises(InputError, match=r"versions.tsv: line 2 has 2 fields, expected process, tool, version"):
        build(
            tmp_path,
            tmp_path / "parameters.json",
            tmp_path / "versions.tsv",
            tmp_path / "c.yml",
            tmp_path / "report.html",
        )
    assert not (tmp_path / "report.html").exists()


def test_a_failing_multiqc_leaves_no_report(tmp_path: Path) -> None:
    (tmp_path / "parameters.json").write_text("{}")
    (tmp_path / "versions.tsv").write_text("")
    (tmp_path / "parts").mkdir()
    with pytest.raises(RuntimeError, match="MultiQC failed"):
        build(
            tmp_path / "parts",
            tmp_path / "parameters.json",
            tmp_path / "versions.tsv",
            tmp_path / "none.yml",
            tmp_path / "report.html",
        )
    assert not (tmp_path / "report.html").exists()


def test_drivers_say_how_well_they_are_calibrated_and_what_other_cohorts_add(everything):
    assert "Of 412 genes of relabelled silent mutations" in everything.text and "1.04 (p ≤ 0.05)" in everything.text
    assert "With what other cohorts taught" in everything.text and "evidence in 2 other cohorts" in everything.text


def test_lines_of_evidence_that_join_others_have_a_colour_scale_of_their_own():
    import pandas as pd

    top = pd.DataFrame({"gene": ["A", "B"]})
    reasons = pd.DataFrame(
        {"gene": ["A", "B"], "rank": [1, 2], "combined": [8.0, 8.0], "hotspots": [1.0, -1.0], "base": -4.0}
    )
    cells = re.findall(r"rgba\(([0-9, ]+), ([0-9.]+)\)\">([^<]+)", _evidence(top, reasons)["data"])
    assert [(strength, text) for _, strength, text in cells] == [
        ("0.70", "+8.00"),
        ("0.70", "+1.00"),
        ("0.70", "+8.00"),
        ("0.70", "-1.00"),
    ]
    assert cells[1][0] != cells[3][0]
