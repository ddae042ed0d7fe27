"""Cohorts for tests: made ones from a small table, and neutral or planted ones from the demo's real mutations."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas

from strandwise.drivers.evaluate import planted
from strandwise.drivers.mutations import Cohort, prepare
from strandwise.formats.genes import Symbols, read_gene_features, read_symbols
from strandwise.formats.maf import Maf, read_mafs
from strandwise.formats.notes import Note

ASSETS = Path(__file__).parents[2] / "assets"
MODEL = ASSETS / "models" / "drivers_without_laml"
LAML = ASSETS / "demo" / "laml.maf.gz"
NO_SYMBOLS = Symbols(aliases={}, approved={})
COLUMNS = ["symbol", "chromosome", "start", "reference", "alternate", "effect", "sample", "protein_change"]


def made(rows: list[tuple], genes: str = "A B C", codelen: int = 3000) -> tuple[Cohort, list[Note]]:
    """A cohort of rows (symbol, start, effect, sample, protein change), all single-base changes on chromosome 1."""
    table = pandas.DataFrame(
        [(s, "1", start, "C", "T", effect, sample, change) for s, start, effect, sample, change in rows],
        columns=COLUMNS,
    )
    for name in ("symbol", "chromosome", "reference", "alternate", "effect", "sample"):
        table[name] = table[name].astype("category")
    features = pandas.DataFrame(
        dict.fromkeys(("start", "end", "max_aa_length", "expression_CCLE", "replication_time", "noncoding_mutation_rate", "local_GC_content", "HiC_compartment", "local_gene_density"), np.nan),
        index=pandas.Index(genes.split(), name="approved"),
    ).assign(chr="1", codelen=float(codelen))  # fmt: skip
    features.attrs["symbols"] = {}
    return prepare(Maf(table, sorted(set(table["sample"])), "", []), NO_SYMBOLS, features)


@cache
def laml() -> Cohort:
    cohort, _ = prepare(
        read_mafs([LAML]), read_symbols(ASSETS / "genes"), read_gene_features(ASSETS / "genes" / "gene_features.tsv.gz")
    )
    return cohort


def simulated(samples: int, per_sample: int, seed: int) -> Cohort:
    """A neutral cohort over the real genes: mutations fall on genes by length, with LAML's effects and amino-acid changes."""
    rng = np.random.default_rng(seed)
    real = laml()
    n = samples * per_sample
    donor = rng.integers(0, len(real.gene), n)
    gene = rng.choice(real.n_genes, n, p=real.codons / real.codons.sum()).astype(np.int32)
    codon = (np.floor(rng.random(n) * real.codons[gene]) + 1).astype(np.int32)
    return Cohort(
        real.genes, real.features, gene, real.effect[donor], np.repeat(np.arange(samples, dtype=np.int32), per_sample), codon,
        gene.astype(np.int64) * 2**32 + codon, real.reference_aa[donor], real.alternate_aa[donor], real.substitution[donor],
        np.ones(n), np.ones(n), np.zeros(n, np.int64), samples, real.codons,
    )  # fmt: skip


def with_drivers(cohort: Cohort, genes: int, share: float, seed: int) -> tuple[Cohort, list[str]]:
    rng = np.random.default_rng(seed)
    usual = np.flatnonzero((cohort.codons > 200) & (cohort.codons < 1500))
    chosen = rng.choice(usual, genes, replace=False)
    return planted(cohort, chosen, share, rng), [str(name) for name in cohort.genes[chosen]]
