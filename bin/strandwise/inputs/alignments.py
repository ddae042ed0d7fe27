"""Glances at what calling needs: the reference's contigs, the intervals, and the headers of the alignments."""

import warnings
from pathlib import Path

from strandwise.errors import InputError
from strandwise.formats.alignment import header_problems, other_name, quiet, sample_names, sorting_problems
from strandwise.formats.intervals import Interval, read_bed, some_names
from strandwise.formats.notes import Note
from strandwise.formats.samplesheet import Row
from strandwise.inputs.files import Files, InputFile
from strandwise.inputs.index import index_reference


def read_contigs(files: Files) -> tuple[dict[str, int], list[str]]:
    """Contigs of the reference (name → length in bases) from its index, or from itself where it has none yet.

    Returns nothing where there is no reference or it cannot be looked into; problems are returned, not raised.
    """
    fasta = next(iter(files.named("fasta")), None)
    index = next((file.seen for file in files.named("fasta_index") if file.path.endswith(".fai")), None)
    try:
        if fasta and fasta.seen and not index:
            index = index_reference(fasta.seen)
        if not index:
            return {}, []
        rows = [line.split("\t") for line in index.read_text().splitlines() if line]
        return {row[0]: int(row[1]) for row in rows}, []
    except InputError as error:
        return {}, error.problems
    except (IndexError, ValueError):
        return {}, [f"{index.name if index else ''}: no index of a FASTA file; remove it and it is made anew"]


def check_headers(rows: list[Row], sheet: str, files: Files, contigs: dict[str, int]) -> tuple[list[str], list[Note]]:
    """Compare each alignment's header with the reference, the intervals and the sheet. Returns problems and notes."""
    problems: list[str] = []
    notes: list[Note] = []
    intervals: list[Interval] = []
    bed = next(iter(files.named("intervals")), None)
    if bed and bed.seen and contigs:
        try:
            intervals = read_bed(bed.seen, contigs)
        except InputError as error:
            problems += error.problems
    wanted = list(dict.fromkeys(interval.contig for interval in intervals))
    for row in rows:
        given = row.values.get("bam") or row.values.get("cram")
        file = files.of_sheet(given) if given else None
        if not file or not file.seen:
            continue
        column = "bam" if "bam" in row.values else "cram"
        found, names = _header(row, file, files, contigs, wanted)
        problems += [f"{sheet}: {row.place}, {column}: {problem}" for problem in found]
        sample = row.values.get("sample", "")
        if len(names) == 1 and names[0] != sample:
            notes.append(other_name(file.seen.name, names[0], sample))
    return problems, notes


def _header(
    row: Row, file: InputFile, files: Files, contigs: dict[str, int], wanted: list[str]
) -> tuple[list[str], list[str]]:
    """Problems of one alignment's header, and the sample names in it."""
    import pysam

    assert file.seen
    given = row.values.get("bai") or row.values.get("crai")
    index = files.at(files.of_sheet(given).path if given else file.index)
    if index and index.seen:
        beside = file.seen.with_name(file.seen.name + Path(index.path).suffix)
        if not beside.exists():
            beside.symlink_to(index.seen.resolve())
    reference = files.named("fasta")
    try:
        # A file that is cut short has its header still: it fails by name when it is called, and the others finish.
        with quiet(), warnings.catch_warnings(action="ignore"):
            alignment = pysam.AlignmentFile(str(file.seen), check_sq=False, ignore_truncation=True)
        with alignment:
            problems = sorting_problems(file.seen.name, alignment)
            if contigs:
                problems += header_problems(file.seen, alignment, contigs, reference[0].given)
            absent = [contig for contig in wanted if contig not in alignment.references]
            if absent:
                problems.append(
                    f"{file.seen.name}: contig {some_names(absent)} of the intervals is not in its header, which has "
                    f"{some_names(alignment.references)}; give intervals with the same names"
                )
            return problems, sample_names(alignment)
    except (OSError, ValueError) as error:
        return [f"{file.seen.name}: cannot be opened as BAM or CRAM ({error}); give an aligned, sorted file"], []
