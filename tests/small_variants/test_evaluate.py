"""Scoring of calls: the same haplotypes match however they are written; everything else is counted as an error."""

import itertools
import random
from pathlib import Path

import pysam
import pytest

from strandwise.errors import InputError
from strandwise.small_variants.evaluate import (
    Allele,
    compare,
    counts,
    discordant,
    evaluate,
    evaluation,
    match,
    place,
    trimmed,
)
from strandwise.small_variants.strata import context

#           0         1         2         3         4         5         6
#           0123456789012345678901234567890123456789012345678901234567890123
SEQUENCE = "GATTACAGCCATTTTTTGCAGGCTAACGTCACACACAGTCTGAGGCATCGATCGGATTACCAGT"


def write_vcf(path: Path, records, length: int = len(SEQUENCE)) -> Path:
    """records: (1-based position, REF, ALT, genotype[, FILTER])."""
    header = '##fileformat=VCFv4.3\n##FILTER=<ID=low,Description="low">\n'
    header += f'##contig=<ID=c,length={length}>\n##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">\n'
    header += "##source=by hand\n#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS\n"
    rows = []
    for position, reference, alternate, genotype, *filters in sorted(records):
        rows.append(f"c\t{position}\t.\t{reference}\t{alternate}\t50\t{(filters or ['PASS'])[0]}\t.\tGT\t{genotype}\n")
    path.write_text(header + "".join(rows))
    return path


@pytest.fixture
def paths(tmp_path):
    """Write truth, calls, reference and on request a BED."""

    def write(truth, query, sequence=SEQUENCE, bed=None):
        reference = tmp_path / "r.fa"
        reference.write_text(f">c\n{sequence}\n")
        pysam.faidx(str(reference))
        given = [write_vcf(tmp_path / f"{name}.vcf", records, len(sequence)) for name, records in
                 (("truth", truth), ("query", query))]  # fmt: skip
        bed_path = None
        if bed:
            bed_path = tmp_path / "r.bed"
            bed_path.write_text("".join(f"c\t{start}\t{end}\n" for start, end in bed))
        return *given, reference, bed_path

    return write


def errors(alleles):
    row = counts(*alleles)
    return row["fn"], row["fp"]


SAME = {
    "the same records": (
        [(4, "T", "C", "0/1"), (28, "G", "A,T", "1/2")],
        [(4, "T", "C", "0/1"), (28, "G", "A,T", "1/2")],
    ),
    "MNP and its SNPs": ([(5, "AC", "GT", "0|1")], [(5, "A", "G", "0/1"), (6, "C", "T", "0/1")]),
    "deletion shifted in a homopolymer": ([(11, "AT", "A", "0/1")], [(15, "TT", "T", "0/1")]),
    "insertion shifted in a homopolymer": ([(11, "A", "AT", "1/1")], [(17, "T", "TT", "1/1")]),
    "deletion shifted in a repeat": ([(29, "TCA", "T", "0/1")], [(35, "ACA", "A", "0/1")]),
    "complex and its parts": ([(18, "GCAGG", "GTAG", "0/1")], [(19, "C", "T", "0/1"), (21, "GG", "G", "0/1")]),
    "1/2 and two records": ([(28, "G", "A,T", "1/2")], [(28, "G", "A", "0/1"), (28, "G", "T", "0/1")]),
    "phase is free": ([(20, "A", "G", "0|1"), (23, "C", "T", "1|0")], [(20, "A", "G", "0/1"), (23, "C", "T", "0/1")]),
    "insertion before a SNP": ([(20, "A", "AC", "0/1"), (21, "G", "T", "0/1")], [(20, "AG", "ACT", "0/1")]),
}


@pytest.mark.parametrize("case", SAME)
def test_the_same_haplotypes_match(paths, case):
    truth, query, reference, _ = paths(*SAME[case])
    assert errors(compare(truth, query, reference)) == (0, 0)


