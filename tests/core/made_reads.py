"""Makes small references and alignments for tests, from text."""

import random
from dataclasses import dataclass
from pathlib import Path

import pysam


@dataclass
class MadeRead:
    """One aligned read. position: 0-based; qualities: one number for all bases, a list, or None for missing ones."""

    position: int
    bases: str
    cigar: str = ""
    name: str = ""
    qualities: int | list[int] | None = 37
    flag: int = 0
    mapping_quality: int = 60

    @property
    def quality_list(self) -> list[int] | None:
        if self.qualities is None or isinstance(self.qualities, list):
            return self.qualities
        return [self.qualities] * len(self.bases)


def write_fasta(path: Path, contigs: dict[str, str]) -> Path:
    path.write_text("".join(f">{name}\n{bases}\n" for name, bases in contigs.items()))
    pysam.faidx(str(path))
    return path


def write_alignment(
    path: Path,
    contig: str,
    length: int,
    reads: list[MadeRead],
    reference: Path | None = None,
    platform: str = "ILLUMINA",
) -> Path:
    """Write sorted, indexed BAM or (by suffix, with its reference) CRAM."""
    header = {
        "HD": {"VN": "1.6", "SO": "coordinate"},
        "SQ": [{"SN": contig, "LN": length}],
        "RG": [{"ID": "r", "SM": "S", "PL": platform}],
    }
    mode = "wc" if path.suffix == ".cram" else "wb"
    reference_name = str(reference) if reference else None
    with pysam.AlignmentFile(str(path), mode, header=header, reference_filename=reference_name) as output:
        for number, read in enumerate(sorted(reads, key=lambda read: read.position)):
            record = pysam.AlignedSegment(output.header)
            record.query_name = read.name or f"q{number}"
            record.query_sequence = read.bases
            qualities = read.quality_list
            record.query_qualities = (
                None
                if qualities is None
                else pysam.qualitystring_to_array("".join(chr(33 + quality) for quality in qualities))
            )
            record.flag = read.flag
            record.reference_id = 0
            record.reference_start = read.position
            record.mapping_quality = read.mapping_quality
            record.cigarstring = read.cigar or f"{len(read.bases)}M"
            record.set_tag("RG", "r")
            output.write(record)
    pysam.index(str(path))
    return path


def random_bases(length: int, rng: random.Random) -> str:
    return "".join(rng.choices("ACGT", k=length))


def tiled(
    haplotype: str, depth: int, length: int, rng: random.Random, name: str = "t", quality: int = 37
) -> list[tuple[int, str, str, int]]:
    """Reads drawn from a haplotype: (start on the haplotype, bases, name, strand flag)."""
    number = max(1, depth * len(haplotype) // length)
    starts = [rng.randrange(0, len(haplotype) - length + 1) for _ in range(number)]
    return [(start, haplotype[start : start + length], f"{name}{i}", 16 * (i % 2)) for i, start in enumerate(starts)]
