"""Reads MAF files (somatic mutations, one row each) into one table, and says what was left out and why."""

import gzip
import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING

from strandwise.errors import InputError
from strandwise.formats.notes import Note

if TYPE_CHECKING:
    import pandas

# Our column: the names it has in the wild (as `plain_name` writes them), best first.
COLUMNS = {
    "symbol": ("hugo_symbol", "gene_symbol", "hgnc_symbol", "symbol", "gene_name", "gene"),
    "chromosome": ("chromosome", "chrom", "chr"),
    "start": ("start_position", "start_pos", "start", "position"),
    "reference": ("reference_allele", "ref_allele", "ref"),
    "alternate": ("tumor_seq_allele2", "tumor_seq_allele", "alternate_allele", "alt_allele", "alt"),
    "alternate_1": ("tumor_seq_allele1",),
    "variant_class": ("variant_classification", "consequence"),
    "sample": ("tumor_sample_barcode", "tumor_sample_id", "sample_barcode", "sample_id", "sample"),
    "protein_change": ("hgvsp_short", "protein_change", "amino_acid_change", "aachange"),
    "protein_change_long": ("hgvsp",),
    "residues": ("amino_acids",),
    "residue_number": ("protein_position",),
    "build": ("ncbi_build", "build", "genome_build"),
    "filter": ("filter",),
}
REQUIRED = ("symbol", "chromosome", "start", "variant_class", "sample", "reference", "alternate")

# Effects that rank drivers, the graver the later, and the Variant_Classification values (GDC MAF specification, older Broad names, VEP terms,
# ANNOVAR's) that mean them.
EFFECTS = {
    "silent": ("silent", "synonymous_variant", "stop_retained_variant", "start_retained_variant", "synonymous", "synonymous_snv"),
    "missense": ("missense_mutation", "missense_variant", "missense", "nonsynonymous_snv"),
    "inframe": (
        "in_frame_del", "in_frame_ins", "inframe_deletion", "inframe_insertion", "nonframeshift_deletion", "nonframeshift_insertion",
        "nonframeshift_substitution", "protein_altering_variant",
    ),
    "start_stop": (
        "nonstop_mutation", "stop_lost", "stoploss", "translation_start_site", "start_lost", "startloss", "start_codon_snp",
        "start_codon_del", "start_codon_ins", "stop_codon_del", "stop_codon_ins", "stop_codon_indel",
    ),
    "splice": ("splice_site", "splice_acceptor_variant", "splice_donor_variant", "splice_site_snp", "splice_site_indel", "splicing"),
    "frameshift": (
        "frame_shift_del", "frame_shift_ins", "frameshift_variant", "frame_shift_indel", "frameshift_deletion", "frameshift_insertion",
        "frameshift_substitution", "frameshift",
    ),
    "nonsense": ("nonsense_mutation", "stop_gained", "stopgain", "nonsense"),
}  # fmt: skip
NOT_CODING = {
    "intron", "igr", "rna", "lincrna", "3'utr", "5'utr", "3'flank", "5'flank", "splice_region", "targeted_region",
    "de_novo_start_inframe", "de_novo_start_outofframe", "intron_variant", "intergenic_variant", "upstream_gene_variant",
    "downstream_gene_variant", "3_prime_utr_variant", "5_prime_utr_variant", "splice_region_variant", "splice_polypyrimidine_tract_variant",
    "splice_donor_region_variant", "splice_donor_5th_base_variant", "non_coding_transcript_exon_variant", "non_coding_transcript_variant",
    "mature_mirna_variant", "intronic", "intergenic", "upstream", "downstream", "utr3", "utr5", "ncrna_exonic", "ncrna_intronic",
}  # fmt: skip
ABSENT = {"", "NA", "N/A", "NaN", "nan", "None", "."}  # how tables write what is not known
AMINO_ACIDS = {
    "Ala": "A", "Arg": "R", "Asn": "N", "Asp": "D", "Cys": "C", "Gln": "Q", "Glu": "E", "Gly": "G", "His": "H", "Ile": "I", "Leu": "L",
    "Lys": "K", "Met": "M", "Phe": "F", "Pro": "P", "Ser": "S", "Thr": "T", "Trp": "W", "Tyr": "Y", "Val": "V", "Ter": "*", "Sec": "U",
}  # fmt: skip
BUILDS = {
    "37": "GRCh37", "37.0": "GRCh37", "grch37": "GRCh37", "hg19": "GRCh37", "b37": "GRCh37", "hs37d5": "GRCh37",
    "38": "GRCh38", "38.0": "GRCh38", "grch38": "GRCh38", "hg38": "GRCh38",
}  # fmt: skip


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

    Columns are known by the names in COLUMNS, whatever their capitals, spaces and dots. Protein changes come from HGVSp_Short or its like,
    where that is empty from HGVSp, then from VEP's Amino_acids and Protein_position.

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
                    return line.removeprefix("\ufeff").rstrip("\r\n").split("\t"), comments, compression
                comments += 1
    except (EOFError, OSError) as error:
        raise InputError(f"{path.name}: cannot be decompressed ({error}); copy the file again") from error
    raise InputError(f"{path.name}: empty; a MAF has a header line and one row per mutation")


