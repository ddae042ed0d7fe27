"""Shards: equal work, deterministic, cut at the grid, nothing lost."""

import itertools
from pathlib import Path

import numpy
import pytest

from strandwise.errors import InputError
from strandwise.formats.intervals import Interval, read_bed
from strandwise.formats.vcf import GRID, record_count
from strandwise.small_variants.copies import by_copies, pseudo_autosomal, unknown_build
from strandwise.small_variants.shards import (
    WORK_PER_BASE,
    WORK_PER_INTERVAL,
    call_to_files,
    copies_notes,
    cut,
    make_shards,
    pieces_of,
)

pytestmark = pytest.mark.usefixtures("calling_image")


MEGABASE = Interval("c", 0, 1_000_000)


def curve(*steps):
    """Curve of a contig from (position, bytes before it)."""
    positions, sums = zip(*steps, strict=True)
    return {"c": (numpy.array(positions), numpy.array(sums))}


def bases(shards):
    return [(item.contig, item.start, item.end) for shard in shards for item in shard]


def test_without_reads_shards_are_of_equal_length():
    total = 1_000_000 * WORK_PER_BASE
    shards = cut([MEGABASE], {}, total / 4)
    assert [sum(item.end - item.start for item in shard) for shard in shards[:-1]] == [
        200_000
    ] * 4  # ceil(total + start)
    assert bases(shards)[0][1] == 0 and bases(shards)[-1][2] == 1_000_000


def test_shards_follow_the_reads():
    # All 100 MB lie on the first tenth: ten shards cut that tenth, and the last takes the empty rest too.
    shards = cut([MEGABASE], curve((0, 0), (100_000, 100_000_000), (1_000_000, 100_000_000)), 10_050_000)
    assert len(shards) == 10
    assert [shard[0].start for shard in shards] == [GRID * number for number in range(10)]
    assert shards[-1][-1].end == 1_000_000


def test_cuts_lie_on_the_grid_and_shards_cover_all_once():
    intervals = [Interval("a", 3_333, 777_777), Interval("b", 5, 12), Interval("c", 0, 123_456)]
    for work in (20_000, 70_000, 10**9):
        shards = cut(intervals, {}, work)
        joined = []
        for contig, start, end in bases(shards):
            if joined and joined[-1][0] == contig and joined[-1][2] == start:
                assert start % GRID == 0
                joined[-1] = (contig, joined[-1][1], end)
            else:
                joined.append((contig, start, end))
        assert joined == [(item.contig, item.start, item.end) for item in intervals]
    assert cut(intervals, {}, 70_000) == cut(intervals, {}, 70_000)


def test_many_small_intervals_are_grouped_by_what_beginning_one_costs():
    panel = [Interval("c", start, start + 100) for start in range(0, 1_000_000, 1000)]
    one = WORK_PER_INTERVAL + 100 * WORK_PER_BASE
    shards = cut(panel, {}, 100 * one)
    assert [len(shard) for shard in shards] == [100] * 10


def test_no_shard_is_larger_than_asked_by_more_than_a_piece():
    steps = list(itertools.accumulate(numpy.random.default_rng(3).integers(0, 100_000, 61).tolist()))
    curves = curve(*[(window * 16_384, size) for window, size in enumerate(steps)], (1_000_000, steps[-1]))
    pieces = pieces_of(MEGABASE, curves)
    work = sum(size for _, size in pieces) / 7
    sizes = {piece.start: size for piece, size in pieces}
    for shard in cut([MEGABASE], curves, work):
        inside = sum(sizes[start] for item in shard for start in range(item.start, item.end, GRID))
        assert inside <= work + max(sizes.values())


def test_make_shards_writes_beds_in_order(tmp_path):
    from made_alignments import CONTIGS, make_bam, make_reference

    reference, bam = make_reference(tmp_path), make_bam(tmp_path)
    assert make_shards([bam], reference, tmp_path / "shards", sample="A") == []
    assert read_bed(tmp_path / "shards" / "0001.bed", CONTIGS) == [
        Interval("chr1", 0, 60_000),
        Interval("HLA-A*01:01:01:01", 0, 3_000),
    ]
    bed = tmp_path / "x.bed"
    bed.write_text("chr1\t100\t200\nchr1\t215\t300\n")
    make_shards([bam], reference, tmp_path / "panel", bed, padding=10, sample="A")
    assert read_bed(tmp_path / "panel" / "0001.bed", CONTIGS) == [Interval("chr1", 90, 310)]


def test_reference_without_a_common_contig(tmp_path):
    from made_alignments import make_bam, make_reference

    reference = make_reference(tmp_path, {"other": 500})
    bam = make_bam(tmp_path, starts=[])
    with pytest.raises(InputError, match="no contig in common with ref"):
        make_shards([bam], reference, tmp_path / "shards")


