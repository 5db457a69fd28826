"""The glossary: reachable from everywhere, and about words that the pages use."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pages.components import glossary

PAGES = ("upload", "layers", "strategy", "retraining", "comparison", "runs")


@pytest.mark.parametrize("page", PAGES)
def test_it_is_on_every_page(app, page):
    app.run()
    app.switch_page(f"{page}.py").run()
    assert any("**Channel group**" in element.value for element in app.markdown)


def test_a_dozen_terms_in_order_each_that_is_shown():
    terms = re.findall(r"^\*\*(.+?)\*\* – ", glossary.text(), re.MULTILINE)
    assert len(terms) >= 12
    assert terms == sorted(terms, key=str.casefold)
    root = Path(glossary.__file__).parents[2]  # the stages of a run are named in the engine
    sources = [path for room in ("pages", "pruning/runs") for path in (root / room).rglob("*.py")]
    used = " ".join(path.read_text() for path in sources).casefold()
    unused = [term for term in terms if re.split(r"[ ,●]", term)[0].casefold() not in used]
    assert not unused
