"""Activations that treat every value by itself, as layers and as operations."""

from __future__ import annotations

from collections.abc import Sequence

from pruning.analysis.layer_rules._base import Call, Channels, LayerRule
from pruning.analysis.layer_rules._flow import frozen, pass_through
from pruning.analysis.layer_rules._settings import check_activation


def trace(call: Call) -> Sequence[Channels]:
    """``Activation``: passes, unless the function mixes channels (softmax)."""
    channels = call.inputs[0]
    check_activation(call, call.layer.activation, channels.atoms)
    return [channels]


_OPERATIONS = (
    "Absolute Abs Fabs Relu Relu6 Sigmoid SparseSigmoid Softplus Softsign SoftShrink SparsePlus "
    "Silu Squareplus LogSigmoid LeakyRelu HardSigmoid HardSilu Elu Selu Gelu Celu TanhShrink "
    "HardTanh HardShrink Threshold Tanh Exp Expm1 Log Log1p Sqrt Rsqrt Square Negative Reciprocal "
    "Sign Clip Cast StopGradient Erf Erfc Sin Sinh Cos Cosh Tan Arcsin Arcsinh Arccos Arccosh "
    "Arctan Arctanh Exp2 Log2 Log10 Cbrt Sinc Floor Ceil Round Trunc NanToNum LogicalNot "
    "Isnan Isfinite Isinf SaturateCast Copy"
)
_SYMBOLS = (
    "nn.relu nn.relu6 nn.elu nn.selu nn.gelu nn.silu nn.swish nn.leaky_relu nn.softsign "
    "nn.softplus math.softplus math.softsign math.sigmoid sigmoid nn.sigmoid math.tanh tanh "
    "nn.tanh math.abs abs math.exp exp math.log math.log1p math.sqrt sqrt math.rsqrt math.square "
    "square math.negative negative __operators__.neg math.reciprocal math.sign clip_by_value cast "
    "stop_gradient identity math.erf math.sin math.cos"
)

RULES = (
    LayerRule("activation", ("Activation",), trace, "passed"),
    LayerRule(
        "elementwise function",
        (
            *("ReLU", "LeakyReLU", "ELU", "ThresholdedReLU", "Identity"),
            *(f"ops.{name}" for name in _OPERATIONS.split()),
            *(f"tf.{symbol}" for symbol in _SYMBOLS.split()),
        ),
        pass_through,
        "passed",
    ),
    frozen(
        "softmax",
        "A softmax compares all its channels with each other; without one, all others change.",
        (
            *("Softmax", "ops.Softmax", "ops.LogSoftmax", "ops.Sparsemax", "ops.Glu"),
            *("tf.nn.softmax", "tf.nn.log_softmax"),
        ),
    ),
)
