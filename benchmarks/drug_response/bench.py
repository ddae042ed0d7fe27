"""Benchmarks of drug response beside `drug_response.py evaluate`: drugs left out, leukaemia patients, speed."""

import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

from typer import Option, Typer

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "bin"))
MODEL = ROOT / "assets" / "models" / "drug_response"
GENES = ROOT / "assets" / "genes"
PATIENTS = ROOT / "assets" / "demo" / "leukaemia_expression.tsv.gz"
CLINICAL = ROOT / "assets" / "demo" / "leukaemia_clinical.tsv"
app = Typer(help=__doc__, pretty_exceptions_enable=False)


@app.command()
def drugs(
    data: Annotated[Path, Option()],
    folds: Annotated[Path, Option()],
    output: Annotated[Path, Option()],
    bootstraps: Annotated[int, Option(min=10)] = 1000,
) -> None:
    """Drugs left out, lines known; grand mean and line effect removed. Intervals and gains by resampling drugs."""
    import numpy
    import pandas
    from drugs_left_out import RIVAL, left_out

    from strandwise.drug_response.build import read_folds
    from strandwise.drug_response.layout import read_training

    training = read_training(data)
    found = left_out(training, read_folds(folds, training.drugs, "drug"))
    has = ~numpy.isnan(next(iter(found.values()))[0]).all(axis=0)
    draws = numpy.random.default_rng(1).multinomial(has.sum(), numpy.full(has.sum(), 1 / has.sum()), bootstraps)
    weights = numpy.vstack([numpy.ones(has.sum()), draws])
    figures = {
        name: _agreement_of_drugs(truth[:, has], guess[:, has], weights) for name, (truth, guess) in found.items()
    }
    rows = []
    for name, values in figures.items():
        row: dict[str, object] = {"method": name}
        for what, ours, rivals in zip(("normalised", "per_drug"), values, figures[RIVAL], strict=True):
            for title, numbers in ((what, ours), (f"{what}_gain", ours - rivals)):
                low, high = numpy.quantile(numbers[1:], [0.025, 0.975])
                row |= {title: numbers[0], f"{title}_low": low, f"{title}_high": high}
        rows.append(row)
    pandas.DataFrame(rows).to_csv(output, sep="\t", index=False, float_format="%.4f")


def _agreement_of_drugs(truth, guess, weights):
    """Pooled and mean per-drug correlation, each (resamples,), for weights (resamples, drugs)."""
    import numpy

    known = ~numpy.isnan(truth)
    x, y = numpy.where(known, truth, 0), numpy.where(known, guess, 0)
    count, *sums = (part.sum(axis=0) for part in (known, x, y, x**2, y**2, x * y))

    def pearson(n, sx, sy, xx, yy, xy):
        return (xy - sx * sy / n) / numpy.sqrt((xx - sx**2 / n) * (yy - sy**2 / n))

    often = count >= 30
    each = pearson(count[often], *(part[often] for part in sums))
    return pearson(*(weights @ part for part in (count, *sums))), weights[:, often] @ each / weights[:, often].sum(
        axis=1
    )


