"""Every error that is the user's to solve, as one tree.

    PruningError            what happened · what was expected · how to fix it
    ├── ModelFileError      the model file cannot be read or is not a model we can work on
    ├── DataFileError       the data file cannot be read or holds unusable samples
    ├── MismatchError       model, data and plan do not belong together
    ├── PlanError           a plan asks for something impossible
    │   └── OutdatedError   or for what an older studio's analysis of the model does not know
    ├── ExportError         an export could not be made or does not equal the model
    ├── SelfCheckError      a cut model does not equal its original: nothing is saved
    ├── NotFoundError       a run, model or demo of that name does not exist
    ├── StorageError        the disk is full or the home folder cannot be written
    └── UsageError          a command line was not understood

Pages and the command line catch ``PruningError`` only. Anything else is a bug and stays loud.
"""

from __future__ import annotations

from typing import Any


class Cancelled(Exception):  # noqa: N818 - an outcome the user asked for, not an error
    """The work stopped because the user asked for it; raised wherever a loop asks."""


class PruningError(Exception):
    """Base of all errors a user can solve.

    Args:
        happened: What went wrong, with the names and numbers at hand. One sentence.
        expected: What would have been right. One sentence.
        fix: What the user can do now. One sentence.
    """

    kind = "error"

    def __init__(self, happened: str, *, expected: str, fix: str) -> None:
        super().__init__(happened)
        self.happened = happened
        self.expected = expected
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.happened}\n{self.expected}\n{self.fix}"

    def to_dict(self) -> dict[str, Any]:
        """JSON form used in run records: ``kind, happened, expected, fix``."""
        return {
            "kind": self.kind,
            "happened": self.happened,
            "expected": self.expected,
            "fix": self.fix,
        }


class ModelFileError(PruningError):
    """The model file cannot be read, or is no model the studio can work on."""

    kind = "model_file"


class DataFileError(PruningError):
    """The data file cannot be read, or holds samples that cannot be used."""

    kind = "data_file"


class MismatchError(PruningError):
    """Model, data and plan do not belong together."""

    kind = "mismatch"


class PlanError(PruningError):
    """A plan asks for something impossible."""

    kind = "plan"


class OutdatedError(PlanError):
    """The model was analysed by an older version, which did not look for what a plan needs.

    Args:
        happened: What it did not look for. One sentence.
        otherwise: What can be done without it; follows ``Analyse the model again``.
    """

    kind = "outdated"

    def __init__(
        self,
        happened: str,
        *,
        expected: str = "An analysis by this version of the studio.",
        fix: str = "",
        otherwise: str = "",
    ) -> None:
        again = "Analyse the model again: its file is stored, and its plans and runs stay"
        super().__init__(happened, expected=expected, fix=fix or f"{again}{otherwise}.")


class ExportError(PruningError):
    """An export could not be made, or the exported file does not equal the model."""

    kind = "export"


class SelfCheckError(PruningError):
    """The cut model does not equal the original whose consumers read zeros."""

    kind = "self_check"


class NotFoundError(PruningError):
    """No run, model, data or demo of that name."""

    kind = "not_found"


class StorageError(PruningError):
    """The disk is full, or the home folder cannot be written."""

    kind = "storage"


_ALL: list[type[PruningError]] = [*PruningError.__subclasses__(), *PlanError.__subclasses__()]
_BY_KIND = {cls.kind: cls for cls in _ALL}


def from_dict(record: dict[str, Any]) -> PruningError:
    """Rebuild the error a worker stored with :meth:`PruningError.to_dict`."""
    cls = _BY_KIND.get(record["kind"], PruningError)
    return cls(record["happened"], expected=record["expected"], fix=record["fix"])


class UsageError(PruningError):
    """The command line was not understood."""

    kind = "usage"
