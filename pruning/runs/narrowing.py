"""A plan with several cuts: all of them but the last, with retraining after each.

Every cut is a piece of work of its own on the model as it is by then: scored, cut, proved,
its BatchNormalization measured anew, and trained on for some steps. The first half of the plan's
epochs is spread over these; the rest follows the last cut, as after a single one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from pruning.intake.dataset import Dataset
from pruning.runs import steps
from pruning.runs.work import Voice, Work
from pruning.strategy.cuts import changed, plan_to, widths
from pruning.strategy.plan import PruningPlan

if TYPE_CHECKING:
    from pruning.analysis.profile import ModelProfile
    from pruning.analysis.profiler import Analysis
    from pruning.intake.model_file import LoadedModel
    from pruning.training import Stretch


def narrows(plan: PruningPlan) -> bool:
    """Whether the plan makes several cuts: without retraining it makes one."""
    return plan.cuts > 1 and plan.training.epochs > 1


@dataclass
class Narrowing:
    """Several cuts of one model.

    Attributes:
        work: The whole work; its ``model`` is the original until :meth:`finish`.
        data: To retrain on.
        kept: Channels of the original that the cuts so far have left, by group id.
        checks: What each cut proved.
        late: Groups that wait for the last cut: an earlier one would make others of them.
    """

    work: Work
    data: Dataset
    kept: dict[str, np.ndarray] = field(default_factory=dict)
    checks: list[dict[str, Any]] = field(default_factory=list)
    late: frozenset[str] = frozenset()

    def begin(self) -> Work:
        """Make all cuts but the last. -> the work of the last one, not begun.

        Raises:
            SelfCheckError: A cut is not exact.
            Cancelled: The user has asked to stop.
        """
        plan = self.work.plan
        original = self.work
        subject = self._subject(original.before, original.analysis, 1)
        with self.work.stage("narrow"):
            for cut in range(1, plan.cuts):
                analysis = self._cut(subject, cut)
                self._take(subject)
                if plan.recalibrate:
                    steps.recalibrate(subject, self.data)
                subject.answers, subject.stretch = self.work.answers, self._stretch(cut)
                subject.original = (self.work.analysis, dict(self.kept))
                steps.retrain(subject, self.data, None)
                subject = self._subject(subject.after, analysis, cut + 1)
        return subject

    def finish(self, last: Work) -> None:
        """Take over what the last cut made: the model, and what is left of the original's."""
        from pruning.surgery.channels import Cut, channels_record

        self._take(last)
        work = self.work
        record = channels_record(work.analysis, self.kept)
        work.model, work.cut = last.model, Cut(last.model, record, self.kept)
        work.scores = last.scores
        work.seconds |= last.seconds
        work.self_check = _all_of(self.checks)
        work.stretch = self._stretch(work.plan.cuts)

    def _subject(self, loaded: LoadedModel, analysis: Analysis, cut: int) -> Work:
        """The work of one cut, on the model as it is by then."""
        work = self.work
        voice = work.voice if cut == work.plan.cuts else self._told(cut)
        plan = self._plan(analysis.profile, cut)
        return Work(plan, self.data, work.out, voice, loaded, analysis)

    def _plan(self, profile: ModelProfile, cut: int) -> PruningPlan:
        """The plan of one cut, for the model of that profile."""
        plan = self.work.plan
        wanted = widths(self.work.analysis.profile, plan, cut)
        if cut < plan.cuts:
            wanted = {name: width for name, width in wanted.items() if name not in self.late}
        return plan_to(wanted, profile, plan)

    def _cut(self, subject: Work, cut: int) -> Analysis:
        """Make one cut after which the next still finds its groups. -> the cut model's analysis."""
        profile = subject.analysis.profile
        while True:
            made = steps.cut(subject)
            analysis = subject.analysis_after
            kept = {name: len(indices) for name, indices in made.kept.items()}
            lost = changed(profile, kept, analysis.profile, self.work.plan)
            if not lost:
                break
            everything = frozenset(group.id for group in profile.groups)
            self.late |= lost if not lost <= self.late else everything
            subject.plan = self._plan(profile, cut)
        steps.check(subject)
        return analysis

    def _take(self, made: Work) -> None:
        assert made.cut is not None
        assert made.self_check is not None
        for group, indices in made.cut.kept.items():
            before = self.kept.get(group)
            self.kept[group] = indices if before is None else before[indices]
        self.checks.append(made.self_check)

    def _stretch(self, cut: int) -> Stretch:
        """The part of the training that follows a cut, from 1."""
        from pruning.training import Stretch, steps_of_epoch

        training, between = self.work.plan.training, self.work.plan.cuts - 1
        epoch, early = steps_of_epoch(self.data, training), training.epochs // 2
        each = max(1, early * epoch // between)
        done, rest = (cut - 1) * each, training.epochs - early
        total = between * each + rest * epoch
        if cut > between:
            return Stretch(done, early, total, epochs=rest)
        return Stretch(done, done // epoch, total, steps=each)

    def _told(self, cut: int) -> Voice:
        """The work's voice, for one of the cuts inside its stage."""
        voice, between = self.work.voice, self.work.plan.cuts - 1
        name, stretch = f"cut {cut} of {between + 1}", self._stretch(cut)

        def progress(share: float, words: str) -> None:
            voice.progress((cut - 1) / between, f"{name}: {words}")

        def report(line: Mapping[str, Any]) -> None:
            voice.report(line)
            step = line["step"] - stretch.done
            share = (cut - 1 + step / (stretch.steps or 1)) / between
            voice.progress(share, f"{name}: step {step:,} of {stretch.steps:,}")

        return Voice(report=report, progress=progress, should_stop=voice.should_stop)


def _all_of(checks: list[dict[str, Any]]) -> dict[str, Any]:
    """One record for the checks of all cuts: that of the one nearest to what is allowed."""
    worst = max(checks, key=lambda check: float(check["max_abs_error"] / check["tolerance"]))
    return {**worst, "cuts": len(checks)}
