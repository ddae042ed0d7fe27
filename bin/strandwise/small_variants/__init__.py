"""Germline small variants: reads to candidates, evidence, genotypes and VCF."""
