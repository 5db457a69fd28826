"""Two published architectures go the whole way; the script in ``benchmarks`` takes all of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.architectures import MEMBERS, missing, run


@pytest.mark.parametrize(
    ("family", "name"), [("keras3", "MobileNetV2"), ("tf_keras", "MobileNetV3Small")]
)
def test_an_architecture_is_cut_by_half_proved_saved_and_loaded(
    family: str, name: str, tmp_path: Path
) -> None:
    row = run(family, name, tmp_path)
    assert row.error <= row.tolerance
    assert row.floor < 0.03
    assert row.frozen == 1  # the classes
    assert 0.2 < row.params < 0.6
    assert 0.2 < row.flops < 0.6


@pytest.mark.parametrize("family", MEMBERS)
def test_the_table_has_a_member_of_every_family(family: str) -> None:
    assert missing(family) == set()
