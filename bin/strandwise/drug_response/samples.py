"""Joins what is known of each sample: expression, mutations, tissue."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from strandwise.drug_response.reference import Reference, common_genes, match, nearest_tissues, standard_scores
from strandwise.errors import InputError
from strandwise.formats.expression import Expression, log_expression, read_expression
from strandwise.formats.genes import Symbols, spellings
from strandwise.formats.maf import read_mafs
from strandwise.formats.notes import Note

if TYPE_CHECKING:
    import numpy

# TCGA study codes and other common names → tissue of the GDSC annotation.
TISSUES = {
    "laml": "leukemia", "aml": "leukemia", "all": "leukemia", "cll": "leukemia", "cml": "leukemia", "leukaemia": "leukemia",
    "dlbc": "lymphoma", "mm": "myeloma", "brca": "breast", "coad": "large_intestine", "read": "large_intestine",
    "colon": "large_intestine", "colorectal": "large_intestine", "coadread": "large_intestine", "crc": "large_intestine",
    "esca": "aero_dig_tract", "hnsc": "aero_dig_tract", "head_and_neck": "aero_dig_tract", "gbm": "nervous_system",
    "lgg": "nervous_system", "glioma": "nervous_system", "brain": "nervous_system", "cns": "nervous_system",
    "kirc": "kidney", "kirp": "kidney", "kich": "kidney", "luad": "lung_NSCLC", "lusc": "lung_NSCLC", "nsclc": "lung_NSCLC",
    "sclc": "lung_SCLC", "paad": "pancreas", "skcm": "skin", "melanoma": "skin", "sarc": "soft_tissue", "sarcoma": "soft_tissue",
    "stad": "digestive_system", "stomach": "digestive_system", "lihc": "digestive_system", "liver": "digestive_system",
    "chol": "digestive_system", "thca": "thyroid", "blca": "urogenital_system", "bladder": "urogenital_system",
    "ov": "urogenital_system", "ovary": "urogenital_system", "prad": "urogenital_system", "prostate": "urogenital_system",
    "ucec": "urogenital_system", "cesc": "urogenital_system", "ucs": "urogenital_system", "tgct": "urogenital_system",
}  # fmt: skip
LISTED = 8


@dataclass
class Samples:
    """names: in the order of the input, expression first. values: float32 (samples with expression, genes in common).

    tissue: place in Reference.tissues or -1; events: (samples, events) 0, 1 or NaN where there are no mutation data.
    matched: whether expression came from another platform and was matched gene by gene.
    """

    names: list[str]
    with_expression: int
    values: "numpy.ndarray"
    genes: "numpy.ndarray"
    tissue: "numpy.ndarray"
    events: "numpy.ndarray"
    mutated: list[int]
    matched: bool = False
    not_scored: list[tuple[str, str]] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)


def read_samples(
    reference: Reference,
    event_names: list[str],
    expression: Sequence[Path],
    scale: str | None,
    mafs: Sequence[Path],
    clinical: Path | None,
    symbols: Symbols,
) -> Samples:
    """Read and join the tables; genes go by the model's symbols, old or current in the tables. Raises InputError, see the readers; and when there is neither expression nor a MAF."""
    import numpy

    if not expression and not mafs:
        raise InputError("neither expression nor mutations are given; give --expression, --maf or both")
    if expression and scale is None:
        raise InputError("--expression-scale: missing; say what the values are: tpm, counts, log2 or zscore")
    notes: list[Note] = []
    told = read_tissues(clinical, reference, notes) if clinical else {}
    names, values, genes = _expression(reference, expression, scale or "", symbols, notes)
    not_scored = [
        (name, "its expression is constant")
        for name, bad in zip(names, numpy.isnan(values).any(axis=1), strict=True)
        if bad
    ]
    keep = ~numpy.isnan(values).any(axis=1)
    values, names = values[keep], [name for name, kept in zip(names, keep, strict=True) if kept]
    tissue = _tissues_of(reference, names, values, genes, told, notes)
    matched = False
    if len(names):
        aligned = match(reference, values, genes, tissue)
        values, matched = aligned.values, aligned.matched
        notes.append(_platform_note(aligned.matched, aligned.offset, len(names), len(genes), len(reference.genes)))
    mutated = _events(mafs, event_names, symbols) if mafs else {}
    if expression and mafs:
        notes += _alone(names, list(mutated))
    by_key = {join_key(name): events for name, events in mutated.items()}
    measured = {join_key(name) for name in names}
    others = [name for name in mutated if join_key(name) not in measured and name not in dict(not_scored)]
    places = {tissue_name: place for place, tissue_name in enumerate(reference.tissues)}
    others_tissue = [places.get(told.get(name, ""), -1) for name in others]
    unknown = [name for name, place in zip(others, others_tissue, strict=True) if place < 0 and not mutated[name].any()]
    reason = "no expression, no known tissue and no mutated gene that the model knows"
    not_scored += [(name, reason) for name in unknown]
    kept = [(name, place) for name, place in zip(others, others_tissue, strict=True) if name not in set(unknown)]
    every = names + [name for name, _ in kept]
    nothing = numpy.full(len(event_names), numpy.nan, numpy.float32)
    events = numpy.array([by_key.get(join_key(name), nothing) for name in every], numpy.float32)
    return Samples(
        every, len(names), values, genes, numpy.concatenate([tissue, [place for _, place in kept]]).astype(int),
        events.reshape(len(every), len(event_names)),
        [int(numpy.nansum(row)) for row in events.reshape(len(every), len(event_names))], matched, not_scored, notes,
    )  # fmt: skip


