"""GroupedQueryAttention of Keras 3: several query heads share one key and value head.

query kernel (in, query heads, width), key and value kernels (in, shared heads, width), output
kernel (query heads, width, out), where out is the width of the query. Query heads are cut in one
of two ways, whichever leaves more to choose from: shared heads with all that read them, or the
same query heads of every shared one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pruning.analysis.layer_rules._attention import answers, bound_inputs, freeze_masks, project
from pruning.analysis.layer_rules._base import Call, Channels, LayerRule


def trace(call: Call) -> Sequence[Channels]:
    """Reads query, key and value; makes heads; its output goes with the query's channels."""
    layer = call.layer
    bound = bound_inputs(call)
    freeze_masks(call, bound)
    query, value = bound["query"], bound["value"]
    key = bound.get("key", value)
    shared, repeats = layer.num_key_value_heads, layer.num_repeats
    made = call.new(call.output_sizes[0][-1])
    if shared >= repeats:
        heads = call.new(shared, "heads", "head")
        readers, kept_shared = np.repeat(heads, repeats), {1: heads}
        call.setting("num_key_value_heads", atoms=heads)
    else:
        heads = call.new(repeats, "heads", "head")
        readers, kept_shared = np.tile(heads, shared), {}
    call.setting("num_query_heads", atoms=readers)
    read = call.along(query, len(call.input_sizes[query]) - 1)
    call.atoms.unite(made, read)
    # Keras refuses a value whose width is not the query's.
    call.atoms.unite(made, call.along(value, len(call.input_sizes[value]) - 1))
    width = int(layer.head_dim)
    steps_q, steps_kv = call.input_sizes[query][1], call.input_sizes[value][1]
    project(call, layer._query_dense, query, {1: readers}, steps_q)
    project(call, layer._key_dense, key, kept_shared, steps_kv)
    project(call, layer._value_dense, value, kept_shared, steps_kv)
    if getattr(layer, "use_gate", False):
        project(call, layer._gate_dense, query, {1: readers}, steps_q)
    output = layer._output_dense
    call.weight(
        output.kernel, makes={2: made}, reads={0: readers}, kernel=True, multiply_adds=steps_q
    )
    call.weight(output.bias, carries={0: made})
    call.work(2 * steps_q * steps_kv, readers, width)
    return answers(call, readers, made)


RULE = LayerRule("grouped-query attention", ("GroupedQueryAttention",), trace, "cut")
