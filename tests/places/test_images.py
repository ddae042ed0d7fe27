"""What the images are made of, and the scripts around them; building them is for `make images`."""

import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PARTS = {"core", "aws"}  # of every image
IMAGES = sorted({path.parent.name for path in ROOT.glob("containers/*/requirements.txt")} - PARTS)
LOCKS = sorted(ROOT.glob("containers/*/requirements.txt"))
PIN = re.compile(r"^([a-z0-9-]+)==(\S+)( ; .+?)? \\$", re.MULTILINE)


def pins(lock: Path) -> dict[tuple[str, str], str]:
    """Version by package and marker."""
    return {(name, marker): version for name, version, marker in PIN.findall(lock.read_text())}


def test_there_are_four_images_and_one_for_gpus() -> None:
    assert IMAGES == ["calling", "models", "models_gpu", "phasing", "report"]


def test_the_image_for_gpus_has_the_tensorflow_of_the_other() -> None:
    both = [pins(ROOT / f"containers/{name}/requirements.txt") for name in ("models", "models_gpu")]
    versions = [{name.removesuffix("-cpu"): version for (name, _), version in found.items()} for found in both]
    shared = versions[0].keys() & versions[1].keys()
    assert {"tensorflow", "keras", "numpy"} <= shared
    assert [name for name in shared if versions[0][name] != versions[1][name]] == []


@pytest.mark.parametrize("lock", LOCKS, ids=lambda path: path.parent.name)
def test_every_package_is_pinned_with_hashes(lock: Path) -> None:
    entries = re.split(r"\n(?=\S)", re.sub(r"^ +# .*\n?", "", lock.read_text(), flags=re.MULTILINE).strip())
    assert entries
    for entry in entries:
        assert PIN.match(entry + "\n") and "--hash=sha256:" in entry, entry


@pytest.mark.parametrize("name", ["calling", "models", "phasing", "report"])
def test_images_have_the_versions_of_the_local_profile(name: str) -> None:
    """The same packages give the same results; the lock of `local` holds all of theirs."""
    local = pins(ROOT / "requirements.txt")
    image = pins(ROOT / f"containers/{name}/requirements.txt")
    assert image and {package: local.get(package) for package in image} == image


def test_compilers_and_certificates_stay_behind() -> None:
    """The stage that ships takes finished folders and installs nothing but procps."""
    shipped = (ROOT / "containers/Dockerfile").read_text().rsplit("\nFROM ", 1)[1]
    assert re.findall(r"apt-get install \S+ \S+ (.*?) &&", shipped) == ["procps"]
    assert "secret" not in shipped and "gcc" not in shipped and "pip" not in shipped
    assert set(re.findall(r"^COPY --from=\w+ (\S+)", shipped, re.MULTILINE)) == {"/opt/aws", "/opt/env"}
    assert "bin/" not in re.sub(r"/(local|env|aws)/bin", "", shipped), (
        "bin/ comes with the pipeline, not with the image"
    )


def push(*words: str, registry: str | None) -> subprocess.CompletedProcess:
    environment = {key: value for key, value in os.environ.items() if key != "REGISTRY"}
    if registry:
        environment["REGISTRY"] = registry
    command = [ROOT / "containers/push.sh", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True)


def test_push_gives_every_image_the_name_of_the_registry() -> None:
    version = re.search(r'__version__ = "(.+)"', (ROOT / "bin/strandwise/__init__.py").read_text())[1]
    lines = push("--dry-run", registry="registry.example/lab/").stdout.splitlines()
    assert lines == [
        line
        for name in ("calling", "models", "phasing", "report")
        for line in (
            f"docker tag localhost/strandwise/{name}:{version} registry.example/lab/{name}:{version}",
            f"docker push registry.example/lab/{name}:{version}",
        )
    ]


def test_push_needs_a_registry() -> None:
    run = push("--dry-run", registry=None)
    assert run.returncode != 0 and "make push REGISTRY=" in run.stderr


def test_ci_runs_the_tests_of_the_readme() -> None:
    assert re.search(r"^stage \d+ 'make test' make test$", (ROOT / ".ci/run").read_text(), re.MULTILINE)
