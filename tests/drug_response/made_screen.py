"""A made screen with known rules, and shortcuts to the shipped model."""

from functools import cache
from pathlib import Path

import numpy as np

from strandwise.drug_response.layout import Training
from strandwise.drug_response.model import Model, load

ASSETS = Path(__file__).parents[2] / "assets"
SHIPPED = ASSETS / "models" / "drug_response"
GENE_TABLES = ASSETS / "genes"
PATIENTS = ASSETS / "demo" / "leukaemia_expression.tsv.gz"
CLINICAL = ASSETS / "demo" / "leukaemia_clinical.tsv"
SMILES = [
    "CCO",
    "CCCO",
    "c1ccccc1",
    "c1ccccc1O",
    "CC(=O)O",
    "CCN",
    "CCCN",
    "c1ccncc1",
    "CC(C)O",
    "CCCCO",
    "CCCC",
    "OCCO",
]


def made_screen(lines: int = 120, genes: int = 80, seed: int = 7) -> Training:
    """Drugs 0 to 5 follow pathway one, the others pathway two; drug 0 also gene 5 alone; drug 3 also the mutation of TP53."""
    random = np.random.default_rng(seed)
    pathways = random.standard_normal((lines, 2))
    loadings = np.zeros((2, genes))
    loadings[0, :30], loadings[1, 30:60] = 1.0, 1.0
    # Genes have levels of their own, as on any array: that is what a platform shifts.
    level = random.normal(0, 3, genes)
    values = pathways @ loadings + 0.7 * random.standard_normal((lines, genes)) + level
    scores = (values - values.mean(axis=1, keepdims=True)) / values.std(axis=1, keepdims=True)
    drugs = len(SMILES)
    response = np.where(np.arange(drugs) < 6, pathways[:, :1], pathways[:, 1:]) + random.normal(0, 0.5, (lines, drugs))
    response[:, 0] += 1.5 * (values[:, 5] - values[:, 5].mean())
    mutated = random.random((lines, 3)) < 0.3
    response[:, 3] += 2.0 * mutated[:, 0]
    response += np.arange(drugs)
    response[random.random(response.shape) < 0.1] = np.nan
    tissues = np.array(["leukemia", "skin", "breast"])[random.integers(0, 3, lines)]
    return Training(
        [f"L{line}" for line in range(lines)], tissues, [f"G{gene}" for gene in range(genes)], scores.astype(np.float32),
        [f"D{drug}" for drug in range(drugs)], SMILES, [""] * drugs, [""] * drugs, response,
        ["TP53_mut", "KRAS_mut", "BRAF_mut"], mutated.astype(np.float32),
    )  # fmt: skip


def write_layout(training: Training, folder: Path) -> Path:
    """Write the screen as the training folder that docs/models.md describes."""
    import pandas

    folder.mkdir()
    frame = pandas.DataFrame(training.scores.T, columns=training.lines)
    frame.insert(0, "gene", training.genes)
    frame.to_csv(folder / "expression.tsv.gz", sep="\t", index=False)
    lines, drugs = np.nonzero(~np.isnan(training.response))
    pairs = {"line": np.array(training.lines)[lines], "drug": np.array(training.drugs)[drugs]}
    pandas.DataFrame(pairs | {"ln_ic50": training.response[lines, drugs]}).to_csv(
        folder / "response.tsv.gz", sep="\t", index=False
    )
    pandas.DataFrame({"line": training.lines, "tissue": training.tissues}).to_csv(
        folder / "lines.tsv", sep="\t", index=False
    )
    pandas.DataFrame({"drug": training.drugs, "smiles": training.smiles}).to_csv(
        folder / "drugs.tsv", sep="\t", index=False
    )
    events = pandas.DataFrame(training.events, columns=training.event_names)
    events.insert(0, "line", training.lines)
    events.to_csv(folder / "events.tsv.gz", sep="\t", index=False)
    return folder


@cache
def shipped() -> Model:
    return load(SHIPPED)