@app.command()
def masked(
    data: Annotated[Path, Option()], folds: Annotated[Path, Option()], output: Annotated[Path, Option()]
) -> None:
    """Lines left out with half their genes masked, filled by the mean of the tissue or by tissue and components; no networks."""
    import numpy
    import pandas

    from strandwise.drug_response.build import read_folds
    from strandwise.drug_response.domain import complete
    from strandwise.drug_response.figures import agreement
    from strandwise.drug_response.layout import read_training
    from strandwise.drug_response.model import Domain
    from strandwise.drug_response.network import delta
    from strandwise.drug_response.training import Recipe, fit, is_blood, make_reference

    training = read_training(data)
    parts = read_folds(folds, training.lines)
    random = numpy.random.default_rng(7)
    guesses = {
        name: numpy.zeros(training.response.shape)
        for name in ("all genes", "half, mean of the tissue", "half, tissue and components")
    }
    for fold in numpy.unique(parts):
        inside = numpy.flatnonzero(parts != fold)
        encoder, factors = fit(training.part(inside), Recipe(members=0))
        reference = make_reference(training.part(inside))
        scores = ((training.scores - reference.mean) / reference.sd).astype(numpy.float32)
        outside = numpy.flatnonzero(parts == fold)
        values, blood = scores[outside], is_blood(training.tissues[outside])
        nothing = numpy.zeros(values.shape[1], numpy.float32)
        known = dict(zip(reference.tissues, reference.tissue_means, strict=True))
        centre = numpy.array([known.get(tissue, nothing) for tissue in training.tissues[outside]])
        genes = numpy.sort(random.permutation(values.shape[1])[: values.shape[1] // 2])
        domain = Domain(0, 0, 0, (scores[inside] @ encoder.projection).std(axis=0), nothing)
        filled = centre.copy()
        filled[:, genes] = values[:, genes]
        completed = complete(encoder, domain, values[:, genes], genes, centre)[0]
        for name, given in zip(guesses, (values, filled, completed), strict=True):
            guesses[name][outside] = factors.drug_mean + delta(encoder, given, blood)
    rows = [(name, *agreement(training.response, guess, parts)) for name, guess in guesses.items()]
    pandas.DataFrame(rows, columns=["input", "normalised", "per_drug"]).to_csv(
        output, sep="\t", index=False, float_format="%.4f"
    )


@app.command()
def intervals(
    data: Annotated[Path, Option()], folds: Annotated[Path, Option()], output: Annotated[Path, Option()]
) -> None:
    """Coverage of 90 % intervals on folds whose residuals did not set their width: lines left out, tissues left out; no networks."""
    import numpy
    import pandas

    from strandwise.drug_response.build import cross_fit, read_folds, slope_of_errors, tissue_folds
    from strandwise.drug_response.intervals import half_widths, widening
    from strandwise.drug_response.layout import read_training
    from strandwise.drug_response.training import Recipe

    training = read_training(data)
    kinds = {"lines": read_folds(folds, training.lines), "tissues": tissue_folds(training.tissues, 5)}
    found = {name: cross_fit(training, parts, Recipe(members=0)) for name, parts in kinds.items()}
    sd = numpy.nanstd(training.response, axis=0)
    residuals = {name: training.response - some.prediction for name, some in found.items()}
    typical = float(numpy.median(1 - found["lines"].explained))
    strange = {name: (1 - some.explained) / typical for name, some in found.items()}
    least = float(numpy.quantile(found["lines"].explained, 0.01))
    most = float(numpy.quantile(found["lines"].distance, 0.99))
    inside = {name: numpy.full(training.response.shape, numpy.nan) for name in kinds}
    width = {name: numpy.ones(len(training.lines)) for name in kinds}
    for name, parts in kinds.items():
        for fold in numpy.unique(parts):
            # Nothing of the tested lines, in either kind, sets the width.
            kept = parts != fold
            errors = [residuals[kind][kept] for kind in kinds]
            slope = slope_of_errors(
                [numpy.sqrt(numpy.nanmean((part / sd) ** 2, axis=1)) for part in errors],
                [strange[kind][kept] for kind in kinds],
            )
            wider = [widening(strange[kind][kept], slope) for kind in kinds]
            half = half_widths(numpy.vstack(errors), sd, numpy.concatenate(wider))
            width[name][~kept] = widening(strange[name][~kept], slope)
            inside[name][~kept] = numpy.abs(residuals[name][~kept]) <= half * width[name][~kept, None]
    rows = []
    for name in kinds:
        covered = numpy.where(numpy.isnan(residuals[name]), numpy.nan, inside[name])
        by_drug = numpy.nanmean(covered, axis=0)
        row = {"left_out": name, "coverage": numpy.nanmean(covered)}
        row["in_domain"] = ((found[name].explained >= least) & (found[name].distance <= most)).mean()
        row |= {"drugs_5_percent": numpy.quantile(by_drug, 0.05), "drugs_least": by_drug.min()}
        order = numpy.argsort(strange[name])
        for title, part in (("usual", order[: len(order) // 4]), ("strange", order[-(len(order) // 4) :])):
            row |= {f"{title}_width": width[name][part].mean(), f"{title}_coverage": numpy.nanmean(covered[part])}
        rows.append(row)
    pandas.DataFrame(rows).to_csv(output, sep="\t", index=False, float_format="%.4f")


@app.command()
def nested(
    data: Annotated[Path, Option()],
    output: Annotated[Path, Option()],
    members: Annotated[int, Option(min=0)] = 4,
    bootstraps: Annotated[int, Option(min=10)] = 1000,
) -> None:
    """Lines left out on a split that no setting was chosen on, with the settings as shipped and chosen anew inside each fold."""
    import numpy
    import pandas
    from nested import CHOICES, CHOSEN
    from nested import nested as run

    from strandwise.drug_response.evaluate import bootstrapped
    from strandwise.drug_response.layout import read_training

    training = read_training(data)
    with tempfile.TemporaryDirectory() as work:
        parts, found, recipes = run(training, members, Path(work))
    for part, recipe in enumerate(recipes):
        print(f"fold {part}: " + ", ".join(f"{name} {getattr(recipe, name)}" for name in CHOICES))
    figures = bootstrapped(training.response, found, parts, bootstraps)
    rows = []
    for name, agreement in figures.items():
        row: dict[str, object] = {"method": name}
        for what in ("normalised", "per_drug"):
            values, ours = getattr(agreement, what), getattr(figures[CHOSEN], what)
            for title, numbers in ((what, values), (f"{what}_gain", ours - values)):
                low, high = numpy.quantile(numbers[1:], [0.025, 0.975])
                row |= {title: numbers[0], f"{title}_low": low, f"{title}_high": high}
        rows.append(row)
    pandas.DataFrame(rows).to_csv(output, sep="\t", index=False, float_format="%.4f")


@app.command()
def platforms(
    data: Annotated[Path, Option()],
    output: Annotated[Path, Option()],
    members: Annotated[int, Option(min=0)] = 4,
    draws: Annotated[int, Option(min=1)] = 1,
) -> None:
    """Lines left out on made platforms that measure the genes of the patients' array: by ways of reading them."""
    import numpy
    import pandas
    from platforms import OURS, on_made_platforms

    from strandwise.drug_response.layout import read_training

    training = read_training(data)
    measured = set(pandas.read_csv(PATIENTS, sep="\t", usecols=["gene"])["gene"])
    genes = numpy.flatnonzero([gene in measured for gene in training.genes])
    several = [on_made_platforms(training, genes, members, draw) for draw in range(draws)]
    rows = []
    for kind in several[0]:
        every = {way: numpy.concatenate([one[kind][way] for one in several]) for way in several[0][kind]}
        for way, values in every.items():
            gain = every[OURS] - values
            error = gain.std(ddof=1) / len(gain) ** 0.5
            row = {
                "platform": kind,
                "way": way,
                "per_drug": values.mean(),
                "gain": gain.mean(),
                "standard_error": error,
            }
            rows.append(row | {"cohorts": len(gain), "cohorts_gained": int((gain > 0).sum())})
    pandas.DataFrame(rows).to_csv(output, sep="\t", index=False, float_format="%.4f")


@app.command()
def patients(output: Annotated[Path, Option()], model: Annotated[Path, Option()] = MODEL) -> None:
    """AUROC of known differences between the shipped leukaemia patients, one-sided Mann-Whitney p, and with half the genes."""
    import pandas
    from scipy.stats import mannwhitneyu

    clinical = pandas.read_csv(CLINICAL, sep="\t", dtype=str).set_index("sample")
    lineage, molecular = clinical["lineage"], clinical["molecular"]
    groups = {
        "BCR/ABL": clinical.index[(lineage == "B") & (molecular == "BCR/ABL")],
        "B lineage, NEG": clinical.index[(lineage == "B") & (molecular == "NEG")],
        "T lineage": clinical.index[lineage == "T"],
        "B lineage": clinical.index[lineage == "B"],
    }
    expression = pandas.read_csv(PATIENTS, sep="\t", index_col=0)
    whole, half = _scores(expression, model), _scores(expression.sample(frac=0.5, random_state=1), model)
    rows = []
    for drug, sensitive, others in (
        ("Dasatinib", "BCR/ABL", "B lineage, NEG"), ("Nilotinib", "BCR/ABL", "B lineage, NEG"),
        ("Bosutinib", "BCR/ABL", "B lineage, NEG"), ("Nelarabine", "T lineage", "B lineage"),
        ("Venetoclax", "B lineage", "T lineage"),
    ):  # fmt: skip
        row: dict[str, object] = {"drug": drug, "more sensitive": sensitive, "than": others}
        for title, scores in (("", whole), ("half_genes_", half)):
            low, high = scores.loc[groups[sensitive], drug], scores.loc[groups[others], drug]
            test = mannwhitneyu(high, low, alternative="greater")
            row |= {f"{title}auroc": test.statistic / len(low) / len(high), f"{title}p": test.pvalue}
        row["half_genes_spearman"] = whole[drug].corr(half[drug], method="spearman")
        rows.append(row)
    found = pandas.DataFrame(rows)
    every = pandas.Series({drug: whole[drug].corr(half[drug], method="spearman") for drug in whole})
    print(
        f"half the genes: median Spearman over {len(every)} drugs {every.median():.3f}, 5 % quantile {every.quantile(0.05):.3f}"
    )
    found.to_csv(output, sep="\t", index=False, float_format="%.4g")


def _scores(expression, model: Path):
    """delta_ln_ic50, samples × drugs."""
    import pandas

    from strandwise.drug_response.score import score

    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "e.tsv"
        expression.to_csv(table, sep="\t", index_label="gene")
        outputs = [Path(folder) / name for name in ("response.tsv", "s.json", "n.json")]
        score([table], "log2", [], CLINICAL, None, model, GENES, *outputs)
        rows = pandas.read_csv(outputs[0], sep="\t", dtype={"sample": str, "drug": str})
    return rows.pivot(index="sample", columns="drug", values="delta_ln_ic50")


@app.command()
def speed(output: Annotated[Path, Option()], samples: Annotated[int, Option()] = 10_000) -> None:
    """Time and peak memory of scoring many samples (made from the patients' values with noise)."""
    import numpy
    import pandas

    from strandwise.drug_response.score import score

    expression = pandas.read_csv(PATIENTS, sep="\t", index_col=0)
    random = numpy.random.default_rng(1)
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder) / "e.tsv"
        many = expression.iloc[:, random.integers(0, expression.shape[1], samples)].to_numpy()
        noisy = numpy.clip(many + random.normal(0, 0.3, many.shape), 0, 20)
        frame = pandas.DataFrame(noisy, index=expression.index, columns=[f"S{number}" for number in range(samples)])
        frame.to_csv(table, sep="\t", index_label="gene", float_format="%.2f")
        del many, noisy, frame
        outputs = [Path(folder) / name for name in ("response.tsv", "s.json", "n.json")]
        began, cpu = time.monotonic(), time.process_time()
        score([table], "log2", [], None, None, MODEL, GENES, *outputs)
        row = {
            "samples": samples,
            "seconds": time.monotonic() - began,
            "cpu_seconds": time.process_time() - cpu,
            "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2,
        }
    pandas.DataFrame([row]).to_csv(output, sep="\t", index=False, float_format="%.4g")


if __name__ == "__main__":
    app()
