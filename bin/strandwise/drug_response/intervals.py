"""90 % intervals: split-conformal half-widths per drug, wider the stranger the sample."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy

LEVEL = 0.9
# Pairs of a drug count for its own quantile; this many pairs of all drugs are mixed in.
PRIOR_PAIRS = 50


def widening(strange: "numpy.ndarray", slope: float) -> "numpy.ndarray":
    """How much wider intervals are for samples that are stranger than a typical training line.

    strange: share of a sample's variance that the components do not explain, divided by the median of lines left out.
    """
    import numpy

    return numpy.exp(slope * numpy.clip(strange - 1, 0, 3))


def half_widths(residuals: "numpy.ndarray", sd: "numpy.ndarray", wider: "numpy.ndarray") -> "numpy.ndarray":
    """Half-width per drug from residuals of lines left out (Lei et al., J. Am. Stat. Assoc. 113:1094, 2018).

    residuals: (lines, drugs) ln µM with gaps; sd: (drugs,) of the responses; wider: (lines,). The quantile of
    |residual| / wider within the drug, drawn towards that of all drugs (in units of sd) where a drug has few pairs.
    """
    import numpy

    scores = numpy.abs(residuals) / wider[:, None]
    pooled = numpy.nanquantile(scores / sd, LEVEL) * sd
    own = numpy.array([_quantile(column[~numpy.isnan(column)], LEVEL) for column in scores.T])
    count = (~numpy.isnan(scores)).sum(axis=0)
    weight = count / (count + PRIOR_PAIRS)
    return numpy.where(count >= 5, weight * own + (1 - weight) * pooled, pooled)


def _quantile(values: "numpy.ndarray", level: float) -> float:
    """The ceil((n + 1) level)-th smallest: covers `level` of exchangeable new values."""
    import numpy

    if len(values) < 5:
        return float("nan")
    rank = min(int(numpy.ceil((len(values) + 1) * level)), len(values))
    return float(numpy.sort(values)[rank - 1])
