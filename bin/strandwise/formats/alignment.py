"""Opens BAM and CRAM and says in one line each what makes them useless for calling."""

import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from strandwise.errors import InputError
from strandwise.formats.alignment_index import read_bytes
from strandwise.formats.intervals import contig_lengths, some_names
from strandwise.formats.notes import Note

if TYPE_CHECKING:
    import pysam

BGZF_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
"""The empty block that ends every whole BGZF file (SAM specification, section 4.1.2)."""

PEEKED_READS = 1000
"""So many reads at the beginning are looked at for order and qualities."""


@contextmanager
def quiet() -> Iterator[None]:
    """Keep htslib from printing its own messages: ours say the same with the remedy."""
    import pysam

    before = pysam.set_verbosity(0)
    try:
        yield
    finally:
        pysam.set_verbosity(before)


def open_alignment(path: Path, reference: Path) -> "pysam.AlignmentFile":
    """Open a whole, indexed BAM or CRAM. Raises InputError: no BAM or CRAM, cut short, no index, not to be decoded."""
    import pysam

    problem = _cut_short(path)
    if problem:
        raise InputError(problem)
    try:
        with quiet():
            alignment = pysam.AlignmentFile(str(path), reference_filename=str(reference))
            indexed = alignment.has_index()
    except (OSError, ValueError) as error:
        raise InputError(
            f"{path.name}: cannot be opened as BAM or CRAM ({error}); give an aligned, sorted file"
        ) from error
    if not indexed:
        alignment.close()
        raise InputError(f"{path.name}: has no index beside it; make one with: samtools index {path.name}")
    return alignment


def _cut_short(path: Path) -> str | None:
    """Say whether a BGZF file misses its end, and which way: inside a block, or only the empty last one."""
    size = path.stat().st_size
    if size == 0:
        return f"{path.name}: is empty; copy it again"
    with path.open("rb") as handle:
        if handle.read(4) != BGZF_END[:4]:
            return None  # CRAM has an end container, which htslib looks for
        handle.seek(max(0, size - 3 * 65536))
        tail = handle.read()
    if tail.endswith(BGZF_END):
        return None
    if _ends_with_block(tail):
        return (
            f"{path.name}: has no end-of-file block, so the program that wrote it did not finish, or the end is lost; "
            "make or copy the file again"
        )
    return f"{path.name}: is truncated: it ends inside a compressed block; copy the file again"


def _ends_with_block(tail: bytes) -> bool:
    """Whether some chain of BGZF blocks ends exactly where `tail` does (BSIZE stands at bytes 16 and 17 of a block)."""
    start = tail.find(BGZF_END[:4])
    while start >= 0:
        at = start
        while tail[at : at + 4] == BGZF_END[:4] and tail[at + 12 : at + 14] == b"BC" and at + 18 <= len(tail):
            at += struct.unpack_from("<H", tail, at + 16)[0] + 1
        if at == len(tail) and at != start:
            return True
        start = tail.find(BGZF_END[:4], start + 1)
    return False


def check_alignments(paths: Iterable[Path], reference: Path, sample: str | None) -> list[Note]:
    """Check all files of one sample and say all problems at once; what is odd but usable comes back as notes.

    sample: its name in the sheet, compared with the read groups' SM. Raises InputError: what open_alignment raises; not
    sorted by coordinate; contigs that the reference lacks or has with another length; read groups of several samples;
    reads without base qualities; reads that cannot be decoded.
    """
    contigs = contig_lengths(reference)
    problems: list[str] = []
    names: dict[str, str] = {}
    for path in paths:
        try:
            alignment = open_alignment(path, reference)
        except InputError as error:
            problems += error.problems
            continue
        with alignment, quiet():
            problems += header_problems(path, alignment, contigs, reference.name)
            problems += sorting_problems(path.name, alignment) or _read_problems(path.name, alignment)
            samples = sample_names(alignment)
            if len(samples) == 1:
                names[path.name] = samples[0]
    if len(set(names.values())) > 1:
        listed = ", ".join(f"{file} has {name}" for file, name in names.items())
        problems.append(f"files of one sample have read groups of different samples (SM): {listed}; check the sheet")
    if problems:
        raise InputError(*problems)
    differing = sorted({name for name in names.values() if sample and name != sample})
    files = ", ".join(names)
    return [other_name(files, name, sample or "") for name in differing]


def other_name(files: str, name: str, sample: str) -> Note:
    """That the read groups of `files` bear another name than the sheet; said alike by the check of inputs and by the step."""
    text = f"{files}: the read groups say sample {name} (SM), the sheet says {sample}; the name of the sheet is used"
    return Note("warning", text, sample)


def sample_names(alignment: "pysam.AlignmentFile") -> list[str]:
    """Distinct SM of the read groups, in the order of the header."""
    groups = alignment.header.to_dict().get("RG", [])
    return list(dict.fromkeys(group["SM"] for group in groups if "SM" in group))


def header_problems(path: Path, alignment: "pysam.AlignmentFile", contigs: dict[str, int], reference: str) -> list[str]:
    """What the header holds against the reference; contigs it lacks count where reads lie on them."""
    name, problems = path.name, []
    used = {contig for contig, _, _ in read_bytes(path, alignment.references)} if alignment.has_index() else set()
    lengths = dict(zip(alignment.references, alignment.lengths, strict=True))
    absent = [contig for contig in lengths if contig in used and contig not in contigs]
    if absent:
        has = some_names(contigs)
        problems.append(
            f"{name}: reads on contig {some_names(absent)} that {reference} lacks, which has {has}; "
            "give the reference the reads were aligned to"
        )
    other = [contig for contig in lengths if contig in contigs and lengths[contig] != contigs[contig]]
    if other:
        contig = other[0]
        more = f" (and {len(other) - 1} other contigs)" if len(other) > 1 else ""
        problems.append(
            f"{name}: contig {contig} has {lengths[contig]} bases{more}, {contigs[contig]} in {reference}: "
            "another genome build; give the reference the reads were aligned to"
        )
    samples = sample_names(alignment)
    if len(samples) > 1:
        problems.append(
            f"{name}: has read groups of {len(samples)} samples ({', '.join(samples)}); "
            "give one file per sample (samtools split)"
        )
    return problems


def sorting_problems(name: str, alignment: "pysam.AlignmentFile") -> list[str]:
    """What the header says against its order."""
    order = alignment.header.to_dict().get("HD", {}).get("SO", "unknown")
    if order in ("coordinate", "unknown"):
        return []
    return [f"{name}: is sorted by {order}, not by coordinate; sort it with: samtools sort {name}"]


def _read_problems(name: str, alignment: "pysam.AlignmentFile") -> list[str]:
    """Look at the first reads: order, base qualities, and whether they decode at all."""
    last = (0, 0)
    try:
        for read in alignment.head(PEEKED_READS):
            if read.is_unmapped or read.is_secondary or read.is_supplementary:
                continue
            here = (read.reference_id, read.reference_start)
            if here < last:
                return [
                    f"{name}: is not sorted by coordinate (read {read.query_name}); sort it with: samtools sort {name}"
                ]
            last = here
            if read.query_qualities is None:
                return [
                    f"{name}: read {read.query_name} has no base qualities, which calling needs; "
                    "align again with the qualities"
                ]
    except OSError as error:
        return [
            f"{name}: its reads cannot be decoded ({error}): damaged, or a CRAM of another reference; "
            "copy it again or give its reference"
        ]
    return []
