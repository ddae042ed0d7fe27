"""What germline small variants tell the report: counts, quality, and what each sample is worth."""

import itertools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from strandwise.report import cost, html, reliability, sex
from strandwise.report.parts import Parts
from strandwise.report.section import Card, Chapter, Parent
from strandwise.report.statistics import covered, summary_numbers

PARENT = Parent("small_variants", "Germline small variants", "SNVs and short indels, called by a TensorFlow network.")

MOST_IN_LEGEND = 12  # lines; beyond it a name is read by hovering

METHODS = """Single-nucleotide variants and short indels were called from aligned reads with the germline caller of Strandwise
({models}). As in DeepVariant [{deepvariant}] every candidate site is judged by a neural network; here a compiled pass over the reads finds
candidates and scores the reads against local haplotypes, and a network on these likelihoods and on properties of the reads
(TensorFlow/Keras [{tensorflow}], run by LiteRT) gives the probability of 0, 1 and 2 copies of each allele, calibrated by temperature
scaling [{guo}]. QUAL and GQ follow from these probabilities, PL are these without their prior. Alignment and call statistics are those of samtools and bcftools
[{samtools}]."""


def chapter(parts: Parts) -> Chapter | None:
    """None when no sample was called."""
    summaries = parts.called
    if not summaries:
        return None
    labels = {identifier: html.text(parts.label(identifier)) for identifier in summaries}
    models = sorted({summary["model_version"] for summary in summaries.values() if summary.get("model_version")})
    sections = [_table(parts, labels), _reads(parts, labels), sex.section(PARENT, parts, labels)]
    sections += [_counts(summaries, labels), _filters(summaries, labels)]
    sections += [_genotype_quality(summaries, labels), _reliability(parts)]
    cards = [_card(summaries, labels)]
    if costs := cost.costs_of(parts):
        cards.append(cost.card(costs, PARENT.identifier))
        sections.append(cost.section(PARENT, parts, costs, labels))
    return Chapter(
        cards=cards,
        sections=[section for section in sections if section],
        methods=METHODS,
        citations=("deepvariant", "tensorflow", "guo", "samtools"),
        models=models,
        folders={"small_variants/": "one folder per sample: VCF and gVCF with their indexes"},
    )


def _records(summary: Mapping[str, Any], kind: str) -> int:
    return summary.get("records", {}).get(kind, 0)


def _total(summary: Mapping[str, Any]) -> int:
    return sum(summary.get("records", {}).values())


def _ratio(summary: Mapping[str, Any], above: str, below: str) -> float | None:
    return summary[above] / summary[below] if summary.get(below) and above in summary else None


def _card(summaries: Mapping[str, Any], labels: Mapping[str, str]) -> Card:
    snps = sum(_records(summary, "snp") for summary in summaries.values())
    indels = sum(_records(summary, "indel") for summary in summaries.values())
    words = f"{html.number(snps)} SNVs and {html.number(indels)} indels in {html.plural(len(summaries), 'sample')}"
    empty = [labels[identifier] for identifier, summary in summaries.items() if not _total(summary)]
    details = f"{words}<br>No variants: {', '.join(empty)}" if empty else words
    total = sum(map(_total, summaries.values()))
    return Card("Variants", html.figure(total), details, html.BLUE, PARENT.identifier, words)


def median_of_histogram(edges: list[float], counts: list[int]) -> float | None:
    """Median of binned values, linear within the bin that holds it; None of nothing."""
    half = sum(counts) / 2
    seen = 0
    for low, high, count in zip(edges, edges[1:], counts, strict=False):
        if count and seen + count >= half:
            return low + (high - low) * (half - seen) / count
        seen += count
    return None


