from __future__ import annotations

import pytest

from pruning.charts import theme


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [("#FFFFFF", "#000000", 21.0), ("#767676", "#FFFFFF", 4.54), ("#777777", "#FFFFFF", 4.48)],
)
def test_contrast_is_that_of_wcag(one, other, ratio) -> None:
    """The greys are the standard's own examples of just enough and just too little."""
    assert theme.contrast(one, other) == pytest.approx(ratio, abs=0.005)
    assert theme.contrast(other, one) == theme.contrast(one, other)


@pytest.mark.parametrize("fill", [*theme.GROUPS, theme.FROZEN])
def test_words_on_a_group_can_be_read(fill) -> None:
    assert theme.contrast(fill, theme.ink_on(fill)) >= 4.5


@pytest.mark.parametrize("expression", [theme.PERCENT_LABEL, theme.percent_of("score")])
def test_percent_has_the_space_that_the_pages_write(expression) -> None:
    """Vega's own format writes 50% beside captions that say 50 %."""
    assert expression.startswith("replace(format(datum")
    assert expression.endswith(", '%', ' %')")
