"""The check of all input: what stands in the plan, and every problem with file, row, column and remedy."""

import gzip
import json
from pathlib import Path
from typing import Any

import pysam
import pytest

from strandwise.formats.notes import Note
from strandwise.inputs.check import check, write_checked
from strandwise.inputs.files import Files, InputFile
from strandwise.inputs.plan import Gvcf, Indexed, Plan, Sample

SCHEMA = Path(__file__).parents[2] / "assets" / "schema_input.json"
CONTIGS = {"chr1": 3000, "chr2": 2000}
MAF_HEADER = "Hugo_Symbol\tChromosome\tTumor_Sample_Barcode\n"


def make_bam(
    path: Path, sample: str = "S1", contigs: dict[str, int] = CONTIGS, order: str = "coordinate", index: bool = True
) -> Path:
    header = {
        "HD": {"VN": "1.6", "SO": order},
        "SQ": [{"SN": name, "LN": length} for name, length in contigs.items()],
        "RG": [{"ID": f"g{name}", "SM": name} for name in sample.split("+")],
    }
    with pysam.AlignmentFile(str(path), "wb", header=header) as output:
        for contig in range(len(contigs)):
            read = pysam.AlignedSegment(output.header)
            read.query_name, read.reference_id, read.reference_start = "r", contig, 100
            read.query_sequence, read.cigarstring = "A" * 50, "50M"
            read.query_qualities = pysam.qualitystring_to_array("I" * 50)
            output.write(read)
    if index:
        pysam.index(str(path))
    return path


def make_fasta(path: Path, contigs: dict[str, int] = CONTIGS) -> Path:
    path.write_text("".join(f">{name}\n{'A' * length}\n" for name, length in contigs.items()))
    return path


