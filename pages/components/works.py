"""The jobs that pages ask for, each with its title, key and request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import streamlit as st

from pages.components import errors, jobs, state
from pruning import storage
from pruning.analysis.profile import ModelProfile
from pruning.errors import OutdatedError
from pruning.runs import executor
from pruning.runs.folder import RunFolder, job_folder
from pruning.runs.jobs.influences import key as influences_key
from pruning.runs.status import status

TIMING_SECONDS = 1.0  # between two looks at whether a model has been timed
_DATA_REQUEST = ("data", "model", "preprocessing", "options")


def profile(model: str) -> jobs.Work:
    """Read a model file: its layers, channel groups, costs and scores."""
    return jobs.Work("Reading the model", "profile", model, {"model": model})


def look(identifier: str) -> jobs.Work:
    """Look into an uploaded data file: its modality, columns and classes."""
    return jobs.Work("Looking into the data", "look", identifier, {"data": identifier})


def data(identifier: str, request: Mapping[str, Any]) -> jobs.Work:
    """Prepare an uploaded data file.

    Args:
        identifier: Id of the data file.
        request: ``model``, ``preprocessing`` and ``options``; the same request is done once.
    """
    settings = storage.digest(json.dumps(request, sort_keys=True).encode())
    return jobs.Work(
        "Preparing the data", "data", f"{identifier}-{settings}", {"data": identifier, **request}
    )


def data_of(key: str) -> jobs.Work | None:
    """The preparation that was asked for under that key, or ``None`` when it is not known."""
    folder = job_folder("data", key)
    request = folder.read(folder.request)
    if not request:
        return None
    asked = {name: value for name, value in request.items() if name in _DATA_REQUEST}
    return jobs.Work("Preparing the data", "data", key, asked)


def baseline(model: str, ref: str) -> jobs.Work:
    """Evaluate a model on prepared data before anything is pruned."""
    return jobs.Work(
        "Evaluating the model", "baseline", f"{model}-{ref}", {"model": model, "data": ref}
    )


def layer_latency(model: str) -> jobs.Work:
    """Time each layer of an uploaded model alone."""
    return jobs.Work("Timing each layer", "layer_latency", model, {"model": model})


def pruned_layer_latency(run: str) -> jobs.Work:
    """Time each layer of a run's pruned model alone."""
    return jobs.Work("Timing each layer after pruning", "layer_latency", run, {"run": run})


def influences(model: str, ref: str, criterion: str, samples: int, seed: int) -> jobs.Work:
    """Measure what each removable block of a model is worth on prepared data."""
    return jobs.Work(
        "Measuring the blocks",
        "influences",
        influences_key(model, ref, criterion, samples, seed),
        {
            "model": model,
            "data": ref,
            "criterion": criterion,
            "samples": samples,
            "seed": seed,
        },
    )


def start(work: jobs.Work) -> str:
    """Start a work without following it. -> its key."""
    executor.ensure(work.kind, work.key, dict(work.request))
    return work.key


def time_model(model: str) -> None:
    """Have a model timed before anything is pruned: plans are priced by it.

    Nobody waits for it; the page runs again when it is done.
    """
    if state.timed(model):
        return
    work = jobs.Work("Timing the model", "latency", model, {"model": model})
    folder = executor.ensure(work.kind, work.key, dict(work.request))
    if not status(folder).final:
        _run_again_after(str(folder.path))


@st.fragment(run_every=TIMING_SECONDS)
def _run_again_after(folder: str) -> None:
    if status(RunFolder(Path(folder))).final:
        st.rerun()


def analyse_again(model: str, error: OutdatedError) -> None:
    """Say that a model's analysis is too old, and offer a new one; while it goes on, show that."""
    work = profile(model)

    def again() -> None:
        executor.ensure(work.kind, work.key, dict(work.request), anew=True)

    if jobs.goes_on(work) or jobs.failed(work):
        jobs.follow(work)
        return
    errors.show(error, retry=again, key="analyse_again", words="Analyse the model again")


def profile_or_wait(model: str) -> ModelProfile:
    """The profile of a model; while it is being read, shows that and stops the page."""
    found = state.profile(model)
    if found is None:
        jobs.follow(profile(model))
        st.stop()
    return found
