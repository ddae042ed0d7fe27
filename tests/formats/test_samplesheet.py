"""The samplesheet: four formats, and every problem told in one line with row, column and remedy."""

import json
from pathlib import Path

import pytest

from strandwise.errors import InputError
from strandwise.formats.samplesheet import Row, check_sheet, read_sheet

SCHEMA = json.loads((Path(__file__).parents[2] / "assets" / "schema_input.json").read_text())

SAME_ROWS = [
    Row("row 2", {"patient": "P1", "sample": "S1", "lane": "1", "bam": "a b.bam"}),
    Row("row 4", {"patient": "P1", "sample": "S1", "lane": "2", "bam": "c,d.bam"}),
]


def sheet(folder: Path, content: str, name: str = "sheet.csv") -> Path:
    path = folder / name
    path.write_text(content)
    return path


def problems_of(folder: Path, content: str, name: str = "sheet.csv") -> list[str]:
    return check_sheet(read_sheet(sheet(folder, content, name)), name, SCHEMA)[0]


def test_csv_and_tsv_keep_line_numbers_over_empty_lines(tmp_path: Path) -> None:
    csv = 'patient,sample,lane,bam,bai\nP1,S1,1, a b.bam ,\n\nP1,S1,2,"c,d.bam",\n'
    tsv = "patient\tsample\tlane\tbam\tbai\nP1\tS1\t1\ta b.bam\t\n\nP1\tS1\t2\tc,d.bam\t\n"
    assert read_sheet(sheet(tmp_path, csv)).rows == SAME_ROWS
    assert read_sheet(sheet(tmp_path, tsv, "sheet.tsv")).rows == SAME_ROWS


def test_csv_of_a_spreadsheet_with_byte_order_mark_and_carriage_returns(tmp_path: Path) -> None:
    path = tmp_path / "sheet.csv"
    path.write_bytes("\ufeffpatient,sample,bam\r\nP1,S1,a.bam\r\n".encode())
    assert read_sheet(path).rows == [Row("row 2", {"patient": "P1", "sample": "S1", "bam": "a.bam"})]


