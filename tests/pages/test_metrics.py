"""A run's progress, read as it grows."""

from __future__ import annotations

import itertools
import json

import pytest

from pages.components.retraining.metrics import POINTS, Progress


def written(first: int, last: int, **more) -> str:
    return "".join(json.dumps({"step": n, "loss": 1 / n, **more}) + "\n"
                   for n in range(first, last + 1))  # fmt: skip


@pytest.fixture
def path(tmp_path):
    return tmp_path / "metrics.jsonl"


def test_nothing_yet(path):
    progress = Progress(path)
    progress.update()
    assert (progress.lines, progress.shown(), progress.last()) == (0, [], [])


def test_a_line_still_being_written_waits_for_its_end(path):
    progress = Progress(path)
    path.write_text(written(1, 2) + '{"step": 3, "lo')
    progress.update()
    assert [line["step"] for line in progress.shown()] == [1, 2]
    path.write_text(written(1, 2) + '{"step": 3, "loss": 0.5}\n')
    progress.update()
    assert progress.shown()[-1] == {"step": 3, "loss": 0.5}
    assert progress.lines == 3


def test_each_byte_is_read_once(path):
    progress = Progress(path)
    path.write_text(written(1, 10))
    progress.update()
    with path.open("r+b") as stream:  # what was read before is not looked at again
        stream.write(b"?" * 20)
    with path.open("a") as stream:
        stream.write(written(11, 12))
    progress.update()
    assert [line["step"] for line in progress.shown()] == list(range(1, 13))


def test_many_lines_are_thinned_evenly_and_validations_are_kept(path):
    progress = Progress(path)
    for epoch in range(10):
        begin = 1000 * epoch
        with path.open("a") as stream:
            stream.write(written(begin + 1, begin + 999))
            stream.write(written(begin + 1000, begin + 1000, val_loss=0.5))
        progress.update()
    shown = progress.shown()
    steps = [line["step"] for line in shown]
    assert steps == sorted(steps)
    assert steps[-1] == 10_000
    assert sum("val_loss" in line for line in shown) == 10
    assert POINTS / 2 <= sum("val_loss" not in line for line in shown) <= POINTS
    training = [line["step"] for line in shown if "val_loss" not in line]
    gaps = {b - a for a, b in itertools.pairwise(training)}
    assert gaps <= {progress.stride, 2 * progress.stride}  # twice where a validation stood
    assert [line["step"] for line in progress.last()][-2:] == [9999, 10_000]
