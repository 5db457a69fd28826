"""Channel scores as pages need them: read where they are stored, else computed by a job."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.components import jobs, state
from pruning.analysis.profile import ModelProfile
from pruning.intake.store import model_folder
from pruning.runs.jobs.scores import key, scores_folder
from pruning.strategy.channel_scores import NOISE, ChannelScores, load_channel_scores, lots
from pruning.strategy.criteria import criterion


def stored(
    profile: ModelProfile, name: str, data: str | None, samples: int, seed: int
) -> ChannelScores | None:
    """Scores that are there already, or ``None``.

    Args:
        profile: Of the model, with the groups open that a plan asks for.
        name: Of a criterion for channels.
        data: Ref of prepared data; matters to a data-driven criterion only, as the next two.
        samples: How many of its training samples are looked at.
        seed: Of the plan.
    """
    found = criterion(name, "channels")
    if NOISE in found.needs:
        return lots(profile, found, seed)
    folder = model_folder(profile.digest)
    if name not in profile.criteria:
        ref = data if found.data_driven else None
        if found.data_driven and ref is None:
            return None
        folder = scores_folder(profile.digest, name, ref, samples, seed)
    path = folder / f"scores_{name}.npy"
    if not path.is_file():
        return None
    opened = tuple(group.id for group in profile.prunable_groups)
    changed = (path.stat().st_mtime_ns, state.profile_changed(profile.digest))
    return _read(str(folder), changed, name, opened, profile)


def computed(
    profile: ModelProfile, name: str, data: str | None, samples: int, seed: int
) -> ChannelScores | None:
    """As :func:`stored`; has them computed, and draws how far that is, when they are not there.

    Returns:
        ``None`` while they are not there; the page runs again by itself when they are.
    """
    known = stored(profile, name, data, samples, seed)
    if known is not None:
        return known
    found = criterion(name, "channels")
    if found.data_driven and state.manifest(data) is None:
        with st.container(border=True, key="criterion_needs_data"):
            st.markdown(
                f"**{found.title}** looks at samples of the training data while they run through "
                "the model. Choose data first, or a criterion that looks at the weights alone."
            )
            state.link("upload", "Choose data", icon=":material/arrow_forward:")
        return None
    ref = data if found.data_driven else None
    request = {
        "model": profile.digest,
        "criterion": name,
        "data": ref,
        "samples": samples,
        "seed": seed,
    }
    identity = key(profile.digest, name, ref, samples, seed)
    jobs.follow(jobs.Work(f"Scoring the channels: {found.title}", "scores", identity, request))
    return stored(profile, name, data, samples, seed)


@st.cache_resource(max_entries=32, show_spinner=False)
def _read(
    folder: str,
    changed: tuple[int, int],
    name: str,
    opened: tuple[str, ...],
    _profile: ModelProfile,
) -> ChannelScores:
    return load_channel_scores(_profile, Path(folder), name)
