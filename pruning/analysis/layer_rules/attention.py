"""MultiHeadAttention: whole heads are cut, and value channels within all heads alike.

query, key, value kernels (in, heads, width); output kernel (heads, value width, out).
The key width sets the scale of the scores: it is cut on request only, the query being multiplied
by the root of the share that is kept, which makes up for the scale.
"""

from __future__ import annotations

from collections.abc import Sequence

from pruning.analysis.layer_rules._attention import answers, bound_inputs, freeze_masks, project
from pruning.analysis.layer_rules._base import Call, Channels, LayerRule


def trace(call: Call) -> Sequence[Channels]:
    """Reads query, key and value; makes heads, value channels and output channels."""
    layer = call.layer
    config = layer.get_config()
    bound = bound_inputs(call)
    query, value = bound["query"], bound["value"]
    key = bound.get("key", value)
    freeze_masks(call, bound)
    # Named so that the output's channels come first: they give the layer's own group its name.
    made = call.new(call.output_sizes[0][-1])
    heads = call.new(int(config["num_heads"]), "heads", "head")
    widths = call.new(int(config["value_dim"] or config["key_dim"]), "values")
    keys = call.new(int(config["key_dim"]), "keys")
    call.rescaled(keys, f"{call.record.name!r} divides its scores by the root of this width.")
    call.setting("key_dim", atoms=keys)
    call.setting("num_heads", atoms=heads)
    call.setting("value_dim", atoms=widths)
    call.setting("output_shape", atoms=made)
    steps_q, steps_kv = call.input_sizes[query][1], call.input_sizes[value][1]
    # Query and key meet in a product: zeros in the one are enough to silence a key channel.
    project(call, layer._query_dense, query, {1: heads}, steps_q, {2: keys}, keys)
    project(call, layer._key_dense, key, {1: heads, 2: keys}, steps_kv)
    project(call, layer._value_dense, value, {1: heads, 2: widths}, steps_kv)
    output = layer._output_dense
    call.weight(
        output.kernel,
        makes={2: made},
        reads={0: heads, 1: widths},
        kernel=True,
        multiply_adds=steps_q,
    )
    call.weight(output.bias, carries={0: made})
    call.work(steps_q * steps_kv, heads, keys)
    call.work(steps_q * steps_kv, heads, widths)
    return answers(call, heads, made)


RULE = LayerRule("multi-head attention", ("MultiHeadAttention",), trace, "cut")
