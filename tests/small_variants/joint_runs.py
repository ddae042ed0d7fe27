"""Runs joint genotyping on gVCFs written by hand and reads what comes out."""

import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pysam
from gvcf_files import write_gvcf, write_reference

from strandwise.formats.notes import Note
from strandwise.small_variants.joint import joint

PED = "trio mother 0 0 2 0\ntrio father 0 0 1 0\ntrio child father mother 1 0\n"


@dataclass
class Outcome:
    folder: Path
    notes: list[Note]

    @property
    def records(self) -> list[pysam.VariantRecord]:
        with pysam.VariantFile(str(self.folder / "joint.vcf.gz")) as variants:
            return list(variants)

    @property
    def lines(self) -> list[list[str]]:
        with pysam.BGZFile(str(self.folder / "joint.vcf.gz"), "r", None) as file:
            return [line.decode().split("\t") for line in file if not line.startswith(b"#")]

    def table(self, name: str) -> list[dict[str, str]]:
        with (self.folder / f"{name}.tsv").open() as handle:
            return list(csv.DictReader(handle, delimiter="\t"))

    @property
    def summary(self) -> dict[str, object]:
        return json.loads((self.folder / "joint.json").read_text())


def run(
    folder: Path, samples: dict[str, Sequence[str]], pedigree: str = "", bed: str = "", models: Sequence[str] = ()
) -> Outcome:
    reference = write_reference(folder)
    given = models or ["model 1"] * len(samples)
    paths = [
        write_gvcf(folder, name, lines, model) for (name, lines), model in zip(samples.items(), given, strict=True)
    ]
    ped, intervals = folder / "family.ped", folder / "intervals.bed"
    ped.write_text(pedigree)
    intervals.write_text(bed)
    outputs = [folder / name for name in ("joint.vcf.gz", "mendelian.tsv", "de_novo.tsv", "joint.json")]
    notes = joint(paths, reference, *outputs, ped if pedigree else None, intervals if bed else None)
    return Outcome(folder, notes)


def trio(mother: Sequence[str], father: Sequence[str], child: Sequence[str]) -> dict[str, Sequence[str]]:
    return {"mother": mother, "father": father, "child": child}
