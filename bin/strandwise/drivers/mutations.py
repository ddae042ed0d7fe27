"""Turns a MAF into the cohort that the statistics see: current gene symbols, one event per change, sample weights, codons."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from strandwise.errors import InputError
from strandwise.formats.genes import Symbols, mutation_genes
from strandwise.formats.maf import Maf
from strandwise.formats.notes import Note

if TYPE_CHECKING:
    import pandas

# Effects by code. A change that touches two is counted as the later one.
EFFECTS = ("silent", "missense", "inframe", "start_stop", "splice", "frameshift", "nonsense")
SILENT, MISSENSE, INFRAME, START_STOP, SPLICE, FRAMESHIFT, NONSENSE = range(7)
AMINO_ACIDS = "ACDEFGHIKLMNPQRSTVWY"
# The six kinds of single-base substitution, each with its complement.
SUBSTITUTIONS = ("C>A G>T", "C>G G>C", "C>T G>A", "T>A A>T", "T>C A>G", "T>G A>C")
# Beyond this many coding mutations a sample counts less: its weight is HYPERMUTATED / burden.
HYPERMUTATED = 500
# Mutations of one effect group (silent, missense, truncating) that one sample may add to one gene.
SAMPLE_CAP = 2
# Silent mutations a cohort needs for a background of its own.
FEW_SILENT = 50
TYPICAL_CODONS = 450
# Below this share of the genes that an exome's mutations would hit, they come from a panel (seen: 0.8 and more in exome cohorts, 0.5 and less in
# panels of 400 genes with as many mutations).
PANEL = 0.6


@dataclass
class Cohort:
    """Mutations as arrays, one entry per event, over a fixed list of genes.

    genes: G current symbols; features: their rows of the gene table (missing where the table lacks the gene).
    gene: int32 (M,), index into genes; effect: int8, index into EFFECTS; sample: int32; codon: int32, 1-based, 0 where
    unknown; site: int64, the same for mutations at the same place; reference_aa, alternate_aa: int8, index into
    AMINO_ACIDS or -1; substitution: int8, index into SUBSTITUTIONS, -1 for anything but a single base;
    context_odds: float, how much more often such a change happens between these neighbouring bases than between others (1 unknown);
    weight: float, what the event counts (below 1 in hypermutated samples).
    n_samples: all samples of the MAF, also those without coding mutations. codons: float (G,), protein lengths.
    row: int64 (M,), the row of the MAF table that the event came from.
    """

    genes: np.ndarray
    features: "pandas.DataFrame"
    gene: np.ndarray
    effect: np.ndarray
    sample: np.ndarray
    codon: np.ndarray
    site: np.ndarray
    reference_aa: np.ndarray
    alternate_aa: np.ndarray
    substitution: np.ndarray
    context_odds: np.ndarray
    weight: np.ndarray
    row: np.ndarray
    n_samples: int
    codons: np.ndarray

    @property
    def n_genes(self) -> int:
        return len(self.genes)


def sample_names(names: "pandas.Series") -> "pandas.Series":
    """Patients of TCGA barcodes (first 12 characters); other names as they are."""
    text = names.astype("str")
    tcga = text.str.match(r"TCGA-[A-Z0-9]{2}-[A-Z0-9]{4}-")
    return text.where(~tcga, text.str.slice(0, 12))


def protein_changes(texts: "pandas.Series") -> "pandas.DataFrame":
    """Parse HGVSp_Short: columns codon (0 = unknown), reference_aa, alternate_aa (-1 = none).

    Understands p.R132H, p.S276*, p.I4440fs, p.D501del, p.X252_splice, p.141_142LL>L, p.(Arg132His) is left unparsed.
    """
    import pandas

    categories = texts.astype("category")
    unique = pandas.Series(categories.cat.categories, dtype="str")
    parts = unique.str.extract(r"^p\.\(?([A-Z*])?(\d+)([A-Z*])?")
    codon = pandas.to_numeric(parts[1], errors="coerce").fillna(0).clip(upper=100_000).astype("int32")
    code = {letter: number for number, letter in enumerate(AMINO_ACIDS)}
    plain = unique.str.match(r"^p\.\(?[A-Z]\d+[A-Z]\)?$").astype(bool)
    reference = parts[0].map(code).fillna(-1).astype("int8")
    alternate = parts[2].where(plain).map(code).fillna(-1).astype("int8")
    table = pandas.DataFrame({"codon": codon, "reference_aa": reference, "alternate_aa": alternate})
    codes = categories.cat.codes.to_numpy()
    if (codes < 0).any():  # missing text
        table.loc[len(table)] = [0, -1, -1]
    return table.iloc[codes].set_index(texts.index)


def substitutions(table: "pandas.DataFrame") -> np.ndarray:
    """Kind of each single-base change (index into SUBSTITUTIONS), -1 for others; int8 (M,)."""
    kind = np.full((5, 5), -1, np.int8)
    for code, pairs in enumerate(SUBSTITUTIONS):
        for pair in pairs.split():
            kind["ACGT".index(pair[0]), "ACGT".index(pair[2])] = code

    def base(name: str) -> np.ndarray:
        """Index into ACGT of each allele, 4 where it is not a single base."""
        alleles = table[name].astype("category").cat
        codes = ["ACGT".find(text) if len(text) == 1 else -1 for text in (str(a).upper() for a in alleles.categories)]
        return np.array([*codes, -1])[alleles.codes] % 5

    return kind[base("reference"), base("alternate")]


def prepare(maf: Maf, symbols: Symbols, features: "pandas.DataFrame") -> tuple[Cohort, list[Note]]:
    """Map symbols, merge duplicates and neighbours, weigh samples.

    Raises InputError when no mutation lies in a known gene.
    """
    notes: list[Note] = []
    if maf.mutations.empty:
        reasons = " ".join(note.text for note in maf.notes)
        raise InputError(f"MAF: no coding mutation is left. {reasons}".strip())
    table, n_samples = _of_patients(maf, notes)
    table, genes = _in_known_genes(table, symbols, features, notes)
    effect_code = np.array([EFFECTS.index(str(name)) for name in table["effect"].cat.categories], dtype=np.int8)
    table = table.assign(effect_code=effect_code[table["effect"].cat.codes])
    table = _merged(table, notes)
    table, genes = _of_panel(table, genes, features, notes)
    weight, hyper = _weights(table)
    if hyper:
        notes.append(
            Note(
                "info",
                f"{hyper} samples with more than {HYPERMUTATED} coding mutations count less (weight {HYPERMUTATED}/burden), not dropped.",
            )
        )
    parsed = protein_changes(table["protein_change"])
    gene_features = features.reindex(genes)
    gene_features.attrs.clear()
    cohort = Cohort(
        genes, gene_features, table["gene"].to_numpy(np.int32), table["effect_code"].to_numpy(np.int8),
        table["sample_code"].to_numpy(np.int32), parsed["codon"].to_numpy(np.int32), _sites(table, parsed["codon"].to_numpy()),
        parsed["reference_aa"].to_numpy(np.int8), parsed["alternate_aa"].to_numpy(np.int8), substitutions(table),
        np.ones(len(table)), weight, table["row"].to_numpy(), n_samples, np.empty(0),
    )  # fmt: skip
    cohort.codons = protein_lengths(cohort)
    return cohort, notes + _poor_data(cohort)


def _of_patients(maf: Maf, notes: list[Note]) -> tuple["pandas.DataFrame", int]:
    """The mutations with columns sample_code (patients in the order of their names) and row, and the number of patients."""
    import pandas

    table = maf.mutations
    everyone = pandas.Series(maf.samples, dtype="str")
    patients = sample_names(everyone)
    n_samples = patients.nunique()
    if n_samples < len(everyone):
        notes.append(
            Note("info", f"{len(everyone)} tumour barcodes belong to {n_samples} patients; each patient counts once.")
        )
    patient_of = dict(zip(everyone, patients, strict=True))
    sample_codes = {name: number for number, name in enumerate(sorted(set(patients)))}
    names = table["sample"].cat.categories
    of_category = np.array([sample_codes[patient_of[str(name)]] for name in names], dtype=np.int32)
    return table.assign(sample_code=of_category[table["sample"].cat.codes], row=np.arange(len(table))), n_samples


def _in_known_genes(
    table: "pandas.DataFrame", symbols: Symbols, features: "pandas.DataFrame", notes: list[Note]
) -> tuple["pandas.DataFrame", np.ndarray]:
    """The mutations of known nuclear genes with a column gene, an index into the sorted names of genes, which come second.

    Raises InputError when there is none.
    """
    gene = mutation_genes(table, symbols, features)
    unknown = gene == ""
    if unknown.any():
        names = table.loc[unknown, "symbol"].value_counts()
        names = names[names > 0]
        notes.append(
            Note(
                "warning" if unknown.mean() > 0.05 else "info",
                f"{int(unknown.sum())} mutations ({100 * unknown.mean():.1f} %) left out because their gene symbol is not known, "
                f"neither now nor as an old name on that chromosome ({len(names)} symbols: {', '.join(map(str, names.index[:8]))}"
                f"{', …' if len(names) > 8 else ''}).",
            )
        )
    mitochondrial = (table["chromosome"] == "MT").to_numpy() & ~unknown
    if mitochondrial.any():
        notes.append(
            Note(
                "info",
                f"{int(mitochondrial.sum())} mitochondrial mutations left out: that genome mutates at a rate of its own.",
            )
        )
    keep = ~unknown & ~mitochondrial
    if not keep.any():
        raise InputError(
            f"MAF: none of {len(table)} coding mutations lies in a known gene (symbols such as {', '.join(map(str, table['symbol'].unique()[:3]))}); "
            "Hugo_Symbol must hold HGNC symbols, or --gene-features a table with the same names"
        )
    genes = np.array(sorted(set(features.index) | set(gene[keep])), dtype=object)
    number = {name: index for index, name in enumerate(genes)}
    table = table[keep]
    return table.assign(gene=np.fromiter((number[name] for name in gene[keep]), np.int32, len(table))), genes


def _of_panel(
    table: "pandas.DataFrame", genes: np.ndarray, features: "pandas.DataFrame", notes: list[Note]
) -> tuple["pandas.DataFrame", np.ndarray]:
    """The genes that were sequenced, as far as the mutations tell: all, or, where they lie in far fewer genes than as many in an exome
    would, those that hold one; and the mutations with that index of genes.

    Genes that were not looked at would else pass for genes without mutations, and make all the others stand out.
    """
    seen, place = np.unique(table["gene"], return_inverse=True)
    length = features["codelen"].to_numpy(float)
    share = (
        np.where(np.isnan(length), np.nanmedian(length), length) if np.isfinite(length).any() else np.ones(len(length))
    )
    hits = len(table[["gene", "sample_code"]].drop_duplicates())
    usual = (1 - np.exp(-hits * share / share.sum())).sum()
    if len(seen) >= PANEL * usual:
        return table, genes
    text = (
        f"The mutations lie in {len(seen)} {'genes' if len(seen) > 1 else 'gene'}, where as many in whole exomes would lie in {round(usual)}: they are taken for those of a "
        "targeted panel, and these genes alone are compared with one another. A --gene_features table of the panel's genes says exactly "
        "which were sequenced."
    )
    notes.append(Note("warning", text))
    return table.assign(gene=place.astype(np.int32)), genes[seen]


def _sites(table: "pandas.DataFrame", codon: np.ndarray) -> np.ndarray:
    """int64 (M,): one number per codon of a gene; where the codon is unknown, per three bases of a chromosome (negative)."""
    chromosome = table["chromosome"].cat.codes.to_numpy().astype(np.int64)
    place = chromosome * 2**32 + table["start"].to_numpy() // 3
    return np.where(codon > 0, table["gene"].to_numpy(np.int64) * 2**32 + codon, -place - 1)


def _poor_data(cohort: Cohort) -> list[Note]:
    """What the data are too few for."""
    notes = []
    if (cohort.codon == 0).mean() > 0.5:
        notes.append(
            Note(
                "warning",
                "Most mutations have no protein change (HGVSp_Short); hotspots go by genomic position, impact is not used.",
            )
        )
    silent = int((cohort.effect == SILENT).sum())
    if silent < FEW_SILENT:
        notes.append(
            Note(
                "warning",
                f"{silent} silent mutations only: the background comes from all mutations, which hides weak drivers. "
                "A MAF that keeps silent mutations ranks better.",
            )
        )
    if cohort.n_samples == 1:
        notes.append(
            Note("warning", "One sample: recurrence cannot be seen; the ranking rests on one tumour's mutations.")
        )
    elif cohort.n_samples < 20:
        notes.append(Note("warning", f"{cohort.n_samples} samples only: few drivers can rise above chance."))
    return notes


def _merged(table: "pandas.DataFrame", notes: list[Note]) -> "pandas.DataFrame":
    """One row per change and sample: exact duplicates go, changes side by side become one (the graver effect stays)."""
    before = len(table)
    keys = ["sample_code", "chromosome", "start", "alternate", "gene"]
    table = table[~table.duplicated(keys)]
    if len(table) < before:
        notes.append(
            Note("info", f"{before - len(table)} rows left out: the same change in the same patient, given twice.")
        )
    table = table.sort_values(["sample_code", "gene", "start"], kind="stable")
    beside = (table["sample_code"].diff() == 0) & (table["gene"].diff() == 0) & (table["start"].diff() <= 2)
    if beside.any():
        event = (~beside).cumsum()
        table = table.assign(event=event).sort_values(["event", "effect_code"], kind="stable")
        table = table[~table.duplicated("event", keep="last")]
        notes.append(
            Note(
                "info",
                f"{int(beside.sum())} changes within two bases of another of the same sample were joined with it.",
            )
        )
    return table


def _weights(table: "pandas.DataFrame") -> tuple[np.ndarray, int]:
    """Weight of each row, and the number of hypermutated samples."""
    burden = np.bincount(table["sample_code"])
    weight = np.minimum(1.0, HYPERMUTATED / np.maximum(burden, 1))
    group = np.select([table["effect_code"] == SILENT, table["effect_code"] <= START_STOP], [0, 1], 2)
    group = group.astype(np.int64)
    n_genes = int(table["gene"].max()) + 1
    key = (table["sample_code"].to_numpy(np.int64) * n_genes + table["gene"].to_numpy()) * 3 + group
    _, inverse, count = np.unique(key, return_inverse=True, return_counts=True)
    capped = np.minimum(1.0, SAMPLE_CAP / count[inverse])
    return weight[table["sample_code"]] * capped, int((burden > HYPERMUTATED).sum())


def protein_lengths(cohort: Cohort) -> np.ndarray:
    """Codons per gene: the longer of coding length / 3 and the longest protein, never below the last codon seen."""
    coding = cohort.features["codelen"].to_numpy(float) / 3
    longest = cohort.features["max_aa_length"].to_numpy(float)
    length = np.fmax(coding, np.where(np.isnan(coding), longest, np.nan))
    known = length[~np.isnan(length)]
    length = np.where(np.isnan(length), np.median(known) if known.size else TYPICAL_CODONS, length)
    seen = np.zeros(cohort.n_genes)
    np.maximum.at(seen, cohort.gene, cohort.codon)
    return np.maximum(length, np.maximum(seen, 20))


def of_samples(cohort: Cohort, samples: np.ndarray) -> Cohort:
    """The cohort of some of its samples only (indices of samples)."""
    number = np.full(cohort.n_samples, -1, np.int32)
    number[samples] = np.arange(len(samples), dtype=np.int32)
    kept = number[cohort.sample] >= 0
    arrays = {
        name: getattr(cohort, name)[kept]
        for name in (
            "gene",
            "effect",
            "codon",
            "site",
            "reference_aa",
            "alternate_aa",
            "substitution",
            "context_odds",
            "weight",
            "row",
        )
    }
    return replace(cohort, **arrays, sample=number[cohort.sample[kept]], n_samples=len(samples))
