"""Each alignment that cannot be used, with the message it must give."""

import shutil

import pysam
import pytest
from made_alignments import CONTIGS, make_bam, make_reference

from strandwise.errors import InputError
from strandwise.formats.alignment import check_alignments, open_alignment
from strandwise.formats.alignment_index import read_bytes


@pytest.fixture
def reference(tmp_path):
    return make_reference(tmp_path)


def problems(paths, reference, sample="A"):
    with pytest.raises(InputError) as caught:
        check_alignments(paths, reference, sample)
    return caught.value.problems


def test_good_files_pass_without_notes(tmp_path, reference):
    bam = make_bam(tmp_path)
    cram = make_bam(tmp_path, "x.cram", mode="wc", reference=reference)
    assert check_alignments([bam], reference, "A") == []
    assert check_alignments([cram], reference, "A") == []


def test_truncated_bam(tmp_path, reference):
    bam = make_bam(tmp_path)
    data = bam.read_bytes()
    bam.write_bytes(data[: len(data) // 2])
    assert problems([bam], reference) == ["x.bam: is truncated: it ends inside a compressed block; copy the file again"]


def test_bam_without_end_block(tmp_path, reference):
    bam = make_bam(tmp_path)
    bam.write_bytes(bam.read_bytes()[:-28])
    assert problems([bam], reference) == [
        "x.bam: has no end-of-file block, so the program that wrote it did not finish, or the end is lost; "
        "make or copy the file again"
    ]


def test_empty_file_and_text_file(tmp_path, reference):
    empty, text = tmp_path / "e.bam", tmp_path / "t.bam"
    empty.touch()
    text.write_text("hello\n")
    assert problems([empty], reference) == ["e.bam: is empty; copy it again"]
    (problem,) = problems([text], reference)
    assert problem.startswith("t.bam: cannot be opened as BAM or CRAM")


def test_missing_index(tmp_path, reference):
    bam = make_bam(tmp_path, index=False)
    assert problems([bam], reference) == ["x.bam: has no index beside it; make one with: samtools index x.bam"]


def test_unsorted_by_its_header(tmp_path, reference):
    bam = make_bam(tmp_path, order="queryname")
    assert problems([bam], reference) == [
        "x.bam: is sorted by queryname, not by coordinate; sort it with: samtools sort x.bam"
    ]


def test_unsorted_though_the_header_does_not_say_so(tmp_path, reference):
    bam = make_bam(tmp_path)
    unsorted = make_bam(tmp_path, "u.bam", starts=[500, 400, 300], order="unknown", index=False)
    shutil.copy(f"{bam}.bai", f"{unsorted}.bai")
    assert problems([unsorted], reference) == [
        "u.bam: is not sorted by coordinate (read r1); sort it with: samtools sort u.bam"
    ]


def test_wrong_reference(tmp_path, reference):
    bam = make_bam(tmp_path, contigs={"chr1": 50_200, "HLA-A*01:01:01:01": 3_000})
    assert problems([bam], reference) == [
        "x.bam: contig chr1 has 50200 bases, 60000 in ref.fa: another genome build; "
        "give the reference the reads were aligned to"
    ]


def test_contig_names_of_another_style(tmp_path, reference):
    bam = make_bam(tmp_path, contigs={"1": 60_000})
    assert problems([bam], reference) == [
        "x.bam: reads on contig '1' that ref.fa lacks, which has 'chr1', 'HLA-A*01:01:01:01'; "
        "give the reference the reads were aligned to"
    ]


def test_contigs_without_reads_may_be_missing_in_the_reference(tmp_path, reference):
    bam = make_bam(tmp_path, contigs={**CONTIGS, "decoy": 1000})
    assert check_alignments([bam], reference, "A") == []


def test_read_groups_of_two_samples(tmp_path, reference):
    bam = make_bam(tmp_path, samples=("A", "B"))
    assert problems([bam], reference) == [
        "x.bam: has read groups of 2 samples (A, B); give one file per sample (samtools split)"
    ]


def test_lanes_of_two_samples(tmp_path, reference):
    lanes = [make_bam(tmp_path, "1.bam"), make_bam(tmp_path, "2.bam", samples=("B",))]
    assert problems(lanes, reference) == [
        "files of one sample have read groups of different samples (SM): 1.bam has A, 2.bam has B; check the sheet"
    ]


def test_another_name_than_the_sheets_is_a_note(tmp_path, reference):
    (note,) = check_alignments([make_bam(tmp_path)], reference, "patient 7")
    assert (note.level, note.sample) == ("warning", "patient 7")
    assert note.text == (
        "x.bam: the read groups say sample A (SM), the sheet says patient 7; the name of the sheet is used"
    )


def test_missing_qualities(tmp_path, reference):
    bam = make_bam(tmp_path, qualities=False)
    assert problems([bam], reference) == [
        "x.bam: read r0 has no base qualities, which calling needs; align again with the qualities"
    ]


def test_cram_with_another_reference_cannot_be_decoded(tmp_path, reference):
    cram = make_bam(tmp_path, "x.cram", mode="wc", reference=reference)
    other = tmp_path / "other"
    other.mkdir()
    changed = reference.read_text().replace("ACG", "AGG")
    (other / "ref.fa").write_text(changed)
    pysam.faidx(str(other / "ref.fa"))
    (problem,) = problems([cram], other / "ref.fa")
    assert problem.startswith("x.cram: its reads cannot be decoded")


def test_all_problems_of_all_files_at_once(tmp_path, reference):
    first = make_bam(tmp_path, "1.bam", samples=("A", "B"), qualities=False)
    second = make_bam(tmp_path, "2.bam", index=False)
    assert [problem.split(":")[0] for problem in problems([first, second], reference)] == ["1.bam", "1.bam", "2.bam"]


def test_open_alignment_reads_what_lies_there(tmp_path, reference):
    with open_alignment(make_bam(tmp_path), reference) as alignment:
        assert alignment.count("chr1", 0, 100) == 4  # starts 0, 25, 50, 75


def test_index_tells_where_the_bytes_lie(tmp_path, reference):
    # 2,000 reads on [0, 50,000) of 60,000: windows of 16,384 bases with about equally many bytes, the fourth with 5 %.
    bam = make_bam(tmp_path)
    found = read_bytes(bam, list(CONTIGS))
    assert [(contig, start) for contig, start, _ in found] == [("chr1", window * 16_384) for window in range(4)]
    sizes = [size for _, _, size in found]
    assert 0.8 * bam.stat().st_size < sum(sizes) < 1.2 * bam.stat().st_size
    assert max(sizes[:3]) < 1.5 * min(sizes[:3])
    assert sizes[3] < 0.2 * sizes[0]


def test_csi_and_crai_are_read_too(tmp_path, reference):
    bam = make_bam(tmp_path, index=False)
    pysam.index("-c", str(bam))
    assert read_bytes(bam, list(CONTIGS)) == [("chr1", 0, 200_000)]  # 2,000 reads, 100 bytes each
    cram = make_bam(tmp_path, "x.cram", mode="wc", reference=reference)
    ((contig, start, size),) = read_bytes(cram, list(CONTIGS))
    assert (contig, start) == ("chr1", 0)
    assert 0 < size < cram.stat().st_size
