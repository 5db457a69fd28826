"""A user's own files: a Keras 2 ``.h5`` with a zip of pictures; files that are no good."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from pruning import quantities
from tests.browser import make_keras2_upload, steps
from tests.browser.conftest import PATIENCE_MS, Studio
from tests.browser.test_journey import judge_elsewhere, prepared

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("upload")
    done = subprocess.run(
        [sys.executable, make_keras2_upload.__file__, str(folder)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return folder


def drop(page: Page, kind: str, file: Path) -> None:
    """Drop a file on the zone for models or for data."""
    zone = page.get_by_test_id("stFileUploader").filter(has_text=f"Your own {kind}")
    zone.locator("input[type=file]").set_input_files(file)


def test_a_keras_2_model_with_a_zip_of_pictures(
    page: Page, studio: Studio, files: Path, tmp_path: Path
) -> None:
    steps.visit(page, studio)
    drop(page, "model", files / "shapes.h5")
    expect(page.get_by_text("stays in Keras 2")).to_be_visible()
    drop(page, "data", files / "shapes.zip")
    expect(steps.keyed(page, "baseline")).to_be_visible()
    steps.settle(page)
    steps.go(page, "Strategy")
    run = steps.start_run(page, epochs=12, learning_rate="0.003")  # of 20 steps each
    steps.wait_until_done(page)
    verdict = steps.compare(page)
    assert re.match(r"2\.\d× fewer FLOPs", verdict), verdict
    model = steps.download(page, "download_model", tmp_path)
    assert model.suffix == ".h5"
    found = judge_elsewhere(model, prepared(studio, run))
    assert quantities.percent(found["accuracy"]) == steps.metric(page, "Test accuracy")
    assert found["accuracy"] > 0.8  # chance is a third


def test_data_that_is_on_its_way_while_a_model_is_opened_arrives(
    page: Page, studio: Studio, files: Path
) -> None:
    held: list[Route] = []

    def hold_the_first(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    page.route("**/_stcore/upload_file/**", hold_the_first)
    steps.visit(page, studio)
    drop(page, "data", files / "shapes.zip")
    steps.wait_for(lambda: page.wait_for_timeout(50) or held, "the upload of the data")
    drop(page, "model", files / "shapes.h5")
    expect(page.get_by_text("stays in Keras 2")).to_be_visible()
    steps.settle(page)
    held[0].continue_()
    expect(steps.keyed(page, "baseline")).to_be_visible()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.keras", b"", "empty"),
        ("renamed.h5", b"\x89PNG\r\n\x1a\n" + bytes(200), "PNG"),
    ],
)
def test_a_bad_model_file_is_explained_and_the_page_stays_up(
    page: Page, studio: Studio, tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(content)
    steps.visit(page, studio)
    drop(page, "model", tmp_path / name)
    alert = page.get_by_test_id("stAlert").filter(has_text="To fix it")
    expect(alert.first).to_be_visible()
    assert words in alert.first.inner_text()
    steps.go(page, "Runs")


def test_an_upload_is_deleted_and_whoever_has_it_open_is_told(
    page: Page, browser: Browser, studio: Studio, tmp_path: Path
) -> None:
    (tmp_path / "unwanted.keras").write_bytes(b"PK\x03\x04 and no more")
    steps.visit(page, studio)
    drop(page, "model", tmp_path / "unwanted.keras")
    expect(page.get_by_text("To fix it").first).to_be_visible()
    other = browser.new_context().new_page()
    other.set_default_timeout(PATIENCE_MS)
    steps.visit(other, studio, page.url.removeprefix(studio.url))
    page.get_by_text("Open another model or a demo").click()
    page.get_by_text("Delete a model …").click()
    expect(page.get_by_text("Delete unwanted.keras and everything")).to_be_visible()
    page.get_by_role("button", name="Delete this upload").click()
    expect(page.get_by_text("Deleted unwanted.keras.")).to_be_visible()
    expect(page.get_by_text("Open a demo with one click")).to_be_visible()
    steps.go(other, "Layers")
    expect(other.get_by_text("The model of this link is not in this studio")).to_be_visible()
    expect(other.get_by_role("link", name="Model not in this studio")).to_be_visible()
    other.context.close()
