"""One rule per layer type, found by name: a new file here is a new layer type.

Every module of this package that does not start with an underscore has a ``RULE`` or a tuple
``RULES``. See ``_base.py`` for the contract.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from pruning.analysis.layer_rules._base import Call, Channels, LayerRule
from pruning.frameworks.names import is_operation
from pruning.plugins import plugins

UNKNOWN_REASON = "The studio does not know what this layer does with its channels."


def _trace_unknown(call: Call) -> list[Channels]:
    call.record.reason = UNKNOWN_REASON
    # The layer's own: inside a wrapper the record holds those of its neighbours, too.
    for variable in getattr(call.layer, "weights", ()):
        call.weight(variable, kernel=is_kernel_name(str(variable.name)))
    cls = type(call.layer).__name__
    return call.frozen_outputs(
        f"{call.record.name!r} is a {cls}: the studio does not know what it does with channels."
    )


UNKNOWN = LayerRule("unknown", (), _trace_unknown, "frozen", UNKNOWN_REASON)


def is_kernel_name(name: str) -> bool:
    """Whether a weight of that name multiplies inputs, and so may be set to zero."""
    last = name.split("/")[-1].split(":")[0]
    return last.endswith("kernel") or last == "embeddings"


@cache
def rules() -> dict[str, LayerRule]:
    """All rules by what they cover; importing them imports no Keras."""
    found: dict[str, LayerRule] = {}
    for module in plugins(__name__):
        for rule in getattr(module, "RULES", None) or (module.RULE,):
            for name in rule.covers:
                if name in found:
                    raise ValueError(f"{name} is covered by {found[name].name} and {rule.name}")
                found[name] = rule
    return found


def key_of(layer: Any) -> str:
    """Name under which a rule covers ``layer``: class, ``ops.`` class or ``tf.`` symbol."""
    name = type(layer).__name__
    if not is_operation(layer):
        return name
    symbol: str | None = getattr(layer, "symbol", None)  # of TensorFlow's function
    return f"tf.{symbol.removeprefix('compat.v1.')}" if symbol else f"ops.{name}"


def rule_for(layer: Any) -> LayerRule:
    """Return the rule that covers ``layer``, or the one that freezes what is not known."""
    return rules().get(key_of(layer), UNKNOWN)
