"""The omics encoder: aligned expression to ln IC50 of every drug, in numpy for scoring and in Keras for training.

Both are the same function of the same weights (a test holds them together); numpy spares scoring the import of TensorFlow.

    linear part   all genes → latent factors → drugs; a second set of coefficients counts for samples of blood only
    networks      principal components → dense → dense → drugs, the mean of several, each from another seed
    corrections   few genes per drug, straight to the drug
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy

SAMPLES_AT_ONCE = 512


@dataclass
class Encoder:
    """Weights, float32. genes, factors, components, drugs are the sizes.

    linear, linear_blood: (genes, factors); factor_drugs: (factors, drugs); projection: (genes, components);
    networks: for each member its [(weights, bias), …]; correction: (genes, drugs), mostly 0;
    drug_mean, drug_sd: (drugs,) ln µM; network_share: of the networks in the mean of both.
    """

    linear: "numpy.ndarray"
    linear_blood: "numpy.ndarray"
    factor_drugs: "numpy.ndarray"
    projection: "numpy.ndarray"
    networks: list[list[tuple["numpy.ndarray", "numpy.ndarray"]]]
    correction: "numpy.ndarray"
    drug_mean: "numpy.ndarray"
    drug_sd: "numpy.ndarray"
    network_share: float


def gelu(x: "numpy.ndarray") -> "numpy.ndarray":
    """Gaussian error linear unit, tanh form (Hendrycks and Gimpel, arXiv 1606.08415)."""
    import numpy

    return 0.5 * x * (1 + numpy.tanh(numpy.float32(0.7978845608) * (x + numpy.float32(0.044715) * x**3)))


def gelu_slope(x: "numpy.ndarray") -> "numpy.ndarray":
    import numpy

    inner = numpy.float32(0.7978845608) * (x + numpy.float32(0.044715) * x**3)
    tanh = numpy.tanh(inner)
    slope = numpy.float32(0.7978845608) * (1 + numpy.float32(3 * 0.044715) * x**2)
    return 0.5 * (1 + tanh) + 0.5 * x * (1 - tanh**2) * slope


def delta(encoder: Encoder, values: "numpy.ndarray", blood: "numpy.ndarray") -> "numpy.ndarray":
    """Predicted ln IC50 minus the drug's training mean, float32 (samples, drugs).

    values: (samples, genes) in units of the training lines, no gaps; blood: (samples,) 1 for tissues of blood, else 0.
    """
    import numpy

    parts = []
    for first in range(0, len(values), SAMPLES_AT_ONCE):
        some = values[first : first + SAMPLES_AT_ONCE]
        inside = blood[first : first + SAMPLES_AT_ONCE, None].astype(numpy.float32)
        linear = (some @ encoder.linear + inside * (some @ encoder.linear_blood)) @ encoder.factor_drugs
        components = some @ encoder.projection
        mean = sum(_member(layers, components) for layers in encoder.networks) / max(len(encoder.networks), 1)
        scaled = (1 - encoder.network_share) * linear + encoder.network_share * mean + some @ encoder.correction
        parts.append(scaled * encoder.drug_sd)
    return numpy.concatenate(parts) if parts else numpy.zeros((0, len(encoder.drug_sd)), numpy.float32)


def _member(layers: list[tuple["numpy.ndarray", "numpy.ndarray"]], x: "numpy.ndarray") -> "numpy.ndarray":
    for weights, bias in layers[:-1]:
        x = gelu(x @ weights + bias)
    return x @ layers[-1][0] + layers[-1][1]


def slopes(encoder: Encoder, values: "numpy.ndarray", blood: float, drugs: "numpy.ndarray") -> "numpy.ndarray":
    """Gradient of delta at one sample, float32 (drugs, genes): ln units per training SD of a gene. drugs: their places."""
    import numpy

    components = values @ encoder.projection
    total = numpy.zeros((len(drugs), len(components)), numpy.float32)
    for layers in encoder.networks:
        x, inner = components, []
        for weights, bias in layers[:-1]:
            inner.append(x @ weights + bias)
            x = gelu(inner[-1])
        back = layers[-1][0][:, drugs].T
        for (weights, _), before in zip(layers[-2::-1], inner[::-1], strict=True):
            back = (back * gelu_slope(before)) @ weights.T
        total = total + back
    share = encoder.network_share / max(len(encoder.networks), 1)
    linear = (encoder.linear + blood * encoder.linear_blood) @ encoder.factor_drugs[:, drugs]
    gradient = (1 - encoder.network_share) * linear.T + encoder.correction[:, drugs].T
    if encoder.networks:
        gradient = gradient + share * (total @ encoder.projection.T)
    return gradient * encoder.drug_sd[drugs, None]


def keras_member(inputs: int, hidden: tuple[int, ...], outputs: int, dropout: tuple[float, float]) -> Any:
    """One network of the ensemble, untrained."""
    import keras

    x = given = keras.Input((inputs,))
    x = keras.layers.Dropout(dropout[0])(x)
    for units in hidden:
        x = keras.layers.Dense(units, activation=_keras_gelu)(x)
        x = keras.layers.Dropout(dropout[1])(x)
    return keras.Model(given, keras.layers.Dense(outputs)(x))


def _keras_gelu(x: Any) -> Any:
    import keras

    return keras.activations.gelu(x, approximate=True)


def keras_encoder(encoder: Encoder) -> Any:
    """The whole encoder as a Keras model of the inputs `values` and `blood`, with these weights; gives delta."""
    import keras
    import numpy

    values = keras.Input((len(encoder.linear),), name="values")
    blood = keras.Input((1,), name="blood")

    def dense(x: Any, weights: "numpy.ndarray", bias: "numpy.ndarray | None" = None, activation: Any = None) -> Any:
        layer = keras.layers.Dense(weights.shape[1], use_bias=bias is not None, activation=activation)
        out = layer(x)
        layer.set_weights([weights] if bias is None else [weights, bias])
        return out

    factors = keras.layers.Add()(
        [dense(values, encoder.linear), keras.layers.Multiply()([blood, dense(values, encoder.linear_blood)])]
    )
    parts = [dense(factors, (1 - encoder.network_share) * encoder.factor_drugs), dense(values, encoder.correction)]
    components = dense(values, encoder.projection)
    share = encoder.network_share / max(len(encoder.networks), 1)
    for layers in encoder.networks:
        x = components
        for weights, bias in layers[:-1]:
            x = dense(x, weights, bias, _keras_gelu)
        weights, bias = layers[-1]
        parts.append(dense(x, share * weights, share * bias))
    scaled = keras.layers.Add()(parts)
    return keras.Model([values, blood], dense(scaled, numpy.diag(encoder.drug_sd)))
