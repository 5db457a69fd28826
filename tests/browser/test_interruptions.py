"""What may happen while a run works: closed tabs, killed workers, a killed server."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from pruning.runs.folder import RunFolder
from pruning.runs.status import status
from tests.browser import steps
from tests.browser.conftest import PATIENCE_MS, Studio

pytestmark = pytest.mark.browser


def folder_of(studio: Studio, run: str) -> RunFolder:
    return RunFolder(studio.home / "runs" / run)


def start_long_run(page: Page, studio: Studio) -> RunFolder:
    """A run of the smallest demo that would train for hours, seen in its training."""
    steps.open_demo(page, studio, "speech")
    steps.go(page, "Strategy")
    run = folder_of(studio, steps.start_run(page, epochs=500))
    steps.wait_for(lambda: len(run.read_metrics()) >= 2, "training steps")
    return run


def pid_of(run: RunFolder) -> int:
    return int(run.read(run.record)["pid"])


def test_a_killed_server_finds_the_run_again_and_cancels_it(
    page: Page, browser: Browser, studio: Studio
) -> None:
    run = start_long_run(page, studio)
    link = page.url.removeprefix(studio.url)
    page.goto("about:blank")  # the tab is closed
    studio.kill()
    lines = len(run.read_metrics())
    steps.wait_for(lambda: len(run.read_metrics()) > lines, "steps without a server")
    studio.start()
    other = browser.new_context().new_page()  # another browser with the link
    other.set_default_timeout(PATIENCE_MS)
    steps.visit(other, studio, link)
    expect(other.get_by_text("running").first).to_be_visible()
    expect(other.get_by_text("samples/s")).to_be_visible()
    steps.keyed(other, "cancel").get_by_role("button").click()
    expect(other.get_by_text("This run was cancelled.")).to_be_visible()
    assert status(run).state == "cancelled"
    assert not Path(f"/proc/{pid_of(run)}/cmdline").exists() or status(run).final
    other.context.close()


def test_a_killed_worker_is_shown_as_such_with_what_is_saved(page: Page, studio: Studio) -> None:
    run = start_long_run(page, studio)
    os.kill(pid_of(run), signal.SIGKILL)
    expect(page.get_by_text("disappeared")).to_be_visible()
    expect(page.get_by_text("lines of training progress")).to_be_visible()
    steps.go(page, "Runs")
    steps.settle(page)
    assert status(run).state == "killed"