def test_yaml_and_json_say_item_in_place_of_row(tmp_path: Path) -> None:
    items = [
        {"patient": "P1", "sample": "S1", "lane": 1, "bam": "a b.bam"},
        {"patient": "P1", "sample": "S1", "lane": 2, "bam": "c,d.bam", "bai": ""},
    ]
    yaml = "- {patient: P1, sample: S1, lane: 1, bam: a b.bam}\n- {patient: P1, sample: S1, lane: 2, bam: 'c,d.bam', bai: }\n"
    expected = [row.values for row in SAME_ROWS]
    for path in (sheet(tmp_path, json.dumps(items), "s.json"), sheet(tmp_path, yaml, "s.yaml")):
        rows = read_sheet(path).rows
        assert [row.place for row in rows] == ["item 1", "item 2"]
        assert [row.values for row in rows] == expected


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("s.csv", "", "s.csv: empty; the first row names the columns: patient, sample, bam …"),
        ("s.csv", "patient\tsample\n", "s.csv: columns are separated by tabs; save it as .tsv"),
        ("s.tsv", "patient,sample\n", "s.tsv: columns are separated by commas; save it as .csv"),
        (
            "s.csv",
            "patient;sample;bam\nP1;S1;a.bam\n",
            "s.csv: columns are separated by semicolons; put commas in their place",
        ),
        ("s.csv", "patient,sample,sample\nP,S,S\n", "s.csv: row 1 names 'sample' twice; remove one"),
        (
            "s.csv",
            "patient,sample,bam\nP1,S1\n",
            "s.csv: row 2 has 2 fields, the header 3; put the missing or remove the surplus commas: P1,S1",
        ),
        (
            "s.csv",
            "patient,sample,\nP1,S1,a.bam\n",
            "s.csv: row 2: 'a.bam' stands in a column without a name; name it in row 1",
        ),
        ("s.json", '{"patient": ', "s.json: line 1, character 13: Expecting value"),
        ("s.yaml", "- a: [1\n", "s.yaml: line 2, character 1: expected ',' or ']', but got '<stream end>'"),
        ("s.yaml", "patient: P1\n", "s.yaml: needed is a list with one map (patient: …, sample: …, bam: …) per row"),
        ("s.xlsx", "x", "s.xlsx: .xlsx is no format of sheets; save it as .csv, .tsv, .yaml, .yml or .json"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(tmp_path: Path, name: str, content: str, message: str) -> None:
    with pytest.raises(InputError) as raised:
        read_sheet(sheet(tmp_path, content, name))
    assert raised.value.problems == [message]


def test_not_utf8_is_told(tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_bytes("patient,sample\nM\u00fcller,S".encode("latin-1"))
    with pytest.raises(InputError, match=r"s.csv: not UTF-8 text \(byte 16\); save the sheet as UTF-8"):
        read_sheet(path)


@pytest.mark.parametrize(
    ("content", "messages"),
    [
        (
            "patient,sample,bam\n,S1,a.bam",
            ["row 2, patient: no value; who the sample is from; several samples may share a patient."],
        ),
        ("patient,sample,bam\nP1,S1,a.cram", ["row 2, bam: 'a.cram': the name of a BAM file ends in .bam"]),
        ("patient,sample,bai,maf\nP1,S1,a.bai,a.maf", ["row 2, bai: given without bam; add the bam or remove the bai"]),
        ("patient,sample,bam,cram\nP1,S1,a.bam,a.cram", ["row 2, bam and cram: both are given; leave one of them out"]),
        (
            "patient,sample,fastq_1\nP1,S1,a.fq.gz",
            ["row 2, bam: reads come as FASTQ only; align them first (nf-core/sarek does) and give bam or cram"],
        ),
        (
            "patient,sample,sex\nP1,S1,XX",
            ["row 2, bam: none of bam, cram, gvcf, maf, expression is given; a row needs at least one"],
        ),
        ("patient,sample,sex,bam\nP1,S1,male,a.bam", ["row 2, sex: 'male': one of XX, XY, NA is possible"]),
        (
            "patient,sample,status,bam\nP1,S1,tumor,a.bam",
            ["row 2, status: 'tumor': 0 (normal) or 1 (tumour) is possible"],
        ),
    ],
)
def test_a_wrong_value_is_told_with_row_and_column(tmp_path: Path, content: str, messages: list[str]) -> None:
    assert problems_of(tmp_path, content) == [f"sheet.csv: {message}" for message in messages]


@pytest.mark.parametrize("name", ["S 1", "a/b", "..", "$(id)", "<b>x</b>", "a;b", "x'y", 'x"y', "-x", "é", "a\\b", "*"])
def test_sample_names_that_would_break_files_shell_or_html_are_told(tmp_path: Path, name: str) -> None:
    items = json.dumps([{"patient": "P1", "sample": name, "bam": "a.bam"}])
    expected = (
        f"s.json: item 1, sample: {name!r}: letters, digits, '.', '_' and '-' are possible, a letter or digit first"
    )
    assert problems_of(tmp_path, items, "s.json") == [expected]


def test_odd_but_safe_names_pass(tmp_path: Path) -> None:
    content = "patient,sample,bam\n01,1-a.B_c,weird name $(x) & <b>.bam\n"
    assert problems_of(tmp_path, content) == []


def test_an_unknown_column_is_told_with_the_nearest_and_sareks_columns_are_named(tmp_path: Path) -> None:
    read = read_sheet(sheet(tmp_path, "patient,sample,bamm,bam,fastq_1,vcf\nP1,S1,x,a.bam,r.fq,\n"))
    problems, unused = check_sheet(read, "sheet.csv", SCHEMA)
    assert problems == ["sheet.csv: no column 'bamm' is known; nearest: bam. Rename or remove it"]
    assert unused == ["fastq_1"]  # vcf holds nothing


def test_an_unknown_column_without_any_value_is_told_too(tmp_path: Path) -> None:
    assert problems_of(tmp_path, "patient,sample,bam,bax\nP1,S1,a.bam,\n") == [
        "sheet.csv: no column 'bax' is known; nearest: bam. Rename or remove it"
    ]


def test_the_same_lane_twice_is_told_with_both_rows(tmp_path: Path) -> None:
    content = "patient,sample,lane,bam\nP1,S1,L1,a.bam\nP1,S1,L2,b.bam\nP1,S1,L1,c.bam\n"
    assert problems_of(tmp_path, content) == [
        "sheet.csv: row 4, lane: patient P1, sample S1, lane L1 stands in row 2 already; give each alignment of a sample its own lane, or remove one row"
    ]


def test_a_sample_under_two_patients_or_statuses_and_a_patient_of_two_sexes_are_told(tmp_path: Path) -> None:
    content = "patient,sample,sex,status,lane,bam\nP1,S1,XX,0,1,a.bam\nP2,S1,XX,0,2,b.bam\nP1,S1,XY,1,3,c.bam\n"
    assert problems_of(tmp_path, content) == [
        "sheet.csv: row 3, patient: sample S1 has patient P2 here and P1 in row 2; use another sample name for the second patient",
        "sheet.csv: row 4, status: sample S1 has status 1 here and 0 in row 2; a sample is normal or tumour in all its rows",
        "sheet.csv: row 4, sex: patient P1 has sex XY here and XX in row 2; write the same in all rows of the patient",
    ]


def test_one_alignment_in_two_rows_is_told(tmp_path: Path) -> None:
    content = "patient,sample,bam\nP1,S1,a.bam\nP2,S2,a.bam\n"
    assert problems_of(tmp_path, content) == [
        "sheet.csv: row 3, bam: a.bam stands in row 2 already; each alignment belongs to one row"
    ]


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    content = "patient,sample,sex,bam\nP 1,S1,XX,a.bam\nP2,S2,f,b.txt\n"
    assert len(problems_of(tmp_path, content)) == 3


def test_no_rows_are_told(tmp_path: Path) -> None:
    assert problems_of(tmp_path, "patient,sample,bam\n") == [
        "sheet.csv: no rows below the header; one row per alignment is needed"
    ]
