"""What a run does before it trains, done before the run is there.

Who looks at a model's strategy will probably prune it as the page has it. A warm worker has nothing
to do meanwhile, so it reads that model and prepares that pruning, step by step, until the server
says something else. A run of the same model begins where the reading ended; a run of the same plan
on the same data, where the preparation did.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from pruning.errors import Cancelled
from pruning.intake.dataset import Dataset
from pruning.runs import steps
from pruning.runs.narrowing import narrows
from pruning.runs.preparation import Step, ahead, distils, preparation
from pruning.runs.work import Voice, Work
from pruning.strategy.plan import PruningPlan

if TYPE_CHECKING:
    from pruning.analysis.profiler import Analysis
    from pruning.intake.model_file import LoadedModel

# A run for another model, and a user's cancel of it, have to wait for the end of a reading, and of
# a step of the preparation: no longer than a second.
MOST_BYTES = 32 * 2**20
MOST_FLOPS = 3e8  # of one sample: the proof of a cut takes 64 of them
_Told = Callable[[Voice], None]


@dataclass
class _Foreseen:
    """A model that was read, and the work on it that a plan would begin with.

    Attributes:
        seconds: What the reading took.
        done: How many steps of the preparation are done.
        told: What they told, for the voice of the run that takes them over.
    """

    path: Path
    loaded: LoadedModel
    analysis: Analysis
    seconds: float
    work: Work | None = None
    done: int = 0
    told: list[_Told] = field(default_factory=list)

    def work_for(self, plan: PruningPlan, data: Dataset | None, out: Path, voice: Voice) -> Work:
        """The work of this plan on this data, with all that was done of it.

        Raises:
            MismatchError: The plan is for another model, or the data does not fit.
            PlanError: The plan names what the model does not have.
        """
        if self.work is None or (self.work.plan, self.work.data) != (plan, data):
            self.drop_work()
            self.work = steps.begin(self.loaded, self.analysis, plan, data, out, voice)
            self.work.seconds["load"] = self.seconds
        self.work.out, self.work.voice = out, voice
        return self.work

    def drop_work(self) -> None:
        """Forget what was done for some plan."""
        if self.work is None:
            return
        self.work, self.done = None, 0
        self.told.clear()
        gc.collect()  # a model is full of circles; all that stays is frozen, and not looked through


_foreseen: list[_Foreseen] = []  # one at most


def foresee(path: Path, name: str) -> LoadedModel | None:
    """Read a model, in place of another that was foreseen. -> None if it cannot be."""
    path = path.resolve()
    if not any(foreseen.path == path for foreseen in _foreseen):
        _forget()
        try:
            _foreseen.append(_read(path, name))
        except Exception:  # the run will meet it again, and say what is wrong
            return None
    return _foreseen[0].loaded


def prepare(plan: PruningPlan, data: Dataset | None, told_more: Callable[[], bool]) -> None:
    """Prepare the pruning of the model that was read.

    Of what trains, or answers all of the training samples, nothing is done: it takes too long for
    a guess.

    Args:
        plan: The plan that the run will probably have.
        data: What it will be retrained on.
        told_more: Whether the server has said something meanwhile; asked often.
    """
    for foreseen in _foreseen:
        if foreseen.analysis.profile.flops > MOST_FLOPS or distils(plan) or narrows(plan):
            return
        try:
            _go_on(foreseen, plan, data, told_more)
        except Cancelled:
            return
        except Exception:  # as above
            foreseen.drop_work()


def begin(
    path: Path, plan: PruningPlan, data: Dataset | None, out: Path, voice: Voice, name: str
) -> tuple[Work, Sequence[Step]]:
    """Begin the work of a run, with what was foreseen of it.

    Args:
        path: A ``.keras`` or ``.h5`` file.
        plan: Made for exactly this file.
        data: To retrain and compare on.
        out: Gets the run's files.
        voice: Told what is done, and what has been done before.
        name: The model's name for people.

    Returns:
        The work, and the steps before its training that are still to be done.

    Raises:
        ModelFileError: The model cannot be read.
        MismatchError: The plan is for another model, or the data does not fit.
        PlanError: The plan names what the model does not have.
        Cancelled: The voice says so.
    """
    if voice.should_stop():
        raise Cancelled
    foreseen = _take(path)
    if foreseen is None:
        with voice.stage("load"):
            foreseen = _read(path, name)
    else:
        voice.prepared("load", foreseen.seconds)
    work = foreseen.work_for(plan, data, out, voice)
    for tell in foreseen.told:
        tell(voice)
    return work, preparation(plan, with_data=data is not None)[foreseen.done :]


def _go_on(
    foreseen: _Foreseen, plan: PruningPlan, data: Dataset | None, told_more: Callable[[], bool]
) -> None:
    """Do the steps that are not done; what an unfinished one told is not kept."""
    told: list[_Told] = []
    work = foreseen.work_for(plan, data, Path(), _noting(told, told_more))
    for step in ahead(plan, with_data=data is not None)[foreseen.done :]:
        told.clear()
        step(work)
        foreseen.told += told
        foreseen.done += 1


def _noting(told: list[_Told], told_more: Callable[[], bool]) -> Voice:
    """A voice that notes what it is told, and stops the work when the server speaks."""

    @contextmanager
    def stage(name: str) -> Iterator[None]:
        begun = perf_counter()
        yield
        seconds = perf_counter() - begun
        told.append(lambda voice: voice.prepared(name, seconds))

    def skip(name: str) -> None:
        told.append(lambda voice: voice.skip(name))

    return Voice(stage=stage, skip=skip, should_stop=told_more)


def _take(path: Path) -> _Foreseen | None:
    """Give away what was foreseen of a model: a run may change it."""
    found = next((f for f in _foreseen if f.path == path.resolve()), None)
    _foreseen.clear()
    return found


def _forget() -> None:
    if _foreseen:
        _foreseen.clear()
        gc.collect()


def _read(path: Path, name: str) -> _Foreseen:
    from pruning.analysis.profiler import analyse_file

    begun = perf_counter()
    loaded, analysis = analyse_file(path, name or path.name, for_pricing=False)
    return _Foreseen(path.resolve(), loaded, analysis, perf_counter() - begun)