def _table(parts: Parts, labels: Mapping[str, str]) -> dict[str, Any]:
    header = [
        "Sample",
        "SNVs",
        "Indels",
        "Ti/Tv",
        "Het/hom",
        "Median GQ",
        "Mean depth",
        "Callable",
        "Filtered",
        "Files",
    ]
    rows: list[list[object]] = []
    for identifier, summary in parts.called.items():
        quality = summary.get("gq", {})
        counts = [sum(pair) for pair in zip(quality.get("snp", []), quality.get("indel", []), strict=True)]
        median = median_of_histogram(quality.get("edges", []), counts)
        ti_tv, het_hom = _ratio(summary, "ti", "tv"), _ratio(summary, "het", "hom_alt")
        filtered = sum(count for name, count in summary.get("filters", {}).items() if name not in ("PASS", "RefCall"))
        folder = f"small_variants/{identifier}/{identifier}"
        files = f"{html.link(f'{folder}.vcf.gz', 'VCF')} · {html.link(f'{folder}.g.vcf.gz', 'gVCF')}"
        callable_share = 100 * summary["callable_share"] if "callable_share" in summary else None
        values = [_records(summary, "snp"), _records(summary, "indel"), ti_tv, het_hom, median]
        values += [summary.get("mean_depth"), callable_share, filtered]
        forms = ("{:,}", "{:,}", "{:.2f}", "{:.2f}", "{:.0f}", "{:.1f}", "{:.1f} %", "{:,}")
        cells = [html.figure_cell(value, form) for value, form in zip(values, forms, strict=True)]
        rows.append([html.Cell(labels[identifier]), *cells, html.Cell(files)])
    rows += [
        [html.Cell(html.text(parts.label(identifier))), html.Cell('<span class="sw-chip error">failed</span>')]
        + [""] * (len(header) - 2)
        for identifier in parts.failed
    ]
    description = """Calls that passed all filters. For human genomes Ti/Tv is near 2.0 to 2.1 (exomes 2.8 to 3.3) and
    het/hom near 1.4 to 2.2; small regions scatter widely. Callable: bases with a genotype quality of 20 or more, of those
    looked at. Filtered: variant genotypes that a filter holds back."""
    content = html.table(header, rows, "sw-calls", range(1, len(header) - 1))
    return PARENT.html("small_variants_samples", "Per sample", content, description)


def bases_text(count: int) -> str:
    """50,154 as 50.2 kb, three thousand million as 3,000.0 Mb."""
    return f"{count / 1e6:,.1f} Mb" if count >= 1e6 else f"{count / 1e3:.1f} kb"


def _alignments(parts: Parts, labels: Mapping[str, str]) -> Iterator[tuple[str, str, Path]]:
    """(id, label, samtools stats) of each alignment; further lanes of a sample have a number in the file's name."""
    for identifier, label in labels.items():
        for lane in itertools.count(1):
            path = parts.path(f"{identifier}{'' if lane == 1 else f'.{lane}'}.samtools_stats.txt")
            if path is None:
                break
            yield identifier, label if lane == 1 else f"{label}, lane {lane}", path


def _reads(parts: Parts, labels: Mapping[str, str]) -> dict[str, Any] | None:
    header = [
        "Sample",
        "Reads",
        "Mapped",
        "Duplicates",
        "MAPQ 0",
        "Error rate",
        "Read length",
        "Insert size",
        "Covered",
        "Depth there",
    ]
    rows: list[list[object]] = []
    for identifier, label, path in _alignments(parts, labels):
        numbers = summary_numbers(path.read_text())
        reads = numbers.get("raw total sequences", 0)
        shares = [
            100 * numbers.get(name, 0) / reads if reads else None
            for name in ("reads mapped", "reads duplicated", "reads MQ0")
        ]
        values = [reads, *shares, 100 * numbers["error rate"] if "error rate" in numbers else None]
        values += [numbers.get("average length"), numbers.get("insert size average")]
        forms = ("{:,.0f}", "{:.1f} %", "{:.1f} %", "{:.1f} %", "{:.2f} %", "{:.0f}", "{:.0f}")
        cells = [html.figure_cell(value, form) for value, form in zip(values, forms, strict=True)]
        if coverage := parts.path(f"{identifier}.coverage.txt"):
            bases, depth = covered(coverage.read_text())
            cells += [html.Cell(bases_text(bases), bases), html.figure_cell(depth, "{:.1f}×")]
        else:
            cells += [html.Cell("–")] * 2
        rows.append([html.Cell(label), *cells])
    if not rows:
        return None
    description = """From <code>samtools stats</code> and <code>coverage</code>. Error rate: mismatches per mapped base, variants
    included; insert size: mean, bp; covered: bases with at least one read."""
    content = html.table(header, rows, "sw-reads", range(1, len(header)))
    return PARENT.html("small_variants_reads", "Reads per sample", content, description)