def test_a_wrong_genotype_is_one_of_each(paths):
    truth, query, reference, _ = paths(
        [(4, "T", "C", "0/1"), (50, "A", "G", "1/1")], [(4, "T", "C", "1/1"), (50, "A", "G", "1/1")]
    )
    alleles = compare(truth, query, reference)
    row = counts(*alleles)
    assert (row["fn"], row["fp"], row["genotype_errors"], row["precision"], row["recall"]) == (1, 1, 1, 0.5, 0.5)
    assert [(row["label"], row["position"], row["why"]) for row in discordant(*alleles)] == [
        ("FN", 4, "genotype"),
        ("FP", 4, "genotype"),
    ]


def test_wrong_missing_and_added_alleles(paths):
    truth, query, reference, _ = paths(
        [(4, "T", "C", "0/1"), (11, "AT", "A", "0/1"), (50, "A", "G", "0/1")],
        [(4, "T", "G", "0/1"), (11, "ATT", "A", "0/1"), (31, "A", "C", "0/1")],
    )
    alleles = compare(truth, query, reference)
    table = evaluation(*alleles).set_index(["stratum", "value", "type"])
    assert table.loc[("all", "all", "SNP"), ["truth_total", "fn", "fp"]].tolist() == [2, 2, 2]
    assert table.loc[("all", "all", "INDEL"), ["truth_total", "fn", "fp"]].tolist() == [1, 1, 1]
    assert table.loc[("length", "deletion 1", "INDEL"), ["truth_total", "query_total"]].tolist() == [1, 0]
    assert table.loc[("length", "deletion 2-5", "INDEL"), ["truth_total", "query_total"]].tolist() == [0, 1]


def test_calls_that_cancel_each_other_are_false(paths):
    truth, query, reference, _ = paths(
        [(50, "A", "G", "0/1")], [(50, "A", "G", "0/1"), (11, "AT", "A", "1/1"), (17, "T", "TT", "1/1")]
    )
    assert errors(compare(truth, query, reference)) == (0, 2)


def test_bed_and_filter(paths):
    given = paths(
        [(4, "T", "C", "0/1"), (50, "A", "G", "0/1")],
        [(4, "T", "C", "0/1"), (31, "A", "C", "0/1"), (41, "T", "A", "0/1", "low")],
        bed=[(0, 10), (35, 45)],
    )
    assert errors(compare(*given)) == (0, 0)
    assert errors(compare(*given, passing=False)) == (0, 1)


def test_a_match_reaches_over_the_edge_of_the_bed(paths):
    # Left-aligned the deletion lies inside [0, 13); as called, further right, it would not.
    given = paths([(11, "AT", "A", "0/1")], [(16, "TT", "T", "0/1")], bed=[(0, 13)])
    row = counts(*compare(*given))
    assert (row["tp_truth"], row["tp_query"]) == (1, 1)


def test_long_symbolic_and_missing_alleles_are_left_out(paths):
    query = [(4, "T", "C", "./."), (6, "C", "*", "0/1"), (8, "G", "G" + "A" * 51, "0/1")]
    truth, query, reference, _ = paths([], query)
    assert errors(compare(truth, query, reference)) == (0, 0)


def test_strata_by_hand():
    assert context(SEQUENCE, 11, 12) == "homopolymer"  # TTTTTT at 11 to 17
    assert context(SEQUENCE, 29, 31) == "tandem repeat"  # CACACACA at 29 to 37
    assert context(SEQUENCE, 52, 53) == "elsewhere"


def test_neighbours_are_other_alleles_of_the_truth(paths):
    records = [(4, "T", "C", "0/1"), (20, "A", "G", "1/1"), (50, "A", "G", "0/1")]
    truth, query, reference, _ = paths(records, records)
    table = evaluation(*compare(truth, query, reference)).set_index(["stratum", "value", "type"])
    assert table.loc[("neighbours", "within 20 bases", "SNP"), "truth_total"] == 2
    assert table.loc[("neighbours", "none near", "SNP"), "truth_total"] == 1
    assert table.loc[("genotype", "homozygous", "SNP"), "truth_total"] == 1


