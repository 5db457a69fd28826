"""What can be read and what a screen reader finds, in both themes: contrast, headings, names."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import steps
from tests.browser.conftest import PATIENCE_MS, Studio

pytestmark = pytest.mark.browser

PATHS = ("", "layers", "strategy", "retraining", "comparison", "comparison?sheet=Samples", "runs")
LEAST = 4.5  # WCAG 2, 1.4.3

# Words of captions, links in them and buttons, with the contrast they are drawn with.
PALE = """(least) => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
  const rgba = (css) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = css; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].map((part) => part / 255);
  };
  const over = (top, below) => {
    const mixed = [0, 1, 2].map((i) => top[3] * top[i] + (1 - top[3]) * below[i]);
    return [...mixed, 1];
  };
  const luminance = (colour) => colour.slice(0, 3)
    .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const around = (node) => {
    const all = [];
    for (let one = node; one; one = one.parentElement) all.unshift(one);
    return all;
  };
  const found = [];
  const words = "[data-testid='stCaptionContainer'] :is(p, a), [data-testid='stMain'] button p";
  for (const node of document.querySelectorAll(words)) {
    if (!node.innerText.trim() || node.closest("button:disabled")) continue;
    let ground = [1, 1, 1, 1], shown = 1;
    for (const one of around(node)) {
      const style = getComputedStyle(one);
      ground = over(rgba(style.backgroundColor), ground);
      shown *= Number(style.opacity);
    }
    const ink = rgba(getComputedStyle(node).color);
    ink[3] *= shown;
    const [dim, bright] = [luminance(over(ink, ground)), luminance(ground)].sort((a, b) => a - b);
    const contrast = (bright + 0.05) / (dim + 0.05);
    if (contrast < least) found.push([node.innerText.slice(0, 40), contrast]);
  }
  return found;
}"""
LEVELS = (
    "() => [...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map((h) => Number(h.tagName[1]))"
)
NAMELESS = """() => [...document.querySelectorAll(
  "[data-testid='stVegaLiteChart'] svg [role='graphics-symbol'], [data-testid='stMain'] img")]
  .filter((one) => !one.closest("[aria-hidden='true']"))
  .filter((one) => !one.getAttribute("aria-label") && !one.getAttribute("alt"))
  .map((one) => one.outerHTML.slice(0, 120))"""


@pytest.fixture(params=["light", "dark"])
def themed(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    context = browser.new_context(color_scheme=request.param, reduced_motion="reduce")
    opened = context.new_page()
    opened.set_default_timeout(PATIENCE_MS)
    yield opened
    context.close()


def test_words_can_be_read_and_headings_and_pictures_found(
    themed: Page, studio: Studio, query: str
) -> None:
    steps.visit(themed, studio, "/")
    steps.keyed(themed, "demo_image").wait_for()
    assert_accessible(themed, "without a model")
    for path in PATHS:
        steps.visit(themed, studio, f"/{path}{'&' if '?' in path else '?'}{query}")
        themed.get_by_role("heading").nth(1).wait_for()
        assert_accessible(themed, path)


def assert_accessible(page: Page, where: str) -> None:
    page.wait_for_timeout(500)  # colours fade in
    assert page.evaluate(PALE, LEAST) == [], where
    levels = page.evaluate(LEVELS)
    assert levels[0] == 1, where
    assert all(after - before <= 1 for before, after in pairwise(levels)), (where, levels)
    assert page.evaluate(NAMELESS) == [], where
