"""What a person does on the pages, step by step."""

from __future__ import annotations

import re
import time
from pathlib import Path

from playwright.sync_api import Download, Locator, Page, expect

from tests.browser.conftest import PATIENCE_SECONDS, Studio


def settle(page: Page) -> None:
    """Wait until the script has run; the way Streamlit's own tests do it."""
    page.wait_for_selector("[data-testid='stApp'][data-test-connection-state='CONNECTED']")
    page.wait_for_selector("[data-test-script-state='notRunning']")
    page.wait_for_timeout(150)
    assert page.locator("[data-testid='stException']").count() == 0, page.inner_text("body")


def visit(page: Page, studio: Studio, path: str = "/") -> None:
    page.goto(f"{studio.url}{path}")
    settle(page)


def go(page: Page, name: str) -> None:
    """Use the navigation."""
    page.get_by_role("link", name=name, exact=True).first.click()
    expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
    settle(page)


def keyed(page: Page, key: str) -> Locator:
    """The widget of that key."""
    return page.locator(f".st-key-{key}")


def open_demo(page: Page, studio: Studio, name: str) -> None:
    """One click on a demo card, then the baseline by itself."""
    visit(page, studio)
    keyed(page, f"demo_{name}").get_by_role("button").click()
    expect(keyed(page, "baseline")).to_be_visible()
    settle(page)


def set_number(page: Page, key: str, value: str) -> None:
    field = keyed(page, key).locator("input")
    field.fill(value)
    field.press("Enter")
    settle(page)


def start_run(page: Page, *, epochs: int, learning_rate: str | None = None) -> str:
    """From the strategy page, else with its defaults, to the run's page. -> the run's id."""
    set_number(page, "plan_epochs", str(epochs))
    if learning_rate is not None:
        set_number(page, "plan_learning_rate", learning_rate)
    keyed(page, "start").get_by_role("button").click()
    page.wait_for_url(re.compile(r"/retraining\?"))
    found = re.search(r"run=([0-9a-f-]+)", page.url)
    assert found, page.url
    return found.group(1)


def wait_until_done(page: Page) -> None:
    expect(page.get_by_role("link", name="See before and after")).to_be_visible()
    settle(page)


def compare(page: Page) -> str:
    """Go to the comparison. -> the verdict."""
    page.get_by_role("link", name="See before and after").click()
    expect(keyed(page, "figures")).to_be_visible()
    settle(page)
    return page.locator("h2").first.inner_text()


def metric(page: Page, label: str) -> str:
    """Value of the first figure whose label starts with these words."""
    found = page.get_by_test_id("stMetric").filter(has_text=re.compile(rf"^{re.escape(label)}"))
    return found.first.get_by_test_id("stMetricValue").inner_text()


def download(page: Page, key: str, folder: Path) -> Path:
    """Click a download. -> the file."""
    with page.expect_download() as waiting:
        keyed(page, key).get_by_role("button").click()
    got: Download = waiting.value
    path = folder / got.suggested_filename
    got.save_as(path)
    return path


def wait_for(condition, what: str) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError(f"never: {what}")
