"""Reruns: from the message of a browser to the last element of the page, on a real server.

    python benchmarks/rerun.py [--rounds 20] [--runs 200] [--home FOLDER]

Speaks the web socket protocol of Streamlit's own front end, so that everything a rerun costs on
the server is in the figures, and nothing that a browser costs. The home folder holds the image
demo with one finished run, copies of that run (``--runs``), ResNet50 as a profile, and a run with
100,000 lines of progress. Slider moves use another value each time, so no cache of figures helps.

Prints a table on standard error and one JSON object: milliseconds, p50 and p95, and the server's
processor time for one rerun, which a busy machine does not change.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.sync.client import ClientConnection, connect

ROOT = Path(__file__).resolve().parent.parent
PAGES = ("", "layers", "strategy", "retraining", "comparison", "runs")
GOALS_MS = {"page": 100, "slider": 200}
LINES = 100_000  # of progress in the long run
SAVE_RESNET50 = "import keras, sys; keras.applications.ResNet50(weights=None).save(sys.argv[1])"


class Session:
    """One browser tab, without the browser."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.widgets: dict[str, WidgetState] = {}
        self.ids: dict[str, str] = {}
        self.hash = ""
        self.title = ""

    def rerun(self, page: str, query: dict[str, str]) -> float:
        """Run a page. -> milliseconds until its script has finished."""
        state = ClientState(
            query_string=urlencode(query), page_script_hash=self.hash, page_name=page
        )
        state.widget_states.widgets.extend(self.widgets.values())
        self.title = ""
        began = time.perf_counter()
        self.socket.send(BackMsg(rerun_script=state).SerializeToString())
        while True:
            message = ForwardMsg.FromString(self.socket.recv())  # type: ignore[arg-type]
            kind = message.WhichOneof("type")
            if kind == "delta":
                self._note(message)
            if kind == "navigation":
                self.hash = message.navigation.page_script_hash
            early = message.script_finished == ForwardMsg.FINISHED_EARLY_FOR_RERUN
            if kind == "script_finished" and not early:
                spent = 1000 * (time.perf_counter() - began)
                if self.title != (page or "upload").capitalize():
                    raise RuntimeError(f"{page!r} was asked for, {self.title!r} drawn")
                return spent

    def slide(self, key: str, value: float) -> None:
        """Move a slider; told with the next rerun."""
        state = WidgetState(id=self.ids[key])
        state.double_array_value.data.append(value)
        self.widgets[key] = state

    def choose(self, key: str, value: str) -> None:
        """Press a segment of a segmented control; told with the next rerun."""
        state = WidgetState(id=self.ids[key])
        state.string_array_value.data.append(value)
        self.widgets[key] = state

    def _note(self, message: ForwardMsg) -> None:
        """Remember a widget's id; its end is the widget's key. An exception ends the benchmark."""
        element = message.delta.new_element
        kind = element.WhichOneof("type") or ""
        if kind == "exception":
            raise RuntimeError(f"{element.exception.type}: {element.exception.message}")
        if kind == "heading" and element.heading.tag == "h1":
            self.title = element.heading.body
        identifier = str(getattr(getattr(element, kind), "id", "")) if kind else ""
        if identifier:
            self.ids[identifier.rsplit("-", 1)[-1]] = identifier


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--home", type=Path, help="kept and used again; else a temporary folder")
    arguments = parser.parse_args()
    # A job that a page asked for may still write into the home when the server has ended.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        home = arguments.home or Path(temporary)
        os.environ["PRUNING_STUDIO_HOME"] = str(home)
        opened = prepare(home, arguments.runs)
        with server(home) as studio:
            figures = measure(studio, opened, arguments.rounds)
            maps = [entry.path for entry in psutil.Process(studio.process.pid).memory_maps()]
        loaded = any(name in path for path in maps for name in ("tensorflow", "h5py"))
    print(f"{'':<34}{'p50 ms':>10}{'p95 ms':>10}{'cpu ms':>10}{'goal':>8}", file=sys.stderr)
    for name, entry in figures.items():
        row = f"{name:<34}{entry['p50']:>10}{entry['p95']:>10}{entry['cpu']:>10}"
        row += f"{entry['goal']:>8}"
        print(row, file=sys.stderr)
    answer = {"rounds": arguments.rounds, "runs": arguments.runs, "tensorflow_in_server": loaded}
    print(json.dumps({**answer, "milliseconds": figures}))
    assert not loaded, "the server has TensorFlow in memory"


def measure(studio: Studio, opened: dict[str, dict[str, str]], rounds: int) -> dict[str, dict]:
    """Every page of the demo, the model pages of ResNet50, its slider, and a long run."""
    pages = [(f"{page or 'upload'}, image demo", page, "demo") for page in PAGES]
    pages += [(f"{page}, ResNet50", page, "resnet50") for page in ("layers", "strategy")]
    pages += [(f"retraining, {LINES:,} lines", "retraining", "long")]
    figures = {}
    for name, page, what in pages:
        with tab(studio.port) as session:
            figures[name] = studio.timed(
                "page", rounds, lambda _, s=session, p=page, q=opened[what]: s.rerun(p, q)
            )
    for scope in ("uniform", "layer", "global"):
        with tab(studio.port) as session:
            session.rerun("strategy", opened["resnet50"])
            session.choose("plan_scope", scope)

            def move(number: int, session: Session = session) -> float:
                session.slide("plan_channels_target", 20.0 + (7 * number) % 70)
                return session.rerun("strategy", opened["resnet50"])

            figures[f"slider, ResNet50, {scope}"] = studio.timed("slider", rounds, move)
    return figures


