"""Scoring with the shipped weights: patients, bad input, strange samples, platforms, reasons, new drugs."""

import gzip
import json
from pathlib import Path

import numpy as np
import pandas
import pytest
from made_screen import CLINICAL, GENE_TABLES, PATIENTS, SHIPPED, shipped

from strandwise.drug_response.model import load
from strandwise.drug_response.network import delta, keras_encoder, slopes
from strandwise.drug_response.score import score
from strandwise.drug_response.tables import RESPONSE
from strandwise.errors import InputError
from strandwise.formats.tables import read_table


@pytest.fixture(scope="module")
def patients() -> pandas.DataFrame:
    return pandas.read_csv(PATIENTS, sep="\t", index_col=0)


@pytest.fixture(scope="module")
def clinical() -> pandas.DataFrame:
    return pandas.read_csv(CLINICAL, sep="\t", dtype=str).set_index("sample")


def scored(folder: Path, table: pandas.DataFrame, scale: str = "log2", **more) -> pandas.DataFrame:
    """Rows of response.tsv for a table of genes × samples."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "e.tsv"
    table.to_csv(path, sep="\t", index_label="gene", float_format="%.5g")
    clinical = more.pop("clinical", None)
    score(
        [path], scale, more.pop("mafs", []), clinical, more.pop("drugs", None), SHIPPED, GENE_TABLES, folder / "response.tsv",
        folder / "drug_response.json", folder / "notes.json",
    )  # fmt: skip
    return read_table(RESPONSE, folder / "response.tsv")


def wide(rows: pandas.DataFrame) -> pandas.DataFrame:
    return rows.pivot(index="sample", columns="drug", values="delta_ln_ic50")


def auroc(values: pandas.Series, sensitive: pandas.Index, others: pandas.Index) -> float:
    """Chance that a sensitive sample scores lower than another."""
    low, high = values[sensitive].to_numpy()[:, None], values[others].to_numpy()[None]
    return float((low < high).mean() + (low == high).mean() / 2)


@pytest.fixture(scope="module")
def response(tmp_path_factory: pytest.TempPathFactory, patients: pandas.DataFrame) -> pandas.DataFrame:
    return scored(tmp_path_factory.mktemp("patients"), patients, clinical=CLINICAL)


def test_philadelphia_positive_leukaemia_is_more_sensitive_to_its_drugs(
    response: pandas.DataFrame, clinical: pandas.DataFrame
) -> None:
    """37 BCR/ABL against 42 NEG of the B lineage; T lineage (33) and nelarabine, B lineage (95) and venetoclax."""
    scores = wide(response)
    lineage = clinical["lineage"]
    positive = clinical.index[(lineage == "B") & (clinical["molecular"] == "BCR/ABL")]
    negative = clinical.index[(lineage == "B") & (clinical["molecular"] == "NEG")]
    assert (len(positive), len(negative)) == (37, 42)
    found = {drug: auroc(scores[drug], positive, negative) for drug in ("Dasatinib", "Nilotinib", "Bosutinib")}
    assert found["Dasatinib"] > LEAST["Dasatinib"], found
    assert found["Nilotinib"] > LEAST["Nilotinib"], found
    assert found["Bosutinib"] > LEAST["Bosutinib"], found
    t_lineage, b_lineage = clinical.index[lineage == "T"], clinical.index[lineage == "B"]
    assert auroc(scores["Nelarabine"], t_lineage, b_lineage) > 0.7
    assert auroc(scores["Venetoclax"], b_lineage, t_lineage) > 0.8


LEAST = {"Dasatinib": 0.7, "Nilotinib": 0.6, "Bosutinib": 0.6}


def test_scores_differ_between_patients(response: pandas.DataFrame) -> None:
    """Without matching gene by gene every drug would be one constant."""
    assert wide(response).std().median() > 0.1


def test_order_of_samples_and_genes_does_not_matter(
    tmp_path: Path, patients: pandas.DataFrame, response: pandas.DataFrame
) -> None:
    random = np.random.default_rng(2)
    turned = patients.iloc[random.permutation(len(patients)), random.permutation(patients.shape[1])]
    again = wide(scored(tmp_path, turned, clinical=CLINICAL))
    np.testing.assert_allclose(again, wide(response).loc[again.index, again.columns], atol=2e-3)


def test_scale_of_the_platform_changes_little(
    tmp_path: Path, patients: pandas.DataFrame, response: pandas.DataFrame
) -> None:
    """Twice the contrast, another offset, and each gene with an offset and gain of its own."""
    random = np.random.default_rng(3)
    genes = len(patients)
    other = patients.mul(random.uniform(0.8, 1.25, genes), axis=0).add(random.normal(0, 1, genes), axis=0) * 0.7 + 3
    again, before = wide(scored(tmp_path, other.clip(-20, 29), clinical=CLINICAL)), wide(response)
    correlations = [np.corrcoef(again[drug], before[drug])[0, 1] for drug in before]
    assert np.median(correlations) > 0.95


def test_half_the_genes_keep_the_ranking(
    tmp_path: Path, patients: pandas.DataFrame, response: pandas.DataFrame
) -> None:
    half = patients.sample(frac=0.5, random_state=4)
    again, before = wide(scored(tmp_path, half, clinical=CLINICAL)), wide(response)
    correlations = [again[drug].corr(before[drug], method="spearman") for drug in before]
    assert np.median(correlations) > 0.8


def test_strange_samples_are_out_of_domain(tmp_path: Path, patients: pandas.DataFrame) -> None:
    random = np.random.default_rng(5)
    strange = patients.iloc[:, :60].copy()
    strange["shuffled"] = random.permutation(patients.iloc[:, 60].to_numpy())
    strange["noise"] = random.normal(7, 2, len(patients)).clip(0)
    strange["constant"] = 5.0
    rows = scored(tmp_path, strange)
    inside = rows.groupby("sample")["in_domain"].first()
    assert inside["shuffled"] == "false"
    assert inside["noise"] == "false"
    assert "constant" not in inside.index
    summary = json.loads((tmp_path / "drug_response.json").read_text())
    assert summary["not_scored"] == [{"sample": "constant", "why": "its expression is constant"}]
    assert "constant" in (tmp_path / "notes.json").read_text()


def test_patients_of_another_platform_are_inside_the_domain(response: pandas.DataFrame) -> None:
    assert (response.groupby("sample")["in_domain"].first() == "true").mean() > 0.95


def test_shuffled_genes_of_the_whole_cohort_are_out_of_domain(tmp_path: Path, patients: pandas.DataFrame) -> None:
    shuffled = patients.sample(frac=1, random_state=6).set_axis(patients.index)
    assert (scored(tmp_path, shuffled, clinical=CLINICAL)["in_domain"] == "true").mean() < 0.05


def test_intervals_hold_the_score_and_widen_with_strangeness(tmp_path: Path, patients: pandas.DataFrame) -> None:
    random = np.random.default_rng(7)
    strange = patients.iloc[:, :40].copy()
    strange["noisy"] = strange.iloc[:, 0] + random.normal(0, 3, len(strange))
    rows = scored(tmp_path, strange.clip(0, 25), clinical=CLINICAL)
    assert ((rows["ln_ic50_low"] < rows["ln_ic50"]) & (rows["ln_ic50"] < rows["ln_ic50_high"])).all()
    width = (rows["ln_ic50_high"] - rows["ln_ic50_low"]).groupby(rows["sample"]).median()
    assert width["noisy"] > width.drop("noisy").median()


def test_percentile_rises_with_the_score(response: pandas.DataFrame) -> None:
    for _, rows in response.groupby("drug"):
        ordered = rows.sort_values(["ln_ic50", "percentile"])["percentile"]
        assert ordered.is_monotonic_increasing


def test_numpy_and_keras_agree_on_the_shipped_weights() -> None:
    encoder = shipped().encoder
    random = np.random.default_rng(8)
    values = random.standard_normal((5, len(encoder.linear))).astype(np.float32)
    blood = np.float32([0, 1, 0, 1, 0])
    keras = keras_encoder(encoder)([values, blood[:, None]]).numpy()
    np.testing.assert_allclose(delta(encoder, values, blood), keras, atol=1e-3)


def test_known_biology_is_in_the_weights() -> None:
    """Directions and sizes of differences as measured in the screen: ln µM for a mutation, slope for a gene."""
    model = shipped()

    def mutation(gene: str, drug: str) -> float:
        events = model.events
        place = events.names.index(f"{gene}_mut"), model.drugs.index(drug)
        return float(events.correction[place]), float(events.alone[place])

    for gene, drug, sign in (
        ("BRAF", "Dabrafenib", -1), ("BRAF", "PLX-4720", -1), ("TP53", "Nutlin-3a (-)", 1), ("PIK3CA", "Alpelisib", -1),
        ("KRAS", "Trametinib", -1),
    ):  # fmt: skip
        added, alone = mutation(gene, drug)
        assert sign * alone > 0.1, (gene, drug, alone)
        assert sign * added >= 0, (gene, drug, added)
    assert mutation("TP53", "Nutlin-3a (-)")[0] > 0.1
    genes = model.reference.genes
    for gene, drug in (
        ("SLFN11", "Irinotecan"), ("SLFN11", "Talazoparib"), ("BCL2", "Venetoclax"), ("MDM2", "Nutlin-3a (-)"),
        ("ERBB2", "Lapatinib"),
    ):  # fmt: skip
        gradient = slopes(model.encoder, np.zeros(len(genes), np.float32), 0.0, np.array([model.drugs.index(drug)]))[0]
        place = genes.index(gene)
        assert gradient[place] < 0, (gene, drug)
        # Among the most telling genes of thousands.
        assert (np.abs(gradient) > abs(gradient[place])).mean() < 0.05, (gene, drug)


def maf(path: Path, rows: list[tuple[str, str, str]]) -> Path:
    header = "Hugo_Symbol\tChromosome\tStart_Position\tReference_Allele\tTumor_Seq_Allele2\tVariant_Classification\tTumor_Sample_Barcode"
    lines = [f"{gene}\t1\t{place}\tC\tT\t{effect}\t{sample}" for place, (gene, effect, sample) in enumerate(rows, 100)]
    path.write_text("\n".join([header, *lines]) + "\n")
    return path


def test_mutations_move_scores_and_are_named(tmp_path: Path, patients: pandas.DataFrame) -> None:
    first, second = patients.columns[:2]
    rows = [("TP53", "Missense_Mutation", first), ("TP53", "Silent", second), ("BRAF", "Missense_Mutation", "alone")]
    table = scored(tmp_path, patients.iloc[:, :30], mafs=[maf(tmp_path / "m.maf", rows)], clinical=CLINICAL)
    nutlin = table[table["drug"] == "Nutlin-3a (-)"].set_index("sample")
    assert "TP53_mut +" in nutlin.loc[first, "top_features"]
    assert "TP53" not in str(nutlin.loc[second, "top_features"])
    dabrafenib = table[table["drug"] == "Dabrafenib"].set_index("sample")
    assert dabrafenib.loc["alone", "delta_ln_ic50"] < -0.3
    assert "BRAF_mut -" in dabrafenib.loc["alone", "top_features"]
    notes = (tmp_path / "notes.json").read_text()
    assert "1 samples have mutations and no expression: alone" in notes
    assert "28 samples have expression and no mutations" in notes


def test_old_and_current_symbols_give_the_same_scores(tmp_path: Path, patients: pandas.DataFrame) -> None:
    """The model says H2AFX, MLL2 and DFNA5, as its cell lines' tables did; people say H2AX, KMT2D and GSDME today."""
    table = patients.iloc[:, :12]
    table = pandas.concat([table, pandas.DataFrame({name: [5.0, 4.0] for name in table}, index=["H2AFX", "DFNA5"])])
    table = table[~table.index.duplicated(keep="last")]
    name = table.columns[0]
    today = table.rename(index={"H2AFX": "H2AX", "DFNA5": "GSDME"})
    assert set(today.index) != set(table.index)
    rows = [
        wide(scored(tmp_path / gene, given, mafs=[maf(tmp_path / f"{gene}.maf", [(gene, "Missense_Mutation", name)])]))
        for gene, given in (("MLL2", table), ("KMT2D", today))
    ]
    assert rows[0].equals(rows[1])
    assert "2 genes go by another symbol in the model" in (tmp_path / "KMT2D" / "notes.json").read_text()


