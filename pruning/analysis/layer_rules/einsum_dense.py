"""EinsumDense: a product along named axes, ``"abc,cd->abd"``.

A letter of the kernel that is in the input only is summed over; one in the output only is made
here; one in both goes along (a kernel of its own for every channel).
"""

from __future__ import annotations

from collections.abc import Sequence

from pruning.analysis.atoms import AtomArray
from pruning.analysis.layer_rules._base import Call, Channels, LayerRule, NotUnderstoodError
from pruning.analysis.layer_rules._flow import may_go
from pruning.analysis.layer_rules._settings import check_activation


def trace(call: Call) -> Sequence[Channels]:
    """Follows the letter of the channels; makes channels on the last letter that is new.

    Where both are in the output, the new ones are followed if the others stay anyway.
    """
    layer = call.layer
    given, kernel, out = _letters(layer.equation, len(call.input_sizes[0]))
    channels = call.inputs[0]
    carried = given[channels.axis] if channels.axis is not None else ""
    made_letters = [letter for letter in out if letter in kernel and letter not in given]
    # A single channel that is left of a cut stays, too, but what follows it is what was cut.
    stays = len(channels.atoms) > 1 and not may_go(call, channels.atoms)
    if carried and carried in out and made_letters and stays:
        carried = ""  # a token for each feature of the model's input: the tokens' channels can go
    known: dict[str, AtomArray] = {carried: channels.atoms} if carried else {}
    following = carried if carried and carried in out else "".join(made_letters[-1:])
    if following in made_letters:
        known[following] = call.new(call.output_sizes[0][out.index(following)])
    if following:
        # The configuration leaves out the batch dimension and what an ellipsis stands for.
        written = layer.get_config()["output_shape"]
        place = out.index(following) - len(out) + len(written)
        if place >= 0 and written[place] is not None:
            call.setting("output_shape", place, atoms=known[following])
    makes = {kernel.index(x): known[x] for x in made_letters if x in known}
    carries = {kernel.index(x): known[x] for x in known if x in kernel and x in given and x in out}
    reads = {kernel.index(x): known[x] for x in known if x in kernel and x not in out}
    call.kernel(makes=makes, carries=carries, reads=reads)
    # Every value of the kernel is used at all positions that only the input has.
    lengths = dict(zip(given, call.input_sizes[0], strict=True))
    lengths.update(zip(kernel, layer.kernel.shape, strict=True))
    call.work(1, *(known.get(letter, int(length)) for letter, length in lengths.items()))
    if layer.bias is not None:
        # A bias begins at the first of its letters, with length 1 where it has no letter.
        axis = out.index(following) - len(out) + len(layer.bias.shape) if following else 0
        held = following and following in layer.bias_axes
        call.weight(layer.bias, carries={axis: known[following]} if held else {})
    if following:
        check_activation(call, layer.activation, known[following])
        return [Channels(out.index(following), known[following])]
    return [Channels()]


def _letters(equation: str, rank: int) -> tuple[str, str, str]:
    """Letters of input, kernel and output; an ellipsis becomes letters that nobody uses."""
    left, out = equation.replace(" ", "").split("->")
    given, kernel = left.split(",")
    if "..." in given:
        spare = "ABCDEFGHIJ"[: rank - len(given.replace("...", ""))]
        given, out = given.replace("...", spare), out.replace("...", spare)
    if len(given) != rank or len(set(given)) != rank or "." in kernel:
        raise NotUnderstoodError(f"the equation {equation!r}.")
    return given, kernel, out


RULE = LayerRule("einsum dense", ("EinsumDense",), trace, "cut")
