"""Editing what a layer was made and called with, so that it fits fewer channels."""

from __future__ import annotations

from typing import Any

import numpy as np

from pruning.analysis.layer_rules._base import LayerTrace


def edited_config(layer: Any, record: LayerTrace | None, removed: np.ndarray) -> dict[str, Any]:
    config: dict[str, Any] = _copy(layer.get_config())
    for setting in record.settings.values() if record is not None else ():
        if removed[setting.atoms].any():
            _set(config, setting.path, int((~removed[setting.atoms]).sum()))
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
    if record is None or not (record.arguments or record.constants):
        return args, kwargs
    call: dict[str, Any] = {"args": list(args), "kwargs": dict(kwargs)}
    for setting in record.arguments.values():
        if removed[setting.atoms].any():
            _set(call, setting.path, int((~removed[setting.atoms]).sum()))
    for constant in record.constants.values():
        if removed[constant.atoms].any():
            value: Any = call
            for key in constant.path:
                value = value[key]
            left = np.compress(~removed[constant.atoms], np.asarray(value), axis=constant.axis)
            listed = isinstance(value, list | tuple)
            _set(call, constant.path, left.tolist() if listed else left)
    return tuple(call["args"]), call["kwargs"]


def _copy(value: Any) -> Any:
    """Copy what can be edited: Keras keeps some lists in objects that nothing else can copy."""
    if isinstance(value, dict):
        return {key: _copy(entry) for key, entry in value.items()}
    if isinstance(value, list):
        return [_copy(entry) for entry in value]
    if type(value) is tuple:
        return tuple(_copy(entry) for entry in value)
    return value


def _set(config: dict[str, Any], path: tuple[str | int, ...], value: Any) -> None:
    place: Any = config
    for key in path[:-1]:
        if isinstance(place, dict) and key not in place:
            return  # such as a backward layer that is made from the forward one
        parent, place = place, place[key]
        if place is None:
            return
        if isinstance(place, list | tuple):
            place = parent[key] = list(place)
    place[path[-1]] = value