def plain_name(column: str) -> str:
    """A column's name in lower case, with _ for spaces, dots and dashes."""
    return re.sub(r"[ .-]+", "_", column.removeprefix("\ufeff").strip().lower())


def sample_column(header: Sequence[str]) -> int | None:
    """Which of the columns of a MAF names the sample."""
    names = [plain_name(name) for name in header]
    return next((names.index(name) for name in COLUMNS["sample"] if name in names), None)


def _chosen(header: list[str], path: Path) -> dict[str, str]:
    """Column of the file for each of ours that it has."""
    given = {plain_name(name): name for name in reversed(header)}
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
    kinds = {theirs: "str" if ours == "start" else "category" for ours, theirs in chosen.items()}
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
    missing = frame["start"].isin([*ABSENT, "-1", "0"])
    start = pandas.to_numeric(frame["start"].where(~missing, "0"), errors="coerce")
    problems = []
    for name, wrong, what in (
        ("start", start.isna() | (start < 0), "is not a position"),
        ("sample", frame["sample"].isna() | frame["sample"].isin(_blank(frame["sample"])), "is empty"),
    ):
        if wrong.any():
            row = int(wrong.to_numpy().argmax())
            value = frame[name].iloc[row]
            problems.append(
                f"{path.name}: line {first_row + row}, {chosen[name]}: {value!r} {what} ({int(wrong.sum())} such rows); correct or remove the row"
            )
    if problems:
        raise InputError(*problems)
    frame["start"] = start.astype("int64")  # 0 where it is not known
    frame["protein_change"] = _protein_changes(frame)
    if "alternate_1" in frame:
        first, second, reference = (frame[name].astype("object") for name in ("alternate_1", "alternate", "reference"))
        swapped = (second.isin(ABSENT) | (second == reference)) & ~first.isin(ABSENT) & (first != reference)
        frame["alternate"] = second.where(~swapped, first).astype("category")
    return frame.drop(columns=["alternate_1", "protein_change_long", "residues", "residue_number"], errors="ignore")


def _blank(names: "pandas.Series") -> list[object]:
    """Categories that hold nothing but white space."""
    return [name for name in names.cat.categories if not str(name).strip()]


def _protein_changes(frame: "pandas.DataFrame") -> "pandas.Series":
    """The protein change of each row in one-letter form, empty where none is given."""
    import numpy as np
    import pandas

    change = np.full(len(frame), "", dtype=object)
    for name in ("protein_change", "protein_change_long"):
        if name in frame:
            known = np.array([*(short_change(str(text)) for text in frame[name].cat.categories), ""], dtype=object)
            change = np.where(change == "", known[frame[name].cat.codes], change)
    if "residues" in frame and "residue_number" in frame:
        residues, number = (frame[name].astype("object").to_numpy() for name in ("residues", "residue_number"))
        for row in np.flatnonzero(change == ""):
            change[row] = vep_change(str(residues[row]), str(number[row]))
    return pandas.Series(change, index=frame.index).astype("category")


def short_change(text: str) -> str:
    """A protein change as HGVSp_Short writes it: `ENSP00000269305.4:p.Arg273His`, `p.(R273H)` and `R273H` are p.R273H; empty without a number."""
    if re.fullmatch(r"p\.[A-Z*]?\d+[A-Z*]?", text):
        return text
    found = re.search(r"p\.[^,;\s]+", text)
    change = found.group().replace("(", "").replace(")", "").replace("%3D", "=") if found else f"p.{text.strip()}"
    change = re.sub("|".join(AMINO_ACIDS), lambda name: AMINO_ACIDS[name.group()], change)
    return change if re.match(r"p\..*\d" if found else r"p\.[A-Z*]?\d", change) else ""