def test_tcga_barcodes_join_by_patient(tmp_path: Path, patients: pandas.DataFrame) -> None:
    table = patients.iloc[:, :20].rename(columns={patients.columns[0]: "TCGA-AB-2802-03A"})
    rows = [
        ("TP53", "Nonsense_Mutation", "TCGA-AB-2802-03B-01W"),
        ("TP53", "Nonsense_Mutation", "TCGA-AB-2803-03B-01W"),
    ]
    found = scored(tmp_path, table, mafs=[maf(tmp_path / "m.maf", rows)])
    assert "TCGA-AB-2802-03A" in set(found["sample"])
    assert "TCGA-AB-2802-03B-01W" not in set(found["sample"])
    assert "TCGA-AB-2803-03B-01W" in set(found["sample"])


def test_samples_with_too_little_input_are_listed(tmp_path: Path) -> None:
    rows = [("TP53", "Missense_Mutation", "one"), ("NOSUCHGENE", "Missense_Mutation", "two")]
    outputs = tmp_path / "response.tsv", tmp_path / "drug_response.json", tmp_path / "notes.json"
    score([], None, [maf(tmp_path / "m.maf", rows)], None, None, SHIPPED, GENE_TABLES, *outputs)
    assert set(read_table(RESPONSE, outputs[0])["sample"]) == {"one"}
    summary = json.loads(outputs[1].read_text())
    assert [item["sample"] for item in summary["not_scored"]] == ["two"]
    assert "no mutated gene" in summary["not_scored"][0]["why"]


