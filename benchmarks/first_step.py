"""First step: from the click on "Prune and retrain" to the first training step on the page.

Run: ``python benchmarks/first_step.py [demo] [rounds]``. Needs Playwright and chromium. The
server runs for some time before the click, so that its warm worker waits; the model is profiled
and the data prepared, as they are when a person reaches the button. Prints one line of JSON:
seconds from the click until the page shows "step … of …", and from the click until the worker
had written its first line of metrics.
"""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil
from cold_start import CHROMIUM, ROOT, free_port, serve, wait_until_healthy
from playwright.sync_api import Browser, Page, sync_playwright

sys.path.insert(0, str(ROOT))

from pruning.demos import demo
from pruning.intake import store
from pruning.runs import executor, library
from pruning.runs.folder import RunFolder
from pruning.runs.status import status

SETTLE_SECONDS = 3.0  # after the warm worker has read everything it needs
PATIENCE_MS = 120_000


def done(folder: RunFolder) -> dict[str, object]:
    """Wait for a job. -> its results."""
    while not (now := status(folder)).final:
        time.sleep(0.1)
    if now.state != "done":
        raise SystemExit(f"{folder.id} is {now.state}: {now.error}")
    return now.results


def prepare(name: str) -> str:
    """Upload a demo, profile its model, prepare its data. -> query parameters of the pages."""
    chosen = demo(name)
    model = store.store_model(chosen.model.name, chosen.model)
    data = store.store_data(chosen.data.name, chosen.data)
    done(executor.ensure("profile", model, {"model": model}))
    ref = done(executor.ensure("data", f"{data}-bench", {"data": data, "model": model}))["ref"]
    return f"model={model}&data={ref}"


@contextmanager
def serving(home: str) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """A server with a warm worker. -> its port, and its process."""
    port = free_port()
    server = serve(port, home)
    try:
        wait_until_healthy(port)
        wait_until_warm(server)
        yield port, server
    finally:
        server.terminate()
        server.wait()


def wait_until_warm(server: subprocess.Popen[bytes]) -> None:
    """Wait until the waiting worker has nothing to do any more."""
    while True:
        for child in psutil.Process(server.pid).children():
            with suppress(psutil.NoSuchProcess):  # a job's worker that has ended meanwhile
                busy = child.cpu_percent(interval=SETTLE_SECONDS)
                if "--warm" in child.cmdline() and busy < 1 and child.memory_info().rss > 2e8:
                    return
        time.sleep(0.1)


def measure(
    browser: Browser, port: int, query: str, server: subprocess.Popen[bytes]
) -> tuple[float, float]:
    """Click once. -> seconds until the page shows a step, and until the worker reported one."""
    page: Page = browser.new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto(f"http://127.0.0.1:{port}/strategy?{query}")
    button = page.locator(".st-key-start button")
    button.wait_for()
    page.wait_for_selector("[data-testid='stApp'][data-test-script-state='notRunning']")
    wait_until_warm(server)  # the page has had jobs done by the first one
    clicked_at, begin = time.time(), time.perf_counter()
    button.click()
    page.get_by_text(re.compile(r"\bstep [\d,]+ of [\d,]+")).first.wait_for()
    shown = time.perf_counter() - begin
    run = library.runs()[0].folder
    reported = float(run.read_metrics()[0]["t"]) - clicked_at
    executor.cancel(run)
    while not status(run).final:
        time.sleep(0.1)
    page.close()
    return shown, reported


def main(name: str = "image", rounds: int = 5) -> None:
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        os.environ["PRUNING_STUDIO_HOME"] = home
        query = prepare(name)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        found = []
        for _ in range(rounds):
            with serving(home) as (port, server):
                found.append(measure(browser, port, query, server))
        browser.close()
    shown, reported = (statistics.median(values) for values in zip(*found, strict=True))
    print(
        json.dumps(
            {
                "demo": name,
                "rounds": rounds,
                "shown_s": round(shown, 3),
                "worker_reported_s": round(reported, 3),
                "shown_all_s": [round(value, 3) for value, _ in found],
            }
        )
    )


if __name__ == "__main__":
    main(*sys.argv[1:2], *map(int, sys.argv[2:3]))
