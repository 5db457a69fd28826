"""Prove a cut: it must equal the original whose consumers read zeros."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pruning.analysis.layer_rules import key_of
from pruning.analysis.profiler import Analysis
from pruning.analysis.tensor_sizes import runs_with
from pruning.errors import SelfCheckError
from pruning.frameworks._base import Framework
from pruning.frameworks._loading import cause
from pruning.frameworks.running import answers, fixed_batch, model_errors
from pruning.surgery.channels import Cut, consumers_read_zeros
from pruning.surgery.channels import cut as cut_channels

TOLERANCE = 1e-5
HALF_PRECISION_TOLERANCE = 2e-2
SAMPLES = 4
SHORTEST = 8  # steps of an open dimension; the model's own length where it does not run with these


@dataclass(frozen=True)
class SelfCheck:
    """Result of a passed check.

    Attributes:
        max_abs_error: Largest absolute difference over all samples and outputs.
        tolerance: What ``max_abs_error`` was held to: 1e-5 times the largest output, at least
            1e-5, so that a regression with outputs in the thousands is judged by the same digits.
        samples: How many samples were run.
        inexact: Groups that were cut although that changes the channels that stay. They are left
            whole in the comparison above.
        change: Largest absolute difference that cutting those makes, when there are any.
    """

    max_abs_error: float
    tolerance: float
    samples: int
    inexact: tuple[str, ...] = ()
    change: float | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON form, as ``prune`` prints it."""
        record: dict[str, Any] = {
            "max_abs_error": self.max_abs_error,
            "tolerance": self.tolerance,
            "samples": self.samples,
        }
        if self.inexact:
            record |= {"inexact": list(self.inexact), "change": self.change}
        return record


def self_check(
    analysis: Analysis, cut: Cut, samples: Sequence[np.ndarray] | None = None, *, seed: int = 0
) -> SelfCheck:
    """Compare the cut model with the original whose consumers read zeros.

    Args:
        analysis: Of the original.
        cut: What :func:`pruning.surgery.channels.cut` made of it.
        samples: One array (samples, …) per input; a few random ones when not given.
        seed: Of the random samples.

    Raises:
        SelfCheckError: The outputs differ by more than the tolerance, or are not finite.
    """
    drawn = checked_inputs(analysis, samples, seed)
    inexact = _inexact(analysis, cut)
    if inexact:
        return _with_inexact(analysis, cut, drawn, inexact)
    inputs, expected = answered(lambda given: _expected(analysis, cut, given), drawn)
    tolerance = tolerance_for(analysis, expected)
    error = difference(expected, outputs(cut.model, inputs))
    if not error <= tolerance:
        raise SelfCheckError(
            f"The cut model differs from its original by {error:.3g} on {len(inputs[0])} samples.",
            expected=f"The same outputs to {tolerance:.3g} as the original whose consumers read "
            "zeros for the removed channels.",
            fix="Nothing was saved. Lock the groups that you changed last, and report this "
            "as a bug with the model's layers.",
        )
    return SelfCheck(error, tolerance, len(inputs[0]))