def join_key(name: str) -> str:
    """TCGA barcodes join by patient (first 12 characters), all others exactly."""
    return name[:12] if name.startswith("TCGA-") else name


def read_tissues(path: Path, reference: Reference, notes: list[Note]) -> dict[str, str]:
    """Column tissue of the clinical table, for samples whose tissue the model knows; what it does not know is noted."""
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream, delimiter="\t"))
    if not rows or "sample" not in rows[0]:
        raise InputError(
            f"{path.name}: no column sample; a clinical table is tab-separated with columns sample and tissue"
        )
    if "tissue" not in rows[0]:
        return {}
    known = {name.lower(): name for name in reference.tissues}
    known |= {alias: name for alias, name in TISSUES.items() if name in reference.tissues}
    tissues, unknown = {}, set()
    for row in rows:
        given = (row["tissue"] or "").strip()
        found = known.get(given.lower().replace(" ", "_"))
        if found:
            tissues[row["sample"].strip()] = found
        elif given:
            unknown.add(given)
    if unknown:
        some = ", ".join(sorted(unknown)[:LISTED])
        text = f"{path.name}: tissues that the model does not know: {some}; it knows {', '.join(reference.tissues)}."
        notes.append(Note("warning", text))
    return tissues


def _expression(
    reference: Reference, paths: Sequence[Path], scale: str, symbols: Symbols, notes: list[Note]
) -> tuple[list[str], "numpy.ndarray", "numpy.ndarray"]:
    """Names, standard scores (samples, genes in common) and those genes, of all tables together."""
    import numpy

    if not paths:
        return [], numpy.zeros((0, 0), numpy.float32), numpy.zeros(0, int)
    model_gene = spellings(reference.genes, symbols)
    tables, problems, seen = [], [], dict[str, Path]()
    for path in paths:
        try:
            table = read_expression(path, scale, model_gene)
        except InputError as error:
            problems += error.problems
            continue
        for name in table.samples:
            if name in seen:
                problems.append(f"{path.name}: sample '{name}' is in {seen[name].name} already; keep one of them")
            seen.setdefault(name, path)
        tables.append(table)
        notes += _table_notes(path, table)
    if problems:
        raise InputError(*problems)
    places = [_rows(table.genes, model_gene) for table in tables]
    shared = [gene for gene in places[0] if all(gene in place for place in places[1:])]
    known, given = common_genes(reference, shared, ", ".join(path.name for path in paths[:LISTED]))
    parts = []
    for table, place in zip(tables, places, strict=True):
        parts.append(log_expression(table)[[place[shared[index]] for index in given]].T)
    renamed = [
        f"{table.genes[row]} as {gene}"
        for table, place in zip(tables, places, strict=True)
        for gene, row in place.items()
        if table.genes[row] != gene
    ]
    if renamed:
        some = ", ".join(renamed[:LISTED])
        notes.append(
            Note(
                "info",
                f"{len(renamed)} genes go by another symbol in the model and were read as that ({some}{', …' if len(renamed) > LISTED else ''}).",
            )
        )
    share = len(known) / len(reference.genes)
    text = f"{len(known)} of the model's {len(reference.genes)} genes are in the expression ({share:.0%})."
    notes.append(Note("info" if share > 0.5 else "warning", text))
    return (
        [name for table in tables for name in table.samples],
        standard_scores(reference, numpy.vstack(parts), known),
        known,
    )


