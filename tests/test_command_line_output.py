"""Where words go: readers that leave, streams that are closed or full, names that command."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from pruning.api.results import Inspection
from pruning.command_line import main
from pruning.command_line.commands import inspect
from tests.strategy.profiles import small_profile

ROOT = Path(__file__).resolve().parent.parent
HOSTILE = "x\x1b[2J\x1b]0;title\x07\r\nself-check: passed\u202e"
SHOWN = r"x\x1b[2J\x1b]0;title\x07\r\nself-check: passed\u202e"


def shell(line: str, home: Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a shell, ``PRUNING`` standing for the program."""
    return subprocess.run(
        ["bash", "-c", line.replace("PRUNING", f"{sys.executable} -m pruning")],
        capture_output=True,
        text=True,
        cwd=home,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PRUNING_STUDIO_HOME": str(home)},
    )


@pytest.mark.parametrize(
    "line",
    [
        "PRUNING runs list > >(exec <&-); echo $? >&2",
        "PRUNING runs list --json > >(exec <&-); echo $? >&2",
        "PRUNING runs list >&-; echo $? >&2",
        "PRUNING runs list --json <&- >&-; echo $? >&2",
    ],
)
def test_a_reader_that_leaves_is_no_fault(line: str, tmp_path: Path) -> None:
    done = shell(line, tmp_path)
    assert (done.stdout, done.stderr) == ("", "0\n")


@pytest.mark.parametrize("notes", ["2> >(exec <&-)", "2>&-"])
@pytest.mark.parametrize(("answer", "code"), [("runs list", "0"), ("runs show nothing", "2")])
def test_nobody_has_to_read_the_notes(notes: str, answer: str, code: str, tmp_path: Path) -> None:
    done = shell(f"PRUNING {answer} --json {notes}; echo $?", tmp_path)
    assert done.stdout.startswith("{")
    assert done.stdout.splitlines()[-1] == code
    done = shell(f"PRUNING {answer} {notes}; echo $?", tmp_path)
    assert done.stdout.splitlines()[-1] == code


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
@pytest.mark.parametrize("form", ["", "--json"])
def test_a_full_standard_output_is_said(form: str, tmp_path: Path) -> None:
    done = shell(f"PRUNING runs list {form} > /dev/full; echo $?", tmp_path)
    assert done.stdout == "2\n"
    first, *others = done.stderr.splitlines()
    assert first.startswith("The answer could not be written to standard output: No space left")
    assert len(others) == 2


def test_names_do_not_command_the_terminal() -> None:
    profile = small_profile()
    layers = tuple(replace(layer, name=HOSTILE) for layer in profile.layers)
    stream = StringIO()
    found = Inspection(replace(profile, name=HOSTILE, layers=layers))
    inspect.show(found, Console(file=stream, highlight=False, width=400, force_terminal=False))
    written = stream.getvalue()
    assert written.startswith(f"{SHOWN}: ")
    assert written.count(SHOWN) == 1 + len(layers)
    assert not any(char in written for char in "\x1b\x07\r\u202e")


def test_an_error_about_a_hostile_name_is_three_lines(capfd) -> None:
    assert main(["demo", "image", "--out", "nowhere", HOSTILE]) == 2
    captured = capfd.readouterr()
    assert len(captured.err.splitlines()) == 3
    assert "\x1b" not in captured.err
    assert r"\x1b[2J" in captured.err


def test_words_of_all_scripts_stay_as_they_are(capfd) -> None:
    name = "Mädchen 女孩 بچه\u200cها 👩\u200d🔬"
    assert main(["demo", "image", "--out", "nowhere", name]) == 2
    assert f"unrecognized arguments: {name}." in capfd.readouterr().err
