"""Reads MAF files (somatic mutations, one row each) into one table, and says what was left out and why."""

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from strandwise.errors import InputError
from strandwise.formats.notes import Note

if TYPE_CHECKING:
    import pandas

# Our column: the names it has in the wild, lower case, best first.
COLUMNS = {
    "symbol": ("hugo_symbol",),
    "chromosome": ("chromosome",),
    "start": ("start_position",),
    "end": ("end_position",),
    "reference": ("reference_allele",),
    "alternate": ("tumor_seq_allele2", "tumor_seq_allele"),
    "variant_class": ("variant_classification",),
    "sample": ("tumor_sample_barcode",),
    "protein_change": ("hgvsp_short", "protein_change", "aachange", "amino_acid_change"),
    "build": ("ncbi_build",),
    "filter": ("filter",),
}
REQUIRED = ("symbol", "chromosome", "start", "variant_class", "sample", "reference", "alternate")

# Effects that rank drivers, and the Variant_Classification values (GDC MAF specification, older Broad names, VEP terms) that mean them.
EFFECTS = {
    "silent": ("silent", "synonymous_variant", "stop_retained_variant"),
    "missense": ("missense_mutation", "missense_variant", "missense"),
    "nonsense": ("nonsense_mutation", "stop_gained", "nonsense"),
    "splice": ("splice_site", "splice_acceptor_variant", "splice_donor_variant", "splice_site_snp", "splice_site_indel"),
    "frameshift": ("frame_shift_del", "frame_shift_ins", "frameshift_variant", "frame_shift_indel"),
    "inframe": ("in_frame_del", "in_frame_ins", "inframe_deletion", "inframe_insertion"),
    "start_stop": (
        "nonstop_mutation", "stop_lost", "translation_start_site", "start_lost", "start_codon_snp", "start_codon_del",
        "start_codon_ins", "stop_codon_del", "stop_codon_ins", "stop_codon_indel",
    ),
}  # fmt: skip
NOT_CODING = {
    "intron", "igr", "rna", "lincrna", "3'utr", "5'utr", "3'flank", "5'flank", "splice_region", "targeted_region",
    "de_novo_start_inframe", "de_novo_start_outofframe", "intron_variant", "intergenic_variant", "upstream_gene_variant",
    "downstream_gene_variant", "3_prime_utr_variant", "5_prime_utr_variant", "splice_region_variant",
    "non_coding_transcript_exon_variant", "mature_mirna_variant",
}  # fmt: skip
BUILDS = {"37": "GRCh37", "grch37": "GRCh37", "hg19": "GRCh37", "38": "GRCh38", "grch38": "GRCh38", "hg38": "GRCh38"}


@dataclass
class Maf:
    """Coding mutations of one or more MAF files.

    mutations: one row per mutation, columns symbol, chromosome (1..22, X, Y, MT without `chr`), start (1-based, as in the
    file), reference, alternate, effect (a key of EFFECTS), sample, protein_change (empty where the file has none).
    samples: every sample named in the files, also one without a coding mutation.
    build: GRCh37 or GRCh38 where the column NCBI_Build says so, else empty.
    """

    mutations: "pandas.DataFrame"
    samples: list[str]
    build: str
    notes: list[Note]


def read_mafs(paths: Sequence[Path]) -> Maf:
    """Read MAF files, plain or gzip, comment lines (#) first.

    Raises InputError, the problems of all files at once: no header line, a column missing, a row of the wrong length, a
    position that is no number, a row without sample.
    """
    import pandas

    problems: list[str] = []
    parts = []
    for path in paths:
        try:
            parts.append(_read_one(path))
        except InputError as error:
            problems += error.problems
    if problems:
        raise InputError(*problems)
    frame = pandas.concat(parts, ignore_index=True) if len(parts) > 1 else parts[0]
    for name in ("symbol", "chromosome", "variant_class", "sample", "build", "filter"):
        if name in frame and len(parts) > 1:
            frame[name] = frame[name].astype("category")
    if frame.empty:
        raise InputError(f"{', '.join(path.name for path in paths)}: no mutations; the MAF holds a header only")
    return _coding(frame)


def _header(path: Path) -> tuple[list[str], int, str | None]:
    """Column names, number of comment lines before them, compression."""
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    with path.open("rb") as stream:
        compression = "gzip" if stream.read(2) == b"\x1f\x8b" else None
    comments = 0
    try:
        with gzip.open(path, "rt", errors="replace") if compression else path.open(errors="replace") as lines:
            for line in lines:
                if line.strip() and not line.startswith("#"):
                    return line.rstrip("\r\n").split("\t"), comments, compression
                comments += 1
    except (EOFError, OSError) as error:
        raise InputError(f"{path.name}: cannot be decompressed ({error}); copy the file again") from error
    raise InputError(f"{path.name}: empty; a MAF has a header line and one row per mutation")


def _chosen(header: list[str], path: Path) -> dict[str, str]:
    """Column of the file for each of ours that it has."""
    given = {name.strip().lower(): name for name in reversed(header)}
    wanted = [name for names in COLUMNS.values() for name in names]
    if not set(wanted) & set(given):
        raise InputError(
            f"{path.name}: no header line (the first line begins {header[0][:40]!r}); "
            "the first line that is no comment must name the columns, Hugo_Symbol and so on, separated by tabs"
        )
    chosen = {}
    problems = []
    for ours, names in COLUMNS.items():
        found = next((given[name] for name in names if name in given), None)
        if found:
            chosen[ours] = found
        elif ours in REQUIRED:
            near = get_close_matches(names[0], given, 1, 0.7)
            hint = f"; nearest column: {given[near[0]]}" if near else ""
            problems.append(f"{path.name}: no column {names[0]!r} (capitals do not matter){hint}")
    if problems:
        raise InputError(*problems)
    return chosen