def test_table_and_list_are_written(paths, tmp_path):
    truth, query, reference, _ = paths([(4, "T", "C", "0/1")], [(50, "A", "G", "0/1")])
    evaluate(truth, query, reference, tmp_path / "e.tsv", discordant_sites=tmp_path / "d.tsv")
    lines = (tmp_path / "e.tsv").read_text().splitlines()
    assert lines[0].split("\t")[:3] == ["stratum", "value", "type"]
    assert lines[1].split("\t")[3:10] == ["1", "1", "0", "0", "1", "1", "0"]
    assert lines[1].endswith("\tby hand")
    assert (tmp_path / "d.tsv").read_text().splitlines()[1:] == [
        "c\t4\tFN\tSNP\tallele\tc:4 T>C het",
        "c\t50\tFP\tSNP\tallele\tc:50 A>G het",
    ]


def test_contig_that_the_reference_lacks(paths, tmp_path):
    truth, query, _, _ = paths([(4, "T", "C", "0/1")], [])
    other = tmp_path / "other.fa"
    other.write_text(">d\nACGT\n")
    pysam.faidx(str(other))
    with pytest.raises(InputError, match=r"contig 'c' is not in other\.fa, which has 'd'"):
        compare(truth, query, other)


# ---- against an exhaustive search ---------------------------------------------------------------------------------


def spelled(sequence, placed):
    """Haplotype with alleles in it; None where they overlap."""
    pieces, done = [], 0
    for allele in sorted(placed, key=lambda allele: (allele.start, len(allele.ref))):
        if allele.start < done:
            return None
        pieces += [sequence[done : allele.start], allele.alt]
        done = allele.end
    return "".join([*pieces, sequence[done:]])


def pairs(sequence, alleles):
    """All unordered pairs of haplotypes that alleles can spell."""
    found = set()
    for phase in itertools.product(*[[(0, 1)] if allele.homozygous else [(0,), (1,)] for allele in alleles]):
        both = [
            spelled(sequence, [a for a, copies in zip(alleles, phase, strict=True) if copy in copies])
            for copy in (0, 1)
        ]
        if None not in both:
            found.add(tuple(sorted(both)))
    return found


def subsets(sequence, alleles):
    return [
        (number, pairs(sequence, chosen))
        for number in range(len(alleles) + 1)
        for chosen in itertools.combinations(alleles, number)
    ]


def drawn_alleles(rng, sequence, number):
    drawn = {}
    for _ in range(number):
        start = rng.randrange(4, len(sequence) - 6)
        reference = sequence[start : start + rng.choice([1, 1, 1, 2, 3])]
        place_ = trimmed(start, reference, "".join(rng.choices("AC", k=rng.choice([1, 1, 1, 2, 3]))))
        if place_[1] or place_[2]:
            drawn[place_] = Allele("c", *place_, rng.random() < 0.4)
    return list(drawn.values())


@pytest.mark.parametrize("seed", range(100))
def test_search_finds_as_much_as_trying_everything(seed):
    rng = random.Random(seed)
    sequence = "".join(rng.choices("AC", k=22))
    truth, query = (drawn_alleles(rng, sequence, rng.choice([1, 2, 3])) for _ in range(2))
    if rng.random() < 0.5:
        query += [Allele("c", a.start, a.ref, a.alt, a.homozygous) for a in truth[:2]]
    best = max(
        len_t + len_q
        for (len_t, spells_t), (len_q, spells_q) in itertools.product(
            subsets(sequence, truth), subsets(sequence, query)
        )
        if bool(len_t) == bool(len_q) and spells_t & spells_q
    )
    place(truth, sequence, None)
    place(query, sequence, None)
    match(truth, query, sequence)
    matched = [[allele for allele in side if allele.matched] for side in (truth, query)]
    assert len(matched[0]) + len(matched[1]) == best
    assert not best or pairs(sequence, matched[0]) & pairs(sequence, matched[1])


# ---- strata and reliability of GQ -----------------------------------------------------------------------------------


