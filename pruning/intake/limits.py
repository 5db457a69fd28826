"""How much the studio takes in: every limit of an upload in one place, each with its reason."""

from __future__ import annotations

import os

DEFAULT_UPLOAD_MB = 2048  # the largest keras.applications model saves to about 1.4 GB

MAX_ENTRIES = 200_000  # files in one archive or folder; ImageNet-100 has 130,000
MAX_SAMPLE_BYTES = 256 * 2**20  # one picture, clip or text, unpacked: read whole into memory
MAX_TABLE_BYTES = 256 * 2**20  # one CSV, unpacked: its cells take several times that in memory
MAX_UNPACKED_BYTES = 32 * 2**30  # everything in one archive together
MAX_WHOLE_BYTES = 2 * 2**30  # labels, and arrays in Fortran order: several times that in memory
MAX_CLASSES = 1_000_000  # each has a name and counts; the vocabularies of language models are below
MAX_RATIO = 200  # unpacked to packed; pictures and sound stay below 20, text below 50
RATIO_FREE_BYTES = 64 * 2**20  # archives that unpack to less are never called bombs

SKIP_SHARE = 0.01  # of the samples may be unreadable and are skipped
SKIP_FROM = 20  # from so many samples on, one unreadable sample may always be skipped

PREVIEW_SIDE = 256  # pixels of the longer side of a picture shown to a person
PREVIEW_BYTES = 256 * 2**20  # all preview pictures together
PREVIEW_CHARACTERS = 5_000  # of one text


def max_upload_bytes() -> int:
    """Largest file that is taken in, in bytes.

    ``PRUNING_STUDIO_MAX_UPLOAD_MB`` sets it in MiB; a value that is no positive number is ignored.
    """
    configured = os.environ.get("PRUNING_STUDIO_MAX_UPLOAD_MB", "")
    megabytes = int(configured) if configured.isdecimal() else 0
    return (megabytes or DEFAULT_UPLOAD_MB) * 2**20


def skippable(samples: int) -> int:
    """How many of ``samples`` may be unreadable before the whole file is refused."""
    allowed = int(samples * SKIP_SHARE)
    return max(1, allowed) if samples >= SKIP_FROM else allowed
