"""Pages on a phone, a tablet and two screens: every word of a button can be read."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser import steps
from tests.browser.conftest import Studio
from tests.pages import studio as prepared

pytestmark = pytest.mark.browser

# Buttons whose words end in an ellipsis, and rows of choices that have to be scrolled.
CUT_OFF = """() => {
  const main = document.querySelector("[data-testid='stMain']");
  const wider = (node) => node.scrollWidth > node.clientWidth + 1;
  const found = [];
  for (const button of main.querySelectorAll(
      "[data-testid='stDownloadButton'] button, [data-testid='stButton'] button")) {
    if ([button, ...button.querySelectorAll("*")].some(
        (node) => getComputedStyle(node).overflowX !== "visible" && wider(node)))
      found.push(button.innerText);
  }
  for (const group of main.querySelectorAll("[data-testid='stButtonGroup'] *"))
    if (getComputedStyle(group).overflowX === "auto" && wider(group)) found.push(group.innerText);
  return found;
}"""


@pytest.fixture(scope="module")
def query(studio: Studio) -> str:
    """A finished run in the studio's home folder, written by hand."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRUNING_STUDIO_HOME", str(studio.home))
        run = prepared.run(studio.home, prepared.build(studio.home))
    return f"model={prepared.profiles.MODEL}&data={prepared.REF}&run={run.id}"


@pytest.mark.parametrize("width", [390, 768, 1024, 1440])
@pytest.mark.parametrize("path", ["comparison?sheet=Samples&", "strategy?", "layers?"])
def test_nothing_on_a_button_is_cut_off(
    page: Page, studio: Studio, query: str, path: str, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 1000})
    steps.visit(page, studio, f"/{path}{query}")
    page.get_by_test_id("stButtonGroup").first.wait_for()
    assert page.evaluate(CUT_OFF) == []
