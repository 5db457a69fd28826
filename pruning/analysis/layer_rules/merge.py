"""Additions and products of tensors, as layers, operations and operators."""

from __future__ import annotations

from collections.abc import Sequence

from pruning.analysis.layer_rules._base import Call, Channels, LayerRule, NotUnderstoodError
from pruning.analysis.layer_rules._flow import argument, elementwise

_OPERATIONS = (
    "Add Multiply Subtract Divide TrueDivide Maximum Minimum Power DivideNoNan FloorDivide Mod "
    "Fmax Fmin Fmod Logaddexp Logaddexp2 Hypot Arctan2 Greater GreaterEqual Less LessEqual Equal "
    "NotEqual LogicalAnd LogicalOr LogicalXor Where Heaviside Isclose Nextafter Ldexp Select "
    "BitwiseAnd BitwiseOr BitwiseXor Gcd Lcm"
)
_SYMBOLS = (
    "math.add __operators__.add math.multiply __operators__.mul math.subtract __operators__.sub "
    "math.divide math.truediv __operators__.truediv math.maximum maximum math.minimum minimum "
    "math.pow math.add_n add multiply subtract divide truediv where math.squared_difference "
    "math.greater math.greater_equal math.less math.less_equal math.equal math.not_equal "
    "math.logical_and math.logical_or math.logical_xor math.floordiv math.floormod math.atan2 "
    "math.divide_no_nan math.multiply_no_nan math.xdivy math.xlogy math.xlog1py math.scalar_mul "
    "scalar_mul math.accumulate_n realdiv math.mod math.nextafter"
)


def biased(call: Call) -> Sequence[Channels]:
    """``bias_add``: a sum with one value per channel on the last axis."""
    if str(argument(call, 2, "data_format") or "N").startswith("NC"):
        raise NotUnderstoodError("its channels are not on the last axis.")
    return elementwise(call)


RULES = (
    LayerRule("bias", ("tf.nn.bias_add",), biased, "passed"),
    LayerRule(
        "merge",
        (
            *("Add", "Multiply", "Subtract", "Average", "Maximum", "Minimum"),
            "CustomScaleLayer",  # of InceptionResNetV2: x + scale * y
            *(f"ops.{name}" for name in _OPERATIONS.split()),
            *(f"tf.{symbol}" for symbol in _SYMBOLS.split()),
        ),
        elementwise,
        "passed",
    ),
)
