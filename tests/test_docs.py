"""The documentation is true where a program can tell: links, commands, options, settings, pins."""

from __future__ import annotations

import argparse
import ast
import json
import re
import shlex
import sys
import tomllib
from pathlib import Path

import pytest

from pruning import errors
from pruning.command_line import commands
from pruning.command_line.parser import build_parser
from pruning.intake import limits
from pruning.intake.modalities import modalities
from pruning.intake.options import Options
from pruning.strategy.criteria import criteria
from pruning.strategy.plan import PruningPlan, Schedule, Training

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
CODE = [*ROOT.glob("pruning/**/*.py"), *ROOT.glob("pages/**/*.py"), ROOT / "streamlit_app.py"]
COMMAND_LINE = (ROOT / "docs" / "command-line.md").read_text()
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text()
UPLOADS = (ROOT / "docs" / "uploads.md").read_text()
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
PRODUCT = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md")
# Import names whose package is called otherwise.
PACKAGES = {"PIL": "pillow"}


def words(page: Path) -> str:
    """The page without code blocks, in which brackets are no links."""
    return re.sub(r"```.*?```|`[^`\n]*`|^ {4,}.*$", "", page.read_text(), flags=re.S | re.M)


def anchors(page: Path) -> set[str]:
    """Fragments of the headings, as GitHub makes them."""
    found = re.findall(r"^#+ (.+)$", page.read_text(), flags=re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in found}


def test_documented_pages_are_there():
    names = {str(page.relative_to(ROOT)) for page in PAGES}
    assert {*PRODUCT, "CHANGELOG.md", "docs/guide.md", "docs/benchmarks.md"} <= names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path):
    for link in LINK.findall(words(page)):
        if link.startswith(("https://", "http://")):
            continue
        target, _, fragment = link.partition("#")
        path = (page.parent / target).resolve() if target else page
        assert path.exists(), f"{page.name} links to {link}, which is not there"
        assert path.is_relative_to(ROOT), f"{page.name} links out of the repository: {link}"
        if fragment:
            assert fragment in anchors(path), f"{path.name} has no heading for #{fragment}"


@pytest.mark.parametrize("name", PRODUCT)
def test_paths_in_backticks_exist(name: str):
    places = re.findall(
        r"`((?:pruning|pages|tests|docs|benchmarks)/[\w./]*)`", (ROOT / name).read_text()
    )
    assert [place for place in places if not (ROOT / place).exists()] == []


def test_no_placeholder_is_left():
    for page in PAGES:
        assert not re.search(r"^(SESSION|TABLE)$|\bTODO\b|\bFIXME\b", page.read_text(), re.M), page


def sessions() -> list[list[str]]:
    """Every command line of the documentation, split into arguments."""
    found = []
    for page in PAGES:
        text = page.read_text().replace("\\\n", " ")
        lines = re.findall(r"python3? -m pruning ([^`…\n]+)[`\n]", text)
        found += [shlex.split(line, comments=True) for line in lines]
    return found


def test_commands_of_the_documentation_are_understood():
    lines = [line for line in sessions() if "COMMAND" not in line]
    named = {line[0] for line in lines}
    assert {"demo", "inspect", "plan", "prune", "compare", "export"} <= named
    for line in lines:
        try:
            build_parser().parse_args(line)
        except errors.UsageError as error:
            pytest.fail(f"{' '.join(line)}: {error}")


def options_of(name: str) -> set[str]:
    """Long options of a command, without those that all have."""
    parser = argparse.ArgumentParser(add_help=False)
    next(entry for entry in commands.commands() if entry.name == name).arguments(parser)
    return {option for action in parser._actions for option in action.option_strings}


@pytest.mark.parametrize("name", [command.name for command in commands.commands()])
def test_every_command_and_its_options_are_documented(name: str):
    assert re.search(rf"`(?:[\w ]*, )?{name}[ `]", COMMAND_LINE)
    for option in options_of(name):
        assert re.search(rf"{re.escape(option)}\b", COMMAND_LINE), option


def kinds_below(cls: type[errors.PruningError]) -> set[str]:
    """Kinds of the errors derived from this one, at any depth."""
    return {k for child in cls.__subclasses__() for k in {child.kind, *kinds_below(child)}}


def test_every_kind_of_error_is_documented():
    kinds = kinds_below(errors.PruningError)
    listed = COMMAND_LINE.split("`kind` is one of", 1)[1].split("\n- ", 1)[0]
    assert set(re.findall(r"`(\w+)`", listed)) == kinds


@pytest.mark.parametrize("schema", sorted(ROOT.glob("tests/contracts/cli_schemas/*.json")))
def test_every_key_of_the_answers_is_documented(schema: Path):
    for key in json.loads(schema.read_text())["properties"]:
        assert re.search(rf"[`\"]{re.escape(key)}[`\"]", COMMAND_LINE), f"{schema.name}: {key}"


def test_defaults_of_retraining_are_as_documented():
    default = Training()
    assert (default.epochs, default.batch_size, default.learning_rate) == (3, 64, 0.0003)
    assert (default.optimizer, default.patience, default.seed) == ("adam", None, 0)
    assert (default.decay, default.distillation) == ("cosine", 0.0)
    assert "| `--decay` | `cosine` |" in COMMAND_LINE
    assert "| `--distillation X` | 0 |" in COMMAND_LINE
    assert default.feature_matching == 0
    assert "| `--feature-matching X` | 0 |" in COMMAND_LINE
    assert f"| `--cuts N` | {PruningPlan('').cuts} |" in COMMAND_LINE
    assert "3, 64, adam, 0.0003, none, 0" in COMMAND_LINE
    assert f"| `--schedule` | `{Schedule().kind}` |" in COMMAND_LINE


