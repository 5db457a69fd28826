"""Pages on a phone, a tablet and two screens: words of buttons, and what is selected, are seen."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from pruning import storage
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
      "[data-testid='stDownloadButton'] button, [data-testid='stButton'] button, " +
      "[data-testid='stPageLink'] a")) {
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
    reader: Page, studio: Studio, query: str, path: str, width: int
) -> None:
    reader.set_viewport_size({"width": width, "height": 1000})
    steps.visit(reader, studio, f"/{path}{query}")
    reader.get_by_test_id("stButtonGroup").first.wait_for()
    assert reader.evaluate(CUT_OFF) == []


def test_the_figures_of_what_is_open_are_read_whole_on_a_phone(
    reader: Page, studio: Studio, query: str
) -> None:
    """ "166 k parameters" was cut off after 166 behind a longer name."""
    (path,) = (studio.home / "models").glob("*/upload.json")
    record = storage.read_json(path)
    storage.write_json(path, record | {"name": "a_long_name_of_a_model_that_was_cut_twice.keras"})
    try:
        reader.set_viewport_size({"width": 390, "height": 1000})
        steps.visit(reader, studio, f"/strategy?{query}")
        reader.locator("a:visible", has_text="a_long_name").first.wait_for()
        assert reader.evaluate(CUT_OFF) == []
    finally:
        storage.write_json(path, record)


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
    reader: Page, studio: Studio, query: str, layer: str
) -> None:
    reader.set_viewport_size({"width": 1400, "height": 1000})
    steps.visit(reader, studio, f"/layers?layer={layer}&whole=true&{query}")
    reader.wait_for_function(IN_VIEW)
