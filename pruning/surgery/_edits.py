"""Editing what a layer was made and called with, so that it fits fewer channels."""

from __future__ import annotations

from typing import Any

import numpy as np

from pruning.analysis.layer_rules._base import LayerTrace
from pruning.frameworks._rebuild import with_answers_width


def edited_config(layer: Any, record: LayerTrace | None, removed: np.ndarray) -> dict[str, Any]:
    config = with_answers_width(_copy(layer.get_config()), layer)
    for setting in record.settings.values() if record is not None else ():
        if removed[setting.atoms].any():
            config = _replaced(config, setting.path, setting.kept(removed))
    return config


def edited_arguments(
    record: LayerTrace | None, args: tuple[Any, ...], kwargs: dict[str, Any], removed: np.ndarray
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Arguments of a call with its widths and its constants for the channels that stay.

    Args:
        record: What the rules said of the layer; ``None``: nothing.
        args: Positional arguments, tensors in place.
        kwargs: Keyword arguments.
        removed: bool (atoms,).
    """
    if record is None or not (record.arguments or record.constants or record.numbers):
        return args, kwargs
    call: dict[str, Any] = {"args": list(args), "kwargs": dict(kwargs)}
    for setting in record.arguments.values():
        if removed[setting.atoms].any():
            call = _replaced(call, setting.path, setting.kept(removed))
    for constant in record.constants.values():
        if removed[constant.atoms].any():
            value = _found(call, constant.path)
            left = np.compress(~removed[constant.atoms], np.asarray(value), axis=constant.axis)
            call = _replaced(call, constant.path, _alike(left, value))
    for numbers in record.numbers.values():
        if removed[numbers.atoms].any():
            value = _found(call, numbers.path)
            left = numbers.kept(np.asarray(value), removed)
            call = _replaced(call, numbers.path, _alike(left, value))
    return tuple(call["args"]), call["kwargs"]


def silenced(
    keras: Any,
    record: LayerTrace | None,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    removed: np.ndarray,
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Arguments of a call that reads zeros for removed channels where it sums without weights.

    Args:
        keras: The model's.
        record: What the rules said of the layer; ``None``: nothing.
        args: Positional arguments, tensors in place.
        kwargs: Keyword arguments.
        removed: bool (atoms,).
    """
    if record is None:
        return args, kwargs
    call: dict[str, Any] = {"args": list(args), "kwargs": dict(kwargs)}
    for number, (path, read) in enumerate(record.sums.items()):
        if removed[read.atoms].any():
            tensor = _found(call, path)
            left = (~removed[read.atoms]).reshape(-1, *[1] * (len(tensor.shape) - read.axis - 1))
            name = f"zeros_{number}_of_{record.layer.name}"
            call = _replaced(call, path, _times(keras, left, name)(tensor))
    return tuple(call["args"]), call["kwargs"]


def _found(call: Any, path: tuple[str | int, ...]) -> Any:
    """What is at the end of ``path``."""
    for key in path:
        call = call[key]
    return call


def _alike(array: np.ndarray, value: Any) -> Any:
    """The array in the form in which ``value`` was written: a number, a list or an array."""
    return array.tolist() if isinstance(value, list | tuple | int) else array


def _times(keras: Any, factors: np.ndarray, name: str) -> Any:
    """A layer that multiplies by constants; it lets masks through, and has a name of its own."""
    import tensorflow as tf

    return keras.layers.Activation(lambda x: x * tf.cast(factors, x.dtype), name=name)


def _copy(value: Any) -> Any:
    """Copy what can be edited: Keras keeps some lists in objects that nothing else can copy."""
    if isinstance(value, dict):
        return {key: _copy(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_copy(entry) for entry in value]
    if type(value) is tuple:
        return tuple(_copy(entry) for entry in value)
    return value


def _replaced(place: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """Copy of ``place`` with ``value`` at the end of ``path``; as it is where the path ends early.

    So it does where a backward layer is made from the forward one and has no configuration.
    """
    if not path:
        return value
    key, *rest = path
    if place is None or (isinstance(place, dict) and key not in place and rest):
        return place
    if isinstance(place, slice):
        parts = {name: getattr(place, name) for name in ("start", "stop", "step")}
        parts = _replaced(parts, path, value)
        return slice(parts["start"], parts["stop"], parts["step"])
    inner = place[key] if rest else None
    if isinstance(place, dict):
        return {**place, key: _replaced(inner, tuple(rest), value)}
    return [
        _replaced(inner, tuple(rest), value) if number == key else entry
        for number, entry in enumerate(place)
    ]
