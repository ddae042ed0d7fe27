"""Reads the numbers that the report takes from samtools' own files."""


def summary_numbers(content: str) -> dict[str, float]:
    """The SN lines of samtools stats: name → value."""
    rows = (line.split("\t") for line in content.splitlines() if line.startswith("SN\t"))
    return {row[1].rstrip(":"): float(row[2]) for row in rows}


def covered(content: str) -> tuple[int, float]:
    """From samtools coverage: bases with at least one read, and their mean depth (0 where there is none)."""
    rows = [line.split("\t") for line in content.splitlines() if line and not line.startswith("#")]
    bases = sum(int(row[4]) for row in rows)
    depth = sum(float(row[6]) * (int(row[2]) - int(row[1]) + 1) for row in rows)
    return bases, depth / bases if bases else 0.0