class Case:
    """A folder with input files, checked together as Nextflow would hand them over."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.files: list[InputFile] = []
        self.sheet: Path | None = None

    def give(self, name: str, path: Path, given: str | None = None, index: str | None = None) -> Path:
        self.files.append(
            InputFile(
                name, given or path.name, str(path), not path.exists(), "", index, path if path.exists() else None
            )
        )
        return path

    def rows(self, *rows: dict[str, str]) -> None:
        self.sheet = self.folder / "sheet.json"
        self.sheet.write_text(json.dumps(rows))
        for row in rows:
            for column in ("bam", "bai", "cram", "crai", "gvcf", "maf", "expression"):
                if column in row:
                    path = self.folder / row[column]
                    index = Path(f"{path}.bai")
                    self.give("sheet", path, row[column], str(index) if index.exists() else None)
                    if index.exists():
                        self.give("sheet_index", index, "")

    def check(self, **parameters: Any) -> tuple[Plan | None, list[str], list[Note]]:
        return check(parameters, self.sheet, SCHEMA, Files(self.files))

    def problems(self, **parameters: Any) -> list[str]:
        plan, problems, _ = self.check(**parameters)
        assert (plan is None) == bool(problems)
        return problems


@pytest.fixture
def case(tmp_path: Path) -> Case:
    return Case(tmp_path)


@pytest.fixture
def called(case: Case) -> Case:
    """A reference without index, and one sample in two lanes, the second without index."""
    case.give("fasta", make_fasta(case.folder / "ref.fa"))
    make_bam(case.folder / "a.bam")
    make_bam(case.folder / "b.bam", index=False)
    case.rows(
        {"patient": "P1", "sample": "S1", "sex": "XX", "lane": "1", "bam": "a.bam"},
        {"patient": "P1", "sample": "S1", "sex": "XX", "lane": "2", "bam": "b.bam"},
    )
    return case


def text_file(path: Path, content: str) -> Path:
    path.write_text(content)
    return path


def test_the_plan_brings_lanes_together_and_says_which_indexes_are_there(called: Case) -> None:
    plan, problems, notes = called.check(fasta="ref.fa")
    folder = called.folder
    assert (problems, notes) == ([], [])
    lanes = [Indexed(f"{folder}/a.bam", [f"{folder}/a.bam.bai"]), Indexed(f"{folder}/b.bam", [])]
    assert plan == Plan(
        ["small_variants"], [Sample("S1", "S1", "P1", "XX", "0", lanes)], Indexed(f"{folder}/ref.fa", [])
    )


def test_a_reference_counts_as_indexed_only_with_all_its_indexes(called: Case) -> None:
    fasta = called.folder / "ref.fa"
    pysam.faidx(str(fasta))
    called.give("fasta_index", Path(f"{fasta}.fai"))
    plan, _, _ = called.check(fasta="ref.fa")
    assert plan and plan.reference == Indexed(str(fasta), [f"{fasta}.fai"])
    bgzipped = called.folder / "ref.fa.gz"
    pysam.tabix_compress(str(fasta), str(bgzipped))
    called.files = [file for file in called.files if not file.name.startswith("fasta")]
    called.give("fasta", bgzipped)
    called.give("fasta_index", text_file(called.folder / "ref.fa.gz.fai", Path(f"{fasta}.fai").read_text()))
    plan, _, _ = called.check(fasta="ref.fa.gz")
    assert plan and plan.reference == Indexed(str(bgzipped), [])  # .gzi is missing


def test_jobs_follow_from_the_input_unless_tools_are_asked_for(called: Case) -> None:
    called.give("cohort_maf", text_file(called.folder / "c.maf", MAF_HEADER + "TP53\t17\tT1\n"))
    everything, _, _ = called.check(fasta="ref.fa")
    chosen, _, _ = called.check(tools="drivers")
    assert everything and everything.jobs == ["small_variants", "drivers", "drug_response"]
    assert chosen and (chosen.jobs, chosen.samples, chosen.mafs) == (["drivers"], [], [f"{called.folder}/c.maf"])


def test_nothing_given_is_told(case: Case) -> None:
    assert case.problems() == [
        "--input, --cohort_maf, --cohort_expression: nothing is given; give at least one of them (--help lists all)"
    ]


def test_what_a_job_lacks_is_told(called: Case) -> None:
    called.files = [file for file in called.files if file.name != "fasta"]
    called.give("cohort_expression", text_file(called.folder / "e.tsv", "gene\tT1\nTP53\t1\n"))
    assert called.problems(tools="small_variants,drivers,drug_response", interval_padding=5) == [
        "--tools: drivers needs --cohort_maf, or --input with a column maf",
        "--fasta: missing; calling needs the reference genome that the reads were aligned to",
        "--expression_scale: missing; say what the expression values are: tpm, counts, log2 or zscore",
        "--interval_padding: given without --intervals; give the BED file or leave the padding out",
    ]


def test_a_missing_file_is_told_with_its_neighbour(called: Case) -> None:
    called.rows({"patient": "P1", "sample": "S1", "bam": "c.bam"})
    file = called.files[-1]
    called.files[-1] = InputFile("sheet", file.given, file.path, True, "; the folder holds b.bam")
    assert called.problems(fasta="x") == ["sheet.json: item 1, bam: c.bam: no such file; the folder holds b.bam"]


def test_a_path_that_the_shell_of_a_task_would_change_is_told(called: Case) -> None:
    make_bam(called.folder / "$(date).bam", index=False)
    called.rows({"patient": "P1", "sample": "S1", "bam": "$(date).bam"})
    called.files[-1] = InputFile("sheet", "$(date).bam", f"{called.folder}/$(date).bam")
    assert called.problems(fasta="x") == [
        "sheet.json: item 1, bam: $(date).bam: the path holds a dollar sign or a control character, which cannot be passed on to tasks; rename it"
    ]


def test_an_index_that_is_named_and_missing_is_told(called: Case) -> None:
    called.rows({"patient": "P1", "sample": "S1", "bam": "a.bam", "bai": "z.bai"})
    assert called.problems(fasta="x") == ["sheet.json: item 1, bai: z.bai: no such file"]


@pytest.mark.parametrize(
    ("contigs", "message"),
    [
        (
            {"chr1": 3000, "2": 2000},
            "a.bam: reads on contig '2' that ref.fa lacks, which has 'chr1', 'chr2'; give the reference the reads were aligned to",
        ),
        (
            {"chr1": 3000, "chr2": 1999},
            "a.bam: contig chr2 has 1999 bases, 2000 in ref.fa: another genome build; give the reference the reads were aligned to",
        ),
    ],
)
def test_contigs_that_differ_from_the_reference_are_told(called: Case, contigs: dict[str, int], message: str) -> None:
    make_bam(called.folder / "a.bam", contigs=contigs)
    assert called.problems(fasta="x") == [f"sheet.json: item 1, bam: {message}"]


def test_a_contig_of_the_intervals_that_the_alignment_lacks_is_told(called: Case) -> None:
    make_bam(called.folder / "a.bam", contigs={"chr1": 3000})
    called.give("intervals", text_file(called.folder / "i.bed", "chr1\t0\t10\nchr2\t0\t10\n"))
    assert called.problems(fasta="x", intervals="i.bed") == [
        "sheet.json: item 1, bam: a.bam: contig 'chr2' of the intervals is not in its header, which has 'chr1'; give intervals with the same names"
    ]


def test_intervals_off_the_reference_are_told_all_at_once(called: Case) -> None:
    called.give("intervals", text_file(called.folder / "i.bed", "chr1\t0\t3001\n3\t0\t10\n"))
    assert called.problems(fasta="x") == [
        "i.bed: row 1: end 3001 lies off the end of chr1, which has 3000 bases",
        "i.bed: row 2: contig '3' is not in the reference, which has 'chr1', 'chr2'; give the same names",
    ]


def test_empty_intervals_are_told(called: Case) -> None:
    called.give("intervals", text_file(called.folder / "i.bed", ""))
    assert called.problems(fasta="x") == [
        "i.bed: holds no interval; give contig, start and end by row, or leave the intervals out"
    ]


def test_a_header_that_says_unsorted_two_samples_or_nothing_readable_is_told(called: Case) -> None:
    make_bam(called.folder / "a.bam", order="queryname")
    make_bam(called.folder / "b.bam", sample="S1+S9")
    make_bam(called.folder / "b.bam", sample="S1+S9", index=False)
    text_file(called.folder / "c.bam", "no alignment")
    called.rows(
        {"patient": "P1", "sample": "S1", "lane": "1", "bam": "a.bam"},
        {"patient": "P1", "sample": "S1", "lane": "2", "bam": "b.bam"},
        {"patient": "P1", "sample": "S1", "lane": "3", "bam": "c.bam"},
    )
    first, second, third = called.problems(fasta="x")
    assert (
        first
        == "sheet.json: item 1, bam: a.bam: is sorted by queryname, not by coordinate; sort it with: samtools sort a.bam"
    )
    assert (
        second
        == "sheet.json: item 2, bam: b.bam: has read groups of 2 samples (S1, S9); give one file per sample (samtools split)"
    )
    assert third.startswith("sheet.json: item 3, bam: c.bam: cannot be opened as BAM or CRAM (")


def test_a_file_that_is_cut_short_is_left_to_the_calling_step(called: Case) -> None:
    path = called.folder / "b.bam"
    path.write_bytes(path.read_bytes()[:-28])
    assert called.problems(fasta="x") == []


def test_another_sample_name_in_the_read_groups_is_a_warning(called: Case) -> None:
    make_bam(called.folder / "a.bam", sample="other")
    plan, problems, notes = called.check(fasta="x")
    assert plan and not problems
    text = "a.bam: the read groups say sample other (SM), the sheet says S1; the name of the sheet is used"
    assert notes == [Note("warning", text, "S1")]


def test_a_reference_by_plain_gzip_is_told(called: Case) -> None:
    called.files = [file for file in called.files if file.name != "fasta"]
    path = called.folder / "g.fa.gz"
    path.write_bytes(gzip.compress(b">chr1\nACGT\n"))
    called.give("fasta", path)
    assert called.problems(fasta="x") == [
        "g.fa.gz: compressed by gzip, which cannot be indexed; make it anew: gunzip g.fa.gz; bgzip g.fa"
    ]


def test_the_check_leaves_an_index_in_the_work_folder_only(called: Case) -> None:
    called.check(fasta="x")
    assert (called.folder / "ref.fa.fai").read_text().startswith("chr1\t3000\t")


def test_sarek_columns_are_one_warning(called: Case) -> None:
    called.rows({"patient": "P1", "sample": "S1", "bam": "a.bam", "fastq_1": "x.fq", "variantcaller": "y"})
    _, problems, notes = called.check(fasta="x")
    assert not problems
    assert notes == [Note("warning", "sheet.json: columns of sarek that are not used here: fastq_1, variantcaller.")]


def test_cohort_and_sheet_join_and_each_sample_stands_once(case: Case) -> None:
    case.give(
        "cohort_maf",
        text_file(
            case.folder / "cohort.maf", "#version 2.4\n" + MAF_HEADER + "TP53\t17\tT1\nKRAS\t12\tT2\nKRAS\t12\tT1\n"
        ),
    )
    text_file(case.folder / "t3.maf", MAF_HEADER + "TP53\t17\tT3\n")
    text_file(case.folder / "t2.maf", MAF_HEADER + "TP53\t17\tT2\n")
    case.rows({"patient": "P3", "sample": "T3", "maf": "t3.maf"})
    plan, _, _ = case.check()
    assert plan and plan.mafs == [f"{case.folder}/cohort.maf", f"{case.folder}/t3.maf"]
    case.rows({"patient": "P3", "sample": "T3", "maf": "t3.maf"}, {"patient": "P2", "sample": "T2", "maf": "t2.maf"})
    assert case.problems() == [
        "sheet.json: item 2, maf: t2.maf: sample T2 stands in --cohort_maf: cohort.maf already; leave one of them out"
    ]


def test_a_table_in_the_sheet_holds_the_sample_of_its_row(case: Case) -> None:
    text_file(case.folder / "a.maf", MAF_HEADER + "TP53\t17\tX\n")
    text_file(case.folder / "e.tsv", "gene\tTCGA-AB-2805-03A\nTP53\t1\n")
    case.rows(
        {"patient": "P1", "sample": "T1", "maf": "a.maf"},
        {"patient": "P2", "sample": "TCGA-AB-2805", "expression": "e.tsv"},
    )
    assert case.problems(expression_scale="tpm") == [
        "sheet.json: item 1, maf: a.maf: holds X, the row is about T1; use the same name in both, or give it as --cohort_…"
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "empty; a MAF has a header line and one row per mutation"),
        (
            "TP53\t17\tT1\n",
            "no column Tumor_Sample_Barcode in its first line (tp53, 17, t1 …); a MAF begins with a header line of column names",
        ),
        (MAF_HEADER, "no mutations below the header"),
    ],
)
def test_a_maf_without_header_or_rows_is_told(case: Case, content: str, message: str) -> None:
    case.give("cohort_maf", text_file(case.folder / "c.maf", content))
    assert case.problems() == [f"--cohort_maf: c.maf: {message}"]


def test_a_cut_off_gzip_is_told(case: Case) -> None:
    whole = gzip.compress((MAF_HEADER + "".join(f"GENE{n}\t{n}\tT{n}\n" for n in range(5000))).encode())
    (case.folder / "c.maf.gz").write_bytes(whole[: len(whole) // 2])
    case.rows({"patient": "P1", "sample": "T1", "maf": "c.maf.gz"})
    (problem,) = case.problems()
    assert problem.startswith("sheet.json: item 1, maf: c.maf.gz: cannot be decompressed (")
    assert problem.endswith("); copy the file again")


def test_columns_of_the_same_name_in_expression_are_told(case: Case) -> None:
    case.give("cohort_expression", text_file(case.folder / "e.tsv", "gene\tT1\tT2\tT1\nTP53\t1\t2\t3\n"))
    assert case.problems(expression_scale="tpm") == [
        "--cohort_expression: e.tsv: two columns are named T1; each sample stands once"
    ]


def test_samples_of_an_expression_table_may_stand_in_rows(case: Case) -> None:
    table = ",TP53 (7157),MDM2 (4193),EGFR (1956)\nT1,1,2,3\nT2,1,2,3\nT1,1,2,4\n"
    case.give("cohort_expression", text_file(case.folder / "e.csv", table))
    assert case.problems(expression_scale="log2") == [
        "--cohort_expression: e.csv: two rows are named T1; each sample stands once"
    ]


def test_columns_that_describe_genes_are_no_samples(case: Case) -> None:
    table = "gene_id,gene_name,T1\nENSG1,TP53,1\n"
    text_file(case.folder / "e.csv", table)
    case.rows({"patient": "P1", "sample": "T1", "expression": "e.csv"})
    assert case.problems(expression_scale="tpm") == []


def test_a_clinical_table_needs_samples(case: Case) -> None:
    case.give("cohort_maf", text_file(case.folder / "c.maf", MAF_HEADER + "TP53\t17\tT1\n"))
    case.give("cohort_clinical", text_file(case.folder / "cl.tsv", "patient\ttissue\nT1\tlung\n"))
    assert case.problems() == ["--cohort_clinical: cl.tsv: no column sample, it has patient, tissue; name one sample"]


def test_written_problems_come_with_an_empty_plan(tmp_path: Path) -> None:
    parameters = text_file(tmp_path / "parameters.json", "{}")
    files = text_file(tmp_path / "files.json", "[]")
    plan, problems, notes = (tmp_path / f"{name}.json" for name in ("plan", "problems", "notes"))
    write_checked(parameters, files, tmp_path, SCHEMA, None, plan, problems, notes)
    assert json.loads(plan.read_text())["jobs"] == []
    assert len(json.loads(problems.read_text())) == 1
    assert json.loads(notes.read_text()) == []


# ---- joint genotyping ---------------------------------------------------------------------------------------------


def make_gvcf(path: Path, sample: str, index: bool = True) -> Path:
    plain = path.with_suffix("")
    plain.write_text(
        f"##fileformat=VCFv4.3\n##contig=<ID=chr1,length=3000>\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{sample}\n"
    )
    pysam.tabix_compress(str(plain), str(path), force=True)
    plain.unlink()
    if index:
        pysam.tabix_index(str(path), preset="vcf", force=True)
    return path


def give_gvcf(case: Case, name: str, sample: str, index: bool = True) -> None:
    path = make_gvcf(case.folder / name, sample, index)
    case.give("sheet", path, name, f"{path}.tbi" if index else None)


def joint_case(folder: Path, pedigree: str = "") -> Case:
    case = Case(folder)
    make_bam(folder / "S1.bam")
    case.give("fasta", make_fasta(folder / "ref.fa"))
    give_gvcf(case, "S2.g.vcf.gz", "S2")
    case.rows(
        {"patient": "P1", "sample": "S1", "sex": "XX", "bam": "S1.bam"},
        {"patient": "P2", "sample": "S2", "sex": "XY", "gvcf": "S2.g.vcf.gz"},
    )
    if pedigree:
        (folder / "f.ped").write_text(pedigree)
        case.give("pedigree", folder / "f.ped")
    return case


def test_gvcfs_of_earlier_runs_stand_in_the_plan(tmp_path: Path) -> None:
    plan, problems, _ = joint_case(tmp_path).check(fasta="ref.fa", joint=True)
    assert problems == [] and plan
    assert plan.jobs == ["small_variants"]
    assert [sample.id for sample in plan.samples] == ["S1"]
    path = tmp_path / "S2.g.vcf.gz"
    assert plan.gvcfs == [Gvcf("S2", str(path), f"{path}.tbi")]


def test_a_gvcf_without_joint(tmp_path: Path) -> None:
    assert joint_case(tmp_path).problems(fasta="ref.fa") == [
        "sheet.json: item 2, gvcf: S2.g.vcf.gz: takes part in joint genotyping alone; add --joint or leave the column out"
    ]


def test_gvcfs_alone_can_be_joined(tmp_path: Path) -> None:
    case = Case(tmp_path)
    case.give("fasta", make_fasta(tmp_path / "ref.fa"))
    give_gvcf(case, "S2.g.vcf.gz", "S2")
    case.rows({"patient": "P2", "sample": "S2", "gvcf": "S2.g.vcf.gz"})
    plan, problems, _ = case.check(fasta="ref.fa", joint=True)
    assert problems == [] and plan and plan.jobs == ["small_variants"] and not plan.samples


def test_problems_of_gvcfs(tmp_path: Path) -> None:
    case = joint_case(tmp_path)
    give_gvcf(case, "S3.g.vcf.gz", "other", index=False)
    case.rows(
        {"patient": "P1", "sample": "S1", "bam": "S1.bam"},
        {"patient": "P1", "sample": "S1", "gvcf": "S2.g.vcf.gz", "lane": "2"},
        {"patient": "P3", "sample": "S3", "gvcf": "S3.g.vcf.gz"},
    )
    assert case.problems(fasta="ref.fa", joint=True) == [
        "sheet.json: item 2, gvcf: S2.g.vcf.gz: sample S1 has an alignment in item 1; give one or the other",
        "sheet.json: item 2, gvcf: S2.g.vcf.gz: holds S2, the row is about S1; use the same name in both",
        "sheet.json: item 3, gvcf: S3.g.vcf.gz: has no index beside it; make one with: bcftools index --tbi S3.g.vcf.gz",
        "sheet.json: item 3, gvcf: S3.g.vcf.gz: holds other, the row is about S3; use the same name in both",
    ]


def test_a_pedigree_is_held_against_the_sheet(tmp_path: Path) -> None:
    """A wrong sex, an unknown mother, a row too short: all of them in one go where the file can be read at all."""
    assert joint_case(tmp_path, "F S1 S2 S9 1 0\nF S2 0 0 1\n").problems(
        fasta="ref.fa", joint=True, pedigree="f.ped"
    ) == [
        "f.ped: row 1: mother S9 is no sample of the sheet; write 0 for a parent without data",
        "f.ped: row 1: S1 has sex XY here and XX in the sheet; correct one",
        "f.ped: row 2: 5 columns, 6 needed: family, individual, father, mother, sex, phenotype; unknown parents are 0",
    ]


def test_a_pedigree_without_joint(tmp_path: Path) -> None:
    case = Case(tmp_path)
    make_bam(tmp_path / "S1.bam")
    case.give("fasta", make_fasta(tmp_path / "ref.fa"))
    case.rows({"patient": "P1", "sample": "S1", "bam": "S1.bam"})
    (tmp_path / "f.ped").write_text("F S1 0 0 1 0\n")
    case.give("pedigree", tmp_path / "f.ped")
    assert case.problems(fasta="ref.fa", pedigree="f.ped") == [
        "--pedigree: given without --joint; add --joint or leave the pedigree out"
    ]


def test_joint_needs_reads_or_gvcfs(tmp_path: Path) -> None:
    case = Case(tmp_path)
    maf = tmp_path / "a.maf"
    maf.write_text(MAF_HEADER + "TP53\t17\tS1\n")
    case.give("cohort_maf", maf)
    assert case.problems(joint=True) == ["--joint: needs --input with a column bam, cram or gvcf"]


def test_a_sample_must_not_have_the_name_of_the_folder(tmp_path: Path) -> None:
    case = Case(tmp_path)
    make_bam(tmp_path / "S1.bam", "joint")
    case.give("fasta", make_fasta(tmp_path / "ref.fa"))
    case.rows({"patient": "P1", "sample": "joint", "bam": "S1.bam"})
    assert case.problems(fasta="ref.fa", joint=True) == [
        "sheet.json: a sample is called joint, as the folder of the joint results is; rename it"
    ]


def sites(case: Case, *rows: str) -> Path:
    path = case.folder / "sites.vcf"
    text = "".join("\t".join([*row.split(" "), ".", ".", "."]) + "\n" for row in rows)
    path.write_text(f"##fileformat=VCFv4.2\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\n{text}")
    return path


def test_given_alleles_are_held_against_the_reference(called: Case) -> None:
    """The reference is all A."""
    called.give("alleles", sites(called, "chr1 5 . A C", "1 5 . A C", "chr1 5 . C A", "chr2 5 . A <DEL>"))
    assert called.problems(fasta="ref.fa", alleles="sites.vcf") == [
        "sites.vcf: row 4: contig '1' is not in the reference, which has 'chr1', 'chr2'; give the same names",
        "sites.vcf: row 5: chr1:5 C>A: REF is not the reference's A; give alleles of the same genome build",
        "sites.vcf: row 6: chr2:5 A><DEL>: ALT '<DEL>' is not spelled in bases; symbolic and missing alleles cannot be "
        "genotyped, take the row out",
    ]


def test_given_alleles_outside_of_the_intervals_are_noted(called: Case) -> None:
    called.give("alleles", sites(called, "chr1 101 . A C", "chr1 106 . A C", "chr1 121 . A C", "chr2 5 . A C"))
    (called.folder / "x.bed").write_text("chr1\t100\t110\n")
    called.give("intervals", called.folder / "x.bed")
    _, problems, notes = called.check(fasta="ref.fa", alleles="sites.vcf", intervals="x.bed", interval_padding=5)
    assert problems == [] and [note.level for note in notes] == ["warning"]
    assert "sites.vcf: 2 of 4 alleles lie outside of --intervals and are not genotyped" in notes[0].text


def test_what_calling_is_given_beside_reads(called: Case) -> None:
    (called.folder / "par.bed").write_text("chr1\t0\t10\nchr2\t0\t9999\n")
    called.give("par", called.folder / "par.bed")
    assert called.problems(fasta="ref.fa", par="par.bed", gvcf_bands="20,5") == [
        "--gvcf_bands: gVCF bands '20,5': give rising whole numbers from 1 to 99 with commas between, as 5,20,60",
        "par.bed: row 2: end 9999 lies off the end of chr2, which has 2000 bases",
    ]
    (called.folder / "par.bed").write_text("chr1\t0\t10\n")
    assert called.problems(fasta="ref.fa", par="par.bed") == [
        "par.bed: contig 'chr1' is neither X nor Y; leave its rows out"
    ]


def test_alleles_and_phasing_need_something_to_call(case: Case) -> None:
    found = case.problems(alleles="sites.vcf", phase=True)
    assert [problem.split(":")[0] for problem in found if "alignments to call" in problem] == ["--alleles", "--phase"]
