"""The tables of drug response: names, meaning, types and ranges of their columns."""

from strandwise.formats.tables import Column, Table

RESPONSE = Table(
    "response",
    [
        Column("sample", "sample, as in the input"),
        Column("drug", "drug, by its name in the GDSC2 screen or in the user's table"),
        Column("ln_ic50", "predicted natural log of the IC50 in µM: 0 is 1 µM, lower is more sensitive", float, digits=5),
        Column("delta_ln_ic50", "ln_ic50 minus that drug's mean over the training lines (ln units)", float, digits=4),
        Column("ln_ic50_low", "lower end of the 90 % interval (ln µM)", float, digits=5),
        Column("ln_ic50_high", "upper end of the 90 % interval (ln µM)", float, digits=5),
        Column(
            "percentile",
            "share (%) of the training lines whose measured ln IC50 is lower; empty for drugs that were never screened",
            float, 0, 100, optional=True, digits=3,
        ),
        Column("in_domain", "whether the sample looks like what the model was trained on (true, false)"),
        Column(
            "top_features",
            "what moved the score most, strongest first: gene or mutation with its share in ln units, with sign",
            optional=True,
        ),
        Column(
            "top_programme",
            "programme (genes that go up and down together in the training lines, named by three of them) that moved it most, with "
            "the sum of its genes' shares",
            optional=True,
        ),
    ],
)  # fmt: skip

SUMMARY = Table(
    "response_summary",
    [
        Column("sample", "sample, as in the input"),
        Column("kind", "sensitive (lowest) or resistant (highest), relative to the other samples"),
        Column("place", "1 is the strongest", int, 1),
        Column("drug", "drug"),
        Column("delta_ln_ic50", "predicted difference from the drug's mean over the training lines (ln units)", float, digits=4),
        Column(
            "relative",
            "difference from the drug's median over the scored samples of the same kind (with expression, or with mutations only) in "
            "their standard deviations; with fewer than 5 of the kind in those of the training lines, from their mean",
            float, digits=3,
        ),
        Column("in_domain", "as in response.tsv"),
    ],
)  # fmt: skip

REASONS = Table(
    "response_reasons",
    [
        Column("sample", "sample, as in the input"),
        Column("drug", "drug"),
        Column("feature", "gene symbol, or mutated gene (GENE_mut)"),
        Column("kind", "gene, mutation, or a gene that was not measured and took the value expected from the others"),
        Column("share", "what it adds to delta_ln_ic50 (ln units), by integrated gradients", float, digits=4),
        Column(
            "programme",
            "programme of the gene (genes that go up and down together in the training lines); sum over it",
            optional=True,
        ),
    ],
)
