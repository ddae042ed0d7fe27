"""--mode train for all jobs: killed and resumed, refused, on a GPU that is not there; and analysis with what it made."""

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas
import pytest
from made_screen import made_screen, write_layout
from pipeline_runs import DEADLINE, ROOT, Run, command, environment, published, run
from sample import Sample, make_sample

from strandwise.models.card import load_card

pytestmark = [pytest.mark.pipeline, pytest.mark.xdist_group("training")]

DRIVERS = ("FLT3", "NPM1", "DNMT3A", "IDH1", "TP53", "TET2")
SMALL_VARIANTS = ("--model", "small_variants", "--training_data", "sets.tsv", "--max_cpus", "1")
SHIPPED = ROOT / "assets" / "models" / "small_variants"


class World:
    """A folder with training data of all jobs, in which runs are started."""

    def __init__(self, folder: Path):
        self.folder = folder.resolve()
        self.samples: dict[str, Sample] = {
            name: make_sample(folder / name, seed, length=20_000, gap=60, depth=24, errors=0.01)
            for seed, name in enumerate(("train", "tune"), 21)
        }
        columns = ["name", "alignment", "truth", "bed", "reference", "use"]
        files = ("reads.bam", "truth.vcf.gz", "regions.bed", "reference.fa")
        rows = [[name, *(f"{name}/{file}" for file in files), name] for name in self.samples]
        (folder / "sets.tsv").write_text("".join("\t".join(row) + "\n" for row in [columns, *rows]))
        self.screen = made_screen()
        write_layout(self.screen, folder / "screen")
        (folder / "cohorts").mkdir()
        shutil.copy(ROOT / "assets" / "demo" / "laml.maf.gz", folder / "cohorts" / "LAML.maf.gz")
        (folder / "labels.tsv").write_text("cohort\tgene\n" + "".join(f"LAML\t{gene}\n" for gene in DRIVERS))

    def words(self, name: str, *more: str) -> tuple[str, ...]:
        return ("-profile", "local", "--mode", "train", "--model_name", name, "--outdir", f"results_{name}", *more)

    def model(self, name: str) -> Path:
        return self.folder / f"results_{name}" / "models" / name

    def train(self, name: str, *more: str, **settings: str) -> Run:
        words = self.words(name, *more)
        return run(ROOT, self.folder, *words, results=self.folder / f"results_{name}", **settings)

    def checkpoints(self, name: str) -> Path:
        return self.folder / "work" / "training" / name


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("training"))


def start(world: World, *words: str) -> subprocess.Popen[bytes]:
    with (world.folder / "run.log").open("wb") as log:
        return subprocess.Popen(
            command(ROOT, *words), cwd=world.folder, env=environment(), stdout=log, stderr=log, start_new_session=True
        )


def wait(process: subprocess.Popen[bytes], until: Callable[[], object]) -> None:
    began = time.monotonic()
    while not until():
        assert process.poll() is None and time.monotonic() - began < DEADLINE, "the run ended before it was killed"
        time.sleep(0.05)


