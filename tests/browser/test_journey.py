"""Each demo from the first click to a compared, downloaded result; a user's own files too."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from pruning import quantities
from pruning.intake.dataset import Dataset
from pruning.runs.folder import RunFolder
from tests.browser import plain_keras, steps
from tests.browser.conftest import Studio

pytestmark = pytest.mark.browser


def judge_elsewhere(model: Path, data: Path) -> dict:
    """Accuracy and parameters of a file, by plain Keras in a process without the studio."""
    done = subprocess.run(
        [sys.executable, plain_keras.__file__, str(model), str(data)],
        capture_output=True, text=True, cwd=model.parent, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def prepared(studio: Studio, run: str) -> Path:
    ref = RunFolder(studio.home / "runs" / run)
    identifier, _, settings = ref.read(ref.request)["data"].partition("-")
    return studio.home / "data" / identifier / "prepared" / settings


@pytest.mark.parametrize("name", ["image", "speech", "text"])
def test_a_demo_from_the_first_click_to_the_download(
    page: Page, studio: Studio, tmp_path: Path, name: str
) -> None:
    steps.open_demo(page, studio, name)
    steps.go(page, "Layers")
    steps.go(page, "Strategy")
    shown = {label: steps.metric(page, label) for label in ("Parameters", "FLOPs")}
    run = steps.start_run(page, epochs=1)
    steps.wait_until_done(page)
    verdict = steps.compare(page)
    assert re.match(
        r"2\.\d× fewer FLOPs, .*accuracy .* \(95 %: .*\).* on [\d,]+ test samples", verdict
    )
    # What the strategy page promised is what the cut model has.
    assert {label: steps.metric(page, label) for label in shown} == shown
    model = steps.download(page, "download_model", tmp_path)
    found = judge_elsewhere(model, prepared(studio, run))
    assert quantities.percent(found["accuracy"]) == steps.metric(page, "Test accuracy")
    assert quantities.count(found["params"]) == shown["Parameters"]
    steps.keyed(page, "make_litert").get_by_role("button").click()
    litert = page.get_by_role("button", name=re.compile("LiteRT"))
    expect(litert.filter(has_text="·")).to_be_visible()
    file = steps.download(page, "download_litert", tmp_path)
    assert file.read_bytes()[4:8] == b"TFL3"


def test_samples_are_pictures_sounds_and_texts(page: Page, studio: Studio) -> None:
    kinds = {"image": "stImage", "audio": "stAudio", "text": "stText"}
    seen = set()
    for folder in sorted((studio.home / "runs").iterdir()):
        run = RunFolder(folder)
        request = run.read(run.request)
        modality = Dataset.open(prepared(studio, run.id)).manifest.modality
        query = f"model={request['model']}&data={request['data']}&run={run.id}"
        steps.visit(page, studio, f"/comparison?{query}&sheet=Samples")
        samples = steps.keyed(page, "samples").get_by_test_id(kinds[modality])
        expect(samples.first).to_be_visible()
        seen.add(modality)
    assert seen == set(kinds)


def test_the_server_has_no_tensorflow_in_memory(studio: Studio) -> None:
    maps = studio.memory_map()
    assert "numpy" in maps  # the file tells what is loaded
    for library in ("tensorflow", "libtensorflow", "keras", "h5py"):
        assert library not in maps


def test_layers_as_the_very_first_request(page: Page, studio: Studio) -> None:
    steps.visit(page, studio, "/layers")
    expect(page.get_by_role("link", name="Strategy", exact=True)).to_be_visible()
    expect(page.get_by_text("No model is open yet.")).to_be_visible()
    assert page.url.endswith("/layers")


def test_back_goes_one_page_back(page: Page, studio: Studio) -> None:
    """What is open is put back into the URL in one go, or each part would be a step of its own."""
    named = f"model={'f' * 20}&data={'a' * 20}-{'b' * 20}&run=20260101-120000-abcdef"
    steps.visit(page, studio, f"/runs?{named}")
    for name in ("Comparison", "Retraining"):
        steps.go(page, name)
    for name in ("Comparison", "Runs"):
        page.go_back()
        expect(page.get_by_role("heading", name=name, exact=True)).to_be_visible()
        steps.settle(page)
        assert page.url == f"{studio.url}/{name.lower()}?{named}"
