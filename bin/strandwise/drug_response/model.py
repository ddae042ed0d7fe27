"""The model folder: coefficients in one file, small numbers rounded to 8 bits per column, and the card."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from strandwise.drug_response.molecules import Molecules
from strandwise.drug_response.network import Encoder
from strandwise.drug_response.programmes import Programmes
from strandwise.drug_response.reference import Reference
from strandwise.formats.files import written
from strandwise.models.card import Card, load_card, write_card

if TYPE_CHECKING:
    import numpy

JOB = "drug_response"
WEIGHTS = "weights.npz"
# Shares of the training lines' responses that are shipped per drug, for percentiles.
QUANTILES = tuple(step / 20 for step in range(21))


@dataclass
class Domain:
    """What tells a sample like the training lines from others.

    explained: share of the variance around the tissue's mean line that the first components carry: no training line left out had less
    (lowest 1 %); typical: median of the share not explained; distance: mean squared component score (1 = a typical line), highest 1 %.
    components_sd: (components,) SD of the scores over training lines; unique: (genes,) variance around the tissue's mean line
    that the components do not carry, in lines left out.
    """

    explained: float
    distance: float
    typical: float
    components_sd: "numpy.ndarray"
    unique: "numpy.ndarray"


@dataclass
class Intervals:
    """Half-widths of 90 % intervals (ln µM). drug: (drugs,) in the training domain; mutations_only: the same without
    expression; slope: how they grow with novelty (see intervals.py); new_drug: (2, 2) for drugs by SMILES:
    near and far (rows), by structure alone and with known targets or pathway (columns)."""

    drug: "numpy.ndarray"
    mutations_only: "numpy.ndarray"
    slope: float
    new_drug: "numpy.ndarray"


@dataclass
class Events:
    """Mutated driver genes. names: GENE_mut; frequency: (events,); correction: (events, drugs) on top of expression, ln µM;
    alone: (events, drugs) and tissue: (tissues, drugs) for samples without expression, ln µM."""

    names: list[str]
    frequency: "numpy.ndarray"
    correction: "numpy.ndarray"
    alone: "numpy.ndarray"
    tissue: "numpy.ndarray"


@dataclass
class Model:
    """Everything that scoring needs. quantiles: (drugs, QUANTILES) measured ln IC50 of the training lines, ln µM."""

    card: Card | None
    drugs: list[str]
    smiles: list[str]
    reference: Reference
    encoder: Encoder
    events: Events
    domain: Domain
    intervals: Intervals
    quantiles: "numpy.ndarray"
    molecules: Molecules
    programmes: Programmes


def rounded(values: "numpy.ndarray") -> tuple["numpy.ndarray", "numpy.ndarray"]:
    """8-bit integers and one scale per column (last axis)."""
    import numpy

    scale = numpy.maximum(numpy.abs(values).max(axis=0), 1e-12) / 127
    return numpy.round(values / scale).astype(numpy.int8), scale.astype(numpy.float32)


def save(model: Model, folder: Path, details: dict[str, Any]) -> None:
    """Write weights and card; details: the card's text (name, version, training data, limits, licence, figures)."""
    import numpy

    folder.mkdir(parents=True, exist_ok=True)
    reference, encoder, events = model.reference, model.encoder, model.events
    arrays: dict[str, numpy.ndarray] = {
        "genes": numpy.array(reference.genes),
        "gene_mean": reference.mean.astype(numpy.float16),
        "gene_sd": reference.sd.astype(numpy.float16),
        "tissues": numpy.array(reference.tissues),
        "drugs": numpy.array(model.drugs),
        "smiles": numpy.array(model.smiles),
        "factor_drugs": encoder.factor_drugs.astype(numpy.float16),
        "drug_mean": encoder.drug_mean.astype(numpy.float32),
        "drug_sd": encoder.drug_sd.astype(numpy.float32),
        "network_share": numpy.array(encoder.network_share, numpy.float32),
        "members": numpy.array(len(encoder.networks), numpy.int32),
        "events": numpy.array(events.names),
        "event_frequency": events.frequency.astype(numpy.float16),
        "event_correction": events.correction.astype(numpy.float16),
        "event_alone": events.alone.astype(numpy.float16),
        "event_tissue": events.tissue.astype(numpy.float16),
        "domain": numpy.array([model.domain.explained, model.domain.distance, model.domain.typical], numpy.float32),
        "components_sd": model.domain.components_sd.astype(numpy.float16),
        "unique": model.domain.unique.astype(numpy.float16),
        "interval_drug": model.intervals.drug.astype(numpy.float16),
        "interval_mutations_only": model.intervals.mutations_only.astype(numpy.float16),
        "interval_slope": numpy.array(model.intervals.slope, numpy.float32),
        "interval_new_drug": model.intervals.new_drug.astype(numpy.float32),
        "quantiles": model.quantiles.astype(numpy.float16),
        "programmes": numpy.array(model.programmes.names, str),
        "programme_of_gene": model.programmes.of_gene.astype(numpy.int8),
        **{f"molecule_{name}": value for name, value in model.molecules.arrays().items()},
    }
    place = numpy.nonzero(encoder.correction)
    arrays["correction_place"] = numpy.array(place, numpy.uint16)
    arrays["correction"] = encoder.correction[place].astype(numpy.float16)
    wide = {
        "tissue_means": reference.tissue_means, "tissue_sd": reference.tissue_sd, "linear": encoder.linear, "linear_blood": encoder.linear_blood,
        "projection": encoder.projection,
    }  # fmt: skip
    for number, layers in enumerate(encoder.networks):
        for layer, (weights, bias) in enumerate(layers):
            wide[f"network_{number}_{layer}"] = weights
            arrays[f"network_{number}_{layer}_bias"] = bias.astype(numpy.float16)
    for name, values in wide.items():
        arrays[name], arrays[f"{name}_scale"] = rounded(values)
    with written(folder / WEIGHTS) as temporary:
        numpy.savez_compressed(temporary, **arrays)  # type: ignore[arg-type]
    write_card(folder, {"job": JOB, **details}, [WEIGHTS])


