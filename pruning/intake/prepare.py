"""From a data file to prepared data: the one way in, for pages' workers and the command line alike.

kind_of ─┬ npz ──────────────► arrays.py   ┐
         ├ zip, folder ─ layout ► samples  ├─► targets ► splits ► draft ► prepared folder
         └ table ───────────────► samples  ┘
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from pruning import storage
from pruning.errors import DataFileError, NotFoundError
from pruning.intake import arrays, splits
from pruning.intake.array_fit import ArrayFit, fit_each, suggest_each
from pruning.intake.arrays import Report
from pruning.intake.check import several_inputs
from pruning.intake.dataset import SPLITS, Dataset, prepared_folder
from pruning.intake.decoding import Decoder, write_samples
from pruning.intake.draft import Draft, building
from pruning.intake.files import FolderFiles
from pruning.intake.kind import kind_of
from pruning.intake.label_check import fits
from pruning.intake.labels import Targets
from pruning.intake.modalities import modality as modality_of
from pruning.intake.modalities._base import ModelInput
from pruning.intake.npz import class_names, open_npz
from pruning.intake.npz_keys import find_keys, own_outputs
from pruning.intake.options import Options
from pruning.intake.outputs import labelled
from pruning.intake.samples import Contents, Samples, from_tables, open_samples
from pruning.intake.source import Source, look, open_table
from pruning.intake.store import shown_name
from pruning.intake.summary import summarise

__all__ = ["Source", "look", "open_data", "prepare"]

# What a modality is fitted to when no model is open yet.
_OPEN_INPUTS = {"image": ModelInput((None, None, None)), "audio": ModelInput((None, None))}


def prepare(
    path: Path,
    *,
    model_input: ModelInput | None = None,
    preprocessing: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    report: Report = lambda fraction, words: None,
) -> Dataset:
    """Prepare a data file once; the same file and settings give the same folder back.

    Args:
        path: An uploaded file in the home folder, or any file or folder.
        model_input: What the samples have to fit; ``None`` keeps arrays as they are.
        preprocessing: Settings that win over the data author's and the suggested ones.
        options: See :class:`pruning.intake.options.Options`.
        report: Called with the fraction done and words for it.

    Returns:
        The prepared data.

    Raises:
        DataFileError: The file or too many of its samples cannot be used.
        MismatchError: Samples cannot be brought to the model's input.
        StorageError: The disk is full.
    """
    chosen = Options.from_dict(options or {})
    asked = dict(preprocessing or {})
    kind = kind_of(path)
    report(0.0, "Checking the data file")
    identifier = _identifier(path)
    if not chosen.name:
        chosen = replace(chosen, name=shown_name(path))
    if kind == "npz":
        return _prepare_arrays(path, identifier, model_input, asked, chosen, report)
    if kind == "table":
        samples = from_tables([open_table(path, chosen)], [None], chosen)
        return _prepare_samples(samples, identifier, model_input, asked, report)
    with open_samples(path, chosen) as samples:
        return _prepare_samples(samples, identifier, model_input, asked, report)


def open_data(
    where: str | Path,
    *,
    model_input: ModelInput | None = None,
    seed: int = 0,
    preprocessing: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    report: Report = lambda fraction, words: None,
) -> Dataset:
    """Prepare the data that a command line names: a path, or the name of a demo.

    Raises:
        NotFoundError: Neither a file, a folder nor a demo.
    """
    path = Path(where)
    if not path.exists():
        demo = _demo_data(str(where))
        if demo is None:
            raise NotFoundError(
                f"There is no data {str(where)!r}.",
                expected="A path to an .npz, .zip, .csv, .tsv file or a folder, or a demo's name.",
                fix="Check the path, or name one of the demos image, speech, text.",
            )
        path = demo
    return prepare(
        path,
        model_input=model_input,
        preprocessing=preprocessing,
        options={**(options or {}), "seed": seed},
        report=report,
    )


def _prepare_arrays(
    path: Path,
    identifier: str,
    model_input: ModelInput | None,
    asked: dict[str, Any],
    options: Options,
    report: Report,
) -> Dataset:
    with open_npz(path) as npz:
        inputs = model_input.every if model_input else ()
        answers = model_input.answers if model_input else ()
        outputs = [answer.name for answer in answers] if model_input else own_outputs(npz)
        found = find_keys(npz, [one.name for one in inputs], outputs)
        names = found.names or ("",)
        options = replace(options, classes=options.classes or class_names(npz))
        rows = [arrays.row_of(npz, found.of_input(place)) for place in range(len(names))]
        wanted = inputs or [None] * len(names)
        settings = suggest_each(rows, names, wanted, asked)
        _check_modality(settings, "arrays")
        each = fit_each(rows, names, wanted, settings)
        read = partial(arrays.read_targets, npz, found.pairs)
        targets, output = labelled(read, options, model_input, found.output)
        codes, notes = _splits(arrays.given_splits(npz, found.pairs), targets, options)
        fitted = {**_fitted(names, each), **_decided(targets, output)}
        ref = _ref(identifier, settings, options, fitted)
        if _is_prepared(ref):
            return Dataset.open(prepared_folder(ref))
        with building(prepared_folder(ref)) as folder:
            with Draft(folder) as draft:
                arrays.write_arrays(draft, npz, found, each, targets, codes, report)
            kept = {name: np.flatnonzero(codes == i) for i, name in enumerate(SPLITS)}
            manifest = summarise(ref, "arrays", draft, targets, kept, options, names)
            manifest = replace(
                manifest,
                preprocessing=settings,
                pipeline=tuple(step for fit in each for step in fit.steps) or ("as stored",),
                notes=(*targets.notes, *notes, *manifest.notes),
                output=output,
            )
            storage.write_json(folder / "manifest.json", manifest.to_dict())
    return Dataset.open(prepared_folder(ref))


def _prepare_samples(
    samples: Samples,
    identifier: str,
    model_input: ModelInput | None,
    asked: dict[str, Any],
    report: Report,
) -> Dataset:
    if model_input is not None and model_input.others:
        raise several_inputs([one.name for one in model_input.every])
    options = samples.options
    targets, output = labelled(samples.targets, options, model_input)
    codes, notes = _splits(samples.given, targets, options)
    modality = modality_of(str(asked.get("modality", samples.modality)))
    settings = dict(samples.preprocessing)
    if "modality" not in settings:
        wanted = model_input or _OPEN_INPUTS.get(modality.name, ModelInput((None,)))
        settings = modality.settings(wanted, {**settings, **asked})
    settings = {key: value for key, value in {**settings, **asked}.items() if value is not None}
    _check_modality(settings, samples.modality)
    modality.describe(settings)  # refuses impossible settings before the first sample is read
    ref = _ref(identifier, settings, options, _decided(targets, output))
    if _is_prepared(ref):
        return Dataset.open(prepared_folder(ref))
    with building(prepared_folder(ref)) as folder:
        report(0.0, "Fitting the preprocessing to the training samples")
        training = np.flatnonzero(codes == splits.TRAIN).tolist()
        fitted = modality.fit(settings, Contents(samples.read, training))
        with Draft(folder) as draft:
            # Of another shape they are no tokens, and the check against the model says so.
            tokens = model_input and fits(modality.output_shape(fitted), model_input.shape)
            vocabulary = model_input.vocabulary if model_input and tokens else None
            decoder = Decoder(modality, fitted, vocabulary)
            progress = write_samples(draft, samples, decoder, targets, codes, report)
        kept = {name: np.array(rows, np.int64) for name, rows in progress.kept.items()}
        manifest = summarise(ref, modality.name, draft, targets, kept, options)
        manifest = replace(
            manifest,
            preprocessing=fitted,
            x_dtype=modality.dtype(fitted).name,
            pipeline=modality.describe(fitted),
            sample_rate=fitted.get("sample_rate"),
            output=output,
            notes=(*samples.notes, *targets.notes, *notes, *progress.notes(), *manifest.notes),
        )
        storage.write_json(folder / "manifest.json", manifest.to_dict())
    return Dataset.open(prepared_folder(ref))


def _splits(
    given: np.ndarray | None, targets: Targets, options: Options
) -> tuple[np.ndarray, tuple[str, ...]]:
    strata = splits.strata_of(targets.task, targets.y)
    if given is None:
        codes = splits.stratified(strata, seed=options.seed, fractions=options.fractions)
        notes: tuple[str, ...] = ()
    else:
        codes, notes = splits.complete(
            given, strata, seed=options.seed, fractions=options.fractions
        )
    splits.check_counts(codes)
    return codes, notes


def _check_modality(settings: Mapping[str, Any], found: str) -> None:
    if settings.get("modality", found) != found:
        raise DataFileError(
            f"The preprocessing is for {settings['modality']}, the data is {found}.",
            expected=f"Settings of the modality {found}.",
            fix="Choose the settings again for this data.",
        )


def _fitted(names: Sequence[str], each: Sequence[ArrayFit]) -> dict[str, Any]:
    """What the model made of the arrays; one input as it always was, for the name's sake."""
    found = [{"shape": list(fit.shape), "dtype": fit.dtype.name} for fit in each]
    if len(found) == 1:
        return found[0]
    return {"inputs": [{"name": n, **own} for n, own in zip(names, found, strict=True)]}


def _decided(targets: Targets, output: int) -> dict[str, Any]:
    decided = {"task": targets.task, "classes": list(targets.classes)}
    return decided | ({"output": output} if output else {})


def _ref(
    identifier: str, settings: Mapping[str, Any], options: Options, decided: Mapping[str, Any]
) -> str:
    """Name of prepared data: the same content, settings and options give the same name."""
    record = {"settings": settings, "options": options.to_dict(), "decided": decided}
    text = json.dumps(record, sort_keys=True, ensure_ascii=True)
    return f"{identifier}-{storage.digest(text.encode())}"


def _is_prepared(ref: str) -> bool:
    return (prepared_folder(ref) / "manifest.json").is_file()


def _identifier(path: Path) -> str:
    """The id of an upload is its folder's name already; anything else is digested here."""
    if path.resolve().parent.parent == (storage.home() / "data").resolve():
        return path.resolve().parent.name
    return FolderFiles.scan(path).digest() if path.is_dir() else storage.digest_file(path)


def _demo_data(name: str) -> Path | None:
    if not name.isidentifier():
        return None
    path = Path(__file__).parent.parent / "demos" / name / "data.zip"
    return path if path.is_file() else None
