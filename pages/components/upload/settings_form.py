"""The data's preprocessing and options, changed by hand and applied as a new preparation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.components import errors, works
from pages.components.text import plain, visible
from pages.components.upload import fields, opening
from pruning import quantities
from pruning.analysis.profile import ModelProfile
from pruning.errors import MismatchError, PruningError
from pruning.intake.modalities import modalities
from pruning.intake.modalities.text import read_vocabulary
from pruning.intake.source import Source
from pruning.runs.jobs.data import model_input

_TASKS = {
    None: "as the labels suggest",
    "classification": "one class a sample",
    "multilabel": "several labels a sample",
    "regression": "numbers",
}
_LEARNED = ("mean", "deviation")  # by fit, from the training split: not carried over


@dataclass(frozen=True)
class Asked:
    """What the form starts from: the settings and options used last."""

    preprocessing: Mapping[str, Any]
    options: Mapping[str, Any]


def draw(identifier: str, source: Source, profile: ModelProfile | None, asked: Asked) -> None:
    """Draw the form; "Prepare the data again" starts a new preparation.

    Args:
        identifier: Id of the uploaded data file.
        source: What the file holds.
        profile: The model that the data has to fit.
        asked: Where the form starts.
    """
    try:
        begin = _start(source, profile, asked)
    except MismatchError as error:  # the page has said so beside the data, or below the model
        st.caption(f":material/info: {plain(error.happened)} There is nothing to set.")
        return
    settings = fields.draw(begin, f"set_{identifier}_{source.modality}")
    settings = {key: value for key, value in settings.items() if key not in _LEARNED}
    options = {**asked.options, **_options(identifier, source, asked.options)}
    if source.modality == "text":
        settings |= _vocabulary(settings, asked.preprocessing, identifier)
    if _fits(settings, profile) and st.button(
        "Prepare the data again", icon=":material/play_arrow:", key="prepare", type="primary"
    ):
        start(identifier, profile, settings, options)
        st.rerun()


def start(
    identifier: str,
    profile: ModelProfile | None,
    preprocessing: Mapping[str, Any] | None,
    options: Mapping[str, Any],
) -> None:
    """Start a preparation and open it. Callable from a callback."""
    given = {key: value for key, value in options.items() if value not in (None, (), [], "")}
    request = {
        "model": profile.digest if profile else None,
        "preprocessing": dict(preprocessing) if preprocessing else None,
        "options": given,
    }
    opening.prepare_again(identifier, works.start(works.data(identifier, request)))


def pipeline(steps: tuple[str, ...]) -> None:
    """Draw the preprocessing as a line of steps."""
    st.markdown(" → ".join(f":blue-badge[{plain(step, 60)}]" for step in steps))


def _start(source: Source, profile: ModelProfile | None, asked: Asked) -> dict[str, Any]:
    """Settings used last, or the author's, or what suits the model.

    Raises:
        MismatchError: The model does not read data of this kind.
    """
    if asked.preprocessing:
        return dict(asked.preprocessing)
    modality = modalities().get(source.modality)
    suggested: dict[str, Any] = {"modality": source.modality}
    if modality is not None and profile is not None and "modality" not in source.preprocessing:
        return modality.settings(model_input(profile), source.preprocessing)
    if source.modality == "arrays" and profile is not None and len(profile.inputs) > 1:
        suggested |= {f"scaling_{spec.name}": "raw" for spec in profile.inputs}
    return {**suggested, **source.preprocessing}


def _fits(settings: Mapping[str, Any], profile: ModelProfile | None) -> bool:
    """Draw the pipeline and whether its result fits the model's input. -> can be applied."""
    modality = modalities().get(str(settings.get("modality")))
    if modality is None:
        return True
    given = {key: value for key, value in settings.items() if value is not None}
    try:
        pipeline(modality.describe(given))
        shape = modality.output_shape(given)
        if profile is not None:
            _check_shape(shape, profile.inputs[0].shape)
    except PruningError as error:
        errors.show(error)
        return False
    st.caption(f"Gives the model samples of {quantities.shape(shape)}.")
    return True


