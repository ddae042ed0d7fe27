"""Every table of drug response in benchmarks/RESULTS.md, in one go; a run that was killed goes on where it was."""

import hashlib
import json
import os
import shutil
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Annotated

# One thread, for equal figures and times; threads that wait for each other cost several times the work on a busy machine.
for limit in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
    os.environ.setdefault(limit, "1")

from setting import MODEL, ROOT, Setting  # noqa: E402
from typer import BadParameter, Option, Typer  # noqa: E402

sys.path.insert(0, str(ROOT / "bin"))
# Part → module of the function of that name, share of the time of all parts, and what its table shows.
PARTS = {
    "lines": ("lines_left_out", 18, "Lines left out"),
    "nested": ("nested", 22, "Lines left out, fresh folds, settings chosen inside"),
    "tissues": ("lines_left_out", 36, "Tissues left out"),
    "drugs": ("drugs_left_out", 3, "Drugs left out, lines known"),
    "intervals": ("interval_coverage", 2, "Coverage of 90 % intervals"),
    "platforms": ("platforms", 14, "Cell lines on other, made platforms"),
    "masked": ("missing_genes", 1, "Genes missing"),
    "patients": ("scoring", 1, "Leukaemia patients"),
    "speed": ("scoring", 3, "Speed"),
}
app = Typer(help=__doc__, pretty_exceptions_enable=False)


@app.command()
def run(
    data: Annotated[Path, Option(help="training folder that also holds the split files")],
    output: Annotated[
        Path, Option(help="folder for tables; each state of code, data and model has one of its own in it")
    ],
    part: Annotated[list[str] | None, Option(help=f"one of {', '.join(PARTS)}; may be given several times")] = None,
    members: Annotated[int, Option(min=0, help="networks in each ensemble; 0 spares most of the time")] = 4,
) -> None:
    """Make the tables that are not there yet, then print all of them as Markdown."""
    unknown = [name for name in part or [] if name not in PARTS]
    if unknown:
        raise BadParameter(f"no part is called {', '.join(unknown)}; there are {', '.join(PARTS)}")
    folder = output / state_of(data, members)
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [name for name in PARTS if name in (part or PARTS)]
    missing = [name for name in wanted if not (folder / f"{name}.tsv").is_file()]
    began, done = time.monotonic(), 0
    for number, name in enumerate(missing, 1):
        print(f"{name}: part {number} of {len(missing)}{_left(began, done, missing[number - 1 :])}", file=sys.stderr)
        module, share, _ = PARTS[name]
        work = folder / f"{name}.work"
        work.mkdir(exist_ok=True)
        spent = sum(os.times()[:4])
        getattr(import_module(module), name)(Setting(data, members, work), folder / f"{name}.tsv")
        shutil.rmtree(work)
        print(f"{name}: done, {sum(os.times()[:4]) - spent:.0f} CPU seconds", file=sys.stderr, flush=True)
        done += share
    for name in wanted:
        print(f"\n### {PARTS[name][2]}\n")
        for path in sorted(folder.glob(f"{name}*.tsv"), key=lambda path: len(path.name)):
            print(markdown(path))
    print(f"tables: {folder}", file=sys.stderr)


def state_of(data: Path, members: int) -> str:
    """Names what every table depends on: the code, the data, the shipped model, the number of networks."""
    from strandwise.models.checkpoints import fingerprint

    code = [*ROOT.glob("bin/strandwise/drug_response/*.py"), *ROOT.glob("bin/strandwise/formats/*.py")]
    paths = [*code, *Path(__file__).parent.glob("*.py"), *data.iterdir(), *MODEL.iterdir()]
    state = {path.name: fingerprint(path) for path in sorted(paths) if path.is_file()}
    return hashlib.sha256(json.dumps([state, members]).encode()).hexdigest()[:8]


def _left(began: float, done: int, missing: list[str]) -> str:
    if not done:
        return ""
    left = (time.monotonic() - began) / done * sum(PARTS[name][1] for name in missing)
    return f", about {left / 60:.0f} min left of all"


def markdown(path: Path) -> str:
    """A table as RESULTS.md shows it: intervals in brackets behind their figure, 0.5 as .5, gaps as –."""
    import pandas

    table = pandas.read_csv(path, sep="\t", dtype=str, keep_default_na=False)
    columns = [name for name in table if not name.endswith(("_low", "_high"))]
    lines = [columns, ["---"] * len(columns)]
    for _, row in table.iterrows():
        cells = []
        for name in columns:
            cell = _short(row[name]) or "–"
            if f"{name}_low" in table and row[name]:
                cell += f" ({_short(row[f'{name}_low'])} to {_short(row[f'{name}_high'])})"
            cells.append(cell.replace("0 (0 to 0)", "–"))
        lines.append(cells)
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines) + "\n"


def _short(text: str) -> str:
    """Three digits behind the point, none where the number has none."""
    try:
        number = float(text)
    except ValueError:
        return text
    if abs(number) < 0.0005:
        return f"{number:.1g}" if "e" in text else "0"
    return text if "." not in text else f"{number:.3f}".replace("0.", ".", 1) if abs(number) < 1 else f"{number:.3g}"


if __name__ == "__main__":
    app()