def vep_change(residues: str, number: str) -> str:
    """VEP's Amino_acids (`R/H`, or `R` where it stays) and Protein_position (`273`, `273/393`, `273-274`) as p.R273H."""
    place = re.match(r"\d+", number)
    before, _, after = residues.partition("/")
    if not place or not re.fullmatch(r"[A-Z*-]+", before):
        return ""
    first = before[0].replace("-", "")
    if "X" in after:
        return f"p.{first}{place.group()}fs"
    if len(before) == 1 and len(after) <= 1:
        return f"p.{first}{place.group()}{after or '='}"
    return f"p.{first}{place.group()}delins{after}"


def _coding(frame: "pandas.DataFrame") -> Maf:
    """Keep coding mutations that passed, with our own effect names; note what is left out."""
    notes = []
    frame["sample"] = frame["sample"].astype("object").map(lambda name: str(name).strip()).astype("category")
    samples = sorted(map(str, frame["sample"].cat.categories))
    if "filter" in frame:
        passed = frame["filter"].isin(["PASS", "pass", "Pass", *ABSENT]) | frame["filter"].isna()
        if not passed.all():
            kinds = frame.loc[~passed, "filter"].value_counts()
            named = ", ".join(f"{name} {count}" for name, count in kinds[kinds > 0].head(5).items())
            notes.append(
                Note("info", f"{int((~passed).sum())} mutations left out because FILTER is not PASS ({named}).")
            )
            frame = frame[passed]
    classes = list(frame["variant_class"].cat.categories)
    effects = {name: effect_of(str(name)) for name in classes}
    effect = frame["variant_class"].astype("object").map(effects)
    counts = frame["variant_class"].value_counts()
    unknown = {name: counts[name] for name in classes if effects[name] is None and counts[name]}
    if unknown:
        named = ", ".join(f"{name or '(empty)'} {count}" for name, count in unknown.items())
        notes.append(
            Note(
                "warning",
                f"{sum(unknown.values())} mutations left out because their Variant_Classification is not known: {named}. "
                f"Known are {', '.join(names[0] for names in EFFECTS.values())} and the other values of the GDC MAF format.",
            )
        )
    elsewhere = sum(counts[name] for name in classes if effects[name] == "")
    if elsewhere:
        notes.append(
            Note("info", f"{elsewhere} mutations outside coding sequence (introns, UTR, flanks, RNA) are not used.")
        )
    build = ""
    if "build" in frame:
        values = {str(value).strip() for value in frame["build"].dropna().unique()} - ABSENT
        said = {BUILDS.get(re.sub(r"(\.p\d+|-lite)$", "", value.lower()), value) for value in values}
        if len(said) > 1:
            raise InputError(f"NCBI_Build: the MAF mixes {', '.join(sorted(said))}; give one build at a time")
        build = said.pop() if said else ""
    kept = effect.isin(list(EFFECTS))
    nowhere = kept & (frame["start"] == 0)
    if nowhere.any():
        notes.append(Note("warning", f"{int(nowhere.sum())} mutations left out because they have no Start_Position."))
        kept &= ~nowhere
    mutations = frame.loc[
        kept, ["symbol", "chromosome", "start", "reference", "alternate", "sample", "protein_change"]
    ].copy()
    mutations.insert(5, "effect", effect[kept].astype("category"))
    mutations["chromosome"] = (
        mutations["chromosome"].astype("object").map(plain_chromosomes(mutations["chromosome"].cat.categories))
    )
    mutations["chromosome"] = mutations["chromosome"].astype("category")
    for name in ("symbol", "sample", "reference", "alternate", "protein_change"):
        mutations[name] = mutations[name].astype("category").cat.remove_unused_categories()
    return Maf(mutations.reset_index(drop=True), samples, build, notes)


def effect_of(variant_class: str) -> str | None:
    """Effect of a Variant_Classification, the gravest of several joined by & , or ; (VEP); empty outside coding sequence, None if not known."""
    terms = [re.sub(r"[ -]+", "_", term.strip().lower()) for term in re.split("[&,;]", variant_class)]
    found = [effect for effect, names in EFFECTS.items() if set(terms) & set(names)]
    if found:
        return found[-1]
    return "" if set(terms) & NOT_CODING else None


def plain_chromosomes(names: Sequence[object]) -> dict[object, str]:
    """Chromosome names without `chr` (and without the .0 of a number that was read as broken); 23, 24, 25 and M are X, Y, MT."""
    special = {"23": "X", "24": "Y", "25": "MT", "M": "MT"}
    plain = {name: str(name).strip().upper().removeprefix("CHR").removesuffix(".0") for name in names}
    return {name: special.get(short, short) for name, short in plain.items()}
