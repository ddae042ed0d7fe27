"""The report's own arithmetic and pieces of HTML, with numbers worked out by hand."""

import json
import math
from pathlib import Path

import pandas as pd
import pytest
from report_inputs import add_notes

from strandwise.formats.notes import Note
from strandwise.report import html
from strandwise.report.cost import cost_of, time_text
from strandwise.report.drivers import minus_log10, staircase
from strandwise.report.drug_response import _score, in_domain, most_telling_drugs
from strandwise.report.figures import Axis, Point, _free_box, grid, labelled_scatter
from strandwise.report.light import even_bins, lighter
from strandwise.report.overview import attention
from strandwise.report.parts import Parts, natural, read_versions
from strandwise.report.reliability import content, summaries
from strandwise.report.small_variants import bases_text, median_of_histogram
from strandwise.report.statistics import covered, summary_numbers


def test_numbers_as_people_write_them() -> None:
    assert [html.number(value) for value in (1234567, 1234.0, 0.12345)] == ["1,234,567", "1,234.0", "0.123"]
    assert [html.small_number(value) for value in (0.0123, 0.0001, 3.2e-9, 0.0)] == [
        "0.012",
        "0.0001",
        "3e-09",
        "&lt; 1e-300",
    ]
    assert [html.figure(value) for value in (999_999, 14_261_260)] == ["999,999", "14.3 M"]
    assert html.plural(1, "gene") == "1 gene"
    assert html.plural(2000, "gene") == "2,000 genes"


def test_table_escapes_all_but_cells() -> None:
    made = html.table(["a"], [["<b>"], [html.Cell("<i>1</i>", 1)]], "t")
    assert "<td>&lt;b&gt;</td>" in made
    assert '<td data-sorting-val="1"><i>1</i></td>' in made


def test_natural_order() -> None:
    assert sorted(["S10", "S2", "S1", "A", "S2b"], key=natural) == ["A", "S1", "S2", "S2b", "S10"]


@pytest.mark.parametrize(
    ("counts", "median"),
    [
        ([0, 4, 0], 15.0),  # all in 10 to 20: its middle
        ([1, 1, 2], 20.0),  # two of four lie below 20
        ([1, 3, 0], 10 + 10 / 3),  # the second of four is the first third of 10 to 20
        ([0, 0, 0], None),
    ],
)
def test_median_of_histogram(counts: list[int], median: float | None) -> None:
    assert median_of_histogram([0, 10, 20, 30], counts) == (None if median is None else pytest.approx(median))


def test_covered_bases_and_their_depth() -> None:
    """Two contigs of 100 and 50 bases: 10 × 100 + 4 × 50 aligned bases on 40 + 10 covered ones are 24×."""
    content = "#rname\tstartpos\tendpos\tnumreads\tcovbases\tcoverage\tmeandepth\n1\t1\t100\t9\t40\t40\t10\n2\t1\t50\t9\t10\t20\t4\n"
    assert covered(content) == (50, 24.0)
    assert covered("#rname\n1\t1\t100\t0\t0\t0\t0\n") == (0, 0.0)
    assert [bases_text(count) for count in (50_154, 3_000_000_000)] == ["50.2 kb", "3,000.0 Mb"]


def test_summary_numbers_of_samtools_stats() -> None:
    content = "# x\nSN\traw total sequences:\t25674\t# without supplementary\nSN\terror rate:\t3.4e-03\nIS\t1\t2\n"
    assert summary_numbers(content) == {"raw total sequences": 25674, "error rate": 3.4e-3}


def test_bins_add_up() -> None:
    """Sizes 0 to 5 in three bins of two; the open bin stays."""
    rows = [["IS", str(size), str(size * 10)] for size in range(6)] + [["IS", ">500", "7"]]
    expected = [["IS", "0", "10"], ["IS", "2", "50"], ["IS", "4", "90"], ["IS", ">500", "7"]]
    assert even_bins(rows, 1, 2, most=3) == expected
    assert even_bins(rows, 1, 2, most=6) == rows


