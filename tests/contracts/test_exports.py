"""Every export format, told by the folder: a new one is covered the moment it exists."""

from pathlib import Path

import numpy as np
import pytest

from pruning.delivery.export import export_loaded
from pruning.delivery.exports import exports
from pruning.frameworks._base import framework
from pruning.intake.model_file import load
from tests.models import FAMILIES, build

# One of each: convolutions with branches, attention, recurrence, models inside models.
NAMES = ["concat_dense", "attention", "lstm", "nested_functional", "many_inputs_outputs"]


def test_formats_are_told_by_their_files() -> None:
    folder = Path(__file__).resolve().parents[2] / "pruning" / "delivery" / "exports"
    files = {path.stem for path in folder.glob("[!_]*.py")}
    assert set(exports()) == files >= {"keras", "h5", "litert"}


@pytest.mark.parametrize("name", sorted(exports()))
def test_a_format_says_what_it_is(name: str) -> None:
    form = exports()[name]
    assert form.name == name
    assert form.suffix.startswith(".")
    assert form.title
    assert 0 < form.tolerance <= 1e-3
    assert sum(other.suffix == form.suffix for other in exports().values()) == 1


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("model", NAMES)
@pytest.mark.parametrize("name", sorted(exports()))
def test_what_is_written_gives_the_models_outputs(
    name: str, model: str, family: str, tmp_path: Path
) -> None:
    source = tmp_path / "source.keras"
    framework(family).save(build(model, family), source)
    loaded, form = load(source), exports()[name]
    out = tmp_path / f"out{form.suffix}"
    result = export_loaded(loaded, form, out)
    assert result["path"] == str(out)
    assert result["bytes"] == out.stat().st_size > 0
    assert result["check"]["samples"] == 8
    assert result["check"]["max_abs_error"] < 1e-5
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["source.keras", out.name])


@pytest.mark.parametrize("name", sorted(exports()))
def test_another_model_would_be_noticed(name: str, tmp_path: Path) -> None:
    """The check can fail: a file of other weights does not pass for the model."""
    form, keras3 = exports()[name], framework("keras3")
    inputs = [np.random.default_rng(0).normal(size=(3, 8, 8, 3)).astype(np.float32)]
    path = tmp_path / f"out{form.suffix}"
    form.write(build("plain", "keras3", seed=1), keras3, path, inputs)
    (found,) = form.read(keras3, path, inputs)
    expected = np.asarray(build("plain", "keras3", seed=0)(inputs[0], training=False))
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() > 100 * form.tolerance
