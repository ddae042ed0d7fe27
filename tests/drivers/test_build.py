"""Which build a MAF is on, and reference alleles against a FASTA."""

import pandas
import pysam
from made_cohorts import ASSETS, LAML

from strandwise.drivers.build import build_notes, reference_notes
from strandwise.drivers.mutations import prepare
from strandwise.formats.genes import read_gene_features, read_symbols
from strandwise.formats.maf import Maf, read_mafs


def test_build_is_guessed_from_gene_positions_and_said():
    maf = read_mafs([LAML])
    features = read_gene_features(ASSETS / "genes" / "gene_features.tsv.gz")
    cohort, _ = prepare(maf, read_symbols(ASSETS / "genes"), features)
    build, notes = build_notes(maf, cohort, None)
    assert build == "GRCh37" and "does not say its build" in notes[0].text
    maf.mutations["start"] += 300_000
    build, notes = build_notes(maf, cohort, None)
    assert build == "unknown" and "another one" in notes[0].text
    maf.build = "GRCh37"
    build, notes = build_notes(maf, cohort, None)
    assert build == "GRCh37" and notes[0].level == "warning" and "check the build" in notes[0].text


def test_reference_alleles_that_disagree_are_counted_and_named(tmp_path):
    fasta = tmp_path / "ref.fa"
    fasta.write_text(">chr1\n" + "ACGTN" * 20 + "\n")
    pysam.faidx(str(fasta))
    table = pandas.DataFrame(
        {"chromosome": ["1", "1", "1", "1", "7"], "start": [1, 2, 3, 5, 10], "reference": ["A", "C", "T", "A", "A"]}
    ).astype({"chromosome": "category", "reference": "category"})
    notes = reference_notes(Maf(table, [], "", []), fasta)
    texts = [note.text for note in notes]
    assert texts[0].startswith("2 mutations lie outside")  # on N, and on a contig that is not there
    assert "1 of 3 reference alleles disagree with ref.fa (1:3 T)" in texts[1]
    assert notes[1].level == "warning"
