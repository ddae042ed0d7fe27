"""What every part of the drug-response benchmark is given, and where the shipped model and patients lie."""

from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "assets" / "models" / "drug_response"
GENES = ROOT / "assets" / "genes"
PATIENTS = ROOT / "assets" / "demo" / "leukaemia_expression.tsv.gz"
CLINICAL = ROOT / "assets" / "demo" / "leukaemia_clinical.tsv"
BOOTSTRAPS = 1000


@dataclass(frozen=True)
class Setting:
    """data: training folder with its split files; members: networks in each ensemble; work: where a killed part goes on."""

    data: Path
    members: int
    work: Path
