"""A job for the tests: does what its request says, without TensorFlow."""

import os
import time
from typing import Any

from pruning.errors import Cancelled, DataFileError
from pruning.runs import foresight
from pruning.runs.jobs._base import Job, Task
from pruning.storage import write_bytes


def run(task: Task) -> dict[str, Any]:
    task.stages("begin", "middle", "end")
    with task.stage("begin"):
        print("toy says hello")
        os.write(2, b"native code says hello\n")
        task.report({"epoch": 0, "loss": float("nan"), "accuracy": 0.5})
    with task.stage("middle"):
        task.progress(1.0, "half way")
        answer = BEHAVIOURS[task.request["toy"]](task)
    task.skip("end")
    return answer or {"answer": 42}


def patient(task: Task) -> None:
    while not task.should_stop():
        time.sleep(0.01)
    raise Cancelled


def stubborn(task: Task) -> None:
    while True:
        time.sleep(1)


def fail(task: Task) -> None:
    raise DataFileError("Sample 3 is broken.", expected="A picture.", fix="Remove it.")


def crash(task: Task) -> None:
    raise RuntimeError("a bug")


def full_disk(task: Task) -> None:
    raise OSError(28, "No space left on device", str(task.folder.path / "model.h5"))


def make(task: Task) -> None:
    write_bytes(task.folder.path / "made.txt", b"made")


def prepared(task: Task) -> None:
    task.prepared("before", 1.25)


def foreseen(task: Task) -> dict[str, Any]:
    return {
        "read": [str(it.path) for it in foresight._foreseen],
        "prepared": [it.work.plan.name if it.work else "" for it in foresight._foreseen],
        "steps": [it.done for it in foresight._foreseen],
    }


BEHAVIOURS = {
    "done": lambda task: None,
    "patient": patient,
    "stubborn": stubborn,
    "fail": fail,
    "crash": crash,
    "full_disk": full_disk,
    "make": make,
    "foreseen": foreseen,
    "prepared": prepared,
}
JOB = Job("toy", run, tensorflow=False)
