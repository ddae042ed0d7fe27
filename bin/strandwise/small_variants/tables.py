"""Schemas of the tables that this job writes."""

from strandwise.formats.tables import Column, Table

EVALUATION = Table(
    "evaluation",
    [
        Column("stratum", "what the alleles are divided by: all, context, neighbours, length, genotype, depth"),
        Column("value", "the part: for context homopolymer, tandem repeat or elsewhere; lengths and depths as ranges"),
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
    ],
)
