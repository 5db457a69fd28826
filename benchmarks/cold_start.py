"""Cold start: from the command ``streamlit run`` to the first page drawn in a browser.

Run: ``python benchmarks/cold_start.py [rounds]``. Needs Playwright and chromium. The browser
is already open, as a user's is, the page gets a new tab; the server is a new process each time,
its home folder is empty. *first*: the browser's profile is new, nothing is in its cache.
*again*: the same profile has opened the studio before, three times, not counted: Chromium keeps
what it compiled once it has seen it twice.
Prints a line of JSON for each: seconds to a listening server and to the drawn page, and the
server's memory; also whether TensorFlow is in the server's memory map.
"""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import BrowserContext, Playwright, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
PATIENCE_SECONDS = 60
VISITS_BEFORE = 3


def free_port() -> int:
    """A port that nothing listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serve(port: int, home: str) -> subprocess.Popen[bytes]:
    """Start the studio."""
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "streamlit_app.py")]
    return subprocess.Popen(
        [*command, "--server.port", str(port), "--server.headless", "true"],
        cwd=ROOT,
        env={**os.environ, "PRUNING_STUDIO_HOME": home},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def wait_until_healthy(port: int) -> None:
    """Wait until the server answers."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health") as answer:
                if answer.read() == b"ok":
                    return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.01)
    raise TimeoutError("the server did not start")


def wait_until_drawn(profile: BrowserContext, url: str) -> None:
    """Open the page in a new tab and wait until its script has run and nothing is missing."""
    page = profile.new_page()
    page.goto(url)
    page.wait_for_selector("[data-testid='stApp'][data-test-connection-state='CONNECTED']")
    page.wait_for_selector("[data-testid='stApp'][data-test-script-state='notRunning']")
    page.locator("[data-testid='stMain'] [data-testid='stElementContainer']").first.wait_for()
    page.close()


def measure(profile: BrowserContext, path: str, port: int) -> dict[str, float | bool]:
    """One cold start."""
    with tempfile.TemporaryDirectory() as home:
        begin = time.perf_counter()
        server = serve(port, home)
        try:
            wait_until_healthy(port)
            listening = time.perf_counter() - begin
            wait_until_drawn(profile, f"http://127.0.0.1:{port}/{path}")
            drawn = time.perf_counter() - begin
            process = psutil.Process(server.pid)
            maps = [entry.path for entry in process.memory_maps()]
            return {
                "listening_s": listening,
                "drawn_s": drawn,
                "server_mb": process.memory_info().rss / 1e6,
                "tensorflow_in_server": any("tensorflow" in entry for entry in maps),
            }
        finally:
            server.terminate()
            server.wait()


def rounds_of(
    playwright: Playwright, path: str, rounds: int, *, seen: bool
) -> list[dict[str, float | bool]]:
    """All rounds of one kind: with a new profile each, or all with one that has seen the studio."""
    port, begin = free_port(), playwright.chromium
    options: dict[str, Any] = {"executable_path": CHROMIUM, "args": ["--no-sandbox"]}
    found = []
    if seen:
        # In a folder of its own: only there does Chromium keep compiled scripts.
        with tempfile.TemporaryDirectory() as folder:
            profile = begin.launch_persistent_context(folder, **options)
            found = [measure(profile, path, port) for _ in range(VISITS_BEFORE + rounds)]
            profile.close()
        return found[VISITS_BEFORE:]
    browser = begin.launch(**options)
    for _ in range(rounds):
        profile = browser.new_context()
        found.append(measure(profile, path, port))
        profile.close()
    browser.close()
    return found


def main(rounds: int = 5) -> None:
    with sync_playwright() as playwright:
        for path in ("", "layers"):
            for seen in (False, True):
                found = rounds_of(playwright, path, rounds, seen=seen)
                summary = {
                    key: round(statistics.median(float(entry[key]) for entry in found), 3)
                    for key in ("listening_s", "drawn_s", "server_mb")
                }
                loaded = any(entry["tensorflow_in_server"] for entry in found)
                print(
                    json.dumps(
                        {
                            "page": f"/{path}",
                            "visit": "again" if seen else "first",
                            "rounds": rounds,
                            **summary,
                            "tensorflow_in_server": loaded,
                        }
                    )
                )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
