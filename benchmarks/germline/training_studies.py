#!/usr/bin/env python3
"""Two studies of training: which simulated reads help (leave one kind out), and whether fine-tuning on real reads does.

Models of these studies are never shipped. One thread. Errors are false negatives plus false positives, genotype must match.
"""

import csv
import re
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Annotated

from typer import Option, Typer

PROJECT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(PROJECT / "bin"), str(Path(__file__).parent)]

from run import command_of, measured  # noqa: E402

from strandwise.models.card import load_card  # noqa: E402
from strandwise.small_variants import training  # noqa: E402
from strandwise.small_variants.evaluate import compare, counts  # noqa: E402
from strandwise.small_variants.training import Recipe, TrainingSet, gather_examples, train  # noqa: E402

app = Typer(help=__doc__, pretty_exceptions_enable=False)
SHIPPED = PROJECT / "assets" / "models" / "small_variants"
KINDS = ("art", "dwgsim", "mason", "worn")
SCORED = {
    "art": ("tune_10x", "tune_30x", "tune_hard_15x"),
    "dwgsim": ("tune_dwgsim_30x",),
    "mason": ("tune_mason_20x",),
    "worn": ("tune_10x_worn", "tune_30x_worn", "tune_real_like_8x", "tune_noise_30x"),
}
REAL = ("real_hiseq_50x", "real_lowcov_7x")

Listing = Annotated[list[Path], Option(help="SETS.tsv of simulate.py; several are joined", exists=True)]
Output = Annotated[Path, Option(help="folder for models, calls and the table")]


def kind_of(name: str, options: str) -> str:
    """worn: reads with PCR stutter, chimeras or systematic errors; else the simulator."""
    if name.endswith("_worn") or re.search(r"stutter|chimeras|systematic", options):
        return "worn"
    found = re.search(r"simulator=(\w+)", options)
    return found[1] if found else "art"


def rows_of(paths: Iterable[Path]) -> dict[str, dict[str, str]]:
    """Sets by name. A worn set has the truth of the set that it was made from."""
    rows: dict[str, dict[str, str]] = {}
    for path in paths:
        with path.open() as handle:
            for row in csv.DictReader(handle, delimiter="\t"):
                rows[row["name"]] = row
                worn = path.parent / f"{row['name']}_worn.bam"
                rows.setdefault(f"{row['name']}_worn", {**row, "bam": str(worn)})
    return {name: row for name, row in rows.items() if Path(row["bam"].split(",")[0]).exists()}


def errors(model: Path, one: dict[str, str], folder: Path) -> tuple[int, int, int]:
    """Errors on SNPs and on indels, and the number of true alleles."""
    folder.mkdir(parents=True, exist_ok=True)
    calls = folder / f"{one['name']}.vcf.gz"
    regions = {**one, "regions": one.get("regions") or one["bed"]}
    measured(command_of("strandwise", regions, calls, model, ""), folder / "call.log")
    alleles = compare(Path(one["truth"]), calls, Path(one["fasta"]), Path(one["bed"]))
    found = [counts(*([a for a in side if a.kind == kind] for side in alleles)) for kind in ("SNP", "INDEL")]
    return (*(int(one["fn"] + one["fp"]) for one in found), int(sum(one["truth_total"] for one in found)))  # type: ignore[return-value]


def set_table(path: Path, sets: list[TrainingSet]) -> Path:
    lines = ["\t".join(training.COLUMNS)]
    for one in sets:
        places = map(str, (one.alignment, one.truth, one.bed, one.reference))
        lines.append("\t".join([one.name, *places, one.use, ",".join(map(str, one.fractions))]))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n")
    return path


def interval(count: int) -> str:
    """95 % interval of a Poisson mean of which `count` was seen (Garwood 1936)."""
    from scipy.stats import chi2

    low = chi2.ppf(0.025, 2 * count) / 2 if count else 0.0
    return f"{low:.0f}–{chi2.ppf(0.975, 2 * count + 2) / 2:.0f}"


