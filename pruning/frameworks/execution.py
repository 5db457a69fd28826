"""Running a flat model call by call on real values, so that what flows between calls can be seen.

Layers are called as the graph calls them, in inference mode, eagerly; layers that TensorFlow has
no CPU kernels for are compiled, see ``running.py``.
"""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from pruning.frameworks._base import Framework, Node
from pruning.frameworks.running import forget, needs_compiler

if TYPE_CHECKING:
    from pruning.frameworks._graph import GraphFramework


class Execution:
    """The calls of one flat model.

    Args:
        framework: The model's.
        flat: Without nested models, see :meth:`Framework.flat`.

    Attributes:
        calls: Inputs come before their readers; the calls that compute masks are among them.
    """

    def __init__(self, framework: Framework, flat: Any) -> None:
        self.flat = flat
        self._door: GraphFramework = framework  # type: ignore[assignment]
        self.calls: list[Node] = self._door.calls(flat)
        self._known = {id(tensor) for node in self.calls for tensor in node.outputs}
        self._compile = needs_compiler(flat)

    def reads(self, node: Node) -> list[int]:
        """Ids of the symbolic tensors that a call reads, masks included."""
        leaves = self._door.flatten([list(node.args), dict(node.kwargs)])
        return [id(leaf) for leaf in leaves if id(leaf) in self._known]

    def last_uses(self) -> dict[int, int]:
        """Number of the last call that reads each tensor, by the tensor's id."""
        uses = {}
        for number, node in enumerate(self.calls):
            for key in self.reads(node):
                uses[key] = number
        return uses

    def arguments(self, node: Node, values: Mapping[int, Any]) -> tuple[Any, dict[str, Any]]:
        """The call's arguments with values in place of the symbolic tensors."""

        def swap(leaf: Any) -> Any:
            return values.get(id(leaf), leaf)

        args = self._door.map(swap, list(node.args))
        kwargs = {key: self._door.map(swap, value) for key, value in node.kwargs.items()}
        return args, kwargs

    def call(self, node: Node, values: Mapping[int, Any]) -> list[Any]:
        """Outputs of one call. values: by id of the symbolic tensor."""
        args, kwargs = self.arguments(node, values)
        run: Any = node.layer
        if self._compile:
            import tensorflow as tf

            run = tf.function(lambda *a, **k: node.layer(*a, **k), jit_compile=True)
        return self._door.flatten(run(*args, **kwargs))

    def run(
        self, inputs: list[Any], instead: Mapping[int, int] | None = None
    ) -> MutableMapping[int, Any]:
        """Run the calls that the model's outputs need; stateful layers remember nothing before.

        Args:
            inputs: One array per input of the model.
            instead: By id of a symbolic tensor, the id of the tensor whose value is read instead.

        Returns:
            The value of every tensor that was computed, by the id of its symbol. A call that is not
            needed is not made: Keras 3's attention takes the mask off the tensor that it reads.
        """
        import tensorflow as tf

        forget(self.flat)
        instead = instead or {}
        needed = self._needed(instead)
        given = zip(self.flat.inputs, inputs, strict=True)
        values = {id(symbol): tf.convert_to_tensor(array) for symbol, array in given}
        for node in self.calls:
            if self.reads(node) and any(id(tensor) in needed for tensor in node.outputs):
                results = self.call(node, values)
                values.update({id(t): v for t, v in zip(node.outputs, results, strict=True)})
            for tensor in node.outputs:
                origin = source(id(tensor), instead)
                if origin in values:
                    values[id(tensor)] = values[origin]
        return values

    def _needed(self, instead: Mapping[int, int]) -> set[int]:
        """Ids of the tensors that the outputs are computed from."""
        needed = {source(id(tensor), instead) for tensor in self.flat.outputs}
        for node in reversed(self.calls):
            if any(id(tensor) in needed for tensor in node.outputs):
                needed.update(source(key, instead) for key in self.reads(node))
        return needed


def source(key: int, instead: Mapping[int, int]) -> int:
    """The tensor that is read in place of ``key``, bypasses behind each other followed."""
    while key in instead:
        key = instead[key]
    return key
