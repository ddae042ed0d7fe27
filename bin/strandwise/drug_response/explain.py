"""Why a sample scores as it does for a drug: integrated gradients over genes, exact for the linear part and the corrections."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from strandwise.drug_response.model import load
from strandwise.drug_response.molecules import panel_of
from strandwise.drug_response.network import Encoder, slopes
from strandwise.drug_response.samples import read_samples
from strandwise.drug_response.score import encoder_for, is_blood, predict
from strandwise.drug_response.tables import REASONS
from strandwise.errors import InputError
from strandwise.formats.genes import read_symbols
from strandwise.formats.tables import write_table

if TYPE_CHECKING:
    import numpy

STEPS = 32


def integrated_gradients(
    encoder: Encoder, values: "numpy.ndarray", blood: float, drug: int, steps: int = STEPS
) -> "numpy.ndarray":
    """Shares of the genes, (genes,) ln units; they add up to delta of the sample minus delta of the mean line.

    Sundararajan, Taly and Yan, arXiv 1703.01365: the gradient along the straight path from the mean training line (all 0),
    by the midpoint rule.
    """
    import numpy

    mean = numpy.zeros_like(values)
    for step in (numpy.arange(steps) + 0.5) / steps:
        mean += slopes(encoder, values * numpy.float32(step), blood, numpy.array([drug]))[0] / steps
    return values * mean


def explain(
    expression: Sequence[Path],
    scale: str | None,
    mafs: Sequence[Path],
    clinical: Path | None,
    sample: str,
    drug: str,
    model_folder: Path,
    genes: Path,
    output: Path,
) -> None:
    """Write every gene's and mutation's share in one score, strongest first. The whole cohort is read, for matching."""
    import numpy
    import pandas

    model = load(model_folder)
    assert model.card is not None
    if drug not in model.drugs:
        raise InputError(
            f"--drug: '{drug}' is none of the model's {len(model.drugs)} drugs, such as {', '.join(model.drugs[-5:])}"
        )
    samples = read_samples(model.reference, model.events.names, expression, scale, mafs, clinical, read_symbols(genes))
    if sample not in samples.names:
        raise InputError(
            f"--sample: '{sample}' is none of the {len(samples.names)} samples, such as {', '.join(samples.names[:5])}"
        )
    panel = panel_of(model.drugs, model.smiles, model.molecules, model.encoder.drug_mean)
    values, _ = predict(model, panel, samples)
    row, place = samples.names.index(sample), model.drugs.index(drug)
    events = samples.events[row]
    measured = row < samples.with_expression
    effect = (model.events.correction if measured else model.events.alone)[:, place]
    by_mutation = numpy.nan_to_num(events - model.events.frequency) * effect
    features, shares, kinds = list(model.events.names), list(by_mutation), ["mutation"] * len(by_mutation)
    if measured:
        blood = float(is_blood(model, samples.tissue[row : row + 1])[0])
        shares += list(integrated_gradients(encoder_for(model, samples), values[row], blood, place))
        features += model.reference.genes
        seen = set(samples.genes.tolist())
        kinds += ["gene" if gene in seen else "gene, not measured" for gene in range(len(model.reference.genes))]
    frame = pandas.DataFrame({"feature": features, "kind": kinds, "share": shares})
    names = numpy.array([*model.programmes.names, ""])
    frame["programme"] = [""] * len(model.events.names) + (names[model.programmes.of_gene].tolist() if measured else [])
    frame = frame[frame["share"] != 0].sort_values("share", key=numpy.abs, ascending=False, kind="stable")
    frame.insert(0, "sample", sample)
    frame.insert(1, "drug", drug)
    write_table(REASONS, frame, model.card.model_version, output)
