"""Where the pipeline runs: each profile's executor, queue, folder and images, and the limits of a task."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
NEXTFLOW = ROOT / ".venv/bin/nextflow"
SCHEMA = json.loads((ROOT / "nextflow_schema.json").read_text())
RULES = {name: rule for group in SCHEMA["$defs"].values() for name, rule in group["properties"].items()}
IMAGES = {"calling", "models", "phasing", "report"}
ENGINES = ("docker", "podman", "singularity", "apptainer")
EXECUTORS = {"slurm": "slurm", "awsbatch": "awsbatch", "googlebatch": "google-batch", "azurebatch": "azurebatch"}


def nextflow(*words: object, folder: Path) -> str:
    """Standard output of Nextflow run in `folder`; the test fails with its messages if it does."""
    run = subprocess.run([NEXTFLOW, *map(str, words)], cwd=folder, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


@pytest.fixture(scope="module")
def profiles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The configuration of every profile without any parameter given."""
    return json.loads(nextflow("config", ROOT, "-a", "-o", "json", folder=tmp_path_factory.mktemp("config")))[
        "profiles"
    ]


@pytest.fixture(scope="module", params=EXECUTORS)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict, dict]:
    """A place, the parameters of its file in docs/places, and its configuration with them.

    `nextflow config` takes no file of parameters, so they are written as one that includes the place's.
    """
    name = request.param
    given = yaml.safe_load((ROOT / f"docs/places/{name}.yml").read_text())
    values = {key: rule.get("default") for key, rule in RULES.items()} | given
    lines = [f"    {key} = {json.dumps(value)}" for key, value in values.items()]
    folder = tmp_path_factory.mktemp(name)
    config = folder / "place.config"
    files = [ROOT / "conf/resources.config", ROOT / f"conf/{name}.config"]
    config.write_text("\n".join(["params {", *lines, "}", *(f"includeConfig '{path}'" for path in files)]))
    return name, values, json.loads(nextflow("-C", config, "config", "-o", "json", folder=folder))


def test_every_profile_is_there(profiles: dict[str, Any]) -> None:
    assert set(profiles) == {"local", "test", "demo", *ENGINES, *EXECUTORS}


@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_is_switched_on_by_its_profile_alone(profiles: dict[str, Any], engine: str) -> None:
    enabled = {name for name, profile in profiles.items() if profile.get(engine, {}).get("enabled")}
    assert enabled == {engine}
    assert "executor" not in profiles[engine].get("process", {}), "an engine must combine with every place"


@pytest.mark.parametrize("engine", ["docker", "podman"])
def test_steps_have_no_network(profiles: dict[str, Any], engine: str) -> None:
    assert "--network none" in profiles[engine][engine]["runOptions"]


def test_files_belong_to_whoever_runs_docker(profiles: dict[str, Any]) -> None:
    assert "-u $(id -u):$(id -g)" in profiles["docker"]["docker"]["runOptions"]


def test_the_parameters_of_a_place_fit_the_schema(place: tuple[str, dict, dict]) -> None:
    name, _, _ = place
    given = yaml.safe_load((ROOT / f"docs/places/{name}.yml").read_text())
    assert set(given) <= set(RULES)
    for key, value in given.items():
        jsonschema.validate(value, RULES[key])


def test_executor_queue_and_work_folder(place: tuple[str, dict, dict]) -> None:
    name, given, config = place
    assert config["process"]["executor"] == EXECUTORS[name]
    assert config.get("workDir") == given["work_folder"]
    queue = {"slurm": "slurm_queue", "awsbatch": "aws_queue", "azurebatch": "azure_pool"}.get(name)
    assert config["process"].get("queue") == (given[queue] if queue else None)
    assert given["container_registry"] not in ("", RULES["container_registry"]["default"])


def test_account_region_and_restarts(place: tuple[str, dict, dict]) -> None:
    name, given, config = place
    if name == "slurm":
        assert config["process"]["clusterOptions"] == "--account=genomics"
        assert config["process"]["resourceLimits"]["cpus"] == given["max_cpus"]
        # A job killed for its memory leaves no exit status; five minutes of waiting (the default) would be wasted on each.
        assert config["executor"]["exitReadTimeout"] == "90 sec"
    elif name == "awsbatch":
        assert config["aws"] == {"region": "eu-west-1", "batch": {"maxSpotAttempts": 5}}
    elif name == "googlebatch":
        batch = config["google"].pop("batch")
        assert config["google"] == {"project": "my-project", "location": "europe-west4"}
        assert (batch["spot"], batch["maxSpotAttempts"]) == (True, 5)
        assert 50001 in batch["autoRetryExitCodes"], "the exit status of a lost spot machine"
    else:
        azure = config["azure"]
        assert azure["storage"] == {"accountName": "mystorage"}
        assert azure["registry"] == {"server": "myregistry.azurecr.io"}
        assert (azure["batch"]["accountName"], azure["batch"]["location"]) == ("mybatch", "westeurope")
        assert azure["batch"]["pools"]["auto"]["lowPriority"] is False
        assert azure["batch"]["allowPoolCreation"] and azure["batch"]["deletePoolsOnCompletion"]
        assert "accountKey" not in json.dumps(azure), "keys come from the environment"