def test_settings_are_documented_and_documented_settings_exist():
    used = {
        name for path in CODE for name in re.findall(r"PRUNING_STUDIO_[A-Z_]+", path.read_text())
    }
    assert used == set(re.findall(r"PRUNING_STUDIO_[A-Z_]+", CONFIGURATION))
    assert "PRUNING_STUDIO_HOME" in used


def test_limits_are_as_documented():
    for written in (
        f"{limits.DEFAULT_UPLOAD_MB:,} MiB",
        f"{limits.MAX_ENTRIES:,} |",
        f"{limits.MAX_SAMPLE_BYTES >> 20} MiB",
        f"{limits.MAX_UNPACKED_BYTES >> 30} GiB",
        f"{limits.MAX_WHOLE_BYTES >> 30} GiB",
        f"{limits.MAX_CLASSES:,} |",
        f"{limits.MAX_RATIO} times",
        f"above {limits.RATIO_FREE_BYTES >> 20} MiB",
        f"{limits.SKIP_SHARE:.0%}".replace("%", " %"),
        f"from {limits.SKIP_FROM} samples",
    ):
        assert written in CONFIGURATION, written
    assert limits.MAX_TABLE_BYTES == limits.MAX_SAMPLE_BYTES


def test_server_settings_are_as_documented():
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())
    rows = re.findall(r"^\| `(\w+)\.(\w+)` \| `?([\w.]+)", CONFIGURATION, flags=re.M)
    assert len(rows) >= 5
    for section, key, value in rows:
        if (section, key) == ("server", "port"):
            continue  # Streamlit's default: not in our file
        assert str(config[section][key]).lower() == value.lower(), f"{section}.{key}"


@pytest.mark.parametrize("name", sorted(modalities()))
def test_settings_of_modalities_are_documented(name: str):
    module = sys.modules[modalities()[name].decode.__module__]
    described = (module.__doc__ or "").partition("Settings")[2]
    keys = set(re.findall(r"^    (\w+(?:, \w+)*):", described, flags=re.M))
    keys = {key for group in keys for key in group.split(", ")}
    section = UPLOADS.split(f'"modality": "{name}"', 1)[1].partition("\n### ")[0]
    assert keys, name
    assert [key for key in keys if f"`{key}`" not in section] == []


def test_suffixes_and_options_of_uploads_are_documented():
    for modality in modalities().values():
        assert all(suffix in UPLOADS for suffix in modality.suffixes)
    named = {"name"}  # shown beside the data; the upload's own name
    for option in set(Options.__dataclass_fields__) - named:
        assert f"`{option}`" in UPLOADS, option


def imported(paths: list[Path]) -> set[str]:
    """Top-level names of everything that is imported."""
    found: set[str] = set()
    for path in paths:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names) - {"pruning", "pages", "tests", "streamlit_app"}


def pins(name: str) -> set[str]:
    """Packages with an exact version in a requirements file."""
    lines = re.findall(r"^([\w.-]+)==[\d.]", (ROOT / name).read_text(), flags=re.M)
    return {line.lower().replace("_", "-") for line in lines}


def test_what_is_imported_is_declared_and_pinned():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    declared = {re.split(r"[<>=]", line)[0].lower().replace("_", "-") for line in declared}
    for name in imported(CODE):
        package = PACKAGES.get(name, name).lower().replace("_", "-")
        assert package in declared, f"{name} is imported and not declared"
        assert package in pins("requirements.txt"), f"{package} is not pinned"


def test_what_tests_and_benchmarks_import_is_pinned():
    folders = ("tests", "benchmarks", "docs")
    paths = [path for folder in folders for path in ROOT.glob(f"{folder}/**/*.py")]
    # Those run in the environments of peers, which benchmarks/peers.py makes and pins.
    paths = [path for path in paths if path.parent.name != "inside_peers"]
    own = {path.stem for path in paths} | {*folders}  # benchmarks import each other
    known = pins("requirements.txt") | pins("requirements-dev.txt")
    for name in imported(paths) - own:
        assert PACKAGES.get(name, name).lower().replace("_", "-") in known, name


def test_every_benchmark_has_a_place_among_the_results():
    text = (ROOT / "docs" / "benchmarks.md").read_text()
    for script in ROOT.glob("benchmarks/*.py"):
        assert f"benchmarks/{script.name}" in text, script.name


def test_every_screenshot_is_taken_by_the_script_and_is_small():
    script = (ROOT / "docs" / "screenshots.py").read_text()
    for picture in ROOT.glob("docs/images/*"):
        assert f'"{picture.stem}"' in script, picture.name
        assert picture.stat().st_size <= 250_000, picture.name
    shown = [link for page in PAGES for link in LINK.findall(words(page)) if link.endswith(".png")]
    assert "docs/images/comparison-light.png" in shown


def test_no_page_names_this_machine():
    for page in [*PAGES, *CODE]:
        assert f"{ROOT}/" not in page.read_text(), page


def test_every_criterion_for_channels_and_blocks_is_explained_with_its_source():
    text = (ROOT / "docs" / "criteria.md").read_text()
    rows = {row.split("`")[1]: row for row in text.splitlines() if row.startswith("| `")}
    known = criteria("channels") | criteria("layers")
    assert rows.keys() == known.keys()
    by_samples = text.split("## From training samples")[1]
    for name, found in known.items():
        assert f"({found.source})" in rows[name]
        assert (rows[name] in by_samples) == found.data_driven
        assert name in COMMAND_LINE
