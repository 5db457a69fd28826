"""A model file chooses its names: nothing of them is run or drawn as markup, on any page."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.browser import steps
from tests.browser.conftest import Studio
from tests.pages import profiles
from tests.pages import studio as prepared

pytestmark = pytest.mark.browser
MODEL = "abcdefabcdefabcdefab"
RUN = "20260103-120000-abcdef"
PATHS = ("?", "layers?", "strategy?", "retraining?", "runs?", "comparison?sheet=Structure&")


@pytest.fixture(scope="module")
def query(studio: Studio) -> str:
    """A model whose file and layer have hostile names, with a finished run, written by hand."""
    profile = replace(
        profiles.resnet((1, 1), 8, odd_name=profiles.HOSTILE), digest=MODEL, name=profiles.HOSTILE
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRUNING_STUDIO_HOME", str(studio.home))
        prepared.build(studio.home)
        profiles.store(profile, studio.home, MODEL)
        prepared.run(studio.home, profile, RUN)
    layer = quote(profiles.HOSTILE, safe="")
    return f"model={MODEL}&data={prepared.REF}&run={RUN}&layer={layer}"


@pytest.fixture(scope="module")
def told(reader: Page) -> list[str]:
    """What the pages' scripts said or stumbled over."""
    told: list[str] = []
    reader.on("dialog", lambda dialog: (told.append(dialog.message), dialog.dismiss()))
    reader.on("pageerror", lambda error: told.append(str(error)))
    reader.set_viewport_size({"width": 390, "height": 900})
    return told


@pytest.mark.parametrize("path", PATHS)
def test_names_are_words_and_nothing_else(
    reader: Page, told: list[str], studio: Studio, query: str, path: str
) -> None:
    steps.visit(reader, studio, f"/{path}{query}")
    expect(reader.locator(".st-key-header")).to_contain_text("<img src=x")
    reader.wait_for_timeout(500)  # the handler of an image that cannot be loaded comes late
    assert told == []
    assert reader.locator("img[src='x'], .katex").count() == 0
    # No name is as long as to make a phone scroll sideways.
    assert reader.evaluate("document.documentElement.scrollWidth <= innerWidth")
