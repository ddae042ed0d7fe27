"""Makes the index that an alignment or a reference lacks, beside it."""

from pathlib import Path

from strandwise.errors import InputError
from strandwise.formats.alignment import quiet


def make_index(path: Path) -> list[Path]:
    """Index a BAM (.bai), CRAM (.crai) or FASTA (.fai, and .gzi where it is bgzipped). Returns the index files.

    Raises InputError: not sorted, damaged, or compressed by plain gzip.
    """
    if path.suffix in (".bam", ".cram"):
        return [index_alignment(path)]
    fai = index_reference(path)
    gzi = Path(f"{path}.gzi")
    return [fai, gzi] if gzi.exists() else [fai]


def index_alignment(path: Path) -> Path:
    import pysam

    index = Path(f"{path}{'.bai' if path.suffix == '.bam' else '.crai'}")
    try:
        with quiet():
            pysam.samtools.index("-o", str(index), str(path))
    except pysam.SamtoolsError as error:
        index.unlink(missing_ok=True)
        raise InputError(
            f"{path.name}: cannot be indexed; it must be whole and sorted by coordinate: samtools sort {path.name}"
        ) from error
    return index


def index_reference(path: Path) -> Path:
    """Index a FASTA with faidx, which reads all of it."""
    import pysam

    with path.open("rb") as stream:
        start = stream.read(16)
    if start[:2] == b"\x1f\x8b" and start[12:14] != b"BC":
        plain = path.name.removesuffix(".gz")
        raise InputError(
            f"{path.name}: compressed by gzip, which cannot be indexed; make it anew: gunzip {path.name}; bgzip {plain}"
        )
    index = Path(f"{path}.fai")
    try:
        with quiet():
            pysam.samtools.faidx(str(path))
    except pysam.SamtoolsError as error:
        index.unlink(missing_ok=True)
        raise InputError(f"{path.name}: no FASTA file, or a damaged one; give the reference genome") from error
    return index
