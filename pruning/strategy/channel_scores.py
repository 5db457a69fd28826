"""Scores of a model's channels, and why a group has none; stored beside the profile.

    scores_<criterion>.npy    float32, all groups' scores one after another, at their
                              ``score_offset``; not a number where the criterion does not apply
    scores_<criterion>.json   the reasons, and how many calibration samples were looked at

What a criterion does not apply to stays whole: channels are not removed on no grounds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pruning import quantities, storage
from pruning.analysis.profile import ModelProfile, load_scores
from pruning.errors import PlanError
from pruning.strategy.criteria import Criterion, criteria, criterion
from pruning.strategy.plan import PruningPlan
from pruning.strategy.scoring import group_scores

NOISE = "noise"  # the statistic that is drawn here, from a seed and the group's name
SHOWN = 3  # names of groups in a sentence


@dataclass(frozen=True, eq=False)
class ChannelScores:
    """What one criterion says of a model.

    Attributes:
        criterion: Its name.
        values: Group id -> float32 (channels,), larger = keep.
        reasons: Why the criterion does not apply to a group, by its id.
        samples: How many calibration samples were looked at; 0 for a criterion that needs none.
    """

    criterion: str
    values: Mapping[str, np.ndarray]
    reasons: Mapping[str, str] = field(default_factory=dict)
    samples: int = 0

    def save(self, folder: Path, profile: ModelProfile) -> None:
        """Write both files; the JSON comes last, so that it stands for the whole."""
        storage.write_array(folder / f"scores_{self.criterion}.npy", _flat(profile, self.values))
        record = {"samples": self.samples, "reasons": dict(self.reasons)}
        storage.write_json(folder / f"scores_{self.criterion}.json", record)


def load_channel_scores(profile: ModelProfile, folder: Path, name: str) -> ChannelScores:
    """Read what :meth:`ChannelScores.save` wrote, of the groups that are prunable.

    Raises:
        PlanError: There are no scores of that criterion.
    """
    if not (folder / f"scores_{name}.npy").is_file():
        raise _not_computed(profile, name)
    path = folder / f"scores_{name}.json"
    record = storage.read_json(path) if path.is_file() else {}  # older profiles have none
    return ChannelScores(
        name,
        load_scores(profile, folder, name),
        record.get("reasons", {}),
        int(record.get("samples", 0)),
    )


def known_scores(profile: ModelProfile, folder: Path, name: str, seed: int = 0) -> ChannelScores:
    """Scores that are there without running the model: stored ones, or lots drawn by a seed.

    Raises:
        PlanError: There are none.
    """
    found = criterion(name, "channels")
    if NOISE in found.needs:
        return lots(profile, found, seed)
    return load_channel_scores(profile, folder, name)


def lots(profile: ModelProfile, found: Criterion, seed: int) -> ChannelScores:
    """Scores by lot. A group's lots depend on the seed and its name alone."""
    noise = {
        group.id: [noise_of(seed, group.id, group.channels)]
        for group in profile.groups
        if group.can_shrink
    }
    return ChannelScores(found.name, group_scores(found, noise))


def noise_of(seed: int, group: str, channels: int) -> np.ndarray:
    """Uniform draws for one group. -> (channels,) in [0, 1)."""
    name = int.from_bytes(hashlib.sha256(group.encode()).digest()[:8], "big")
    return np.random.default_rng([seed, name]).random(channels)


def require_applicable(profile: ModelProfile, scores: ChannelScores) -> None:
    """Check that the criterion says something of the model.

    Raises:
        PlanError: It applies to no group that is prunable.
    """
    groups = profile.prunable_groups
    if not groups or any(group.id in scores.values for group in groups):
        return
    title = criterion(scores.criterion, "channels").title
    reason = scores.reasons.get(groups[0].id, "it says nothing of its channels.")
    raise PlanError(
        f"The criterion {scores.criterion} ({title}) does not apply to this model: {reason}",
        expected="A criterion that tells the model's channels apart.",
        fix=f"Choose another criterion, for example one of {', '.join(_always())}.",
    )


def require_scored(plan: PruningPlan, scores: ChannelScores) -> None:
    """Check that the criterion applies to every group that the plan cuts.

    Raises:
        PlanError: It does not.
    """
    for group, ratio in plan.ratios.items():
        if ratio > 0 and group not in scores.values:
            reason = scores.reasons.get(group, "it says nothing of its channels.")
            raise PlanError(
                f"The criterion {plan.criterion} does not apply to {group!r}: {reason}",
                expected="A ratio of 0 for a group that the criterion cannot score.",
                fix=f"Set the ratio of {group!r} to 0, or choose another criterion.",
            )


def available_scores(
    profile: ModelProfile, folder: Path, name: str, seed: int = 0
) -> ChannelScores | None:
    """As :func:`known_scores`, ``None`` when there are none."""
    stored = (folder / f"scores_{name}.npy").is_file()
    if stored or NOISE in criterion(name, "channels").needs:
        return known_scores(profile, folder, name, seed)
    return None


def left_whole_note(scores: ChannelScores, groups: list[str]) -> tuple[str, ...]:
    """The note on ``groups`` that the criterion does not apply to; empty when there are none."""
    left = [group for group in groups if group not in scores.values]
    if not left:
        return ()
    reason = scores.reasons.get(left[0], "")
    named = quantities.listed(left, SHOWN)
    return (f"Left whole, for the criterion does not apply to them: {named}. {reason}",)


def _flat(profile: ModelProfile, values: Mapping[str, np.ndarray]) -> np.ndarray:
    """-> float32 (all channels that can go,), not a number where there is no score."""
    groups = [group for group in profile.groups if group.score_offset is not None]
    end = max((int(g.score_offset or 0) + g.channels for g in groups), default=0)
    flat = np.full(end, np.nan, np.float32)
    for group in groups:
        start = int(group.score_offset or 0)
        flat[start : start + group.channels] = values.get(group.id, np.nan)
    return flat


def _always() -> list[str]:
    """Criteria that apply to every model."""
    return [name for name, found in criteria("channels").items() if found.needs == ("kernel",)]


def _not_computed(profile: ModelProfile, name: str) -> PlanError:
    if criterion(name, "channels").data_driven:
        return PlanError(
            f"The criterion {name} needs calibration samples, and there is no data.",
            expected="Data that fits the model: samples of its training split are needed.",
            fix=f"Give the data, or choose a criterion that needs none: {', '.join(_always())}.",
        )
    known = ", ".join(profile.criteria) or "none, for it has no channels to score"
    return PlanError(
        f"The model was not analysed with the criterion {name!r}.",
        expected=f"One of {known}.",
        fix="Choose one of these, or analyse the model again.",
    )
