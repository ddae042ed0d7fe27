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
HISTOGRAMS = {"IS": (1, 2, 120), "DP": (2, 3, 100), "QUAL": (2, 3, 50), "IDD": (2, 3, 500)}


def lighter(kind: str, content: str, samples: int) -> str:
    """Content of a samtools stats, samtools coverage or bcftools stats file with what the report draws and no more.

    Totals stay as they are. Histograms (insert sizes, depths, qualities, indel lengths) get wider bins, the more so the more samples, and the
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
            group = even_bins(group, key, first_count, most=min(enough, max(20, POINTS // samples)))
        # An indel has no length 0.
        rows += ["\t".join(fields) for fields in group if not (name == "IDD" and fields[2] == "0")]
    return "\n".join([*opening, *rows]) + "\n"


def even_bins(rows: list[list[str]], key: int, first_count: int, most: int) -> list[list[str]]:
    """Rows of a histogram in at most `most` bins of equal whole width, empty ones included, so that lines drawn through them
    are true; counts are added up. Open bins (`>500`) come last, as they are."""
    closed = [row for row in rows if _is_number(row[key])]
    if not closed:
        return rows
    values = [float(row[key]) for row in closed]
    low, high = math.floor(min(values)), math.floor(max(values))
    width = math.ceil((high - low + 1) / most)
    first = low // width
    sums = [[0.0] * (len(closed[0]) - first_count) for _ in range(high // width - first + 1)]
    for row, value in zip(closed, values, strict=True):
        counts = sums[int(value // width) - first]
        for index, field in enumerate(row[first_count:]):
            counts[index] += float(field) if _is_number(field) else 0.0
    made = [
        [*closed[0][:key], str((first + index) * width), *(f"{count:.10g}" for count in counts)]
        for index, counts in enumerate(sums)
    ]
    return made + [row for row in rows if not _is_number(row[key])]


def _is_number(field: str) -> bool:
    return field.lstrip("-").replace(".", "", 1).isdigit()


def _main_contigs(content: str) -> str:
    header, *rows = content.splitlines()
    lengths = [int(row.split("\t")[2]) for row in rows]
    longest = max(lengths, default=0)
    kept = [row for row, length in zip(rows, lengths, strict=True) if length >= CONTIG_SHARE * longest]
    return "\n".join([header, *kept]) + "\n"


def without_prompt(page: str) -> str:
    """The report without the copy of all its texts that MultiQC keeps for language-model services, which are switched off."""
    return re.sub(r'(aiReportMetadataBase64 = )"[^"]*"', r'\1"e30="', page, count=1)  # e30= is {}
