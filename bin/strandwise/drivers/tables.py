"""Columns of the driver job's tables."""

from strandwise.formats.tables import Column, Table

DRIVER_GENES = Table(
    "driver_genes",
    [
        Column("gene", "current HGNC symbol"),
        Column("rank", "1 = strongest evidence; follows score", int, 1),
        Column("score", "learned evidence, natural log odds; larger = more likely a driver", float),
        Column("p_value", "chance of such a score in a neutral cohort with this cohort's samples and background", float, 0, 1),
        Column("q_value", "Benjamini-Hochberg over the tested genes", float, 0, 1),
        Column("chromosome", "from the gene table; empty where it does not know the gene", str, optional=True),
        Column("n_samples", "samples with a non-silent mutation", int, 0),
        Column("n_missense", "missense, start- and stop-loss mutations", int, 0),
        Column("n_inframe", "in-frame insertions and deletions", int, 0),
        Column("n_nonsense", "nonsense mutations", int, 0),
        Column("n_frameshift", "frameshift insertions and deletions", int, 0),
        Column("n_splice", "splice-site mutations", int, 0),
        Column("n_silent", "silent mutations", int, 0),
        Column("expected_missense", "missense mutations expected without selection, samples weighted", float, 0),
        Column("expected_truncating", "nonsense, frameshift and splice mutations expected without selection, samples weighted", float, 0),
        Column("missense_excess", "-log10 p of as many missense mutations without selection", float, 0),
        Column("truncating_excess", "-log10 p of as many truncating mutations without selection", float, 0),
        Column("hotspot", "-log10 p of the most recurrent codon, corrected for the protein's length", float, 0),
        Column("top_hotspot", "the most recurrent codon, its residue and how many samples hit it (2 or more)", str, optional=True),
        Column("clustering", "-log10 p of the densest stretch of the protein, corrected for its length", float, 0),
        Column("truncation_bias", "-log10 p of as many truncating among the gene's non-silent mutations", float, 0),
        Column("recurrence", "-log10 p of as many affected samples, each weighed by how few mutations it has", float, 0),
        Column("impact", "z-score of how strange the gene's amino-acid changes are", float),
        Column("why", "lines of evidence that raise the score most (TreeSHAP, log odds)", str, optional=True),
        Column("pancancer_score", "with --driver_prior pancancer: score plus what other cohorts add, log odds; no p-value belongs to it", float, optional=True),
        Column("pancancer_rank", "rank by pancancer_score", int, 1, optional=True),
        Column("pancancer_why", "what other cohorts add: their hotspots hit here, cohorts with evidence", str, optional=True),
    ],
)  # fmt: skip

# Lines of evidence that TreeSHAP is summed over, and the model columns of each.
LINES = {
    "missense": ("missense_excess", "missense_typical_excess", "missense_ratio", "recurrence_missense"),
    "truncating": (
        "truncating_excess", "truncating_typical_excess", "nonsense_excess", "nonsense_typical_excess", "frameshift_excess",
        "frameshift_typical_excess", "splice_excess", "splice_typical_excess", "truncating_ratio", "recurrence_truncating",
        "early_truncations", "truncating_places", "truncating_spread", "truncating_recurrent", "truncating_repeats",
    ),
    "truncation_bias": ("truncation_bias", "truncating_share"),
    "inframe": ("inframe_excess", "inframe_typical_excess"),
    "hotspots": (
        "hotspot", "hotspot_typed", "hotspot_change", "hotspot_sum", "hotspot_samples", "hotspot_share", "recurrent_codons", "same_codon_pairs",
    ),
    "clustering": ("cluster_5", "cluster_15", "cluster_40", "cluster"),
    "recurrence": (
        "nonsilent_excess", "nonsilent_typical_excess", "nonsilent_ratio", "recurrence_nonsilent", "samples", "sample_share",
        "quiet_samples",
    ),
    "impact": ("impact",),
    "combined": ("combined", "combined_excess", "combined_wide", "combined_typed", "combined_all", "strongest"),
    "standing": ("rank_combined_excess", "rank_combined_typed", "rank_nonsilent_typical_excess", "rank_samples"),
    "background": (
        "length_class", "expression_class", "replication_class", "noncoding_mutation_rate_class", "local_GC_content_class",
        "HiC_compartment_class", "local_gene_density_class", "log_length", "expression_CCLE", "replication_time", "noncoding_mutation_rate",
        "local_GC_content", "HiC_compartment", "local_gene_density", "covariates_known",
    ),
}  # fmt: skip

DRIVER_REASONS = Table(
    "driver_reasons",
    [
        Column("gene", "current HGNC symbol"),
        Column("rank", "as in driver_genes.tsv", int, 1),
        *(Column(line, f"what {line.replace('_', ' ')} evidence adds (TreeSHAP and terms of the regression), log odds", float) for line in LINES),
        Column("base", "log odds of an average gene; base, lines and the remainder of the score add up", float),
    ],
)  # fmt: skip

DRIVER_CALIBRATION = Table(
    "driver_calibration",
    [
        Column("genes", "this cohort; or its silent mutations with other effects, where no selection is"),
        Column("expected", "quantile of a uniform distribution", float, 0, 1),
        Column("observed", "p-value at that quantile", float, 0, 1),
    ],
)

DRIVER_MUTATIONS = Table(
    "driver_mutations",
    [
        Column("sample", "as in the MAF"),
        Column("gene", "current HGNC symbol"),
        Column("gene_rank", "rank of the gene", int, 1),
        Column("gene_q_value", "q-value of the gene", float, 0, 1),
        Column("chromosome", "without chr"),
        Column("position", "1-based, as in the MAF", int, 1),
        Column("reference", "reference allele, as in the MAF"),
        Column("alternate", "tumour allele, as in the MAF"),
        Column("effect", "missense, inframe, start_stop, splice, frameshift or nonsense"),
        Column("protein_change", "as in the MAF", str, optional=True),
        Column(
            "selected_share", "estimated share of such mutations of this gene that are there by selection", float, 0, 1
        ),
        Column("why", "what the share rests on"),
    ],
)

GENE_PAIRS = Table(
    "gene_pairs",
    [
        Column("gene", "first gene"),
        Column("other_gene", "second gene"),
        Column("kind", "together: more joint samples than expected; exclusive: fewer"),
        Column("n_both", "samples with non-silent mutations of both", int, 0),
        Column("expected_both", "such samples expected among samples of about as many mutations", float, 0),
        Column("n_gene", "samples with the first gene", int, 0),
        Column("n_other", "samples with the second gene", int, 0),
        Column("p_value", "two-sided, exact, samples stratified by their number of mutations", float, 0, 1),
        Column("q_value", "Benjamini-Hochberg over all pairs", float, 0, 1),
    ],
)

ONCOPLOT = Table(
    "oncoplot",
    [
        Column("gene", "driver gene, best first"),
        Column("sample", "sample, in the order of an oncoplot"),
        Column(
            "effect",
            "gravest effect: missense, inframe, start_stop, splice, frameshift, nonsense; several if more than one",
        ),
    ],
)
