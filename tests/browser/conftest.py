"""A studio of its own on a free port, and Chromium to visit it with."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Page, expect, sync_playwright

from tests.pages import studio as prepared

ROOT = Path(__file__).resolve().parents[2]
ARTIFACTS = ROOT / "test-artifacts"
PATIENCE_SECONDS = 300  # a guard against hanging, far above what a busy machine needs
PATIENCE_MS = 1000 * PATIENCE_SECONDS
expect.set_options(timeout=PATIENCE_MS)
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking",
         "--disable-component-update", "--disable-sync", "--no-first-run"]  # fmt: skip


@dataclass
class Studio:
    """A running server; it can be killed and started again over the same home folder."""

    home: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        log = (self.home / "server.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "streamlit_app.py",
             "--server.port", str(self.port), "--server.headless", "true"],
            cwd=ROOT, env=os.environ | {"PRUNING_STUDIO_HOME": str(self.home)},
            stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=2) as answer:
                    if answer.read() == b"ok":
                        return
            except OSError:
                time.sleep(0.1)
        raise AssertionError((self.home / "server.log").read_text()[-3000:])

    def kill(self) -> None:
        """End the server the hard way; its workers are processes of their own."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def memory_map(self) -> str:
        """Libraries that the server has loaded (Linux)."""
        assert self.process is not None
        return Path(f"/proc/{self.process.pid}/maps").read_text()


def chromium_path() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


# For a file, not for the session: until it stops, Playwright's event loop counts as running in
# this process, and no later test could call asyncio.run.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    path = chromium_path()
    if path is None:
        message = "No Chromium: install it with 'sudo apt-get install chromium'."
        if os.environ.get("CI"):
            pytest.fail(message)
        pytest.skip(message)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Studio(tmp_path_factory.mktemp("home"), port)
    server.start()
    yield server
    assert server.process is not None
    if server.process.poll() is None:
        server.process.terminate()
        server.process.wait(timeout=30)


@pytest.fixture(scope="module")
def query(studio: Studio) -> str:
    """A finished run in the studio's home folder, written by hand."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRUNING_STUDIO_HOME", str(studio.home))
        run = prepared.run(studio.home, prepared.build(studio.home))
    return f"model={prepared.profiles.MODEL}&data={prepared.REF}&run={run.id}"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Take a picture of what a failed test saw."""
    report = yield
    if report.when == "call" and report.failed:
        ARTIFACTS.mkdir(exist_ok=True)
        for name, seen in getattr(item, "funcargs", {}).items():
            if isinstance(seen, Page):
                with suppress(Error):  # a browser that crashed shows nothing; the report is said
                    seen.screenshot(path=ARTIFACTS / f"{item.name}-{name}.png", full_page=True)
    return report


@contextmanager
def opened_page(browser: Browser) -> Iterator[Page]:
    """A page of a person who was never here before."""
    context = browser.new_context(
        viewport={"width": 1400, "height": 1000}, accept_downloads=True, reduced_motion="reduce"
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    yield page
    context.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with opened_page(browser) as page:
        yield page


@pytest.fixture(scope="module")
def reader(browser: Browser) -> Iterator[Page]:
    """A page for tests that only look: a browser compiles Streamlit's scripts anew for ``page``."""
    with opened_page(browser) as page:
        yield page