@app.command()
def leave_one_out(
    sets: Listing,
    output: Output,
    plan: Annotated[Path, Option(help="options of each set")] = PROJECT / "benchmarks/germline/sets.tsv",
    recipe: Annotated[Path, Option(help="which sets train")] = PROJECT / "benchmarks/germline/training.tsv",
    seeds: Annotated[int, Option(min=1, help="trainings of each")] = 2,
    epochs: Annotated[int, Option(min=1, help="passes over all sets; fewer sets get as many steps")] = 14,
    only: Annotated[list[str] | None, Option(help="kinds to leave out, or 'nothing'; default all")] = None,
) -> None:
    """Train the summary network with all kinds of reads and without each; errors on every tuning set and on real reads."""
    rows = rows_of(sets)
    with plan.open() as handle:
        options = {row["name"]: row["options"] for row in csv.DictReader(handle, delimiter="\t")}
    with recipe.open() as handle:
        used = [row for row in csv.DictReader(handle, delimiter="\t") if row["name"] in rows]
    kinds = {
        name: kind_of(name, options[name.removesuffix("_worn")])
        for name in rows
        if name.removesuffix("_worn") in options
    }
    everything = [
        TrainingSet(
            row["name"], *(Path(rows[row["name"]][key]) for key in ("bam", "truth", "bed", "fasta")), row["use"],
            tuple(float(value) for value in row["fractions"].split(",")),
        )
        for row in used
    ]  # fmt: skip
    cache = output / "examples"
    cache.mkdir(parents=True, exist_ok=True)
    # Examples of a set serve every model; a training's own folder is emptied at its end.
    training.gather_examples = lambda chosen, use, _work: gather_examples(chosen, use, cache)  # type: ignore[assignment]
    size = dict.fromkeys(KINDS, 0)
    for one in everything:
        if one.use == "train":
            size[kinds[one.name]] += len(gather_examples([one], "train", cache).labels)
    total = sum(size.values())
    scored = [name for names in SCORED.values() for name in names if name in rows] + [
        name for name in REAL if name in rows
    ]
    table = output / "leave_one_out.tsv"
    if not table.exists():
        table.write_text("left_out\tseed\tset\tsnp_errors\tindel_errors\ttruth\n")
    for left in only or ("nothing", *KINDS):
        chosen = [one for one in everything if kinds[one.name] != left]
        for seed in range(1, seeds + 1):
            folder = output / f"without_{left}_{seed}"
            if (folder / "scored").exists():
                continue
            steps = Recipe(
                epochs=round(epochs * total / (total - size.get(left, 0))), batch=1024, seed=seed, networks=("summary",)
            )
            train(set_table(folder / "sets.tsv", chosen), folder / "model", f"without-{left}", str(seed), steps)
            lines = []
            for name in scored:
                found = errors(folder / "model", {**rows[name], "name": name}, folder / "calls")
                lines.append("\t".join([left, str(seed), name, *map(str, found)]))
            with table.open("a") as handle:
                handle.write("\n".join(lines) + "\n")
            (folder / "scored").touch()
            print(f"without {left}, seed {seed}: done", flush=True)
    print("examples by kind:", size)
    print_table(table)


@app.command("table")
def print_table(path: Annotated[Path, Option("--path", help="leave_one_out.tsv")]) -> None:
    """Print the table in Markdown: errors by kind of reads, seeds summed, with 95 % intervals."""
    with path.open() as handle:
        rows = list(csv.DictReader(handle, delimiter="\t"))
    groups = {**SCORED, "real 50x": REAL[:1], "real 7x": REAL[1:]}
    print(f"| left out | seeds | {' | '.join(groups)} |", "| --- " * (len(groups) + 2) + "|", sep="\n")
    for left in dict.fromkeys(row["left_out"] for row in rows):
        of_it = [row for row in rows if row["left_out"] == left]
        cells = []
        for names in groups.values():
            found = [row for row in of_it if row["set"] in names]
            snp, indel = (sum(int(row[key]) for row in found) for key in ("snp_errors", "indel_errors"))
            cells.append(f"{snp} + {indel} = {snp + indel} ({interval(snp + indel)})")
        print(f"| {left} | {len({row['seed'] for row in of_it})} | {' | '.join(cells)} |")


