"""One pruning: what it has come to, and how it tells what it is doing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np

from pruning.errors import Cancelled
from pruning.intake.dataset import Dataset
from pruning.runs.calibration import WeightEvidence
from pruning.strategy.channel_scores import ChannelScores
from pruning.strategy.plan import PruningPlan

if TYPE_CHECKING:
    from pruning.analysis.profiler import Analysis
    from pruning.comparison.recalibration import Recalibration
    from pruning.comparison.result import Comparison
    from pruning.intake.model_file import LoadedModel
    from pruning.surgery.channels import Cut
    from pruning.surgery.layers import Removal
    from pruning.training import Ready, Stretch, TrainingResult

Stage = Callable[[str], AbstractContextManager[None]]


@dataclass(frozen=True)
class Voice:
    """How the work tells what it is doing, and is told to stop; silent by default.

    Attributes:
        stage: Entered for each stage, by name.
        report: Told each line of training metrics.
        progress: Told how far a stage is: a fraction from 0 to 1, and words.
        should_stop: Asked often.
        skip: Told the name of an announced stage that is not needed.
        prepared: Told the name of a stage that was done before the run came, and its seconds.
    """

    stage: Stage = lambda name: nullcontext()
    report: Callable[[Mapping[str, Any]], None] = lambda line: None
    progress: Callable[[float, str], None] = lambda fraction, words: None
    should_stop: Callable[[], bool] = lambda: False
    skip: Callable[[str], None] = lambda name: None
    prepared: Callable[[str, float], None] = lambda name, seconds: None


@dataclass
class Work:
    """What one pruning has come to; each step fills in its part.

    Attributes:
        model: The model that is being pruned, of ``before``'s Keras.
        original: What ``before`` was cut from, and which of its channels are left now, by group
            id; ``None`` where this work's own cut is the only one.
        stretch: The part of the plan's training that is still to be done, when not all of it.
        ready: ``model`` with the graph of its training, where that was made before.
        seconds: Time of each stage.
    """

    plan: PruningPlan
    data: Dataset | None
    out: Path
    voice: Voice
    before: LoadedModel
    analysis: Analysis
    model: Any = None
    scores: ChannelScores | None = None
    evidence: WeightEvidence | None = None
    cut: Cut | None = None
    removal: Removal | None = None
    masks: Mapping[str, np.ndarray] | None = None
    answers: np.ndarray | None = None
    self_check: dict[str, Any] | None = None
    recalibration: Recalibration | None = None
    original: tuple[Analysis, Mapping[str, np.ndarray]] | None = None
    stretch: Stretch | None = None
    ready: Ready | None = None
    training: TrainingResult | None = None
    comparison: Comparison | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    _analysed: tuple[Any, Analysis] | None = None

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Enter a stage and take its time.

        Raises:
            Cancelled: On entering, when the user has asked to stop.
        """
        if self.voice.should_stop():
            raise Cancelled
        begun = perf_counter()
        with self.voice.stage(name):
            yield
        self.seconds[name] = perf_counter() - begun

    @property
    def after(self) -> LoadedModel:
        """The pruned model, as if it had been loaded."""
        return replace(self.before, model=self.model)

    @property
    def analysis_after(self) -> Analysis:
        """Of the pruned model, made once: training changes nothing but its weights."""
        from pruning.analysis.profiler import analyse

        if self._analysed is None or self._analysed[0] is not self.model:
            self._analysed = self.model, analyse(self.after, for_pricing=False)
        return self._analysed[1]
