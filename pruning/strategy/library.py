"""Saved plans of a model: ``plans/<model id>/<digest of the name>.json`` in the home folder.

A name is any text a person types. It never becomes a path: the file is named by the digest of the
name, and the name is kept inside.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, replace
from pathlib import Path

from pruning import storage
from pruning.errors import NotFoundError, PlanError
from pruning.strategy.plan import PruningPlan

MOST_PLANS = 200  # of one model
MOST_BYTES = 2_000_000  # of one plan's JSON: tens of thousands of layers
LONGEST_NAME = 80


@dataclass(frozen=True)
class SavedPlan:
    """A plan with its name and when it was saved (Unix seconds)."""

    name: str
    saved: float
    plan: PruningPlan


def save_plan(model_id: str, name: str, plan: PruningPlan) -> SavedPlan:
    """Save ``plan`` under ``name``; a plan of that name is replaced.

    Raises:
        PlanError: The name is empty or too long, or there are too many plans.
        StorageError: The disk is full.
    """
    name = " ".join(name.split())
    if not 0 < len(name) <= LONGEST_NAME:
        raise PlanError(
            f"A plan's name has {len(name)} characters.",
            expected=f"From 1 to {LONGEST_NAME} characters.",
            fix="Give the plan another name.",
        )
    path = _path(model_id, name)
    if not path.exists() and len(list(path.parent.glob("*.json"))) >= MOST_PLANS:
        raise PlanError(
            f"This model already has {MOST_PLANS} saved plans.",
            expected=f"At most {MOST_PLANS} plans of one model.",
            fix="Delete plans that are no longer needed.",
        )
    entry = SavedPlan(name, time.time(), replace(plan, name=name))
    record = {"name": name, "saved": entry.saved, "plan": entry.plan.to_dict()}
    storage.write_json(path, record)
    return entry


def load_plan(model_id: str, name: str) -> PruningPlan:
    """Return the plan of that name.

    Raises:
        NotFoundError: There is none.
        PlanError: Its file is damaged.
    """
    path = _path(model_id, " ".join(name.split()))
    if not path.exists():
        raise _missing(name)
    return _read(path).plan


def list_plans(model_id: str) -> list[SavedPlan]:
    """All readable plans of a model, the newest first."""
    plans = []
    for path in _folder(model_id).glob("*.json"):
        try:
            plans.append(_read(path))
        except PlanError:
            continue  # one damaged file must not hide the others
    return sorted(plans, key=lambda entry: -entry.saved)


def delete_plan(model_id: str, name: str) -> None:
    """Delete the plan of that name.

    Raises:
        NotFoundError: There is none.
    """
    try:
        _path(model_id, " ".join(name.split())).unlink()
    except FileNotFoundError as error:
        raise _missing(name) from error


def save_draft(model_id: str, plan: PruningPlan) -> None:
    """Keep a plan that has no name yet; the one before it is replaced.

    Raises:
        StorageError: The disk is full.
    """
    storage.write_json(_draft(model_id), {"plan": plan.to_dict()})


def load_draft(model_id: str) -> PruningPlan | None:
    """The plan that was kept last, or ``None``; a damaged one is worth no words."""
    path = _draft(model_id)
    try:
        with path.open("rb") as stream:
            record = json.loads(stream.read(MOST_BYTES + 1))
        return PruningPlan.from_dict(record["plan"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError, PlanError):
        return None


def forget_draft(model_id: str) -> None:
    """Drop the plan that was kept last, if any: it is a run's or a saved one by now."""
    _draft(model_id).unlink(missing_ok=True)


def parse_plan(content: bytes) -> PruningPlan:
    """Read a plan that a user uploads.

    Raises:
        PlanError: It is too large, no JSON, or no plan.
    """
    if len(content) > MOST_BYTES:
        raise PlanError(
            f"The plan has {len(content):,} bytes.",
            expected=f"At most {MOST_BYTES:,} bytes.",
            fix="Choose a plan.json that the studio wrote.",
        )
    try:
        record = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise PlanError(
            "The file is not JSON.",
            expected="A plan.json that the studio wrote.",
            fix="Download a plan from the strategy page, or make one with the plan command.",
        ) from error
    return PruningPlan.from_dict(record)


def _read(path: Path) -> SavedPlan:
    try:
        with path.open("rb") as stream:
            record = json.loads(stream.read(MOST_BYTES + 1))
        return SavedPlan(
            str(record["name"]), float(record["saved"]), PruningPlan.from_dict(record["plan"])
        )
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise PlanError(
            f"The saved plan {path.name} is damaged.",
            expected="A plan that the studio wrote.",
            fix="Delete it and save the plan again.",
        ) from error


def _folder(model_id: str) -> Path:
    if not re.fullmatch(r"[0-9A-Za-z_-]{1,64}", model_id):
        raise NotFoundError(
            f"There is no model {model_id[:64]!r}.",
            expected="The id of a model in the studio.",
            fix="Open the model on the upload page.",
        )
    return storage.home() / "plans" / model_id


def _draft(model_id: str) -> Path:
    """In a folder of its own: it is none of the saved plans, which are counted and listed."""
    return _folder(model_id) / "unsaved" / "plan.json"


def _path(model_id: str, name: str) -> Path:
    return _folder(model_id) / f"{storage.digest(name.encode(errors='surrogatepass'))}.json"


def _missing(name: str) -> NotFoundError:
    return NotFoundError(
        f"There is no saved plan {name[:LONGEST_NAME]!r} of this model.",
        expected="The name of a saved plan.",
        fix="Choose one from the list on the strategy page.",
    )