def _table_notes(path: Path, table: Expression) -> list[Note]:
    """What about a table should be looked at: its scale, genes that stand in it several times."""
    notes = [
        Note("warning", f"{path.name} was given as {table.scale}, but {doubt}. Check --expression_scale.")
        for doubt in table.doubts
    ]
    if table.merged:
        some = ", ".join(table.merged[:LISTED]) + (", …" if len(table.merged) > LISTED else "")
        how = (
            "their values were added up" if table.scale in ("tpm", "counts") else "the row with the highest mean counts"
        )
        notes.append(Note("info", f"{path.name}: genes in several rows: {len(table.merged)} ({some}); {how}."))
    return notes


def _rows(genes: list[str], model_gene: dict[str, str]) -> dict[str, int]:
    """Row of each of the model's genes; a row that bears the model's own symbol goes before one with another."""
    rows: dict[str, int] = {}
    for row, gene in enumerate(genes):
        known = model_gene[gene]
        if known not in rows or gene == known:
            rows[known] = row
    return rows


def _tissues_of(
    reference: Reference,
    names: list[str],
    values: "numpy.ndarray",
    genes: "numpy.ndarray",
    told: dict[str, str],
    notes: list[Note],
) -> "numpy.ndarray":
    import numpy

    if not names:
        return numpy.zeros(0, int)
    tissue = nearest_tissues(reference, values, genes)
    places = {name: place for place, name in enumerate(reference.tissues)}
    guessed = 0
    for index, name in enumerate(names):
        if name in told:
            tissue[index] = places[told[name]]
        else:
            guessed += 1
    if guessed:
        counts = sorted(((int((tissue == place).sum()), name) for name, place in places.items()), reverse=True)
        some = ", ".join(f"{name} {count}" for count, name in counts[:4] if count)
        text = f"Tissue of {guessed} samples taken from their expression ({some}); --cohort_clinical with a column tissue says it better."
        notes.append(Note("info", text))
    return tissue


def _platform_note(matched: bool, offset: float, samples: int, genes: int, all_genes: int) -> Note:
    measure = f"(mean squared offset of genes {offset:.2f}, in variances of the training lines)"
    if not matched:
        return Note("info", f"Expression lies where the training lines lie {measure}; it was not matched gene by gene.")
    text = f"Expression comes from another platform than the training lines {measure} and was matched gene by gene."
    if samples < 10:
        few = f" With {samples} samples platform and biology cannot be told apart well: scores lean towards the tissue's mean."
        return Note("warning", text + few + " Score the samples together with others of the same platform.")
    return Note("info", text)


def _events(mafs: Sequence[Path], event_names: list[str], symbols: Symbols) -> dict[str, "numpy.ndarray"]:
    """0 or 1 per known driver gene and sample: whether a mutation changes its protein."""
    import numpy

    maf = read_mafs(mafs)
    place = {name.removesuffix("_mut"): index for index, name in enumerate(event_names)}
    model_gene = spellings(place, symbols)
    events = {str(name): numpy.zeros(len(event_names), numpy.float32) for name in maf.samples}
    changing = maf.mutations[(maf.mutations["effect"] != "silent") & maf.mutations["symbol"].isin(list(model_gene))]
    for name, symbol in zip(changing["sample"].astype(str), changing["symbol"].astype(str), strict=True):
        events[name][place[model_gene[symbol]]] = 1
    return events


def _alone(measured: list[str], mutated: list[str]) -> list[Note]:
    """Who has one kind of data only, where both were given."""
    notes = []
    keys = {join_key(name) for name in measured}, {join_key(name) for name in mutated}
    for names, others, what in (
        (measured, keys[1], "expression and no mutations"),
        (mutated, keys[0], "mutations and no expression"),
    ):
        alone = [name for name in names if join_key(name) not in others]
        if alone:
            more = f" and {len(alone) - LISTED} more" if len(alone) > LISTED else ""
            notes.append(Note("warning", f"{len(alone)} samples have {what}: {', '.join(alone[:LISTED])}{more}."))
    return notes