@app.command()
def fine_tune(
    sets: Listing,
    output: Output,
    seeds: Annotated[int, Option(min=1)] = 5,
    epochs: Annotated[int, Option(min=1)] = 10,
    rate: Annotated[list[float] | None, Option(help="learning rates to try; default 2e-4 and 2e-3")] = None,
    start: Annotated[Path, Option(help="model to fine-tune", exists=True)] = SHIPPED,
    share: Annotated[float, Option(help="of a slice to train on; the rest calibrates, 50 candidates at least")] = 2 / 3,
    only: Annotated[str | None, Option(help="slice1 or slice2: the one to train on; default both")] = None,
) -> None:
    """Fine-tune on one real 7x slice (a share to train, the rest to calibrate), test on the other, both ways."""
    import gzip

    whole = rows_of(sets)["real_lowcov_7x"]
    with gzip.open(whole["bed"], "rt") as handle:
        spans = [line.split() for line in handle]
    slices = []
    output.mkdir(parents=True, exist_ok=True)
    for number, (bam, inside) in enumerate(
        zip(whole["bam"].split(","), (lambda at: at < 10_150_000, lambda at: at >= 10_150_000), strict=True), 1
    ):
        mine = [span for span in spans if inside(int(span[1]))]
        border = int(int(mine[0][1]) + (int(mine[-1][2]) - int(mine[0][1])) * share)
        for part, rows in (
            ("all", mine),
            ("train", [[s[0], s[1], str(min(int(s[2]), border))] for s in mine if int(s[1]) < border]),
            ("tune", [[s[0], str(max(int(s[1]), border)), s[2]] for s in mine if int(s[2]) > border]),
        ):
            (output / f"slice{number}.{part}.bed").write_text("".join("\t".join(row) + "\n" for row in rows))
        slices.append(
            {
                **whole,
                "name": f"slice{number}",
                "bam": bam,
                "bed": str(output / f"slice{number}.all.bed"),
                "regions": "",
            }
        )
    print(
        "| trained on | tested on | rate | seed | SNP errors | INDEL errors | all | of true alleles |",
        "| --- " * 8 + "|",
        sep="\n",
        flush=True,
    )
    card = load_card(start, "small_variants")
    for own, other in (slices, slices[::-1]):
        if only and own["name"] != only:
            continue
        base = errors(start, other, output / "shipped")
        print(
            f"| shipped | {other['name']} | | | {base[0]} | {base[1]} | {base[0] + base[1]} | {base[2]} |", flush=True
        )
        one = TrainingSet(
            own["name"],
            Path(own["bam"]),
            Path(own["truth"]),
            output / f"{own['name']}.train.bed",
            Path(own["fasta"]),
            "train",
            (1.0, 0.7),
        )
        tune = replace(one, use="tune", bed=output / f"{own['name']}.tune.bed", fractions=(1.0, 0.7))
        for speed in rate or (2e-4, 2e-3):
            for seed in range(1, seeds + 1):
                folder = output / f"{own['name']}_{speed}_{seed}"
                if not (folder / "model" / "card.json").exists():
                    recipe = Recipe(epochs=epochs, batch=64, learning_rate=speed, seed=seed)
                    train(
                        set_table(folder / "sets.tsv", [one, tune]), folder / "model", "tuned", str(seed), recipe, card
                    )
                found = errors(folder / "model", other, folder)
                print(
                    f"| {own['name']} | {other['name']} | {speed} | {seed} | {found[0]} | {found[1]} | {found[0] + found[1]} | {found[2]} |",
                    flush=True,
                )


if __name__ == "__main__":
    app()