def test_copies_of_sex_chromosomes():
    lengths = {"chrX": 156_040_895, "chrY": 57_227_415, "chr1": 100, "chrM": 16_569, "X": 5_000}
    x, y = Interval("chrX", 0, 156_040_895), Interval("chrY", 3_000_000, 4_000_000)
    assert list(by_copies([Interval("chr1", 0, 100)], lengths, "XY")) == [(Interval("chr1", 0, 100), 2)]
    assert list(by_copies([x, y], lengths, "XX")) == [(x, 2), (y, 0)]
    assert list(by_copies([x, y], lengths, "NA")) == [(x, 2), (y, 2)]
    # GRCh38 X: PAR1 is 10,001-2,781,479, PAR2 155,701,383-156,030,895.
    edges = [0, 10_000, 2_781_479, 155_701_382, 156_030_895, 156_040_895]
    cut_x = [Interval("chrX", start, end) for start, end in itertools.pairwise(edges)]
    assert list(by_copies([x, y], lengths, "XY")) == [*zip(cut_x, [1, 2, 1, 2, 1], strict=True), (y, 1)]
    assert list(by_copies([Interval("chrM", 0, 9)], lengths, "XX")) == [(Interval("chrM", 0, 9), 1)]
    unknown_build = Interval("X", 0, 5_000)
    assert list(by_copies([unknown_build], lengths, "XY")) == [(unknown_build, 2)]


@pytest.mark.parametrize(
    ("prefix", "x", "y", "of_x", "of_y"),
    [
        (  # GRCh37
            "", 155_270_560, 59_373_566,
            [(60_001, 2_699_520), (154_931_044, 155_260_560)], [(10_001, 2_649_520), (59_034_050, 59_363_566)],
        ),
        (  # GRCh38
            "chr", 156_040_895, 57_227_415,
            [(10_001, 2_781_479), (155_701_383, 156_030_895)], [(10_001, 2_781_479), (56_887_903, 57_217_415)],
        ),
        (  # T2T-CHM13v2.0
            "chr", 154_259_566, 62_460_029,
            [(1, 2_394_410), (153_925_835, 154_259_566)], [(1, 2_458_320), (62_122_810, 62_460_029)],
        ),
    ],
)  # fmt: skip
def test_builds_are_known_by_the_lengths_of_x_and_y(prefix, x, y, of_x, of_y):
    """Regions 1-based with both ends, as the consortia publish them."""
    lengths = {f"{prefix}X": x, f"{prefix}Y": y, "chr1": 1000}
    shared = pseudo_autosomal(lengths)
    one_based = {name: [(start + 1, end) for start, end in regions] for name, regions in shared.items()}
    assert one_based == {f"{prefix}X": of_x, f"{prefix}Y": of_y}
    assert not unknown_build(lengths, "XY", None)


def test_pseudo_autosomal_regions_of_other_builds_come_from_a_bed(tmp_path):
    lengths = {"X": 5_000, "Y": 2_000, "1": 9_000}
    bed = tmp_path / "par.bed"
    bed.write_text("track name=PAR\nX\t4500\t5000\nX\t0\t100\nX\t50\t200\n")
    shared = pseudo_autosomal(lengths, bed)
    assert shared == {"X": [(0, 200), (4500, 5000)], "Y": []}
    found = list(by_copies([Interval("X", 100, 4800), Interval("Y", 0, 2000)], lengths, "XY", shared))
    assert found == [
        (Interval("X", 100, 200), 2),
        (Interval("X", 200, 4500), 1),
        (Interval("X", 4500, 4800), 2),
        (Interval("Y", 0, 2000), 1),
    ]
    assert list(by_copies([Interval("Y", 0, 9)], lengths, "XX", shared)) == [(Interval("Y", 0, 9), 0)]
    assert unknown_build(lengths, "XY", None) == ["X", "Y"] and unknown_build(lengths, "XX", None) == ["Y"]
    assert unknown_build(lengths, "NA", None) == unknown_build(lengths, "XY", bed) == []


def test_a_build_that_is_not_known_is_a_warning(tmp_path):
    from made_alignments import make_reference

    reference = make_reference(tmp_path, {"1": 900, "X": 500, "Y": 200})
    (note,) = copies_notes(reference, "XY", None, "S")
    assert (note.level, note.sample) == ("warning", "S")
    assert note.text.startswith("X and Y of ref") and "--par" in note.text
    assert copies_notes(reference, "NA", None, "S") == []


def test_reads_that_break_off_are_an_error_and_leave_no_file(tmp_path):
    from made_alignments import make_bam, make_reference

    reference, bam = make_reference(tmp_path), make_bam(tmp_path)
    data = bytearray(bam.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 20_000] = bytes(20_000)
    bam.write_bytes(data)
    bed = tmp_path / "0001.bed"
    bed.write_text("chr1\t0\t60000\n")
    model = Path(__file__).parents[2] / "assets" / "models" / "small_variants"
    outputs = tmp_path / "x.vcf.gz", tmp_path / "x.g.vcf.gz"
    with pytest.raises(InputError, match=r"x\.bam: reads break off in 0001\.bed: the file is damaged; copy it again"):
        call_to_files([bam], reference, model, bed, "A", "NA", False, 1, *outputs)
    assert not list(tmp_path.glob("*vcf.gz*"))


def test_no_reads_is_a_valid_empty_file(tmp_path):
    from made_alignments import make_bam, make_reference

    reference, bam = make_reference(tmp_path), make_bam(tmp_path, starts=[])
    bed = tmp_path / "0001.bed"
    bed.write_text("chr1\t0\t25000\n")
    model = Path(__file__).parents[2] / "assets" / "models" / "small_variants"
    (note,) = call_to_files(
        [bam], reference, model, bed, "A", "NA", False, 1, tmp_path / "x.vcf.gz", tmp_path / "x.g.vcf.gz"
    )
    assert note.level == "info"
    assert record_count(tmp_path / "x.vcf.gz") == 0
    assert record_count(tmp_path / "x.g.vcf.gz") == 3  # blocks without a genotype, cut at 10,000 and 20,000
