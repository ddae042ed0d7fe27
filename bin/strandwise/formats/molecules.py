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
# Properties of a molecule that RDKit computes from its structure: size, shape, polarity, charge, rings, groups.
DESCRIPTORS = (
    "MolWt", "MolLogP", "TPSA", "NumHDonors", "NumHAcceptors", "NumRotatableBonds", "RingCount", "FractionCSP3",
    "NumAromaticRings", "HeavyAtomCount", "NumHeteroatoms", "NumAliphaticRings", "BertzCT", "qed", "LabuteASA", "MolMR",
    "NHOHCount", "NOCount", "HallKierAlpha", "Kappa1", "Kappa2", "Kappa3", "Chi0v", "Chi1v", "BalabanJ", "MaxPartialCharge",
    "MinPartialCharge", "NumAliphaticHeterocycles", "NumAromaticHeterocycles", "NumSaturatedRings", "fr_halogen",
    "fr_sulfonamd", "fr_amide", "fr_piperzine", "fr_morpholine", "fr_NH2", "fr_aniline", "fr_ester", "fr_ether", "fr_nitrile",
)  # fmt: skip


@dataclass(frozen=True)
class Drug:
    """name, targets, pathway: as in the file, empty where it gives none; smiles: empty where the file gives none."""

    name: str
    smiles: str
    targets: str = ""
    pathway: str = ""


def read_drugs(path: Path) -> list[Drug]:
    """Read drugs from a .smi file (SMILES, white space, name) or a TSV: column drug and, if known, smiles, targets, pathway.

    Raises InputError, all rows at once: a SMILES that RDKit cannot read, a drug without a name or given twice, no drugs.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    lines = [line for line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1) if line[1].strip()]
    if path.suffix.lower() in (".smi", ".smiles"):
        rows = [(row, Drug(*_smi(line))) for row, line in lines]
    else:
        header = [name.strip().lower() for name in lines[0][1].split("\t")] if lines else []
        if "drug" not in header:
            raise InputError(
                f"{path.name}: no column drug; give a TSV with the columns drug and smiles, or a .smi file"
            )
        cells = [
            (row, dict(zip(header, next(csv.reader([line], delimiter="\t")), strict=False))) for row, line in lines[1:]
        ]
        columns = ("drug", "smiles", "targets", "pathway")
        rows = [(row, Drug(*((cell.get(column) or "").strip() for column in columns))) for row, cell in cells]
    problems, drugs, seen = [], [], dict[str, int]()
    for row, drug in rows:
        where, name, smiles = f"{path.name}: row {row}", drug.name, drug.smiles
        if not name:
            problems.append(f"{where}: a drug without a name; give it one")
        elif name in seen:
            problems.append(f"{where}: drug '{name}' is in row {seen[name]} already; keep one of them")
        elif smiles and molecule(smiles) is None:
            problems.append(
                f"{where}: drug '{name}': '{smiles}' is no SMILES that RDKit can read; correct it or leave it out"
            )
        seen.setdefault(name, row)
        drugs.append(drug)
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


def count_fingerprints(smiles: list[str]) -> list["numpy.ndarray"]:
    """Counts of four kinds of substructure, each uint16 (drugs, bits): circular of radius 1 and 2, circular of radius 2 by
    pharmacophore, pairs of atoms (Carhart et al., J. Chem. Inf. Comput. Sci. 25:64, 1985). No structure (empty text): zeros.
    """
    import numpy
    from rdkit.Chem import rdFingerprintGenerator

    morgan = rdFingerprintGenerator.GetMorganGenerator
    kinds = [
        morgan(radius=1, fpSize=BITS),
        morgan(radius=RADIUS, fpSize=BITS),
        morgan(radius=RADIUS, fpSize=BITS, atomInvariantsGenerator=rdFingerprintGenerator.GetMorganFeatureAtomInvGen()),
        rdFingerprintGenerator.GetAtomPairGenerator(fpSize=BITS),
    ]
    molecules = [molecule(text) if text else None for text in smiles]
    found = []
    for kind in kinds:
        counts = numpy.zeros((len(smiles), BITS), numpy.uint16)
        for row, drug in enumerate(molecules):
            if drug is not None:
                counts[row] = kind.GetCountFingerprintAsNumPy(drug)
        found.append(counts)
    return found


def tanimoto_of_counts(one: "numpy.ndarray", other: "numpy.ndarray") -> "numpy.ndarray":
    """Sum of the smaller counts over sum of the larger ones, 0 to 1; (n, bits), (m, bits) → float (n, m)."""
    import numpy

    totals = other.sum(axis=1, dtype=float)
    found = numpy.zeros((len(one), len(other)))
    for row, counts in enumerate(one):
        bits = numpy.flatnonzero(counts)
        common = numpy.minimum(other[:, bits], counts[bits]).sum(axis=1, dtype=float)
        found[row] = common / numpy.maximum(counts.sum(dtype=float) + totals - common, 1)
    return found


def descriptors(smiles: list[str]) -> "numpy.ndarray":
    """DESCRIPTORS of each structure, float (drugs, descriptors); NaN where there is no structure or no value."""
    import numpy
    from rdkit.Chem import Descriptors

    compute = dict(Descriptors.descList)
    values = numpy.full((len(smiles), len(DESCRIPTORS)), numpy.nan)
    for row, text in enumerate(smiles):
        if text:
            drug = molecule(text)
            values[row] = [compute[name](drug) for name in DESCRIPTORS]
    values[~numpy.isfinite(values)] = numpy.nan
    return values