def test_bins_that_hold_nothing_are_zero() -> None:
    """Lengths -3 and 1, counts 4 and 5; what is no number counts nothing."""
    rows = [["IDD", "0", "-3", "4", "."], ["IDD", "0", "1", "5", "."]]
    made = even_bins(rows, 2, 3, most=10)
    assert [row[2:] for row in made] == [
        ["-3", "4", "0"],
        ["-2", "0", "0"],
        ["-1", "0", "0"],
        ["0", "0", "0"],
        ["1", "5", "0"],
    ]


def test_bins_keep_fractions() -> None:
    rows = [["DP", "0", str(depth), "1", "0.25"] for depth in range(4)]
    assert even_bins(rows, 2, 3, most=2) == [["DP", "0", "0", "2", "0.5"], ["DP", "0", "2", "2", "0.5"]]


def test_short_contigs_are_left_out_of_coverage() -> None:
    content = "#rname\tstartpos\tendpos\tx\nchr1\t1\t1000000\t1\nchr2\t1\t2000\t1\nchrUn\t1\t1999\t1\n"
    assert lighter("coverage", content, 1) == "#rname\tstartpos\tendpos\tx\nchr1\t1\t1000000\t1\nchr2\t1\t2000\t1\n"


def test_totals_stay_and_per_sample_lines_go() -> None:
    content = "# This file was produced by bcftools stats (1.21)\n# other\nSN\t0\tnumber of SNPs:\t7\nPSC\t0\tname\nAF\t0\t1\n"
    assert (
        lighter("bcftools_stats", content, 500)
        == "# This file was produced by bcftools stats (1.21)\nSN\t0\tnumber of SNPs:\t7\n"
    )


def test_minus_log10_of_zero_is_finite() -> None:
    assert minus_log10(0.1) == pytest.approx(1)
    assert minus_log10(0) == pytest.approx(308)


def test_most_telling_drugs_differ_most_between_samples() -> None:
    wide = pd.DataFrame({"steady": [-9.0, -9.0], "little": [0.0, 1.0], "much": [-2.0, 2.0]}, index=["a", "b"])
    assert most_telling_drugs(wide, 2) == ["much", "little"]
    assert most_telling_drugs(wide.head(1), 1) == ["steady"], "one sample: the strongest"


def test_in_domain_however_it_is_written() -> None:
    frame = pd.DataFrame({"in_domain": ["true", "False", "yes", 0, 1, True]})
    assert in_domain(frame).tolist() == [True, False, True, False, True, True]


def test_axis_draws_out_the_low_end() -> None:
    axis = Axis("x", 0.5, 100)
    assert [axis.place(value) for value in (0, 1, 25, 100, 400)] == pytest.approx([0, 0.1, 0.5, 1, 1])
    assert axis.ticks == [0, 1, 3, 5, 10, 20, 30, 50, 100]


def test_labels_do_not_cover_each_other() -> None:
    first = _free_box(300, 200, 50, [])
    assert first
    second = _free_box(300, 200, 50, [first])
    assert second
    assert first[0] >= second[2] or second[0] >= first[2] or first[1] >= second[3] or second[1] >= first[3]
    assert _free_box(300, 200, 50, [(0, 0, 960, 430)]) is None


def test_scatter_escapes_names() -> None:
    axis = Axis("n", 1, 10)
    made = labelled_scatter([Point(1, 2, "<G>", html.BLUE, labelled=True)], axis, axis, 1, "q = 0.1")
    assert ">&lt;G&gt;</text>" in made
    assert "<G>" not in made


def test_staircase_puts_carriers_of_the_first_gene_first() -> None:
    """B carries both; A the first alone; C the second alone."""
    assert staircase({"G1": {"A": "missense", "B": "splice"}, "G2": {"C": "missense", "B": "nonsense"}}) == [
        "B",
        "A",
        "C",
    ]