def load(folder: Path) -> Model:
    """Read a model folder. Raises InputError when it is damaged, incomplete or for another job."""
    import numpy

    card = load_card(folder, JOB)
    with numpy.load(card.file(WEIGHTS)) as stored:
        arrays = {name: stored[name] for name in stored.files}

    def wide(name: str) -> "numpy.ndarray":
        return arrays[name].astype(numpy.float32) * arrays[f"{name}_scale"]

    def number(name: str) -> "numpy.ndarray":
        return arrays[name].astype(numpy.float32)

    networks = [
        [(wide(f"network_{member}_{layer}"), number(f"network_{member}_{layer}_bias")) for layer in range(layers)]
        for member, layers in enumerate(_layers(arrays))
    ]
    correction = numpy.zeros((len(arrays["genes"]), len(arrays["drugs"])), numpy.float32)
    correction[tuple(arrays["correction_place"])] = number("correction")
    reference = Reference(
        arrays["genes"].tolist(), number("gene_mean"), number("gene_sd"), arrays["tissues"].tolist(), wide("tissue_means"),
        wide("tissue_sd"),
    )  # fmt: skip
    encoder = Encoder(
        wide("linear"), wide("linear_blood"), number("factor_drugs"), wide("projection"), networks, correction,
        number("drug_mean"), number("drug_sd"), float(arrays["network_share"]),
    )  # fmt: skip
    events = Events(
        arrays["events"].tolist(), number("event_frequency"), number("event_correction"), number("event_alone"),
        number("event_tissue"),
    )  # fmt: skip
    explained, distance, typical = number("domain")
    return Model(
        card, arrays["drugs"].tolist(), arrays["smiles"].tolist(), reference, encoder, events,
        Domain(float(explained), float(distance), float(typical), number("components_sd"), number("unique")),
        Intervals(
            number("interval_drug"), number("interval_mutations_only"), float(arrays["interval_slope"]),
            number("interval_new_drug"),
        ),
        number("quantiles"),
        Molecules(**{name.removeprefix("molecule_"): value for name, value in arrays.items() if name.startswith("molecule_")}),
        Programmes(arrays["programmes"].tolist(), arrays["programme_of_gene"].astype(int)),
    )  # fmt: skip


def _layers(arrays: dict[str, "numpy.ndarray"]) -> list[int]:
    """Number of layers of each network."""
    members = int(arrays["members"])
    return [sum(f"network_{member}_{layer}" in arrays for layer in range(20)) for member in range(members)]
