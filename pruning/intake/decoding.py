"""Samples to arrays: decoded one at a time; a few that cannot be read are skipped and named."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from pruning import quantities
from pruning.errors import DataFileError
from pruning.intake import limits, splits
from pruning.intake.arrays import Report
from pruning.intake.dataset import SPLITS
from pruning.intake.draft import Draft, check_space
from pruning.intake.labels import Targets, check_finite, check_tokens
from pruning.intake.modalities._base import Modality, Sample
from pruning.intake.preview import PreviewWriter
from pruning.intake.samples import Samples

_REPORT_EVERY = 50
_BATCH_SAMPLES = 64
_BATCH_BYTES = 128 * 2**20
_MOST_THREADS = 4

Decoded = tuple[Sample, bytes] | DataFileError  # a sample with its content's digest, or why not


@dataclass
class Progress:
    """What was met on the way.

    Attributes:
        kept: Indices of the samples that were written, by split.
        skipped: Messages of those that could not be read.
        training: Digests of the training samples' contents.
        seen_again: Test samples whose content is among the training samples.
    """

    kept: dict[str, list[int]] = field(default_factory=lambda: {name: [] for name in SPLITS})
    skipped: list[str] = field(default_factory=list)
    training: set[bytes] = field(default_factory=set)
    seen_again: int = 0

    def notes(self) -> tuple[str, ...]:
        """In words."""
        notes = []
        if self.skipped:
            named = " ".join(self.skipped[:5])
            verb = "was" if len(self.skipped) == 1 else "were"
            samples = quantities.plural(len(self.skipped), "sample")
            notes.append(f"{samples} could not be read and {verb} left out: {named}")
        if self.seen_again:
            notes.append(
                f"{self.seen_again} of {len(self.kept['test'])} test samples are also among the "
                "training samples: the accuracy is flattered."
            )
        return tuple(notes)


@dataclass(frozen=True)
class Decoder:
    """A modality with its completed settings, and the size of the model's embedding if any."""

    modality: Modality
    preprocessing: dict[str, Any]
    vocabulary: int | None = None

    @property
    def dtype(self) -> np.dtype:
        """Of what the model reads."""
        return self.modality.dtype(self.preprocessing)

    def restore(self, values: np.ndarray) -> np.ndarray:
        """Stored values (n, …) as the model reads them."""
        return self.modality.restore(values, self.preprocessing)

    def decode(self, name: str, content: Any) -> Sample:
        """Decode and check one sample.

        Raises:
            DataFileError: It cannot be read, or holds NaN or infinities.
            MismatchError: It has tokens that the model's embedding does not have.
        """
        sample = self.modality.decode(name, content, self.preprocessing)
        check_finite(name, sample.value)
        if self.vocabulary is not None:
            check_tokens(name, sample.value, self.vocabulary)
        return sample


def write_samples(
    draft: Draft,
    samples: Samples,
    decoder: Decoder,
    targets: Targets,
    codes: np.ndarray,
    report: Report,
) -> Progress:
    """Decode all samples into a draft, shuffled by the seed within each split.

    Args:
        draft: Where to.
        samples: Where from.
        decoder: Decodes them.
        targets: Labels in the order of ``samples``.
        codes: (n,) split of each sample.
        report: Told how far it is.

    Returns:
        What was kept and skipped.

    Raises:
        DataFileError: Too many samples cannot be read.
    """
    values = math.prod(decoder.modality.output_shape(decoder.preprocessing))
    row_bytes = values * decoder.dtype.itemsize
    tests = int((codes == splits.TEST).sum())
    compact = values * np.dtype(decoder.modality.stored).itemsize
    check_space(draft.folder, tests * row_bytes + (len(codes) - tests) * compact)
    progress = Progress()
    preview = PreviewWriter(draft, tests)
    # Files lie sorted by class; shuffled, the first test samples shown are of all classes.
    order = np.random.default_rng(samples.options.seed).permutation(len(codes))
    done = 0
    for split, name in enumerate(SPLITS):
        wanted = order[codes[order] == split].tolist()
        for index, result in _decoded(samples, decoder, wanted, row_bytes):
            done += 1
            if done % _REPORT_EVERY == 0:
                report(done / len(codes), f"Reading samples: {done:,} of {len(codes):,}")
            if isinstance(result, DataFileError):
                _skip(progress, result, len(codes))
                continue
            sample, digest = result
            value = sample.value[np.newaxis]
            # Whoever judges a model elsewhere finds the test samples as it reads them.
            draft.append(f"x_{name}", decoder.restore(value) if name == "test" else value)
            draft.append(f"y_{name}", targets.y[index : index + 1])
            progress.kept[name].append(index)
            _note_repeats(progress, name, digest)
            if name == "test":
                preview.append(sample.preview)
    preview.close()
    return progress


def _decoded(
    samples: Samples, decoder: Decoder, wanted: Sequence[int], row_bytes: int
) -> Iterator[tuple[int, Decoded]]:
    """Decode in threads (the decoders and FFTs are native code), but give back in order.

    Only as many samples are in memory at a time as ``_BATCH_BYTES`` allow.
    """

    def attempt(index: int) -> Decoded:
        try:
            content = samples.read(index)
            sample = decoder.decode(samples.names[index], content)
        except DataFileError as error:
            return error
        raw = content.encode(errors="surrogatepass") if isinstance(content, str) else content
        return sample, hashlib.blake2b(raw, digest_size=12).digest()

    batch = max(1, min(_BATCH_SAMPLES, _BATCH_BYTES // max(1, row_bytes)))
    with ThreadPoolExecutor(min(batch, os.cpu_count() or 1, _MOST_THREADS)) as pool:
        for start in range(0, len(wanted), batch):
            indices = wanted[start : start + batch]
            yield from zip(indices, pool.map(attempt, indices), strict=True)


def _skip(progress: Progress, error: DataFileError, total: int) -> None:
    progress.skipped.append(error.happened)
    if len(progress.skipped) <= limits.skippable(total):
        return
    named = " ".join(progress.skipped[:5])
    if total == 1 or len(progress.skipped) == 1:
        raise error
    raise DataFileError(
        f"At least {len(progress.skipped):,} of {total:,} samples cannot be read: {named}",
        expected=error.expected,
        fix=error.fix,
    )


def _note_repeats(progress: Progress, split: str, digest: bytes) -> None:
    if split == "train":
        progress.training.add(digest)
    elif split == "test" and digest in progress.training:
        progress.seen_again += 1