def test_new_drugs_have_wider_intervals_and_no_percentile(tmp_path: Path, patients: pandas.DataFrame) -> None:
    drugs = tmp_path / "d.tsv"
    known = dict(zip(shipped().drugs, shipped().smiles, strict=True))
    drugs.write_text(
        f"drug\tsmiles\nlapatinib\t\nlike lapatinib\t{known['Lapatinib']}\ncaffeine\tCn1cnc2c1c(=O)n(C)c(=O)n2C\n"
    )
    rows = scored(tmp_path, patients.iloc[:, :12], drugs=drugs, clinical=CLINICAL)
    width = (rows["ln_ic50_high"] - rows["ln_ic50_low"]).groupby(rows["drug"]).median()
    assert width["lapatinib"] < width["like lapatinib"] < width["caffeine"]
    assert rows.groupby("drug")["percentile"].count().to_dict() == {"caffeine": 0, "lapatinib": 12, "like lapatinib": 0}
    new = {item["drug"]: item for item in json.loads((tmp_path / "drug_response.json").read_text())["new_drugs"]}
    assert new["like lapatinib"]["nearest"] == "Lapatinib"
    assert new["like lapatinib"]["similarity"] == 1
    assert new["caffeine"]["similarity"] < 0.4


@pytest.mark.parametrize(
    ("keep", "scale", "said"),
    [(slice(0, 500), "log2", "500 of the model's 6163 genes"), (slice(None), "tpm", "is it log2?")],
)
def test_unusable_expression_is_told(tmp_path: Path, patients: pandas.DataFrame, keep, scale: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        scored(tmp_path, patients.iloc[keep, :5], scale)


def test_scale_must_be_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--expression-scale: missing"):
        score([PATIENTS], None, [], None, None, SHIPPED, GENE_TABLES, *(tmp_path / name for name in "abc"))


def test_unknown_tissues_are_noted(tmp_path: Path, patients: pandas.DataFrame) -> None:
    clinical = tmp_path / "c.tsv"
    clinical.write_text("sample\ttissue\n01005\tLAML\n01010\tspleen\n")
    scored(tmp_path, patients.iloc[:, :12], clinical=clinical)
    assert "does not know: spleen" in (tmp_path / "notes.json").read_text()


def test_one_changed_byte_is_refused(tmp_path: Path) -> None:
    for file in SHIPPED.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    weights = bytearray((tmp_path / "weights.npz").read_bytes())
    weights[len(weights) // 2] ^= 1
    (tmp_path / "weights.npz").write_bytes(weights)
    with pytest.raises(InputError, match="damaged"):
        load(tmp_path)


def test_the_demo_table_is_small_and_the_model_too() -> None:
    assert sum(file.stat().st_size for file in SHIPPED.iterdir()) < 6_000_000
    with gzip.open(PATIENTS, "rt") as stream:
        assert len(stream.readline().split("\t")) == 129


def test_a_table_as_other_programs_write_it_gives_the_same_scores(tmp_path: Path, patients: pandas.DataFrame) -> None:
    """Samples in rows, commas, `SYMBOL (number)`, one gene in two columns of which the lower does not count."""
    some = patients.iloc[:, :12]
    ours = scored(tmp_path / "ours", some)
    swapped = some.T.rename(columns={gene: f"{gene} ({place})" for place, gene in enumerate(some.index)})
    swapped["BCL2 (0)"] = 0.0
    path = tmp_path / "theirs.csv.gz"
    swapped.to_csv(path, index_label="ModelID", float_format="%.5g")
    outputs = [tmp_path / name for name in ("response.tsv", "s.json", "n.json")]
    score([path], "log2", [], None, None, SHIPPED, GENE_TABLES, *outputs)
    pandas.testing.assert_frame_equal(read_table(RESPONSE, outputs[0]), ours)
    notes = [note["text"] for note in json.loads(outputs[2].read_text())]
    assert "theirs.csv.gz: genes in several rows: 1 (BCL2); the row with the highest mean counts." in notes


def test_a_scale_that_the_values_do_not_look_like_is_a_warning(tmp_path: Path, patients: pandas.DataFrame) -> None:
    scored(tmp_path, (2 ** patients.iloc[:, :4]).round(), "tpm")
    notes = json.loads((tmp_path / "notes.json").read_text())
    text = "e.tsv was given as tpm, but all its values are whole numbers, as counts are and TPM are not. Check --expression_scale."
    assert {"level": "warning", "text": text} in [{key: note[key] for key in ("level", "text")} for note in notes]
