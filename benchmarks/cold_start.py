"""Cold start: from the command ``streamlit run`` to the first page drawn in a browser.

Run: ``python benchmarks/cold_start.py [rounds]``. Needs Playwright and chromium. The browser
is already open, as a user's is; the server is a new process each time, its home folder is empty.
Prints one line of JSON: seconds to a listening server and to the drawn page, and the server's
memory; also whether TensorFlow is in the server's memory map.
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

import psutil
from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
PATIENCE_SECONDS = 60


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


def wait_until_drawn(browser: Browser, url: str) -> None:
    """Open the page and wait until its script has run and nothing is missing."""
    page = browser.new_page()
    page.goto(url)
    page.wait_for_selector("[data-testid='stApp'][data-test-connection-state='CONNECTED']")
    page.wait_for_selector("[data-testid='stApp'][data-test-script-state='notRunning']")
    page.locator("[data-testid='stMain'] [data-testid='stElementContainer']").first.wait_for()
    page.close()


def measure(browser: Browser, path: str) -> dict[str, float | bool]:
    """One cold start."""
    port = free_port()
    with tempfile.TemporaryDirectory() as home:
        begin = time.perf_counter()
        server = serve(port, home)
        try:
            wait_until_healthy(port)
            listening = time.perf_counter() - begin
            wait_until_drawn(browser, f"http://127.0.0.1:{port}/{path}")
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


def main(rounds: int = 5) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for path in ("", "layers"):
            found = [measure(browser, path) for _ in range(rounds)]
            summary = {
                key: round(statistics.median(float(entry[key]) for entry in found), 3)
                for key in ("listening_s", "drawn_s", "server_mb")
            }
            loaded = any(entry["tensorflow_in_server"] for entry in found)
            print(
                json.dumps(
                    {
                        "page": f"/{path}",
                        "rounds": rounds,
                        **summary,
                        "tensorflow_in_server": loaded,
                    }
                )
            )
        browser.close()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
