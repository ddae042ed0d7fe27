"""Schemas of the tables that this job writes."""

from strandwise.formats.tables import Column, Table

EVALUATION = Table(
    "evaluation",
    [
        Column(
            "stratum",
            "what the alleles are divided by: all, context, mappability, depth (where reads are given), neighbours, length, genotype",
        ),
        Column(
            "value",
            "the part: for context homopolymer, tandem repeat or elsewhere, for mappability low or unique; lengths and depths as ranges",
        ),
        Column("type", "SNP, INDEL or ALL"),
        Column("truth_total", "alleles of the truth inside the BED", int, 0),
        Column("query_total", "alleles called inside the BED", int, 0),
        Column("tp_truth", "alleles of the truth that the calls spell, with their genotype", int, 0),
        Column("tp_query", "called alleles that are in the truth", int, 0),
        Column("fn", "truth_total - tp_truth", int, 0),
        Column("fp", "query_total - tp_query", int, 0),
        Column("genotype_errors", "alleles found with another genotype (among fn and among fp)", int, 0),
        Column("precision", "tp_query / query_total", float, 0, 1),
        Column("recall", "tp_truth / truth_total", float, 0, 1),
        Column("f1", "harmonic mean of both", float, 0, 1),
        Column("f1_low", "lower end of the 95 % interval of 1 - (fn + fp) / (truth_total + query_total)", float, 0, 1),
        Column("f1_high", "upper end of that interval", float, 0, 1),
    ],
)

RELIABILITY = Table(
    "reliability",
    [
        Column("set", "what was judged: held-out reads by their depth (10x, 30x), or calls"),
        Column("type", "SNP or INDEL"),
        Column("decision", "called: a variant genotype; rejected: found to be reference"),
        Column("gq_from", "lower end of the bin of GQ, in it", float, 0, 100),
        Column("gq_to", "upper end of the bin, outside it", float, 0, 100),
        Column("genotypes", "genotypes in the bin", int, 0),
        Column("expected", "wrong ones that their GQ promises: the sum of 10^(-GQ/10)", float, 0),
        Column("observed", "wrong ones by the truth", int, 0),
    ],
)
"""Also lies in the folder of a model: reliability.tsv, made by benchmarks/germline/calibration.py."""

MENDELIAN = Table(
    "mendelian",
    [
        Column("child", "name of the sample"),
        Column("father", "name of the sample"),
        Column("mother", "name of the sample"),
        Column("type", "SNP, INDEL or ALL"),
        Column("min_gq", "only sites at which all three have at least this GQ in their own gVCFs", int, 0),
        Column("sites", "sites with a genotype of all three that passes, at least one of them not 0/0", int, 0),
        Column("errors_alone", "of these, sites whose genotypes of the single samples contradict inheritance", int, 0),
        Column("rate_alone", "errors_alone / sites: what says how good the calls are, and whether the trio is one", float, 0, 1, optional=True),
        Column("errors", "the same of the joint genotypes: what is left are de novo calls", int, 0),
        Column("rate", "errors / sites", float, 0, 1, optional=True),
    ],
)  # fmt: skip


def _evidence(member: str) -> list[Column]:
    """What the reads of one member of a trio say."""
    return [
        Column(f"{member}_gt", f"genotype of the {member}"),
        Column(f"{member}_gq", "its GQ", int, 0),
        Column(f"{member}_ad", "reads per allele, reference first"),
        Column(f"{member}_dp", "reads", int, 0),
        Column(f"{member}_pl", "likelihoods of the genotypes, phred, in VCF order"),
    ]


DE_NOVO = Table(
    "de_novo",
    [
        Column("contig", "as in the VCF"),
        Column("position", "1-based, as in the VCF", int, 1),
        Column("reference", "REF of the VCF"),
        Column("alternate", "ALT of the VCF, commas between several"),
        Column("type", "SNP or INDEL"),
        Column("child", "name of the sample"),
        Column("father", "name of the sample"),
        Column("mother", "name of the sample"),
        Column("probability", "that an allele mutated between the parents and the child", float, 0, 1),
        Column(
            "filter",
            "PASS; FILTER of the site, FT of a member (but LowQual of a parent); OtherAllele: a parent carries another indel there, which the child's may be",
        ),
        *(column for member in ("child", "father", "mother") for column in _evidence(member)),
    ],
)

EXPLAINED_SITE = Table(
    "explained_sites",
    [
        Column("sample", "id of the sample"),
        Column("contig", "contig"),
        Column("position", "1-based position of the record", int, 1),
        Column("reference", "REF"),
        Column("alternate", "ALT, `.` where nothing differs"),
        Column("decision", "called, filtered, reference, no record, not a candidate or not looked at"),
        Column(
            "step",
            "what decided: reference, intervals, copies, reads, candidate rule, a network, prior of given alleles, genotype or a filter",
        ),
        Column("cause", "in a word or two"),
        Column("genotype", "GT of the record", optional=True),
        Column("gq", "GQ of the record", int, 0, 99, optional=True),
        Column("filter", "FILTER of the record", optional=True),
        Column("depth", "reads that count", int, 0),
        Column("probability_0", "probability of no copy of this change", float, 0, 1, optional=True),
        Column("probability_1", "of one copy", float, 0, 1, optional=True),
        Column("probability_2", "of two copies", float, 0, 1, optional=True),
        Column("log_odds", "10 log10 [P / (1 - P)] of the copies called", float, optional=True),
        Column("baseline", "the same of the average candidate with neutral reads", float, optional=True),
        Column(
            "residual", "log_odds - baseline - sum of attributions: the error of the integral", float, optional=True
        ),
        Column("picture", "PNG beside this file", optional=True),
        Column("attributions", "TSV beside this file", optional=True),
        Column("reason", "what decided, with the numbers, and what speaks for and against the call"),
    ],
)

EXPLAINED_PART = Table(
    "attributions",
    [
        Column(
            "part",
            "output, baseline, prior (of a given allele), feature, read (one channel of one read), read_share, read_total or position",
        ),
        Column("name", "feature; read and its strand; or 1-based position"),
        Column(
            "channel",
            "of the read: a channel of the read-level network, or features for its share of those",
            optional=True,
        ),
        Column("value", "what the network saw: the feature, or the channel from 0 to 255", float, optional=True),
        Column("attribution", "phred of the log-odds", float),
    ],
)