def _counts(summaries: Mapping[str, Any], labels: Mapping[str, str]) -> dict[str, Any] | None:
    kinds = {
        "snp": {"name": "SNVs", "color": html.BLUE},
        "indel": {"name": "Indels", "color": html.ORANGE},
        "multiallelic": {"name": "Multiallelic", "color": html.PURPLE},
    }
    data = {
        labels[identifier]: {kind: _records(summary, kind) for kind in kinds}
        for identifier, summary in summaries.items()
    }
    if not any(sum(row.values()) for row in data.values()):
        return None
    return PARENT.plot(
        "small_variants_counts",
        "Variants by kind",
        "bargraph",
        data,
        "Variants that passed all filters.",
        settings={"ylab": "variants", "cpswitch_counts_label": "Variants", "sort_samples": False},
        categories=kinds,
    )


def _filters(summaries: Mapping[str, Any], labels: Mapping[str, str]) -> dict[str, Any] | None:
    names = sorted({name for summary in summaries.values() for name in summary.get("filters", {})})
    names.sort(key=lambda name: name != "PASS")
    if len(names) < 2:
        return None
    categories = {
        name: {"name": html.text(name), "color": html.CATEGORIES[index % len(html.CATEGORIES)]}
        for index, name in enumerate(names)
    }
    data = {
        labels[identifier]: {name: summary.get("filters", {}).get(name, 0) for name in names}
        for identifier, summary in summaries.items()
    }
    return PARENT.plot(
        "small_variants_filters",
        "What became of the candidates",
        "bargraph",
        data,
        "Every site that the caller looked at stands in the VCF with a FILTER that says why it is, or is not, a call.",
        helptext="""`PASS`: called. `RefCall`: judged to be like the reference. `LowQual`: no genotype has half of the
        probability. `LowDepth`: a single read, or two and a doubtful genotype. `LowMapQ`: the same, where most reads map to several places.
        `bcftools view -f PASS` keeps the calls alone. A variant you miss is most often one of the other rows: look at its site
        with `bcftools view -r contig:position`.""",
        settings={"ylab": "sites", "cpswitch_counts_label": "Sites", "sort_samples": False},
        categories=categories,
    )


def _genotype_quality(summaries: Mapping[str, Any], labels: Mapping[str, str]) -> dict[str, Any] | None:
    def share_above(quality: Mapping[str, Any], kind: str) -> list[tuple[float, float]]:
        counts, edges = quality[kind], quality["edges"]
        total = sum(counts)
        return [(edge, 100 * sum(counts[index:]) / total) for index, edge in enumerate(edges[:-1])] if total else []

    data = {
        name: {
            labels[identifier]: points
            for identifier, summary in summaries.items()
            if summary.get("gq") and (points := share_above(summary["gq"], kind))
        }
        for kind, name in (("snp", "SNVs"), ("indel", "Indels"))
    }
    data = {name: series for name, series in data.items() if series}
    if not data:
        return None
    return PARENT.plot(
        "small_variants_gq",
        "Genotype quality",
        "linegraph",
        list(data.values()),
        "Share of the passed calls that a cut-off on GQ would keep.",
        helptext="""GQ is phred-scaled: a call with GQ 20 is expected to have a wrong genotype once in 100, GQ 30 once in
        1,000. It is calibrated on simulated reads; how well it keeps its promise on others of them stands below.""",
        settings={
            "xlab": "GQ cut-off",
            "ylab": "calls kept",
            "ysuffix": "%",
            "ymin": 0,
            "ymax": 100,
            "data_labels": [{"name": name, "ylab": "calls kept"} for name in data],
            "showlegend": max(len(series) for series in data.values()) <= MOST_IN_LEGEND,
        },
    )


def _reliability(parts: Parts) -> dict[str, Any] | None:
    """Errors seen against errors promised per GQ bin, from the table that lies with the model (held-out simulated reads)."""
    table = parts.table("reliability.tsv")
    if table is None:
        return None
    description = """Errors that GQ promises and errors seen, on simulated reads that this model neither learned from nor was calibrated
    on: what to expect of the model, not a measurement of your samples."""
    return PARENT.html(
        "small_variants_reliability", "Does GQ mean what it says?", reliability.content(table), description
    ) | {"helptext": reliability.HELP}
