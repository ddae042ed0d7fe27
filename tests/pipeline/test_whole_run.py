"""The main job from input to report: its results tree, a killed run that goes on, and a truthful -resume."""

import csv
import gzip
import json
from pathlib import Path

import pysam
import pytest
from pipeline_runs import Run, copy_project, published, run, run_and_kill

pytestmark = [pytest.mark.pipeline, pytest.mark.xdist_group("whole run")]

SAMPLES = ("NA12878", "NA12878_7x")
PROFILE = ("-profile", "test,local")


class World:
    """A copy of the project, a folder to run in, and the results, both of odd names."""

    def __init__(self, folder: Path):
        self.project = copy_project(folder / "project")
        self.folder = folder / "it's a (folder) & more"
        self.folder.mkdir()
        self.results = self.folder / "results (1)"
        self.words = (*PROFILE, "--outdir", self.results.name)

    def resume(self) -> Run:
        return run(self.project, self.folder, *self.words, "-resume", results=self.results)

    def edit(self, name: str) -> None:
        with (self.project / name).open("a") as source:
            source.write("\n# changed\n")


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="module")
def whole(world: World) -> Run:
    """A run that is killed while it calls, and the run that goes on from there."""
    run_and_kill(world.project, world.folder, "CALL_SMALL_VARIANTS", *world.words)
    return world.resume()


def test_a_killed_run_goes_on_with_what_was_done(whole: Run) -> None:
    assert whole.status == 0, whole.output
    assert "CHECK_INPUTS" in whole.with_status("CACHED")
    assert {"CALL_SMALL_VARIANTS", "GATHER_SMALL_VARIANTS", "BUILD_REPORT"} <= whole.with_status("COMPLETED")
    assert not whole.with_status("FAILED")


def test_the_results_tree(whole: Run, world: World) -> None:
    expected = {"multiqc_report.html", "README.txt", "summary.txt"}
    expected |= {
        f"pipeline_info/{name}"
        for name in ("params.json", "plan.json", "versions.tsv", "trace.txt", "report.html", "timeline.html", "dag.mmd")
    }
    for sample in SAMPLES:
        ends = (
            "vcf.gz",
            "vcf.gz.tbi",
            "g.vcf.gz",
            "g.vcf.gz.tbi",
            "bcftools_stats.txt",
            "samtools_stats.txt",
            "coverage.txt",
        )
        expected |= {f"small_variants/{sample}/{sample}.{end}" for end in ends}
    expected |= {"drivers/driver_genes.tsv", "drug_response/response.tsv"}
    found = published(world.results)
    assert expected <= found
    assert {name.split("/")[0] for name in found} == {
        "multiqc_report.html", "README.txt", "summary.txt", "pipeline_info", "small_variants", "drivers", "drug_response"
    }  # fmt: skip
    assert not [name for name in found if (world.results / name).is_symlink()]


def test_calls_are_real_and_belong_to_their_sample(whole: Run, world: World) -> None:
    for sample in SAMPLES:
        with pysam.VariantFile(str(world.results / f"small_variants/{sample}/{sample}.vcf.gz")) as calls:
            assert list(calls.header.samples) == [sample]
            records = [record for record in calls if "PASS" in record.filter]
        assert records and all(10_050_000 < record.pos <= 10_060_000 for record in records)
        # The first SNV of the truth set in this interval that both depths show.
        assert len({(record.chrom, record.pos) for record in records}) == len(records)


def test_tables_say_which_model_made_them(whole: Run, world: World) -> None:
    for name in ("drivers/driver_genes.tsv", "drug_response/response.tsv"):
        with (world.results / name).open() as lines:
            rows = list(csv.DictReader(lines, delimiter="\t"))
        assert rows and list(rows[0])[-1] == "model_version"
        assert all(row["model_version"] for row in rows)


