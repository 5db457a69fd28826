"""What libraries say of themselves is held back, everything else is not."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings

import pytest

from pruning.frameworks.greetings import give_no_advice, without_greetings

GREETINGS = (
    "WARNING: All log messages before absl::InitializeLog() is called are written to STDERR\n"
    "I0000 00:00:1.5    17 port.cc:153] oneDNN custom operations are on. You may see.\n"
    "INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\n"
)


@pytest.fixture(autouse=True)
def usual_level(monkeypatch):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")


def test_greetings_are_dropped_and_the_rest_comes_at_the_end_in_its_order(capfd):
    with without_greetings():
        os.write(2, b"first\n" + GREETINGS.encode() + b"F0000 no AVX\n  I0000 quoted")
        assert capfd.readouterr().err == ""
    assert capfd.readouterr().err == "first\nF0000 no AVX\n  I0000 quoted"
    os.write(2, b"I0000 later\n")
    assert capfd.readouterr().err == "I0000 later\n"


def test_what_was_said_before_an_exception_is_given_on(capfd):
    @without_greetings()
    def fail() -> None:
        os.write(2, b"why\n")
        raise ImportError

    with pytest.raises(ImportError):
        fail()
    assert capfd.readouterr().err == "why\n"


def test_who_asks_for_everything_gets_it(capfd, monkeypatch):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "0")
    with without_greetings():
        os.write(2, GREETINGS.encode())
    assert capfd.readouterr().err == GREETINGS


def test_a_closed_standard_error_is_left_closed():
    code = (
        "import os\n"
        "from pruning.frameworks.greetings import without_greetings\n"
        "os.close(2)\n"
        "with without_greetings(): print('worked')\n"
        "try: os.fstat(2)\n"
        "except OSError: print('closed')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert done.stdout == "worked\nclosed\n"


def test_importing_tensorflow_says_nothing():
    code = (
        "from pruning.frameworks.greetings import give_no_advice\n"
        "from pruning.frameworks.memory import imported\n"
        "give_no_advice()\n"
        "keras = imported('keras')\n"
        "print(float(keras.ops.add(1.0, 2.0)))\n"  # the first operation looks for graphics cards
    )
    environment = {k: v for k, v in os.environ.items() if k != "TF_CPP_MIN_LOG_LEVEL"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment
    )
    assert (done.stdout, done.stderr) == ("3.0\n", "")


def test_advice_against_h5_is_none_other_warnings_are():
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        give_no_advice()
        warnings.warn("You are saving your model as an HDF5 file via `model.save()`.", stacklevel=1)
        warnings.warn("Something else.", stacklevel=1)
    assert [str(entry.message) for entry in said] == ["Something else."]