def _expected(analysis: Analysis, cut: Cut, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """What the original answers when its consumers read zeros. -> one float32 array each."""
    with consumers_read_zeros(analysis, cut.kept) as original:
        return outputs(original, inputs)


def _inexact(analysis: Analysis, cut: Cut) -> tuple[str, ...]:
    return tuple(
        group.id
        for group in analysis.groups
        if group.on_request == "inexact"
        and len(cut.kept.get(group.id, ())) in range(1, group.channels)
    )


def _with_inexact(
    analysis: Analysis, cut: Cut, drawn: Sequence[list[np.ndarray]], inexact: tuple[str, ...]
) -> SelfCheck:
    """Hold the rest of the cut to the tolerance, and measure what the inexact groups change."""
    inputs, expected = answered(lambda given: _expected(analysis, cut, given), drawn)
    rest = {name: kept for name, kept in cut.kept.items() if name not in inexact}
    checked = self_check(analysis, cut_channels(analysis, rest), inputs)
    change = difference(expected, outputs(cut.model, inputs))
    if not np.isfinite(change):
        raise SelfCheckError(
            "The cut model's outputs are not finite, or have another shape.",
            expected="Finite outputs of the original's shape.",
            fix="Nothing was saved. Plan without the groups that are cut on request.",
        )
    return replace(checked, inexact=inexact, change=change)


def tolerance_for(analysis: Analysis, expected: list[np.ndarray]) -> float:
    """What differences are held to, see :class:`SelfCheck`; more for half precision."""
    scale = max([1.0, *(float(np.abs(out).max()) for out in expected if out.size)])
    base = HALF_PRECISION_TOLERANCE if _half_precision(analysis.model) else TOLERANCE
    return base * scale


def difference(expected: list[np.ndarray], actual: list[np.ndarray]) -> float:
    """Largest absolute difference; infinite when the shapes differ, NaN when an output is."""
    each = [
        float(np.abs(one.astype(np.float64) - other).max()) if one.shape == other.shape else np.inf
        for one, other in zip(expected, actual, strict=True)
    ]
    return float(np.max(each))  # Python's max would pass over a NaN that is not the first


def random_samples(
    analysis: Analysis, count: int, seed: int = 0, *, in_unit_interval: bool = False
) -> list[np.ndarray]:
    """Inputs the model can read: normal values, or table indices where it looks them up.

    Args:
        analysis: Of the model.
        count: Samples.
        seed: Of the numbers.
        in_unit_interval: Draw values from [0, 1) in place of normal ones: to these the model has
            answered with finite numbers when it was loaded. It may take their logarithm.

    Returns:
        One array (count, …) per input, open dimensions 8 long where the model accepts that.
    """
    rng = np.random.default_rng(seed)
    framework = analysis.framework
    tables = _tables(framework, analysis.flat)
    arrays = []
    open_size = _open_size(analysis)
    for tensor in analysis.flat.inputs:
        sizes = framework.shape(tensor)[1:]
        shape = (count, *(open_size if size is None else size for size in sizes))
        dtype = str(getattr(tensor.dtype, "name", tensor.dtype))
        if id(tensor) in tables or "int" in dtype or dtype == "bool":
            array = rng.integers(0, tables.get(id(tensor), 2), shape).astype(np.float64)
        else:
            array = rng.random(shape) if in_unit_interval else rng.normal(size=shape)
        arrays.append(array.astype("float32" if dtype == "bfloat16" else dtype))
    return arrays


def _tables(framework: Framework, flat_model: Any) -> dict[int, int]:
    """Rows of the smallest table that looks up values of an input, by the input tensor's id.

    Inputs are followed through operations without weights, such as the slice that takes one column,
    and into models that are applied to every step.
    """
    tables: dict[int, int] = {}
    sources = {id(tensor): {id(tensor)} for tensor in flat_model.inputs}
    for node in framework.nodes(flat_model):
        found = set().union(*(sources.get(id(tensor), set()) for tensor in node.inputs))
        rows = _rows(framework, node.layer)
        if rows is not None:
            tables |= {key: min(rows, tables.get(key, rows)) for key in found}
        elif node.inputs and not getattr(node.layer, "weights", ()):
            sources |= {id(tensor): found for tensor in node.outputs}
    return tables


def _rows(framework: Framework, layer: Any) -> int | None:
    """Rows of the table in which a layer looks up what it reads; ``None`` without one."""
    if key_of(layer) == "Embedding":
        return int(layer.input_dim)
    inner = getattr(layer, "layer", None)
    if inner is None or not hasattr(inner, "layers"):
        return None if inner is None else _rows(framework, inner)
    return min(_tables(framework, framework.flat(inner)).values(), default=None)


def _open_size(analysis: Analysis) -> int:
    framework, flat = analysis.framework, analysis.flat
    if all(None not in framework.shape(tensor)[1:] for tensor in flat.inputs):
        return SHORTEST
    return SHORTEST if runs_with(framework, flat, SHORTEST) else analysis.length


def checked_inputs(
    analysis: Analysis, samples: Sequence[np.ndarray] | None, seed: int
) -> list[list[np.ndarray]]:
    """The samples, or random ones to try in turn; as many of each as the model reads at once."""
    drawn = (
        [list(samples)]
        if samples is not None
        else [
            random_samples(analysis, SAMPLES, seed, in_unit_interval=unit) for unit in (False, True)
        ]
    )
    count = fixed_batch(analysis.flat)  # of stateful models, for one
    if count is None:
        return drawn
    return [[np.resize(array, (count, *array.shape[1:])) for array in inputs] for inputs in drawn]


def answered(
    run: Callable[[list[np.ndarray]], list[np.ndarray]], drawn: Iterable[list[np.ndarray]]
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """What the original answers; to the first sample alone where it was written for one at a time.

    Args:
        run: The original.
        drawn: Samples, and others to take when it does not answer to these with finite numbers.

    Returns:
        The samples that it has answered to, and its answers.

    Raises:
        SelfCheckError: It does not answer to one sample either, or to none with finite numbers.
    """
    inputs: list[np.ndarray] = []
    for samples in drawn:
        inputs, found = _together_or_first(run, samples)
        if are_finite(found):
            return inputs, found
    raise SelfCheckError(
        f"The original itself answers to {len(inputs[0])} samples with numbers that are not "
        "finite, when its consumers read zeros or its blocks pass their inputs on.",
        expected="Finite answers, with which the smaller model can be compared.",
        fix="Nothing was saved. Remove less, or give data of the range that the model was made "
        "for: a logarithm or a division in it may meet a zero.",
    )


def _together_or_first(
    run: Callable[[list[np.ndarray]], list[np.ndarray]], inputs: list[np.ndarray]
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    try:
        return inputs, run(inputs)
    except model_errors():
        first = [array[:1] for array in inputs]
    try:
        return first, run(first)
    except model_errors() as error:
        raise SelfCheckError(
            f"The original does not run on {len(inputs[0])} samples, nor on one: {cause(error)}",
            expected="A model that answers to samples of its inputs' shapes, however many.",
            fix="Give data whose samples the model can read together, or leave the first dimension "
            "of every shape in it open.",
        ) from error


def are_finite(answers: Sequence[np.ndarray]) -> bool:
    """Whether no answer holds infinities or NaN."""
    return all(bool(np.isfinite(answer).all()) for answer in answers)


def outputs(model: Any, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Answers of a model in inference mode. -> one float32 array per output."""
    return [np.asarray(out, np.float32) for out in answers(model, inputs)]


def _half_precision(model: Any) -> bool:
    return any("16" in str(getattr(layer, "compute_dtype", "")) for layer in model.layers)
