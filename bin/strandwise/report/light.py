"""Thins what MultiQC draws of each sample, so that a report of many samples stays small."""

import math
import re

POINTS = 4000  # of one kind of line, over all samples: more cannot be told apart on a screen
CONTIG_SHARE = 0.002  # contigs shorter than this share of the longest are left out of the coverage plots

KEPT = {
    "samtools_stats": ("SN", "IS"),
    "bcftools_stats": ("ID", "SN", "TSTV", "ST", "IDD", "DP", "QUAL"),
}
# Histograms: field that holds the bin, first of the fields that count, bins that are enough.
HISTOGRAMS = {"IS": (1, 2, 120), "DP": (2, 3, 100), "QUAL": (2, 3, 50)}


def lighter(kind: str, content: str, samples: int) -> str:
    """Content of a samtools stats, samtools coverage or bcftools stats file with what the report draws and no more.

    Totals stay as they are. Histograms (insert sizes, depths, qualities) get wider bins, the more so the more samples, and the
    short contigs of a reference with hundreds of them are dropped. Per-sample lines of bcftools stats (PSC), which repeat
    the totals where a file holds one sample, are left out.
    """
    if kind == "coverage":
        return _main_contigs(content)
    groups: dict[str, list[list[str]]] = {}
    opening = []
    for line in content.splitlines():
        fields = line.split("\t")
        if fields[0] in KEPT[kind]:
            groups.setdefault(fields[0], []).append(fields)
        elif line.startswith("# This file was produced by"):
            opening.append(line)
    rows = []
    for name, group in groups.items():
        if name in HISTOGRAMS:
            key, first_count, enough = HISTOGRAMS[name]
            group = wider_bins(group, key, first_count, most=min(enough, max(20, POINTS // samples)))
        rows += ["\t".join(fields) for fields in group]
    return "\n".join([*opening, *rows]) + "\n"


def wider_bins(rows: list[list[str]], key: int, first_count: int, most: int) -> list[list[str]]:
    """Rows of a histogram with at most `most` bins of equal width; counts are added up. Open bins (`>500`) stay."""
    values = [float(row[key]) for row in rows if row[key].replace(".", "", 1).isdigit()]
    if len(values) <= most:
        return rows
    width = max(1, math.ceil((max(values) + 1) / most))
    bins: dict[str, list[str]] = {}
    for row in rows:
        closed = row[key].replace(".", "", 1).isdigit()
        name = str(int(float(row[key]) // width * width)) if closed else row[key]
        if name not in bins:
            bins[name] = [*row[:key], name, *row[key + 1 :]]
        else:
            seen = bins[name]
            for index in range(first_count, len(row)):
                seen[index] = (
                    f"{float(seen[index]) + float(row[index]):g}"
                    if "." in row[index]
                    else _sum(seen[index], row[index])
                )
    return list(bins.values())


def _sum(left: str, right: str) -> str:
    return str(int(float(left)) + int(right)) if right.isdigit() else left


def _main_contigs(content: str) -> str:
    header, *rows = content.splitlines()
    lengths = [int(row.split("\t")[2]) for row in rows]
    longest = max(lengths, default=0)
    kept = [row for row, length in zip(rows, lengths, strict=True) if length >= CONTIG_SHARE * longest]
    return "\n".join([header, *kept]) + "\n"


def without_prompt(page: str) -> str:
    """The report without the copy of all its texts that MultiQC keeps for language-model services, which are switched off."""
    return re.sub(r'(aiReportMetadataBase64 = )"[^"]*"', r'\1"e30="', page, count=1)  # e30= is {}
