"""Reads tables of genes (length, covariates, position) and finds a gene's current symbol by symbol and chromosome."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from strandwise.errors import InputError

if TYPE_CHECKING:
    import numpy
    import pandas

COVARIATES = (
    "expression_CCLE",
    "replication_time",
    "noncoding_mutation_rate",
    "local_GC_content",
    "HiC_compartment",
    "local_gene_density",
)
REQUIRED = ("gene", "codelen")
NUMBERS = ("start", "end", "codelen", "max_aa_length", *COVARIATES)


def read_gene_features(path: Path) -> "pandas.DataFrame":
    """Read a gene table: TSV, plain or gzip, columns as in assets/genes/gene_features.tsv.gz.

    Returns one row per current symbol (index `approved`; rows of the same gene are averaged), columns chr, start, end
    (1-based), codelen (coding bases), max_aa_length (amino acids), COVARIATES; a column the table lacks is missing throughout.
    Raises InputError: no such file, a required column missing, text in a number, not one gene.
    """
    import pandas

    if not path.is_file():
        raise InputError(f"{path}: no such file")
    table = pandas.read_csv(path, sep="\t", dtype="str", keep_default_na=False)
    missing = [name for name in REQUIRED if name not in table]
    if missing:
        raise InputError(
            *(
                f"{path.name}: no column {name!r}; the layout is that of assets/genes/gene_features.tsv.gz"
                for name in missing
            )
        )
    if "approved" not in table:
        table["approved"] = table["gene"]
    if "chr" not in table:
        table["chr"] = ""
    problems = []
    for name in NUMBERS:
        text = table[name] if name in table else pandas.Series("", index=table.index, dtype="str")
        values = pandas.to_numeric(text.where(~text.isin(["", "NA", "NaN", "nan"])), errors="coerce")
        wrong = values.isna() & ~text.isin(["", "NA", "NaN", "nan"])
        if wrong.any():
            row = int(wrong.argmax())
            problems.append(
                f"{path.name}: line {row + 2}, {name}: {text.iloc[row]!r} is not a number; leave it empty when not known"
            )
        table[name] = values
    if not len(table):
        problems.append(f"{path.name}: no genes")
    if problems:
        raise InputError(*problems)
    # The row that carries the current symbol itself knows best; others of the same gene fill its gaps.
    table["own"] = table["gene"] == table["approved"]
    table = table.sort_values(["approved", "own"], ascending=[True, False], kind="stable")
    table["chr"] = table["chr"].replace("", None)
    features = table.groupby("approved", sort=True)[["chr", *NUMBERS]].first()
    features["chr"] = features["chr"].fillna("").str.removeprefix("chr")
    features.attrs["symbols"] = dict(zip(table["gene"], table["approved"], strict=True))
    return features


@dataclass
class Symbols:
    """Finds current symbols. aliases: symbol -> [(current symbol, its chromosome), …]; approved: current symbol -> chromosome."""

    aliases: dict[str, list[tuple[str, str]]]
    approved: dict[str, str]

    def current(self, symbol: str, chromosome: str, features: "pandas.DataFrame") -> str:
        """The current symbol of a gene called `symbol` on `chromosome`, or empty when nobody knows it.

        A symbol that several genes once had goes by its chromosome: MLL2 on chromosome 12 is KMT2D, on 19 KMT2B. Names that
        only the gene table knows are kept, for the table may be the user's own, with names of its own.
        """
        if symbol in self.approved:
            return symbol
        candidates = self.aliases.get(symbol, [])
        here = [name for name, where in candidates if where == chromosome]
        if here and (here[0] in features.index or symbol not in features.index):
            return here[0]
        if symbol in features.index:
            return symbol
        if symbol in features.attrs["symbols"]:
            return str(features.attrs["symbols"][symbol])
        return candidates[0][0] if len(candidates) == 1 else ""


def read_symbols(folder: Path) -> Symbols:
    """Read `alias.tsv.gz` (symbol, approved, chromosome) and `approved.tsv.gz` (approved, chromosome) of `folder`."""
    import pandas

    aliases: dict[str, list[tuple[str, str]]] = {}
    table = pandas.read_csv(folder / "aliases.tsv.gz", sep="\t", dtype="str", keep_default_na=False)
    for symbol, approved, chromosome in zip(table["symbol"], table["approved"], table["chromosome"], strict=True):
        aliases.setdefault(symbol, []).append((approved, chromosome))
    known = pandas.read_csv(folder / "approved.tsv.gz", sep="\t", dtype="str", keep_default_na=False)
    return Symbols(aliases, dict(zip(known["approved"], known["chromosome"], strict=True)))


# Old symbols that several genes once had, as the cancer gene lists meant them.
MEANT = {"MLL2": "KMT2D", "B3GNT1": "B4GAT1", "NOV": "CCN3"}


def spellings(known: Collection[str], symbols: Symbols) -> dict[str, str]:
    """What the genes `known` may be called: each symbol, old or current, that can mean one of them alone -> the known one.

    Known symbols mean themselves. Dots that stand for dashes (HLA.A, as R writes column names) are understood.
    """
    owners: dict[str, str | None] = {}
    for gene in known:
        current = _current_of(gene, symbols)
        if current:
            owners[current] = None if current in owners else gene  # of two with one current symbol neither is meant
    found = {name: gene for name, gene in owners.items() if gene}
    for alias, candidates in symbols.aliases.items():
        owner = owners.get(candidates[0][0])
        if owner and len(candidates) == 1 and alias not in symbols.approved:
            found[alias] = owner
    return found | {gene: gene for gene in known}


def _current_of(symbol: str, symbols: Symbols) -> str:
    """Current symbol, or empty where nobody knows it or several genes once had it."""
    dashed = symbol.replace(".", "-")
    for name in (symbol, dashed, MEANT.get(symbol, "")):
        if name in symbols.approved:
            return name
    candidates = symbols.aliases.get(symbol, [])
    return candidates[0][0] if len(candidates) == 1 else ""


def mutation_genes(mutations: "pandas.DataFrame", symbols: Symbols, features: "pandas.DataFrame") -> "numpy.ndarray":
    """Current symbol of each mutation (object array, empty where unknown); each pair of symbol and chromosome is looked up once."""
    pairs = mutations.groupby(["symbol", "chromosome"], observed=True, sort=False).ngroup()
    first = ~pairs.duplicated()
    names = {
        number: symbols.current(str(symbol), str(chromosome), features)
        for number, symbol, chromosome in zip(
            pairs[first], mutations.loc[first, "symbol"], mutations.loc[first, "chromosome"], strict=True
        )
    }
    return pairs.map(names).astype("object").to_numpy()
