"""Sex by depth: a toy genome of chr20, chrX and chrY at a thousandth of their lengths, reads laid at chosen depths."""

import json
import random
from pathlib import Path

import pysam
import pytest
from made_reads import random_bases, write_fasta

from strandwise.small_variants import copies
from strandwise.small_variants.sex import Depths, check_sex, judged, measure
from strandwise.small_variants.shards import intervals_to_call

pytestmark = pytest.mark.usefixtures("calling_image")


LENGTHS = {"chr20": 64_444, "chrX": 156_040, "chrY": 57_227, "chrUn_1": 20_000}
READ = 100
DEPTH = 20


@pytest.fixture(scope="module")
def fasta(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rng = random.Random(1)
    sequences = {name: random_bases(length, rng) for name, length in LENGTHS.items()}
    sequences["chrY"] = sequences["chrY"][:30_000] + "N" * 27_227  # as the long arm of Y
    return write_fasta(tmp_path_factory.mktemp("genome") / "genome.fa", sequences)


def reads_of(
    folder: Path, fasta: Path, depths: dict[str, float], *, extra: list[tuple[str, int, int, int, int]] = ()
) -> Path:
    """A BAM with random reads at `depths`; extra: (contig, position, number, flag, mapping quality)."""
    rng = random.Random(2)
    with pysam.FastaFile(str(fasta)) as genome:
        sequences = {name: genome.fetch(name) for name in genome.references}
    header = {"HD": {"VN": "1.6", "SO": "coordinate"}}
    header["SQ"] = [{"SN": name, "LN": len(bases)} for name, bases in sequences.items()]
    drawn = []
    for name, bases in sequences.items():
        for _ in range(round(depths.get(name, 0) * len(bases) / READ)):
            start = rng.randrange(len(bases) - READ)
            if "N" not in bases[start : start + READ]:
                drawn.append((name, start, 0, 60))
    drawn += [(name, start, flag, quality) for name, start, number, flag, quality in extra for _ in range(number)]
    path = folder / "reads.bam"
    order = list(sequences)
    with pysam.AlignmentFile(str(path), "wb", header=header) as output:
        for number, (name, start, flag, quality) in enumerate(
            sorted(drawn, key=lambda read: (order.index(read[0]), read[1]))
        ):
            read = pysam.AlignedSegment(output.header)
            read.query_name, read.flag, read.mapping_quality = f"r{number}", flag, quality
            read.reference_id, read.reference_start, read.cigarstring = order.index(name), start, f"{READ}M"
            read.query_sequence = sequences[name][start : start + READ]
            read.query_qualities = pysam.qualitystring_to_array("I" * READ)
            output.write(read)
    pysam.index(str(path))
    return path


def person(x: float, y: float) -> dict[str, float]:
    """Depths of somebody with x and y copies of the sex chromosomes."""
    return {"chr20": DEPTH, "chrX": DEPTH * x / 2, "chrY": DEPTH * y / 2}


def checked(tmp_path: Path, fasta: Path, bam: Path, sheet: str, bed: Path | None = None) -> tuple[dict, list]:
    notes = check_sex([bam], fasta, bed, 0, sheet, "P1", tmp_path / "sex.json")
    return json.loads((tmp_path / "sex.json").read_text()), notes


@pytest.mark.parametrize(
    ("x", "y", "sheet", "measured", "verdict", "levels"),
    [
        (2, 0, "XX", "XX", "agrees", []),
        (1, 1, "XY", "XY", "agrees", []),
        (1, 1, "XX", "XY", "disagrees", ["warning"]),
        (2, 0, "XY", "XX", "disagrees", ["warning"]),
        (1, 1, "NA", "XY", "suggested", ["info"]),
        (2, 0, "NA", "XX", "suggested", ["info"]),
        (1, 0, "XX", "X0", "unusual", ["warning"]),
        (2, 1, "XY", "XXY", "unusual", ["warning"]),
        (1, 2, "XY", "XYY", "unusual", ["warning"]),
        (3, 0, "NA", 3 * "X", "unusual", ["warning"]),
        (1.45, 0.5, "XX", "", "unclear", ["info"]),  # a mixture of a woman and a man
    ],
)
def test_people(
    tmp_path: Path, fasta: Path, x: float, y: float, sheet: str, measured: str, verdict: str, levels: list[str]
) -> None:
    bam = reads_of(tmp_path, fasta, person(x, y))
    found, notes = checked(tmp_path, fasta, bam, sheet)
    assert (found["measured"], found["verdict"]) == (measured, verdict), found
    assert found["x"] == pytest.approx(x / 2, abs=0.06) and found["y"] == pytest.approx(y / 2, abs=0.06)
    assert found["autosomes"] == pytest.approx(DEPTH, rel=0.1)
    assert [note.level for note in notes] == levels
    assert all(note.sample == "P1" for note in notes)


def test_the_note_names_both_and_the_remedy(tmp_path: Path, fasta: Path) -> None:
    _, notes = checked(tmp_path, fasta, reads_of(tmp_path, fasta, person(1, 1)), "XX")
    assert "looks like XY, the sheet says XX" in notes[0].text
    assert "X has two copies in these calls and Y none: correct the sheet and run again" in notes[0].text


def test_reads_that_lie_nowhere_for_sure_and_duplicates_do_not_count(tmp_path: Path, fasta: Path) -> None:
    extra = [("chrY", start, 20, 0, 0) for start in range(0, 29_000, 100)]
    extra += [("chrY", start, 20, 0x400, 60) for start in range(0, 29_000, 100)]
    found, _ = checked(tmp_path, fasta, reads_of(tmp_path, fasta, person(2, 0), extra=extra), "XX")
    assert (found["y"], found["verdict"]) == (0.0, "agrees")


def test_a_pile_of_reads_at_one_place_is_no_copy(tmp_path: Path, fasta: Path) -> None:
    """3,000 reads on one of the 21 places of Y without N: 300 deep there, counted as twice the autosomes, so 2 / 21 = 0.095."""
    extra = [("chrY", 15_200, 3000, 0, 60)]
    found, _ = checked(tmp_path, fasta, reads_of(tmp_path, fasta, person(2, 0), extra=extra), "XX")
    assert found["y"] == pytest.approx(2 / 21, abs=1e-3) and found["measured"] == "XX"


def panel(folder: Path, *parts: tuple[str, int, int]) -> Path:
    """A BED of `number` targets of 150 bases on each contig, `step` bases apart."""
    lines = [f"{name}\t{500 + step * i}\t{650 + step * i}\n" for name, number, step in parts for i in range(number)]
    path = folder / "panel.bed"
    path.write_text("".join(lines))
    return path


def test_a_panel_counts_its_targets_alone(tmp_path: Path, fasta: Path) -> None:
    """Targets at 20x and 10x, and nothing but stray reads between them."""
    parts = (("chr20", 60, 1000), ("chrX", 60, 2000), ("chrY", 20, 1000))
    bed = panel(tmp_path, *parts)
    extra = [
        (name, 500 + step * i, 2 * (DEPTH if name == "chr20" else DEPTH // 2), 0, 60)
        for name, number, step in parts
        for i in range(number)
    ]
    extra = [
        (name, at + shift, count // 2, flag, quality) for name, at, count, flag, quality in extra for shift in (0, 50)
    ]
    bam = reads_of(tmp_path, fasta, {}, extra=extra)
    found, notes = checked(tmp_path, fasta, bam, "XY", bed)
    assert (found["x"], found["y"], found["measured"], found["verdict"]) == (0.5, 0.5, "XY", "agrees")
    assert not notes


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ([("chr20", 60, 1000)], "too few places of X"),
        ([("chrX", 60, 1000)], "too few places of the autosomes"),
        ([("chr20", 60, 1000), ("chrX", 3, 1000)], "too few places of X"),
    ],
)
def test_intervals_without_x_or_autosomes_cannot_tell(
    tmp_path: Path, fasta: Path, parts: list[tuple[str, int, int]], words: str
) -> None:
    bam = reads_of(tmp_path, fasta, person(1, 1))
    found, notes = checked(tmp_path, fasta, bam, "XX", panel(tmp_path, *parts))
    assert (found["verdict"], found["measured"]) == ("cannot tell", "")
    assert words in found["text"]
    assert [note.level for note in notes] == ["info"] and "not checked" in notes[0].text
    assert checked(tmp_path, fasta, bam, "NA", panel(tmp_path, *parts))[1] == [], "nothing said, nothing to check"


def test_without_y_in_the_intervals_x_alone_speaks(tmp_path: Path, fasta: Path) -> None:
    bam = reads_of(tmp_path, fasta, person(1, 1))
    bed = panel(tmp_path, ("chr20", 60, 1000), ("chrX", 60, 2000))
    assert checked(tmp_path, fasta, bam, "XX", bed)[0]["verdict"] == "disagrees"
    assert checked(tmp_path, fasta, bam, "XY", bed)[0]["verdict"] == "agrees"
    found, _ = checked(tmp_path, fasta, bam, "NA", bed)
    assert found["verdict"] == "suggested" and "fits XY" in found["text"] and found["y"] is None


def test_lanes_add_up(tmp_path: Path, fasta: Path) -> None:
    bam = reads_of(tmp_path, fasta, person(1, 1))
    intervals = intervals_to_call([bam], fasta)
    one, two = measure([bam], fasta, intervals), measure([bam, bam], fasta, intervals)
    assert two.autosomes == pytest.approx(2 * one.autosomes) and two.x == pytest.approx(one.x)


def test_pseudo_autosomal_regions_are_left_out(tmp_path: Path, fasta: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice the depth on the first and last 60 kb of X, as in a man whose PAR were so long, changes nothing."""
    ends = ((0, 60_000), (96_040, 156_040))
    monkeypatch.setitem(copies.PSEUDO_AUTOSOMAL, ("X", 156_040), ends)
    extra = [("chrX", start, 10, 0, 60) for low, high in ends for start in range(low, high - READ, READ)]
    bam = reads_of(tmp_path, fasta, person(1, 1), extra=extra)
    found, _ = checked(tmp_path, fasta, bam, "XY")
    assert found["x"] == pytest.approx(0.5, abs=0.05)


def test_pseudo_autosomal_regions_of_a_bed_are_left_out(tmp_path: Path, fasta: Path) -> None:
    """The same for a build that is not known by its lengths, whose regions the user gives."""
    ends = ((0, 60_000), (96_040, 156_040))
    extra = [("chrX", start, 10, 0, 60) for low, high in ends for start in range(low, high - READ, READ)]
    bam = reads_of(tmp_path, fasta, person(1, 1), extra=extra)
    par = tmp_path / "par.bed"
    par.write_text("".join(f"chrX\t{low}\t{high}\n" for low, high in ends))
    check_sex([bam], fasta, None, 0, "XY", "P1", tmp_path / "sex.json", par)
    found = json.loads((tmp_path / "sex.json").read_text())
    assert found["x"] == pytest.approx(0.5, abs=0.05)
    assert checked(tmp_path, fasta, bam, "XY")[0]["x"] > 0.7


def test_no_reads_and_hardly_any(tmp_path: Path, fasta: Path) -> None:
    found, notes = checked(tmp_path, fasta, reads_of(tmp_path, fasta, {"chr20": 0.2, "chrX": 0.2}), "XX")
    assert found["verdict"] == "cannot tell" and "deep, too little" in found["text"]
    assert [note.level for note in notes] == ["info"]


@pytest.mark.parametrize(("x", "y", "measured"), [(0.62, 0.25, "XY"), (0.9, 0.03, "XX"), (0.5, 0.15, "")])
def test_capture_shifts_depths_and_between_the_ranges_nothing_is_said(x: float, y: float, measured: str) -> None:
    assert judged("S", "NA", Depths(80.0, x, y)).measured == measured
