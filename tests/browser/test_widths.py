"""Pages on a phone, a tablet and two screens: words of buttons, and what is selected, are seen."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from pruning.charts.theme import SELECTED
from tests.browser import steps
from tests.browser.conftest import Studio

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


@pytest.mark.parametrize("width", [390, 768, 1024, 1440])
@pytest.mark.parametrize("path", ["comparison?sheet=Samples&", "strategy?", "layers?"])
def test_nothing_on_a_button_is_cut_off(
    page: Page, studio: Studio, query: str, path: str, width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 1000})
    steps.visit(page, studio, f"/{path}{query}")
    page.get_by_test_id("stButtonGroup").first.wait_for()
    assert page.evaluate(CUT_OFF) == []


# Of the outlined node of the graph: is it inside of the box that scrolls?
IN_VIEW = """() => {
  const nodes = [...document.querySelectorAll(".st-key-layers_graph g.node")];
  const node = nodes.find((one) => one.outerHTML.toLowerCase().includes("OUTLINE"));
  if (!node) return false;
  let box = node.parentElement;
  while (!/auto|scroll/.test(getComputedStyle(box).overflowY)) box = box.parentElement;
  const [inner, outer] = [node.getBoundingClientRect(), box.getBoundingClientRect()];
  return inner.top >= outer.top && inner.bottom <= outer.bottom;
}""".replace("OUTLINE", SELECTED.lower())


@pytest.mark.parametrize("layer", ["image", "scores"])
def test_the_selected_layer_is_seen_in_the_whole_graph(
    page: Page, studio: Studio, query: str, layer: str
) -> None:
    steps.visit(page, studio, f"/layers?layer={layer}&whole=true&{query}")
    page.wait_for_function(IN_VIEW)
