"""Folders of plugins."""

import sys
from pathlib import Path

import pytest

from pruning import plugins


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    folder = tmp_path / "tools_of_a_test"
    folder.mkdir()
    for name in ("__init__", "saw", "axe", "_base"):
        (folder / f"{name}.py").write_text(f"NAME = {name!r}\n")
    (folder / "broken.py").write_text("raise RuntimeError('imported')\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield folder.name
    for module in [name for name in sys.modules if name.startswith(folder.name)]:
        del sys.modules[module]


def test_names_are_those_of_the_files_and_import_none_of_them(package: str) -> None:
    assert plugins.names(package) == ("axe", "broken", "saw")
    assert f"{package}.axe" not in sys.modules


def test_one_is_imported_alone(package: str) -> None:
    assert plugins.plugin(package, "saw").NAME == "saw"
    assert f"{package}.axe" not in sys.modules


def test_all_are_imported_in_the_order_of_their_names(package: str, tmp_path: Path) -> None:
    (tmp_path / package / "broken.py").unlink()
    assert [module.NAME for module in plugins.plugins(package)] == ["axe", "saw"]


def test_a_folder_that_joins_the_package_is_seen(package: str, tmp_path: Path) -> None:
    import importlib

    assert "drill" not in plugins.names(package)
    (tmp_path / "drill.py").write_text("NAME = 'drill'\n")
    importlib.import_module(package).__path__.append(str(tmp_path))
    assert "drill" in plugins.names(package)
    assert plugins.plugin(package, "drill").NAME == "drill"
