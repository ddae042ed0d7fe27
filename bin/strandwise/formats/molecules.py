"""Reads tables of drugs and turns SMILES into fingerprints (RDKit)."""

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from strandwise.errors import InputError

if TYPE_CHECKING:
    import numpy

BITS = 2048
RADIUS = 2


@dataclass(frozen=True)
class Drug:
    """name: as in the file; smiles: empty where the file gives none."""

    name: str
    smiles: str


def read_drugs(path: Path) -> list[Drug]:
    """Read drugs from a .smi file (SMILES, white space, name) or a TSV with a column drug and, if known, smiles.

    Raises InputError, all rows at once: a SMILES that RDKit cannot read, a drug without a name or given twice, no drugs.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    lines = [line for line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1) if line[1].strip()]
    if path.suffix.lower() in (".smi", ".smiles"):
        rows = [(row, *_smi(line)) for row, line in lines]
    else:
        header = [name.strip().lower() for name in lines[0][1].split("\t")] if lines else []
        if "drug" not in header:
            raise InputError(
                f"{path.name}: no column drug; give a TSV with the columns drug and smiles, or a .smi file"
            )
        cells = [
            (row, dict(zip(header, next(csv.reader([line], delimiter="\t")), strict=False))) for row, line in lines[1:]
        ]
        rows = [(row, cell.get("drug", "").strip(), cell.get("smiles", "").strip()) for row, cell in cells]
    problems, drugs, seen = [], [], dict[str, int]()
    for row, name, smiles in rows:
        where = f"{path.name}: row {row}"
        if not name:
            problems.append(f"{where}: a drug without a name; give it one")
        elif name in seen:
            problems.append(f"{where}: drug '{name}' is in row {seen[name]} already; keep one of them")
        elif smiles and molecule(smiles) is None:
            problems.append(
                f"{where}: drug '{name}': '{smiles}' is no SMILES that RDKit can read; correct it or leave it out"
            )
        seen.setdefault(name, row)
        drugs.append(Drug(name, smiles))
    if not rows:
        problems.append(f"{path.name}: no drugs; give one a row")
    if problems:
        raise InputError(*problems)
    return drugs


def _smi(line: str) -> tuple[str, str]:
    smiles, _, name = line.strip().partition("\t" if "\t" in line.strip() else " ")
    return name.strip() or smiles, smiles


def molecule(smiles: str) -> Any:
    """The largest fragment (the drug without its salt) as an RDKit molecule, None where the SMILES is not valid."""
    from rdkit import Chem, rdBase

    rdBase.DisableLog("rdApp.*")
    whole = Chem.MolFromSmiles(smiles)
    if whole is None or not whole.GetNumAtoms():
        return None
    return max(Chem.GetMolFrags(whole, asMols=True), key=lambda part: (part.GetNumHeavyAtoms(), Chem.MolToSmiles(part)))


def parent_smiles(smiles: str) -> str:
    """Canonical SMILES of the largest fragment."""
    from rdkit import Chem

    return Chem.MolToSmiles(molecule(smiles))


def fingerprints(smiles: list[str]) -> "numpy.ndarray":
    """Morgan fingerprints (radius 2, 2,048 bits; Rogers and Hahn, J. Chem. Inf. Model. 50:742, 2010), bool (drugs, bits).

    A drug without structure (empty text) gets no bits.
    """
    import numpy
    from rdkit.Chem import rdFingerprintGenerator

    generator = rdFingerprintGenerator.GetMorganGenerator(radius=RADIUS, fpSize=BITS)
    bits = numpy.zeros((len(smiles), BITS), bool)
    for row, text in enumerate(smiles):
        if text:
            bits[row] = generator.GetFingerprintAsNumPy(molecule(text)) > 0
    return bits


def tanimoto(one: "numpy.ndarray", other: "numpy.ndarray") -> "numpy.ndarray":
    """Similarity of fingerprints, 0 to 1: bits in common over bits in either. bool (n, bits), (m, bits) → float (n, m)."""
    import numpy

    common = one.astype(numpy.float32) @ other.astype(numpy.float32).T
    either = one.sum(axis=1)[:, None] + other.sum(axis=1)[None] - common
    return numpy.where(either > 0, common / numpy.maximum(either, 1), 0.0)
