"""Ranks driver genes of a cohort: mutations → background → evidence → learned score → p-values that hold on neutral cohorts."""