def task_of(script: str, folder: Path) -> int:
    """The Python process of a task whose work folder lies below `folder`."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
                place = (entry / "cwd").resolve()
                if words[1].endswith(script.encode()) and b"python" in words[0] and place.is_relative_to(folder):
                    return int(entry.name)
            except (OSError, IndexError):
                continue  # it ended while we looked
    raise AssertionError(f"no process of {script}")


def kill(process: subprocess.Popen[bytes]) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def marked_epoch(checkpoints: Path) -> None:
    """Write an impossible loss into the first epoch of a checkpoint: who goes on from it repeats that."""
    path = checkpoints / "summary.curve.json"
    curve = json.loads(path.read_text())
    curve[0]["loss"] = 99.0
    path.write_text(json.dumps(curve))


@pytest.fixture(scope="module")
def small_variants(world: World) -> Run:
    """Fine-tuning whose task is killed in the first network, whose whole run is killed in the second, then resumed."""
    words = world.words("small", *SMALL_VARIANTS, "--start_from", str(SHIPPED))
    checkpoints = world.checkpoints("small")
    process = start(world, *words)
    wait(process, lambda: list(checkpoints.glob("summary-[3-9].weights.h5")))
    os.kill(task_of("small_variants.py", world.folder), signal.SIGKILL)
    time.sleep(1)  # nothing writes there until the second attempt has loaded TensorFlow
    marked_epoch(checkpoints)
    wait(process, lambda: list(checkpoints.glob("reads-[3-9].weights.h5")))
    (world.folder / "trace.txt").write_bytes((world.folder / "results_small/pipeline_info/trace.txt").read_bytes())
    kill(process)
    return run(ROOT, world.folder, *words, "-resume", results=world.folder / "results_small")


def test_a_killed_training_is_tried_again_and_goes_on(small_variants: Run, world: World) -> None:
    with (world.folder / "trace.txt").open() as lines:
        (first,) = csv.DictReader(lines, delimiter="\t")
    assert (first["status"], first["exit"], first["attempt"]) == ("FAILED", "137", "1")
    assert small_variants.status == 0, small_variants.output
    rows = pandas.read_csv(world.model("small") / "history.tsv", sep="\t")
    assert (
        rows["epoch"].tolist() == [*range(1, 41)] * 2 and rows["network"].tolist() == ["summary"] * 40 + ["reads"] * 40
    )
    assert (
        rows["train_loss"][0] == 99.0
    )  # the second attempt took the first one's epochs, and the resumed run the second's
    assert not list(world.checkpoints("small").iterdir())
    assert "\tTensorFlow\t2." in (world.folder / "results_small/pipeline_info/versions.tsv").read_text()


def test_its_weights_are_those_of_a_training_that_was_not_killed(small_variants: Run, world: World) -> None:
    script = [sys.executable, str(ROOT / "bin/small_variants.py"), "train", "--sets", "sets.tsv", "--output", "whole"]
    subprocess.run(
        [*script, "--name", "small", "--model-version", "1", "--start-from", str(SHIPPED)],
        cwd=world.folder, env=environment(OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1"), check=True, capture_output=True,
    )  # fmt: skip
    ours, theirs = (
        load_card(folder, "small_variants").details for folder in (world.model("small"), world.folder / "whole")
    )
    for weights in ("summary.weights.h5", "reads.weights.h5"):
        assert weights_of(world.model("small") / weights) == weights_of(world.folder / "whole" / weights), weights
    assert ours["networks"] == theirs["networks"] and ours["training"]["started_from"].startswith(
        "strandwise-short-reads"
    )


def weights_of(path: Path) -> dict[str, list]:
    import h5py

    found: dict[str, list] = {}
    with h5py.File(path) as stored:
        stored.visititems(
            lambda name, item: found.update({name: item[()].tolist()}) if hasattr(item, "shape") else None
        )
    assert len(found) > 6
    return found


@pytest.fixture(scope="module")
def drug_response(world: World) -> Run:
    """A training that is killed with the whole run in its second fold, then resumed; a GPU is wanted and none is there."""
    words = world.words(
        "drugs", "--model", "drug_response", "--training_data", "screen", "--use_gpu", "--max_cpus", "1"
    )
    kept = world.checkpoints("drugs") / "fold_1" / "member_0.npz"
    process = start(world, *words)
    wait(process, kept.exists)
    kill(process)
    with np.load(kept) as stored:
        arrays = {**stored, "curve": np.full((25, 2), 2000.0)}
    np.savez(kept, **arrays)
    return run(ROOT, world.folder, *words, "-resume", results=world.folder / "results_drugs")


def test_drug_response_goes_on_after_its_last_network(drug_response: Run, world: World) -> None:
    """The network that was done before the kill is one of 20 (4 in each of 5 folds) whose mean curve is kept."""
    assert drug_response.status == 0, drug_response.output
    rows = pandas.read_csv(world.model("drugs") / "history.tsv", sep="\t")
    assert rows["epoch"].tolist() == [*range(1, 26)]
    assert ((rows["tune_loss"] > 100) & (rows["tune_loss"] < 110)).all()
    figures = load_card(world.model("drugs"), "drug_response").details["figures"]["lines_left_out"]
    assert figures["normalised_pearson"] > 0.6


def test_a_gpu_that_is_not_there_is_said_in_the_report(drug_response: Run, world: World) -> None:
    report = (world.folder / "results_drugs" / "multiqc_report.html").read_text()
    assert "TensorFlow found no GPU" in report and "Learning curves" in report


@pytest.fixture(scope="module")
def drivers(world: World) -> Run:
    words = ("--model", "drivers", "--training_data", "cohorts", "--driver_labels", "labels.tsv")
    return world.train("genes", *words)


def test_drivers_are_trained_and_reported(drivers: Run, world: World) -> None:
    assert drivers.status == 0, drivers.output
    assert load_card(world.model("genes"), "drivers").details["trained_on"]["drivers"] == len(DRIVERS)
    assert published(world.folder / "results_genes") >= {"models/genes/card.json", "multiqc_report.html"}


def test_analysis_with_all_three_models(small_variants: Run, drug_response: Run, drivers: Run, world: World) -> None:
    tune = world.samples["tune"]
    (world.folder / "sheet.csv").write_text(f"patient,sample,bam\nP,S,{tune.bam}\n")
    values = pandas.DataFrame(world.screen.scores[:20].T, columns=world.screen.lines[:20])
    values.insert(0, "gene", world.screen.genes)
    values.to_csv(world.folder / "expression.tsv", sep="\t", index=False)
    models = {"small_variants": "small", "drivers": "genes", "drug_response": "drugs"}
    words = [f"--{job}_model={world.model(name)}" for job, name in models.items()]
    data = ["--input", "sheet.csv", "--fasta", str(tune.fasta), "--cohort_maf", "cohorts/LAML.maf.gz"]
    data += ["--cohort_expression", "expression.tsv", "--expression_scale", "zscore"]
    done = run(ROOT, world.folder, "-profile", "local", *data, *words, results=world.folder / "results")
    assert done.status == 0, done.output
    results = world.folder / "results"
    assert "##source=" in gunzipped(results / "small_variants/S/S.vcf.gz")
    called = [
        line.split("\t") for line in gunzipped(results / "small_variants/S/S.vcf.gz").splitlines() if line[0] != "#"
    ]
    passed = {int(row[1]) - 1 for row in called if row[6] == "PASS"}
    snvs = {at for at, old, new, _ in tune.variants if len(old) == len(new) and 300 < at < len(tune.reference) - 300}
    assert len(snvs - passed) <= 0.1 * len(snvs)
    for table, version in (("drivers/driver_genes.tsv", "genes 1"), ("drug_response/response.tsv", "drugs 1")):
        rows = pandas.read_csv(results / table, sep="\t")
        assert set(rows["model_version"]) == {version}
    assert set(pandas.read_csv(results / "drivers/driver_genes.tsv", sep="\t")["gene"][:10]) & set(DRIVERS)


def gunzipped(path: Path) -> str:
    import gzip

    with gzip.open(path, "rt") as lines:
        return lines.read()


def test_checkpoints_of_another_training_are_refused_from_inside_a_container(world: World, tmp_path: Path) -> None:
    """A stand-in for Docker writes down how it is called and runs the task here; one for nvidia-smi says there is a GPU."""
    folder = tmp_path / "begun"
    folder.mkdir()
    (folder / "training.json").write_text(json.dumps({"data": [], "recipe": {}, "start": None}))
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "docker").write_text(
        f'#!/bin/bash\necho "$@" >> {tmp_path}/docker.log\n[ "$1" = run ] || exit 0\n'
        'while [[ "$1" != localhost/strandwise/* ]]; do shift; done\nshift\nexec "$@"\n'
    )
    (tools / "nvidia-smi").write_text("#!/bin/bash\n")
    for tool in tools.iterdir():
        tool.chmod(0o755)
    words = world.words("other", *SMALL_VARIANTS, "--training_folder", str(folder), "--use_gpu")
    path = f"{tools}:{ROOT}/.venv/bin:{os.environ['PATH']}"
    done = run(ROOT, world.folder, "-profile", "docker", *words[2:], results=world.folder / "results_other", PATH=path)
    assert done.status == 1
    wanted = f"{folder}: a training with other data, recipe was begun here; give another folder, or delete this one to begin anew"
    assert wanted in done.output
    assert list(done.tasks.values()) == ["FAILED"]  # and was not tried again: its exit status is that of bad input
    (called,) = [line for line in (tmp_path / "docker.log").read_text().splitlines() if "/models_gpu:" in line]
    assert f"--volume {folder}:{folder} --gpus all" in called


def test_what_is_wrong_with_a_table_of_sets_is_told_before_any_task(world: World) -> None:
    shutil.copy(world.folder / "train" / "reads.bam", world.folder / "bare.bam")
    rows = [
        "name\talignment\ttruth\tbed\treference\tuse",
        "a\tnone.bam\ttrain/truth.vcf.gz\ttrain/regions.bed\ttrain/reference.fa\ttrain",
    ]
    rows.append("b\tbare.bam\ttune/truth.vcf.gz\ttune/regions.bed\ttune/reference.fa\ttune")
    (world.folder / "wrong.tsv").write_text("\n".join(rows) + "\n")
    done = run(ROOT, world.folder, *world.words("wrong", "--model", "small_variants", "--training_data", "wrong.tsv"))
    assert done.status == 1 and "Submitted process" not in done.output
    assert "2 problems with the training data" in done.output
    assert f"row 2, alignment: {world.folder}/none.bam: no such file" in done.output
    assert (
        f"row 3, alignment: {world.folder}/bare.bam has no index beside it; make one with samtools index" in done.output
    )


def test_a_task_killed_for_memory_is_tried_again_with_more(world: World, tmp_path: Path) -> None:
    """Exit status 137 is what a kill for memory leaves; the check of the input asks for 2 GB at first, then for 4."""
    override = tmp_path / "override.config"
    override.write_text(
        "process { withName: 'CHECK_INPUTS' { beforeScript = { task.attempt == 1 ? 'exit 137' : '' } } }\n"
    )
    results = tmp_path / "results"
    words = ("-profile", "local,test", "-c", str(override), "--validate_only", "--outdir", str(results))
    done = run(ROOT, tmp_path, *words)
    assert done.status == 0, done.output
    with (results / "pipeline_info" / "trace.txt").open() as lines:
        tries = [
            (row["status"], row["exit"], row["attempt"], row["memory"]) for row in csv.DictReader(lines, delimiter="\t")
        ]
    assert sorted(tries, key=lambda row: row[2]) == [("FAILED", "137", "1", "2 GB"), ("COMPLETED", "0", "2", "4 GB")]