def _read_one(path: Path) -> "pandas.DataFrame":
    import pandas

    header, comments, compression = _header(path)
    chosen = _chosen(header, path)
    repeating = {"symbol", "chromosome", "variant_class", "sample", "build", "filter", "reference", "alternate"}
    kinds = {theirs: "category" if ours in repeating else "str" for ours, theirs in chosen.items()}
    try:
        frame = pandas.read_csv(
            path, sep="\t", skiprows=comments, usecols=list(chosen.values()), dtype=kinds, compression=compression,
            keep_default_na=False, na_values=[], quoting=3, index_col=False, encoding_errors="replace",
        )  # fmt: skip
    except pandas.errors.ParserError as error:
        raise InputError(
            f"{path.name}: {str(error).split('error: ')[-1]}; every row needs {len(header)} fields"
        ) from error
    except (EOFError, OSError) as error:
        raise InputError(f"{path.name}: cannot be decompressed ({error}); copy the file again") from error
    frame = frame.rename(columns={theirs: ours for ours, theirs in chosen.items()})[list(chosen)]
    first_row = comments + 2  # 1-based line of the first mutation
    start = pandas.to_numeric(frame["start"], errors="coerce")
    problems = []
    for name, wrong, what in (
        ("start", start.isna() | (start < 1), "is not a position"),
        ("sample", frame["sample"].astype("str").str.strip() == "", "is empty"),
    ):
        if wrong.any():
            row = int(wrong.to_numpy().argmax())
            value = frame[name].iloc[row]
            problems.append(
                f"{path.name}: line {first_row + row}, {chosen[name]}: {value!r} {what} ({int(wrong.sum())} such rows); correct or remove the row"
            )
    if problems:
        raise InputError(*problems)
    frame["start"] = start.astype("int64")
    if "protein_change" not in frame:
        frame["protein_change"] = ""
    return frame


def _coding(frame: "pandas.DataFrame") -> Maf:
    """Keep coding mutations that passed, with our own effect names; note what is left out."""
    notes = []
    frame["sample"] = frame["sample"].cat.rename_categories(lambda name: str(name))
    samples = sorted(map(str, frame["sample"].cat.categories))
    if "filter" in frame:
        passed = frame["filter"].isin(["PASS", ".", ""])
        if not passed.all():
            kinds = frame.loc[~passed, "filter"].value_counts()
            named = ", ".join(f"{name} {count}" for name, count in kinds[kinds > 0].head(5).items())
            notes.append(
                Note("info", f"{int((~passed).sum())} mutations left out because FILTER is not PASS ({named}).")
            )
            frame = frame[passed]
    effect_of = {name: effect for effect, names in EFFECTS.items() for name in names}
    classes = list(frame["variant_class"].cat.categories)
    effects = {name: effect_of.get(str(name).strip().lower(), "") for name in classes}
    effect = frame["variant_class"].astype("object").map(effects)
    counts = frame["variant_class"].value_counts()
    unknown = {
        name: counts[name]
        for name in classes
        if not effects[name] and str(name).lower() not in NOT_CODING and counts[name]
    }
    if unknown:
        named = ", ".join(f"{name or '(empty)'} {count}" for name, count in unknown.items())
        notes.append(
            Note(
                "warning",
                f"{sum(unknown.values())} mutations left out because their Variant_Classification is not known: {named}. "
                f"Known are {', '.join(names[0] for names in EFFECTS.values())} and the other values of the GDC MAF format.",
            )
        )
    elsewhere = sum(counts[name] for name in classes if str(name).lower() in NOT_CODING)
    if elsewhere:
        notes.append(
            Note("info", f"{elsewhere} mutations outside coding sequence (introns, UTR, flanks, RNA) are not used.")
        )
    build = ""
    if "build" in frame:
        said = {BUILDS.get(str(value).strip().lower(), str(value)) for value in frame["build"].unique()}
        if len(said) > 1:
            raise InputError(f"NCBI_Build: the MAF mixes {', '.join(sorted(said))}; give one build at a time")
        build = said.pop() if said else ""
    kept = effect != ""
    mutations = frame.loc[
        kept, ["symbol", "chromosome", "start", "reference", "alternate", "sample", "protein_change"]
    ].copy()
    mutations.insert(5, "effect", effect[kept].astype("category"))
    mutations["chromosome"] = (
        mutations["chromosome"].astype("object").map(plain_chromosomes(mutations["chromosome"].cat.categories))
    )
    mutations["chromosome"] = mutations["chromosome"].astype("category")
    for name in ("symbol", "sample", "reference", "alternate"):
        mutations[name] = mutations[name].astype("category").cat.remove_unused_categories()
    return Maf(mutations.reset_index(drop=True), samples, build, notes)


def plain_chromosomes(names: Sequence[object]) -> dict[object, str]:
    """Chromosome names without `chr`; 23, 24, 25 and M are X, Y, MT."""
    special = {"23": "X", "24": "Y", "25": "MT", "M": "MT"}
    plain = {
        name: str(name).strip().removeprefix("chr").removeprefix("Chr").removeprefix("CHR").upper() for name in names
    }
    return {name: special.get(short, short) for name, short in plain.items()}
