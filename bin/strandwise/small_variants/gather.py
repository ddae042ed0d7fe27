"""Joins the shards of a sample: copies compressed blocks, checks order and counts, indexes."""

from collections.abc import Sequence
from pathlib import Path

from strandwise.errors import InputError
from strandwise.formats.vcf import index_and_count, record_count, written_with_index


def gather(calls: Sequence[Path], gvcfs: Sequence[Path], output: Path, gvcf: Path) -> int:
    """Join the shards' VCFs into `output` and their gVCFs into `gvcf`; gives the number of sites.

    Files are taken in the order of their names (0001.vcf.gz, 0002.vcf.gz, …), not of the arguments.
    Raises InputError: a shard given twice, one without its counterpart, samples or models that differ.
    """
    missing = {_shard(path) for path in calls} ^ {_shard(path) for path in gvcfs}
    problems = [f"shard {name}: has calls or gVCF but not both" for name in sorted(missing)]
    for paths in (calls, gvcfs):
        names = [path.name for path in paths]
        problems += [f"{name}: given twice" for name in sorted({name for name in names if names.count(name) > 1})]
        headers = {_header(path): path.name for path in paths}
        if len(headers) > 1:
            listed = ", ".join(sorted(headers.values())[:3])
            problems.append(f"{listed}: headers differ (sample, model or reference); call all shards in one run")
    if problems:
        raise InputError(*problems)
    number = _joined(sorted(calls, key=_shard), output)
    _joined(sorted(gvcfs, key=_shard), gvcf)
    return number


def _shard(path: Path) -> str:
    return path.name.split(".")[0]


def _header(path: Path) -> str:
    import pysam

    with pysam.BGZFile(str(path), "r", None) as file:
        lines = []
        for line in file:
            if not line.startswith(b"#"):
                break
            lines.append(line.decode())
    return "\n".join(lines)


def _joined(shards: Sequence[Path], output: Path) -> int:
    """Concatenate block by block; indexing the result finds what is out of order, counting what is lost."""
    import pysam.bcftools

    expected = sum(record_count(path) for path in shards)
    with written_with_index(output) as temporary:
        pysam.bcftools.concat("--naive", "--output", str(temporary), *map(str, shards), catch_stdout=False)
        index_and_count(temporary, expected)
    return expected