@dataclass
class Studio:
    """The server that is measured."""

    process: subprocess.Popen[bytes]
    port: int

    def timed(self, goal: str, rounds: int, rerun: Callable[[int], float]) -> dict[str, float]:
        """p50 and p95 of the reruns, and the server's processor time for one, in milliseconds.

        Two more come first: they fill the caches.
        """
        for number in range(2):
            rerun(number)
        busy = self._busy()
        spent = sorted(rerun(number) for number in range(2, rounds + 2))
        return {
            "p50": round(statistics.median(spent), 1),
            "p95": round(spent[min(len(spent) - 1, int(0.95 * len(spent)))], 1),
            "cpu": round(1000 * (self._busy() - busy) / rounds, 1),
            "goal": GOALS_MS[goal],
        }

    def _busy(self) -> float:
        times = psutil.Process(self.process.pid).cpu_times()
        return float(times.user + times.system)


@contextmanager
def tab(port: int) -> Iterator[Session]:
    """Open a tab and close it again."""
    with connect(
        f"ws://127.0.0.1:{port}/_stcore/stream",
        subprotocols=["streamlit"],  # type: ignore[list-item]
        max_size=None,
        compression=None,
    ) as socket:
        yield Session(socket)


@contextmanager
def server(home: Path) -> Iterator[Studio]:
    """A studio on a free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    process = subprocess.Popen(
        [sys.executable, "-m", "streamlit", "run", str(ROOT / "streamlit_app.py"),
         "--server.port", str(port), "--server.headless", "true"],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait(lambda: healthy(port), "the server started")
        yield Studio(process, port)
    finally:
        process.terminate()
        process.wait()


def healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health") as answer:
            return bool(answer.read() == b"ok")
    except (urllib.error.URLError, ConnectionError):
        return False


def wait(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 600
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"never: {what}")
        time.sleep(0.1)


def prepare(home: Path, runs: int) -> dict[str, dict[str, str]]:
    """Fill the home folder by the studio's own jobs. -> query parameters of what was made."""
    noted = home / "benchmark.json"
    if noted.exists():
        return json.loads(noted.read_text())
    from pages.components import works
    from pruning.analysis.profile import ModelProfile
    from pruning.demos import demos
    from pruning.intake import store
    from pruning.runs import executor
    from pruning.runs.folder import RunFolder
    from pruning.runs.status import status
    from pruning.strategy.plan import PruningPlan, Target, Training
    from pruning.strategy.planner import make_plan

    def done(folder: RunFolder) -> dict:
        def ended() -> bool:
            executor.tick()
            return status(folder).final

        wait(ended, f"{folder.id} ended")
        assert status(folder).state == "done", status(folder).error
        return status(folder).results

    def job(work) -> dict:
        return done(executor.ensure(work.kind, work.key, work.request))

    demo = next(entry for entry in demos() if entry.name == "image")
    model, data = store.store_model("demo.keras", demo.model), store.store_data("d", demo.data)
    job(works.profile(model))
    ref = job(works.data(data, {}))["ref"]
    job(works.baseline(model, ref))
    folder = store.model_folder(model)
    plan = make_plan(
        ModelProfile.load(folder),
        folder,
        PruningPlan(target=Target("flops", 0.5), training=Training(epochs=1)),
    )
    run = executor.start_run(model, ref, plan)
    done(run)
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "resnet50.keras"
        subprocess.run([sys.executable, "-c", SAVE_RESNET50, str(path)], check=True)
        resnet = store.store_model("resnet50.keras", path)
    job(works.profile(resnet))
    for number in range(max(0, runs - 1)):
        copy(run, f"20250101-{number:06d}-copied")
    long = copy(run, "20250102-000000-longer")
    line = (run.read_metrics() or [{}])[0]
    with long.metrics.open("w") as stream:
        for step in range(1, LINES + 1):
            entry = {**line, "step": step, "steps": LINES, "loss": 2 / (1 + step / LINES)}
            stream.write(json.dumps(entry) + "\n")
    opened = {"model": model, "data": ref}
    made = {
        "demo": {**opened, "run": run.id},
        "resnet50": {"model": resnet, "data": ref},
        "long": {**opened, "run": long.id},
    }
    noted.write_text(json.dumps(made))
    return made


def copy(run, identifier: str):
    """Copy a finished run; copying its folder copies the run."""
    path = run.path.with_name(identifier)
    shutil.copytree(run.path, path, ignore=shutil.ignore_patterns("checkpoints", "*.npy"))
    return type(run)(path)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main()