def test_report_readme_and_last_words(whole: Run, world: World) -> None:
    report = (world.results / "multiqc_report.html").read_text()
    shown = ("Sex by depth", "Does GQ mean what it says?", "30× genome, CPU")
    for word in (*SAMPLES, "DNMT3A", "research use only", *shown):
        assert word.lower() in report.lower(), word
    assert len(report) < 3_000_000
    readme = (world.results / "README.txt").read_text()
    assert "Strandwise 0.1.0" in readme and "research use only" in readme.lower()
    assert f"Report: {world.results}/multiqc_report.html" in whole.output
    assert "finished after" in whole.output


def test_what_the_run_was_is_written_down(whole: Run, world: World) -> None:
    info = world.results / "pipeline_info"
    parameters = json.loads((info / "params.json").read_text())
    assert parameters["outdir"] == world.results.name
    assert parameters["interval_padding"] == 0 and parameters["validate_only"] is False
    versions = [line.split("\t") for line in (info / "versions.tsv").read_text().splitlines()]
    assert versions == sorted(versions)
    assert {process for process, _, _ in versions} >= {"CHECK_INPUTS", "CALL_SMALL_VARIANTS", "RANK_DRIVERS"}
    assert "RANK_DRIVERS" in (info / "dag.mmd").read_text()


def test_resume_does_nothing_twice(whole: Run, world: World) -> None:
    again = world.resume()
    assert again.status == 0, again.output
    assert set(again.tasks.values()) == {"CACHED"}


def test_a_change_in_one_job_runs_its_tasks_again_and_no_others(whole: Run, world: World) -> None:
    world.edit("bin/strandwise/drivers/rank.py")
    changed = world.resume()
    assert changed.status == 0, changed.output
    assert changed.with_status("COMPLETED") <= {"RANK_DRIVERS", "BUILD_REPORT"}
    assert "RANK_DRIVERS" in changed.with_status("COMPLETED")


def test_a_change_in_what_jobs_share_runs_those_again_that_use_it(whole: Run, world: World) -> None:
    world.edit("bin/strandwise/formats/vcf.py")
    changed = world.resume()
    assert changed.status == 0, changed.output
    assert {"SHARD_SMALL_VARIANTS", "CALL_SMALL_VARIANTS", "GATHER_SMALL_VARIANTS"} <= changed.with_status("COMPLETED")
    assert {"RANK_DRIVERS", "SCORE_DRUGS"} <= changed.with_status("CACHED")


def test_calls_are_bgzipped_to_their_end(whole: Run, world: World) -> None:
    for path in world.results.rglob("*.vcf.gz"):
        assert path.read_bytes().endswith(bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000"))
        with gzip.open(path, "rt") as lines:
            assert lines.readline() == "##fileformat=VCFv4.3\n"


def test_uncertain_calls_are_explained_and_linked(whole: Run, world: World) -> None:
    report = (world.results / "multiqc_report.html").read_text()
    for sample in SAMPLES:
        folder = f"small_variants/{sample}/explain"
        rows = read_rows(world.results / folder / "sites.tsv")
        assert 1 <= len(rows) <= 10 and {row["sample"] for row in rows} == {sample}
        for row in rows:
            for name in (row["picture"], row["attributions"]):
                assert (world.results / folder / name).stat().st_size > 1000
                assert f'href="{folder}/{name}"' in report


def test_any_place_is_explained_after_a_run(whole: Run, world: World) -> None:
    """Called, left to the reference, and outside of what was called; nothing is called again."""
    (world.folder / "places (2).txt").write_text("chr20:10,052,345\nchr20:10070000\n")
    before = {row["position"] for row in read_rows(world.results / "small_variants/NA12878/explain/sites.tsv")}
    words = (*world.words, "--explain", "places (2).txt", "-resume")
    again = run(world.project, world.folder, *words, results=world.results)
    assert again.status == 0, again.output
    assert again.with_status("COMPLETED") == {"CHECK_INPUTS", "EXPLAIN_SMALL_VARIANTS", "BUILD_REPORT"}
    rows = read_rows(world.results / "small_variants/NA12878/explain/sites.tsv")
    assert {row["position"] for row in rows} == {"10052345", "10070000"} != before
    assert [row["step"] for row in rows if row["position"] == "10070000"] == ["intervals"]


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t"))