def _check_shape(shape: tuple[int, ...], wanted: tuple[int | None, ...]) -> None:
    fits = len(shape) == len(wanted) and all(
        want is None or want == have for have, want in zip(shape, wanted, strict=True)
    )
    if not fits:
        raise MismatchError(
            f"These settings give samples of {quantities.shape(shape)}; the model reads "
            f"{quantities.shape(wanted)}.",
            expected=f"Samples of {quantities.shape(wanted)}.",
            fix="Change the size, the channels or the features above.",
        )


def _options(identifier: str, source: Source, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Draw what else may be said of the data: columns, task, class order, splits."""
    chosen: dict[str, Any] = {}
    with st.grid(4, min_column_width=150, gap="small", vertical_alignment="bottom"):
        if source.columns:
            chosen |= _columns(identifier, source, asked)
        tasks = list(_TASKS)
        chosen["task"] = st.selectbox(
            "Labels are", tasks, tasks.index(asked.get("task")), key=f"task_{identifier}",
            format_func=lambda task: _TASKS[task],
        )  # fmt: skip
        order = st.text_input(
            "Class order",
            ", ".join(asked.get("classes", ())),
            key=f"classes_{identifier}",
            placeholder=visible(", ".join(source.classes[:4]) or "as found", 40),
            help="Names in the order of the model's outputs, separated by commas. A wrong order "
            "looks like a model that guesses.",
        )
        chosen["classes"] = [name.strip() for name in order.split(",") if name.strip()]
        if not source.splits_given:
            chosen["test"] = st.number_input(
                "Share to test", 0.01, 0.9, float(asked.get("test", 0.15)), 0.05,
                key=f"test_{identifier}", help="Held out; never used to train or to choose.",
            )  # fmt: skip
            chosen["seed"] = st.number_input(
                "Seed of the split", 0, 2**31 - 1, int(asked.get("seed", 0)),
                key=f"seed_{identifier}",
            )  # fmt: skip
    return chosen


def _columns(identifier: str, source: Source, asked: Mapping[str, Any]) -> dict[str, Any]:
    """Draw the choice of a table's columns."""
    columns = list(source.columns or ())
    text = asked.get("text_column", source.text_column)
    labels = asked.get("label_columns") or ([source.label_column] if source.label_column else [])

    def shown(name: str) -> str:
        return visible(name, 30)

    text_column = st.selectbox(
        "Text column", columns, columns.index(text) if text in columns else None,
        key=f"text_column_{identifier}", format_func=shown,
    )  # fmt: skip
    label_columns = st.multiselect(
        "Label columns", columns, [name for name in labels if name in columns],
        key=f"label_columns_{identifier}", format_func=shown,
        help="Several columns are labels that may go together, or several numbers.",
    )  # fmt: skip
    split = asked.get("split_column", source.split_column)
    split_column = st.selectbox(
        "Split column", columns, columns.index(split) if split in columns else None,
        key=f"split_column_{identifier}", format_func=shown, placeholder="none: split by chance",
        help="A column that says train, val or test for each row.",
    )  # fmt: skip
    return {
        "text_column": text_column,
        "label_columns": label_columns,
        "split_column": split_column,
    }


def _vocabulary(
    settings: Mapping[str, Any], used: Mapping[str, Any], identifier: str
) -> dict[str, Any]:
    """Draw the choice of a vocabulary: from the training texts, or a file of the model's author.

    Args:
        settings: As the form has them.
        used: As they were; another kind of tokens needs another vocabulary.
        identifier: Of the data, for the widgets' keys.
    """
    file = st.file_uploader(
        "Vocabulary file (.txt, one token a line); without one it is built from the training texts",
        type=["txt"],
        key=f"vocabulary_{identifier}",
    )
    if file is None:
        kinds = [each.get("tokens") == "characters" for each in (settings, used)]
        usable = "vocabulary" in settings and kinds[0] == kinds[1]
        keep = st.toggle(
            "Keep the vocabulary that is in use",
            usable,
            key=f"keep_vocabulary_{identifier}_{usable}",
            disabled=not usable,
        )
        return {} if keep else {"vocabulary": None}
    with errors.shown():
        return {"vocabulary": read_vocabulary(file.getvalue().decode("utf-8", errors="replace"))}
    return {}
