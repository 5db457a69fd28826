"""The rules of ARCHITECTURE.md, executed: one direction of data, no TensorFlow in the server."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOUNDATION = {"archives", "errors", "storage", "quantities"}
ROOMS = [
    "frameworks",
    "intake",
    "analysis",
    "strategy",
    "surgery",
    "training",
    "comparison",
    "delivery",
]
TOP = {"runs", "demos", "charts", "api", "__main__", "command_line"}
HEAVY = ("tensorflow", "keras", "tf_keras", "tensorflow_model_optimization")


def imports(path: Path) -> set[str]:
    """Every module that a file imports anywhere in it, as written."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def rooms_of(modules: set[str]) -> set[str]:
    """The rooms of ``pruning`` among these modules."""
    return {name.split(".")[1] for name in modules if name.startswith("pruning.")}


def room_violations(root: Path) -> list[str]:
    """Rule 2: a room imports from rooms to its left only."""
    violations = []
    for index, room in enumerate(ROOMS):
        allowed = FOUNDATION | set(ROOMS[: index + 1])
        for path in sorted((root / "pruning" / room).rglob("*.py")):
            for other in sorted(rooms_of(imports(path)) & (set(ROOMS) | TOP) - allowed):
                violations.append(f"{path.relative_to(root)} imports pruning.{other}")
    for name in FOUNDATION:
        wrong = rooms_of(imports(root / "pruning" / f"{name}.py")) - FOUNDATION
        violations += [f"pruning/{name}.py imports pruning.{other}" for other in sorted(wrong)]
    return violations


def streamlit_violations(root: Path) -> list[str]:
    """Rule 1: pages import pruning, never back, and no Streamlit inside pruning."""
    return [
        f"{path.relative_to(root)} imports {name}"
        for path in sorted((root / "pruning").rglob("*.py"))
        for name in sorted({name.split(".")[0] for name in imports(path)})
        if name in ("streamlit", "pages")
    ]


def sibling_violations(root: Path) -> list[str]:
    """Rule 5: a plug-in imports its contract, never a sibling."""
    violations = []
    for contract in sorted((root / "pruning").rglob("_base.py")):
        package = contract.parent
        prefix = ".".join(package.relative_to(root).parts)
        if prefix == "pruning.frameworks":
            continue  # two adapters behind one door, not an open family
        names = {path.stem for path in package.glob("*.py")} - {"__init__"}
        for path in package.glob("*.py"):
            if path.stem.startswith("_"):
                continue
            siblings = {f"{prefix}.{name}" for name in names if not name.startswith("_")}
            wrong = imports(path) & (siblings - {f"{prefix}.{path.stem}"})
            violations += [f"{path.relative_to(root)} imports {name}" for name in sorted(wrong)]
    return violations


def test_rooms_import_only_from_their_left() -> None:
    assert room_violations(ROOT) == []


def test_no_streamlit_in_the_engine() -> None:
    assert streamlit_violations(ROOT) == []


def test_plug_ins_do_not_know_their_siblings() -> None:
    assert sibling_violations(ROOT) == []


def test_strategy_is_numpy_only() -> None:
    for path in (ROOT / "pruning" / "strategy").rglob("*.py"):
        heavy = {name for name in imports(path) if name.split(".")[0] in HEAVY}
        assert not heavy, f"{path.relative_to(ROOT)} imports {heavy}"


def test_engine_never_unpickles() -> None:
    for path in [*(ROOT / "pruning").rglob("*.py"), *(ROOT / "pages").rglob("*.py")]:
        names = {name.split(".")[0] for name in imports(path)}
        assert not names & {"pickle", "marshal", "shelve", "dill", "joblib", "multiprocessing"}, (
            path
        )
        assert "allow_pickle=True" not in path.read_text(), path


def test_server_imports_no_tensorflow() -> None:
    """Rule 3: import everything that the server imports, in a fresh process."""
    code = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
import importlib, pathlib
root = pathlib.Path({str(ROOT)!r})
from streamlit.testing.v1 import AppTest
import streamlit_app
modules = set()
import ast
for page in root.glob("pages/**/*.py"):
    for node in ast.walk(ast.parse(page.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("pruning"):
            modules.add(node.module)
        elif isinstance(node, ast.Import):
            modules |= {{a.name for a in node.names if a.name.startswith("pruning")}}
for name in sorted(modules):
    importlib.import_module(name)
assert len(modules) > 5, modules
print(sorted(m for m in {HEAVY!r} if m in sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.strip().splitlines()[-1] == "[]"


@pytest.mark.parametrize(
    ("room", "line", "check"),
    [
        ("analysis", "from pruning.surgery import channels", room_violations),
        ("strategy", "import pruning.runs.worker", room_violations),
        ("intake", "import streamlit", streamlit_violations),
        ("training", "def f():\n    from pages import upload", streamlit_violations),
    ],
)
def test_a_broken_rule_is_found(tmp_path: Path, room: str, line: str, check) -> None:
    """The checks above do fail when a rule is broken."""
    for name in ROOMS:
        (tmp_path / "pruning" / name).mkdir(parents=True)
    for name in FOUNDATION:
        (tmp_path / "pruning" / f"{name}.py").write_text("")
    assert check(tmp_path) == []
    (tmp_path / "pruning" / room / "wrong.py").write_text(line)
    assert len(check(tmp_path)) == 1


def test_a_sibling_import_is_found(tmp_path: Path) -> None:
    package = tmp_path / "pruning" / "strategy" / "criteria"
    package.mkdir(parents=True)
    (package / "_base.py").write_text("")
    (package / "l1.py").write_text("from pruning.strategy.criteria._base import Criterion")
    (package / "l2.py").write_text("")
    assert sibling_violations(tmp_path) == []
    (package / "l2.py").write_text("from pruning.strategy.criteria.l1 import score")
    assert sibling_violations(tmp_path) == [
        "pruning/strategy/criteria/l2.py imports pruning.strategy.criteria.l1"
    ]
