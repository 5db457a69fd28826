"""What ``import pruning`` promises."""

import ast
import subprocess
import sys
from dataclasses import is_dataclass
from pathlib import Path

import pytest

import pruning

ROOT = Path(__file__).resolve().parent.parent


def test_all_is_what_there_is() -> None:
    assert len(pruning.__all__) == len(set(pruning.__all__)) <= 15
    for name in pruning.__all__:
        assert getattr(pruning, name).__name__ == name
    assert set(pruning.__all__) <= set(dir(pruning))
    # What type checkers see is what is exported.
    names = set()
    for node in ast.walk(ast.parse(Path(pruning.__file__).read_text())):
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING":
            names = {a.name for entry in node.body for a in entry.names}  # type: ignore[attr-defined]
    assert names == set(pruning.__all__)


def test_unknown_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="no attribute 'sensitivty'"):
        pruning.sensitivty  # noqa: B018


def test_results_are_dataclasses_with_json() -> None:
    for name in ("Inspection", "Planned", "Pruned", "Compared", "Exported"):
        cls = getattr(pruning, name)
        assert is_dataclass(cls)
        assert callable(cls.to_dict)


def test_importing_it_is_light() -> None:
    code = (
        "import sys, pruning; [getattr(pruning, n) for n in pruning.__all__];"
        "import pruning.command_line;"
        "heavy = ('tensorflow', 'keras', 'tf_keras', 'streamlit');"
        "print([m for m in heavy if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.stdout.strip() == "[]", done.stderr


def test_every_error_of_the_tree_has_its_own_kind() -> None:
    from pruning import errors

    classes = [c for c in vars(errors).values() if isinstance(c, type)]
    kinds = [c.kind for c in classes if issubclass(c, pruning.PruningError)]
    assert len(kinds) == len(set(kinds)) >= 9


@pytest.mark.parametrize(
    ("metric", "expected"),
    [("accuracy", {"before": 0.9, "after": 0.8}), ("mae", None), ("macro_f1", None), (None, None)],
)
def test_only_accuracy_is_called_accuracy(metric: str | None, expected: dict | None) -> None:
    from pruning.api.results import Pruned

    values = {"before": 0.9, "after": 0.8} if metric else None
    record = Pruned({"metric": metric, "accuracy": values, "sparsity": 0.0}).to_dict()
    assert record == {"accuracy": expected, "sparsity": 0.0}