def test_low_mappability_is_a_second_place_of_the_reference(paths):
    rng = random.Random(5)
    copied, between = ("".join(rng.choices("ACGT", k=count)) for count in (150, 400))
    sequence = copied + between + copied + "".join(rng.choices("ACGT", k=100))
    records = [
        (76, copied[75], "ACGT"["CGTA".index(copied[75])], "0/1"),
        (350, sequence[349], "ACGT"["CGTA".index(sequence[349])], "0/1"),
    ]
    truth, query, reference, _ = paths(records, records[1:], sequence)
    table = evaluation(*compare(truth, query, reference)).set_index(["stratum", "value", "type"])
    assert list(table.loc[("mappability", "low", "SNP"), ["truth_total", "fn"]]) == [1, 1]
    assert list(table.loc[("mappability", "unique", "SNP"), ["truth_total", "fn"]]) == [1, 0]


def test_interval_of_f1_by_hand():
    """1 missed of 10 true and 9 called alleles: 1 error in 19; Wilson's interval of 1 / 19 is 0.0094 to 0.2464."""
    truth = [Allele("c", at, "A", "C", True) for at in range(10)]
    for allele in truth[:9]:
        allele.matched = True
    row = counts(truth, truth[:9])
    assert (row["f1_low"], row["f1_high"]) == (pytest.approx(0.7536, abs=1e-4), pytest.approx(0.9906, abs=1e-4))
    assert row["f1"] == pytest.approx(18 / 19)


def write_qualities(path: Path, records) -> Path:
    """records: (1-based position, REF, ALT, FILTER, genotype, GQ)."""
    header = '##fileformat=VCFv4.3\n##FILTER=<ID=RefCall,Description="0/0">\n##FILTER=<ID=LowQual,Description="low">\n'
    header += f'##contig=<ID=c,length={len(SEQUENCE)}>\n##FORMAT=<ID=GT,Number=1,Type=String,Description="GT">\n'
    header += '##FORMAT=<ID=GQ,Number=1,Type=Integer,Description="GQ">\n##source=by hand\n'
    header += "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\tS\n"
    path.write_text(header + "".join(f"c\t{at}\t.\t{ref}\t{alt}\t50\t{reason}\t.\tGT:GQ\t{genotype}:{quality}\n"
                                     for at, ref, alt, reason, genotype, quality in records))  # fmt: skip
    return path


def test_reliability_counts_records_by_what_their_gq_promises(paths, tmp_path):
    """Right at 10 and at 12 (of which one says 1/2), wrong genotype at 10; a rejected true allele and one rejected with right."""
    records = [(4, "T", "C", "0/1"), (20, "A", "G", "1/1"), (28, "G", "A,T", "1/2"), (50, "A", "G", "0/1")]
    truth, _, reference, _ = paths(records, [])
    calls = write_qualities(
        tmp_path / "calls.vcf",
        [
            (4, "T", "C", "PASS", "0/1", 10),
            (8, "G", "A", "RefCall", "0/0", 20),
            (15, "T", "A", "LowQual", "0/1", 2),
            (20, "A", "G", "PASS", "0/1", 10),
            (28, "G", "A,T", "PASS", "1/2", 12),
            (50, "A", "G", "RefCall", "0/0", 16),
        ],
    )
    evaluate(truth, calls, reference, tmp_path / "e.tsv", reliability=tmp_path / "r.tsv")
    lines = [line.split("\t") for line in (tmp_path / "r.tsv").read_text().splitlines()]
    assert lines[0][:8] == ["set", "type", "decision", "gq_from", "gq_to", "genotypes", "expected", "observed"]
    assert len(lines) == 1 + 2 * 2 * 8
    filled = {tuple(line[1:4]): line[5:8] for line in lines[1:] if line[5] != "0"}
    assert filled == {
        ("SNP", "called", "10"): ["3", "0.263096", "1"],  # 0.1 + 0.1 + 0.0630957
        ("SNP", "rejected", "15"): ["1", "0.0251189", "1"],
        ("SNP", "rejected", "20"): ["1", "0.01", "0"],
    }


def test_without_gq_there_is_nothing_to_judge(paths, tmp_path):
    truth, query, reference, _ = paths([(4, "T", "C", "0/1")], [(4, "T", "C", "0/1")])
    evaluate(truth, query, reference, tmp_path / "e.tsv", reliability=tmp_path / "r.tsv")
    assert all(line.split("\t")[5] == "0" for line in (tmp_path / "r.tsv").read_text().splitlines()[1:])
