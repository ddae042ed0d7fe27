"""Differentiates the networks as they run: LiteRT computes all values, this module goes back through its graph.

So the very file that decides is explained, whatever layers it has, without TensorFlow.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from strandwise.errors import InputError

RELU = 1
"""ActivationFunctionType of the TFLite schema."""

Pull = tuple[int, np.ndarray]
"""A tensor and the gradient that flows back to it."""


class TracedNetwork:
    """A network exported for LiteRT whose output can be traced back to its inputs; `batch` inputs at a time.

    `gradients` raises InputError where the graph holds an operation that has no rule here: other layers than ours.
    """

    def __init__(self, path: Path, batch: int):
        from ai_edge_litert import schema_py_generated as schema
        from ai_edge_litert.interpreter import Interpreter, OpResolverType

        self.path = path
        content = path.read_bytes()
        self.interpreter = Interpreter(
            model_content=content,
            # fused and reused tensors could not be read back
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
            experimental_preserve_all_tensors=True,
        )
        self.inputs = sorted(self.interpreter.get_input_details(), key=lambda detail: len(detail["shape"]))
        for detail in self.inputs:
            self.interpreter.resize_tensor_input(detail["index"], [batch, *detail["shape"][1:]])
        self.interpreter.allocate_tensors()
        self.output = self.interpreter.get_output_details()[0]["index"]
        graph = schema.ModelT.InitFromObj(schema.Model.GetRootAs(content))
        codes = {code: name for name, code in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
        self.operations = [
            (codes[graph.operatorCodes[one.opcodeIndex].builtinCode], one) for one in graph.subgraphs[0].operators
        ]

    def logits(self, *inputs: np.ndarray) -> np.ndarray:
        """Output float64 (batch, classes) for inputs in the order of their rank."""
        for detail, values in zip(self.inputs, inputs, strict=True):
            self.interpreter.set_tensor(detail["index"], values.astype(np.float32))
        self.interpreter.invoke()
        return self.value(self.output)

    def gradients(self, pull: np.ndarray) -> list[np.ndarray]:
        """Gradient of sum(pull * logits) with respect to each input of the last call of `logits`, float64."""
        flowing: dict[int, np.ndarray] = {self.output: pull}
        for name, operation in reversed(self.operations):
            result = int(operation.outputs[0])
            if result not in flowing:
                continue
            gradient = flowing.pop(result)
            if getattr(operation.builtinOptions, "fusedActivationFunction", 0) == RELU:
                gradient = gradient * (self.value(result) > 0)
            if name not in RULES:
                raise InputError(
                    f"{self.path}: holds the operation {name}, whose gradient is not known here, so that its calls "
                    "cannot be explained; run with --explain_sites 0"
                )
            for tensor, part in RULES[name](self.value, operation, gradient):
                flowing[tensor] = flowing.get(tensor, 0.0) + part
        return [flowing[detail["index"]] for detail in self.inputs]

    def value(self, tensor: int) -> np.ndarray:
        """Tensor of the last run, floats as float64; constants are there before it."""
        values = self.interpreter.get_tensor(int(tensor))
        return values.astype(float) if values.dtype.kind == "f" else values


Values = Callable[[int], np.ndarray]
"""Gives the value of a tensor in the last run."""


def _summed_to(gradient: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Undo broadcasting: sum over the axes along which an operand was repeated."""
    gradient = gradient.sum(axis=tuple(range(gradient.ndim - len(shape))))
    repeated = tuple(axis for axis, size in enumerate(shape) if size == 1 and gradient.shape[axis] != 1)
    return gradient.sum(axis=repeated, keepdims=True)


def _elementwise(values: Values, operation: Any, parts: list[np.ndarray]) -> list[Pull]:
    pairs = zip(operation.inputs, parts, strict=True)
    return [(int(tensor), _summed_to(part, values(tensor).shape)) for tensor, part in pairs]


def _multiply(values: Values, operation: Any, gradient: np.ndarray) -> list[Pull]:
    left, right = (values(tensor) for tensor in operation.inputs)
    return _elementwise(values, operation, [gradient * right, gradient * left])


def _divide(values: Values, operation: Any, gradient: np.ndarray) -> list[Pull]:
    left, right = (values(tensor) for tensor in operation.inputs)
    return _elementwise(values, operation, [gradient / right, -gradient * left / right**2])


def _fully_connected(values: Values, operation: Any, gradient: np.ndarray) -> list[Pull]:
    given, weights = operation.inputs[:2]
    return [(int(given), (gradient @ values(weights)).reshape(values(given).shape))]


