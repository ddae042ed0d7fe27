"""Small references and alignments, made from seeds."""

import random
from pathlib import Path

import pysam

CONTIGS = {"chr1": 60_000, "HLA-A*01:01:01:01": 3_000}


def sequence(length: int, seed: int) -> str:
    return "".join(random.Random(seed).choices("ACGT", k=length))


def make_reference(folder: Path, contigs: dict[str, int] = CONTIGS, name: str = "ref.fa") -> Path:
    path = folder / name
    with path.open("w") as handle:
        for seed, (contig, length) in enumerate(contigs.items()):
            handle.write(f">{contig}\n{sequence(length, seed)}\n")
    pysam.faidx(str(path))
    return path


def make_bam(
    folder: Path,
    name: str = "x.bam",
    contigs: dict[str, int] = CONTIGS,
    samples: tuple[str, ...] = ("A",),
    starts: range | list[int] = range(0, 50_000, 25),
    qualities: bool = True,
    order: str = "coordinate",
    index: bool = True,
    mode: str = "wb",
    reference: Path | None = None,
) -> Path:
    """Reads of 100 bases on the first contig that agree with the reference of make_reference."""
    path = folder / name
    header = {
        "HD": {"VN": "1.6", "SO": order},
        "SQ": [{"SN": contig, "LN": length} for contig, length in contigs.items()],
        "RG": [{"ID": f"g{sample}", "SM": sample, "PL": "ILLUMINA"} for sample in samples],
    }
    bases = sequence(next(iter(contigs.values())), 0)
    rng = random.Random(5)
    with pysam.AlignmentFile(str(path), mode, header=header, reference_filename=reference and str(reference)) as output:
        for number, start in enumerate(starts):
            read = pysam.AlignedSegment(output.header)
            read.query_name = f"r{number}"
            read.reference_id, read.reference_start, read.mapping_quality = 0, start, 60
            read.query_sequence = bases[start : start + 100]
            read.cigarstring = "100M"
            if qualities:
                read.query_qualities = pysam.qualitystring_to_array("".join(rng.choices("?@ABCDEFGH", k=100)))
            read.set_tag("RG", f"g{samples[number % len(samples)]}")
            output.write(read)
    if index:
        pysam.index(str(path))
    return path