def test_grid_draws_a_cell_per_hit() -> None:
    """Two columns between 110 and 904: each 397 wide, cells 86 % of it."""
    made = grid(
        [("<G>", "50 %", {0: "missense", 1: "splice"}), ("H", "", {})], 2, {"missense": "blue", "splice": "red"}
    )
    assert '<path fill="blue" d="M110.0 2h341.4v18h-341.4z"><title>&lt;G&gt;: missense</title>' in made
    assert '<path fill="red" d="M507.0 2h341.4' in made
    assert made.count("<path fill") == 2


def test_attention_groups_samples_and_puts_the_worst_first(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(
        json.dumps({"samples": [{"id": name, "sample": name} for name in ("A", "B", "C")]})
    )
    for name in ("A", "B"):
        (tmp_path / f"{name}.small_variants.json").write_text("{}")
        add_notes(tmp_path, f"{name}.0001", Note("info", "fine"), Note("warning", "short reads", name))
        add_notes(tmp_path, f"{name}.0002", Note("info", "fine"), Note("warning", "short reads", name))
    entries = attention(Parts(tmp_path))
    assert [(level, samples) for level, _, samples, _ in entries] == [
        ("error", ["C"]),
        ("warning", ["A", "B"]),
        ("info", ["A", "B"]),
    ]


def test_attention_says_once_what_two_steps_say(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(json.dumps({"samples": [{"id": "A", "sample": "A"}]}))
    (tmp_path / "A.small_variants.json").write_text("{}")
    for step in ("inputs", "A.0001"):
        add_notes(tmp_path, step, Note("warning", "another name", "A"))
    assert [(samples, text) for _, _, samples, text in attention(Parts(tmp_path))] == [(["A"], "another name")]


def test_a_planned_job_without_its_table_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(json.dumps({"jobs": ["drivers", "drug_response"], "samples": []}))
    (tmp_path / "response.tsv").write_text("sample\n")
    assert [(level, step) for level, step, _, _ in attention(Parts(tmp_path))] == [("error", "drivers")]


def test_label_shows_the_name_where_the_id_had_to_differ(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(
        json.dumps({"samples": [{"id": "a_b", "sample": "a b"}, {"id": "c", "sample": "c"}]})
    )
    assert [Parts(tmp_path).label(name) for name in ("a_b", "c")] == ["a b (a_b)", "c"]


def test_versions_are_sorted_without_repeats(tmp_path: Path) -> None:
    path = tmp_path / "versions.tsv"
    path.write_text("B:CALL\tstrandwise\t1\nA\tx\t2\nB:CALL\tstrandwise\t1\n")
    assert [(entry.process, entry.tool, entry.version) for entry in read_versions(path)] == [
        ("A", "x", "2"),
        ("CALL", "strandwise", "1"),
    ]


def task(name: str, start: float, cpu: float, peak: float = 100) -> dict[str, object]:
    return {"task": name, "start_s": start, "cpu_s": cpu, "wall_s": 2 * cpu, "peak_mb": peak}


def test_cost_of_a_genome_from_a_part_of_it() -> None:
    """3.1 Mb at 60x is a thousandth of a genome: calling 1,000 x (2.5 + 2.5) s / 2, counting 500 x 4 s, 35 starts of 0.5 s, and
    0.3 + 0.2 s for shards and gather."""
    tasks = [
        task("shards", 0.1, 0.3),
        task("call", 0.5, 3.0, peak=140),
        task("call", 0.5, 3.0),
        task("gather", 0.1, 0.2),
    ]
    found = cost_of([*tasks, task("summarise", 0.4, 4.4)], bases=3.1e6, depth=60, mapped=186e6)
    assert found.genome == pytest.approx(2500 + 2000 + 17.5 + 0.5)
    assert (found.tasks, found.peak) == (5, 140)
    assert found.cpu == pytest.approx(10.9) and found.start == pytest.approx(1.6) and found.wall == pytest.approx(21.8)


def test_from_no_reads_or_few_nothing_is_projected() -> None:
    """20 Mb of sequenced bases are what it takes."""
    assert cost_of([task("call", 0.4, 0.4)], bases=1e6, depth=0, mapped=0).genome is None
    assert cost_of([task("call", 0.4, 0.5)], bases=1e6, depth=19.9, mapped=0).genome is None
    assert cost_of([task("call", 0.4, 0.5)], bases=1e6, depth=20, mapped=0).genome is not None


def test_phasing_grows_with_the_genome_as_calling_does() -> None:
    tasks = [task("call", 0.0, 1.0), task("phase", 0.5, 1.5)]
    assert cost_of(tasks, bases=3.1e6, depth=30, mapped=0).genome == pytest.approx(2000)


def test_cost_below_30x_is_not_scaled_up() -> None:
    assert cost_of([task("call", 0.0, 1.0)], bases=3.1e6, depth=10, mapped=0).genome == pytest.approx(1000)


@pytest.mark.parametrize(("seconds", "text"), [(3.24, "3.2 s"), (840, "14 min"), (7560, "2.1 h")])
def test_times_as_people_say_them(seconds: float, text: str) -> None:
    assert time_text(seconds) == text


def bins(*rows: tuple[float, float, int, float, int]) -> pd.DataFrame:
    names = ["gq_from", "gq_to", "genotypes", "expected", "observed"]
    return pd.DataFrame(rows, columns=names).assign(set="10x", type="SNP", decision="called")


def test_calibration_error_and_the_bins_that_are_off() -> None:
    """|30 - 70| + |40 - 25| + |5 - 0| = 60 of 1,000; 70 is more than twice 30; 40 is less than twice 25; 5 is too few to say."""
    (found,) = summaries(bins((0, 10, 300, 30.0, 70), (10, 20, 400, 40.0, 25), (20, 30, 300, 5.0, 0)))
    assert found.error == pytest.approx(0.06)
    assert (found.judged, found.off) == (2, ("GQ 0 to 10: 30.0 expected, 70 seen",))


def test_too_few_errors_are_off_too() -> None:
    (found,) = summaries(bins((0, 10, 300, 30.0, 14)))
    assert len(found.off) == 1
    assert summaries(bins((0, 10, 300, 30.0, 15)))[0].off == ()


def test_marks_stand_where_promised_and_seen_rates_meet() -> None:
    """0.01 promised and 0.1 seen: half and three quarters of the way along axes from 0.0001 to 1."""
    page = content(bins((10, 20, 1000, 10.0, 100)))
    assert '<circle cx="242.0" cy="120.5"' in page  # 58 + (440 - 58 - 14) / 2; 440 - 48 - 0.75 x (440 - 30 - 48)
    assert page.count("<circle") == 1
    assert content(bins((10, 20, 1000, 0.4, 0))).count("<circle") == 0, "tells nothing"


def test_files_belong_to_the_sample_with_the_longest_id_that_fits(tmp_path: Path) -> None:
    parts = Parts(tmp_path)
    (tmp_path / "plan.json").write_text('{"samples": [{"id": "S1"}, {"id": "S1.b"}]}')
    assert parts.owner("S1.0001") == "S1"
    assert parts.owner("S1.b.0001") == "S1.b"
    assert parts.owner("S10.0001") == "S10.0001"


def test_a_drug_that_stands_out_tells_its_targets_and_its_ic50_in_micromolar() -> None:
    row = {
        "drug": "Drug <1>", "ln_ic50": math.log(0.25), "ln_ic50_low": -3.0, "ln_ic50_high": 0.5, "percentile": 7.4, "delta_ln_ic50": -1.0,
        "relative": -2.04, "top_features": "BCL2 -0.22", "top_programme": math.nan,
    }  # fmt: skip
    text = _score(row, {"Drug <1>": "Drug__1_.html"}, {"Drug <1>": ["BCL2", "BCL2L1"]})
    told = "targets BCL2, BCL2L1; IC50 0.25 µM; ln IC50 -1.39 (-3.00 to 0.50); percentile 7; -1.00 against the mean training line; BCL2 -0.22"
    assert f'title="{told}"' in text
    assert "Drug &lt;1&gt;</a> <i>-2.0</i>" in text
    assert "targets" not in _score(row, {}, {})