def _matrices(values: Values, operation: Any, gradient: np.ndarray) -> list[Pull]:
    options = operation.builtinOptions
    left, right = (values(tensor) for tensor in operation.inputs)
    left = left.swapaxes(-1, -2) if options.adjX else left
    right = right.swapaxes(-1, -2) if options.adjY else right
    to_left, to_right = gradient @ right.swapaxes(-1, -2), left.swapaxes(-1, -2) @ gradient
    return _elementwise(
        values,
        operation,
        [
            to_left.swapaxes(-1, -2) if options.adjX else to_left,
            to_right.swapaxes(-1, -2) if options.adjY else to_right,
        ],
    )


def _joined(values: Values, operation: Any, gradient: np.ndarray) -> list[Pull]:
    axis = operation.builtinOptions.axis
    edges = np.cumsum([values(tensor).shape[axis] for tensor in operation.inputs])[:-1]
    return list(zip(map(int, operation.inputs), np.split(gradient, edges, axis=axis), strict=True))


def _reshaped(values: Values, operation: Any, gradient: np.ndarray) -> list[Pull]:
    return [(int(operation.inputs[0]), gradient.reshape(values(operation.inputs[0]).shape))]


def _reduced(values: Values, operation: Any, gradient: np.ndarray) -> list[Pull]:
    """Sum or mean over axes."""
    given, axes = operation.inputs
    shape = values(given).shape
    over = tuple(int(axis) % len(shape) for axis in np.atleast_1d(values(axes)))
    kept = [1 if axis in over else size for axis, size in enumerate(shape)]
    return [(int(given), np.broadcast_to(gradient.reshape(kept), shape))]


def _averaged(values: Values, operation: Any, gradient: np.ndarray) -> list[Pull]:
    ((given, part),) = _reduced(values, operation, gradient)
    return [(given, part * gradient.size / part.size)]


def _transposed(values: Values, operation: Any, gradient: np.ndarray) -> list[Pull]:
    return [(int(operation.inputs[0]), gradient.transpose(np.argsort(values(operation.inputs[1]))))]


def _softmax(values: Values, operation: Any, gradient: np.ndarray) -> list[Pull]:
    shares = values(operation.outputs[0])
    pulled = shares * (gradient - (gradient * shares).sum(axis=-1, keepdims=True))
    return [(int(operation.inputs[0]), pulled * operation.builtinOptions.beta)]


def _sliced(values: Values, operation: Any, gradient: np.ndarray) -> list[Pull]:
    options = operation.builtinOptions
    begins, ends, strides = (values(tensor) for tensor in operation.inputs[1:])
    chosen: list[Any] = []
    for axis, (begin, end, stride) in enumerate(zip(begins.tolist(), ends.tolist(), strides.tolist(), strict=True)):
        first = None if options.beginMask >> axis & 1 else begin
        last = None if options.endMask >> axis & 1 else end
        chosen.append(begin if options.shrinkAxisMask >> axis & 1 else slice(first, last, stride))
    whole = np.zeros(values(operation.inputs[0]).shape)
    whole[tuple(chosen)] = gradient
    return [(int(operation.inputs[0]), whole)]


def _smaller(values: Values, operation: Any, gradient: np.ndarray) -> list[Pull]:
    left, right = (values(tensor) for tensor in operation.inputs)
    return _elementwise(values, operation, [gradient * (left < right), gradient * (left >= right)])


RULES: dict[str, Callable[[Values, Any, np.ndarray], list[Pull]]] = {
    "ADD": lambda values, operation, gradient: _elementwise(values, operation, [gradient, gradient]),
    "SUB": lambda values, operation, gradient: _elementwise(values, operation, [gradient, -gradient]),
    "MUL": _multiply,
    "DIV": _divide,
    "FULLY_CONNECTED": _fully_connected,
    "BATCH_MATMUL": _matrices,
    "CONCATENATION": _joined,
    "RESHAPE": _reshaped,
    "EXPAND_DIMS": _reshaped,
    "SQUEEZE": _reshaped,
    "SUM": _reduced,
    "MEAN": _averaged,
    "TRANSPOSE": _transposed,
    "SOFTMAX": _softmax,
    "STRIDED_SLICE": _sliced,
    "MINIMUM": _smaller,
    "EXP": lambda values, operation, gradient: [(int(operation.inputs[0]), gradient * values(operation.outputs[0]))],
    "RELU": lambda values, operation, gradient: [
        (int(operation.inputs[0]), gradient * (values(operation.outputs[0]) > 0))
    ],
}
"""What each operation passes back to its inputs, given the gradient of its output."""
