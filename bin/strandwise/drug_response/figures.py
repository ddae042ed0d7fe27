"""How well predictions agree with measurements, by the definitions of docs/methods.md."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy

LEAST_LINES = 30


def agreement(response: "numpy.ndarray", prediction: "numpy.ndarray", parts: "numpy.ndarray") -> tuple[float, float]:
    """Normalised and per-drug Pearson correlation of lines left out.

    response, prediction: (lines, drugs) ln µM, gaps NaN; parts: (lines,) fold. From both the drug's mean over the training
    lines of the fold is taken. Normalised: all pairs together; per drug: mean over drugs with at least 30 lines.
    """
    import numpy

    truth, guess = centred(response, prediction, parts)
    known = ~numpy.isnan(truth)
    return float(numpy.corrcoef(truth[known], guess[known])[0, 1]), per_drug_mean(truth, guess)


def per_drug_mean(truth: "numpy.ndarray", guess: "numpy.ndarray") -> float:
    """Mean Pearson correlation over drugs with at least 30 lines; (lines, drugs), gaps NaN; a constant guess does not count."""
    import numpy

    known = ~numpy.isnan(truth) & ~numpy.isnan(guess)
    correlations = [
        numpy.corrcoef(truth[known[:, drug], drug], guess[known[:, drug], drug])[0, 1]
        for drug in range(truth.shape[1])
        if known[:, drug].sum() >= LEAST_LINES
    ]
    return float(numpy.nanmean(correlations))


def centred(
    response: "numpy.ndarray", prediction: "numpy.ndarray", parts: "numpy.ndarray"
) -> tuple["numpy.ndarray", "numpy.ndarray"]:
    """Both without the drug's mean over the lines outside the fold."""
    import numpy

    truth, guess = response.copy(), prediction.astype(float)
    for part in numpy.unique(parts):
        mean = numpy.nanmean(response[parts != part], axis=0)
        truth[parts == part] -= mean
        guess[parts == part] -= mean
    return truth, guess


def pearson(
    n: "numpy.ndarray",
    x: "numpy.ndarray",
    y: "numpy.ndarray",
    xx: "numpy.ndarray",
    yy: "numpy.ndarray",
    xy: "numpy.ndarray",
) -> "numpy.ndarray":
    """Correlations from sums: of pairs, values, squares and products."""
    import numpy

    return (xy - x * y / n) / numpy.sqrt((xx - x**2 / n) * (yy - y**2 / n))
