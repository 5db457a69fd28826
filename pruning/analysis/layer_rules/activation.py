"""Activations that treat every value by itself, as layers and as operations."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pruning.analysis.layer_rules._base import Call, Channels, LayerRule
from pruning.analysis.layer_rules._flow import argument, frozen, pass_through, stays
from pruning.analysis.layer_rules._settings import (
    activation_name,
    check_activation,
    positions_of_one,
)


def trace(call: Call) -> Sequence[Channels]:
    """``Activation``: passes, unless the function mixes channels (softmax)."""
    channels = call.inputs[0]
    last = len(call.input_sizes[0]) - 1
    if activation_name(call.layer.activation) == "softmax":
        channels = call.beside([last])
        if channels.axis not in (None, last):
            return [Channels(channels.axis, channels.atoms)]
    check_activation(call, call.layer.activation, channels.atoms)
    return [channels]


_COMPARED = "A softmax compares all its channels with each other; without one, all others change."


def softmax(call: Call) -> Sequence[Channels]:
    """Passes channels that lie along another axis than the one it compares along."""
    axes = argument(call, 1, "axis", -1)
    rank = len(call.input_sizes[0])
    compared = range(rank) if axes is None else [int(a) % rank for a in np.atleast_1d(axes)]
    channels = call.beside(compared)
    if len(call.inputs) == 1 and channels.axis not in compared:
        return [channels]
    if why := positions_of_one(call, channels.atoms):
        call.record.reason = why
        return call.frozen_outputs(why)
    return stays(call, _COMPARED)


_OPERATIONS = (
    "Absolute Abs Fabs Relu Relu6 Sigmoid SparseSigmoid Softplus Softsign SoftShrink SparsePlus "
    "Silu Squareplus LogSigmoid LeakyRelu HardSigmoid HardSilu Elu Selu Gelu Celu TanhShrink "
    "HardTanh HardShrink Threshold Tanh Exp Expm1 Log Log1p Sqrt Rsqrt Square Negative Reciprocal "
    "Sign Clip Cast StopGradient Erf Erfc Sin Sinh Cos Cosh Tan Arcsin Arcsinh Arccos Arccosh "
    "Arctan Arctanh Exp2 Log2 Log10 Cbrt Sinc Floor Ceil Round Trunc NanToNum LogicalNot "
    "Isnan Isfinite Isinf SaturateCast Copy ZerosLike OnesLike FullLike Erfinv I0 Signbit "
    "Deg2rad Rad2deg Isneginf Isposinf Isreal Real Imag Angle Conj Conjugate "
    "BitwiseInvert BitwiseNot Digitize ConvertToTensor"
)
_SYMBOLS = (
    "nn.relu nn.relu6 nn.elu nn.selu nn.gelu nn.silu nn.swish nn.leaky_relu nn.softsign "
    "nn.softplus math.softplus math.softsign math.sigmoid sigmoid nn.sigmoid math.tanh tanh "
    "nn.tanh math.abs abs math.exp exp math.log math.log1p math.sqrt sqrt math.rsqrt "
    "math.square square math.negative negative __operators__.neg math.reciprocal math.sign "
    "clip_by_value cast stop_gradient identity math.erf math.sin math.cos math.logical_not "
    "zeros_like ones_like math.erfc math.expm1 math.tan math.atan math.sinh math.cosh "
    "math.asin math.acos math.ceil math.floor math.round math.is_nan sin cos round sign "
    "math.log_sigmoid math.is_finite math.is_inf math.lgamma math.digamma math.erfinv math.rint "
    "math.asinh math.acosh math.atanh dtypes.saturate_cast image.convert_image_dtype "
    "math.real math.imag math.angle image.adjust_brightness image.adjust_gamma "
    "quantization.fake_quant_with_min_max_vars math.conj math.reciprocal_no_nan convert_to_tensor"
)

RULES = (
    LayerRule("activation", ("Activation",), trace, "passed", by_value=True),
    LayerRule(
        "elementwise function",
        (
            *("ReLU", "LeakyReLU", "ELU", "ThresholdedReLU", "Identity"),
            *(f"ops.{name}" for name in _OPERATIONS.split()),
            *(f"tf.{symbol}" for symbol in _SYMBOLS.split()),
        ),
        pass_through,
        "passed",
        by_value=True,
    ),
    LayerRule(
        "softmax",
        (
            *("Softmax", "ops.Softmax", "ops.LogSoftmax"),
            *("tf.nn.softmax", "tf.nn.log_softmax"),
        ),
        softmax,
        "frozen",
        _COMPARED,
    ),
    frozen("comparison of channels", _COMPARED, ("ops.Sparsemax",)),
)
