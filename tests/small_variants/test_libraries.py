"""What libraries do to reads in the benchmark over other laboratories' reads: each change on a read worked out by hand."""

import importlib
import random
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pysam
import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks" / "germline"
HEADER = pysam.AlignmentHeader.from_dict({"HD": {"VN": "1.6"}, "SQ": [{"SN": "chr1", "LN": 5000}]})


@pytest.fixture(scope="module")
def libraries() -> Iterator[ModuleType]:
    sys.path.insert(0, str(BENCHMARKS))
    yield importlib.import_module("libraries")
    sys.path.remove(str(BENCHMARKS))


def aligned(
    bases: str, cigar: str, flag: int = 99, start: int = 100, name: str = "m", quality: int = 30
) -> pysam.AlignedSegment:
    read = pysam.AlignedSegment(HEADER)
    read.query_name, read.flag, read.reference_id, read.reference_start = name, flag, 0, start
    read.query_sequence = bases
    read.query_qualities = pysam.qualitystring_to_array(chr(33 + quality) * len(bases))
    read.cigarstring, read.mapping_quality = cigar, 60
    return read


def test_every_library_is_made_of_known_words_and_keeps_off_the_test_region(libraries: ModuleType) -> None:
    names = list(libraries.LIBRARIES)
    for number, (name, library) in enumerate(libraries.LIBRARIES.items()):
        assert bool(library.reads) != bool(library.of), name
        assert not library.of or library.of in names[:number], f"{name} is made of what comes after it"
        if library.reads:
            libraries.options_of(library.reads)
        for word in library.alignments.split():
            key, _, value = word.partition("=")
            if key not in ("kept", "strand_bias", "duplicates"):
                assert libraries.one_change(key, float(value or 0), ""), name
    assert libraries.parsed(libraries.PLANTED)[2] == libraries.parsed(libraries.OF_HG001)[1]
    assert libraries.parsed(libraries.OF_HG001)[2] <= 3_900_000


def test_damage_is_the_same_in_both_mates_and_of_one_strand(libraries: ModuleType) -> None:
    """Mates that overlap by 60 bases see one molecule; at a share of 1 every base of a kind is changed."""
    text = "ACGT" * 20
    for name in map(str, range(8)):
        first, second = aligned(text, "80M", 99, 100, name), aligned(text, "80M", 147, 120, name)
        for read in (first, second):
            libraries.ffpe(read, 0.5)
            assert list(read.query_qualities) == [30] * 80
        assert first.query_sequence[20:] == second.query_sequence[:60]
        kinds = {(old, new) for old, new in zip(text, first.query_sequence, strict=True) if old != new}
        assert kinds in ({("C", "T")}, {("G", "A")})
    whole = aligned("AACCGG", "6M", name="0")
    libraries.ffpe(whole, 1.0)
    assert whole.query_sequence in ("AATTGG", "AACCAA")


@pytest.mark.parametrize(("flag", "seen"), [(99, "ACTT"), (147, "ACTT"), (83, "AAGT"), (163, "AAGT")])
def test_oxidation_is_g_to_t_in_read_1(libraries: ModuleType, flag: int, seen: str) -> None:
    """Flags: read 1 forward, its mate reverse; read 1 reverse, its mate forward. Bases as the reference's strand has them."""
    read = aligned("ACGT", "4M", flag)
    libraries.oxidation(read, 1.0)
    assert read.query_sequence == seen


def test_eqx_and_hard_clips_say_the_same_alignment(libraries: ModuleType) -> None:
    reference = "A" * 100 + "ACGTACGTAC" + "A" * 100
    read = aligned("TTACCTAGGTGTAC", "2S5M2I5M", 99, 100)  # ACCTA against ACGTA, GTGTAC against CGTAC
    libraries.eqx(read, reference)
    assert read.cigarstring == "2S2=1X2=2I1X4="
    libraries.hard_clips(read)
    assert (read.cigarstring, read.query_sequence) == ("2H2=1X2=2I1X4=", "ACCTAGGTGTAC")
    assert len(read.query_qualities) == 12


def test_qualities_are_changed_as_named(libraries: ModuleType) -> None:
    qualities = [2, 3, 17, 18, 29, 30, 41]
    for word, expected in {
        "binned": [2, 12, 12, 23, 23, 37, 37],
        "quality_shift=6": [2, 9, 23, 24, 35, 36, 47],
        "quality_shift=-6": [2, 3, 11, 12, 23, 24, 35],
        "flat=30": [30] * 7,
        "consensus": [61, 62, 72, 73, 81, 81, 90],
    }.items():
        read = aligned("ACGTACG", "7M")
        read.query_qualities = pysam.qualitystring_to_array("".join(chr(33 + value) for value in qualities))
        key, _, value = word.partition("=")
        libraries.one_change(key, float(value or 0), "")(read)
        assert list(read.query_qualities) == expected, word


def test_short_fragments_hold_the_same_bases_twice_and_adapters_or_nothing_behind(libraries: ModuleType) -> None:
    rng = random.Random(1)
    pair = [("".join(rng.choices("ACGT", k=150)), "I" * 150), ("".join(rng.choices("ACGT", k=150)), "I" * 150)]
    (kept,) = libraries.read_through([pair], 1.0, random.Random(2), kept=True)
    (cut,) = libraries.read_through([pair], 1.0, random.Random(2), kept=False)
    size = len(cut[0][0])
    assert 40 <= size < 150
    assert cut[0][0] == pair[0][0][:size]
    back = libraries.reverse(cut[1])[0]
    assert sum(a != b for a, b in zip(back, cut[0][0], strict=True)) <= 1  # quality 40
    assert kept[0][0][size:].startswith(libraries.ADAPTERS[0][: 150 - size])
    assert kept[1][0][size:].startswith(libraries.ADAPTERS[1][: 150 - size])
    assert [len(bases) for bases, _ in kept] == [150, 150]


def test_molecules_are_kept_or_copied_as_a_whole(libraries: ModuleType, tmp_path: Path) -> None:
    source = tmp_path / "a.bam"
    with pysam.AlignmentFile(str(source), "wb", header=HEADER) as output:
        for flag, start in ((99, 100), (147, 300)):
            for number in range(500):
                output.write(aligned("ACGT", "4M", flag, start, f"r{number}"))
    pysam.index(str(source))
    libraries.changed_alignments(source, "kept=0.4 duplicates=0.5", "A" * 5000, tmp_path / "b.bam")
    with pysam.AlignmentFile(str(tmp_path / "b.bam")) as reads:
        names = [(read.query_name, read.is_read2) for read in reads]
    first, second = ([name for name, mate in names if mate == side] for side in (False, True))
    assert sorted(first) == sorted(second)
    copies = sum(name.endswith(".copy") for name in first)
    assert 160 <= len(first) - copies <= 240  # 200 of 500, standard deviation 11
    assert 70 <= copies <= 130


def test_targets_do_not_overlap_and_stay_inside(libraries: ModuleType) -> None:
    for make in (libraries.exome_targets, libraries.amplicon_targets):
        targets = make(100_000, 200_000, random.Random(3))
        ends = [0] + [end for _, end, _ in targets]
        assert all(end < begin for end, (begin, _, _) in zip(ends, targets, strict=False))
        assert targets[0][0] > 100_000
        assert targets[-1][1] < 200_000 - 500
        assert len(targets) > 60
