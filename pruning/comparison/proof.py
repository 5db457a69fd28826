"""What a run proved of its cut before anything was retrained, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pruning import quantities


def proof(results: Mapping[str, Any]) -> tuple[str, str]:
    """Say how far the cut model was from the original whose consumers read zeros.

    Args:
        results: Of a finished run, as ``prune`` prints them.

    Returns:
        What is proven, and by what; two empty strings for a run that cut nothing.
    """
    check = results.get("self_check")
    if not check:
        return "", ""
    oracle = (
        "whose removed blocks pass on what goes in"
        if results.get("layers")
        else "that reads zeros in place of what was removed"
    )
    cuts = check.get("cuts", 1)
    proven, model = "The cut is proven", "the original model"
    if cuts > 1:
        proven, model = f"Each of the {cuts} cuts is proven", "the model as it was by then,"
    return proven, (
        f"before retraining, its outputs equalled those of {model} {oracle}, "
        f"{quantities.agreement(check['max_abs_error'])} (allowed {check['tolerance']:.0e}) on "
        f"{quantities.plural(check['samples'], 'sample')}."
    )