def test_images_follow_the_registry(tmp_path: Path) -> None:
    """One parameter moves every image, in the profile of a cloud too (its executor and bucket need plugins, hence the config)."""
    (tmp_path / "here.config").write_text("process.executor = 'local'\nworkDir = 'work'\n")
    words = ["-c", "here.config", "inspect", ROOT, "-profile", "awsbatch,test", "-format", "json"]
    listed = json.loads(nextflow(*words, "--container_registry", "registry.example/lab", folder=tmp_path))["processes"]
    version = re.search(r'__version__ = "(.+)"', (ROOT / "bin/strandwise/__init__.py").read_text())[1]
    assert {process["container"] for process in listed} == {
        f"registry.example/lab/{image}:{version}" for image in IMAGES
    }


@pytest.mark.parametrize("parser", ["v1", "v2"])
def test_use_gpu_changes_the_image_of_network_training_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, parser: str
) -> None:
    monkeypatch.setenv("NXF_SYNTAX_PARSER", parser)
    words = ["inspect", ROOT, "-profile", "docker,test", "-format", "json"]
    images = []
    for more in ([], ["--use_gpu"]):
        listed = json.loads(nextflow(*words, *more, folder=tmp_path))["processes"]
        images.append(
            {process["name"].split(":")[-1]: process["container"].split("/")[-1].split(":")[0] for process in listed}
        )
    changed = {name: image for name, image in images[1].items() if image != images[0][name]}
    assert changed == {"TRAIN_SMALL_VARIANTS": "models_gpu", "TRAIN_DRUG_RESPONSE": "models_gpu"}


def test_on_slurm_use_gpu_asks_for_one_for_network_training_alone(tmp_path: Path) -> None:
    for use, options in ((True, "--account=x --gres=gpu:1"), (False, "--account=x")):
        values = {key: rule.get("default") for key, rule in RULES.items()} | {
            "use_gpu": use,
            "slurm_options": "--account=x",
        }
        lines = [f"    {key} = {json.dumps(value)}" for key, value in values.items()]
        (tmp_path / "given.config").write_text(
            "\n".join(["params {", *lines, "}", f"includeConfig '{ROOT}/conf/slurm.config'"])
        )
        process = json.loads(nextflow("-C", "given.config", "config", "-o", "json", folder=tmp_path))["process"]
        assert process["withName:TRAIN_SMALL_VARIANTS|TRAIN_DRUG_RESPONSE"]["clusterOptions"] == options
        assert process["clusterOptions"] == "--account=x"


def processes() -> dict[str, str]:
    """The text of every process, up to its inputs, by its name."""
    text = "\n".join(path.read_text() for path in sorted(ROOT.glob("modules/*/main.nf")))
    return dict(re.findall(r"^process (\w+) \{\n(.*?)^    input:", text, re.MULTILINE | re.DOTALL))


@pytest.mark.parametrize("name", sorted(processes()))
def test_a_process_names_its_image_and_label_once(name: str) -> None:
    head = processes()[name]
    images = re.findall(
        r"^    container \"\$\{params\.container_registry\}/(\w+):\$\{workflow\.manifest\.version\}\"$",
        head,
        re.MULTILINE,
    )
    assert len(images) == 1 and set(images) <= IMAGES and head.count("container ") == 1
    labels = re.findall(r"^    label '(\w+)'", head, re.MULTILINE)
    known = re.findall(r"withLabel: '(\w+)'", (ROOT / "conf/resources.config").read_text())
    assert len(labels) == 1 and set(labels) <= set(known)


def test_no_task_asks_for_more_than_the_limits(tmp_path: Path) -> None:
    """The largest label, run under limits below its wishes."""
    defaults = "\n".join(f"    {key} = {json.dumps(rule.get('default'))}" for key, rule in RULES.items())
    (tmp_path / "main.nf").write_text(
        "process ASK {\n    label 'training'\n\n    output:\n    stdout\n\n    script:\n"
        '    "echo ${task.cpus} ${task.memory} ${task.time}"\n}\n\nworkflow {\n    ASK() | view\n}\n'
    )
    (tmp_path / "nextflow.config").write_text(
        f"params {{\n{defaults}\n}}\nincludeConfig '{ROOT}/conf/resources.config'\n"
    )
    limits = ["--max_cpus", "1", "--max_memory", "1.GB", "--max_time", "3.m"]
    assert "1 1 GB 3m" in nextflow("run", "main.nf", "-ansi-log", "false", *limits, folder=tmp_path)


@pytest.mark.parametrize("name", [*EXECUTORS, "laptop"])
def test_parameters_named_on_a_page_exist(name: str) -> None:
    page = (ROOT / f"docs/places/{name}.md").read_text()
    rows = re.findall(r"^\| (`[a-z_`, ]+`) \|", page, re.MULTILINE)
    named = {word for row in rows for word in re.findall(r"`([a-z]+_[a-z_]+)`", row)}
    named |= set(re.findall(r"--([a-z]+_[a-z_]+)", page))
    assert named <= set(RULES)
