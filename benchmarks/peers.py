"""Environments of the tools that the studio is measured beside, made by the scripts that use them.

    .venv/bin/python benchmarks/peers.py [torch surgeon tfmot]

Each tool gets a virtual environment of its own with the releases named here, under
``PRUNING_STUDIO_PEERS`` or else the user's cache folder, once; later runs use it as it is. The
index is whatever pip is configured with. PyTorch's Linux wheel on PyPI brings 2.5 GB of CUDA
libraries along (7 GB on disk): where pip finds a CPU build instead (``+cpu``), it is taken, because
only the release's number is asked for. Nothing here uses a GPU.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import platformdirs

HERE = Path(__file__).resolve().parent
REQUIREMENTS = {
    "torch": ("torch>=2.13,<2.15", "torchvision>=0.28,<0.30", "torch-pruning==1.6.1"),
    # Its last release is of 2022; TensorFlow 2.15 is the last that has Keras 2 inside.
    "surgeon": ("tensorflow==2.15.1", "numpy<2", "pandas", "tf2-keras-surgeon==0.0.1"),
    "tfmot": (
        "tensorflow==2.21.0",
        "tf-keras==2.21.0",
        "tensorflow-model-optimization==0.8.1",
    ),
}


def python_of(peer: str) -> Path:
    """The interpreter of a peer's environment, which is made when it is not there yet."""
    folder = _home() / peer
    python = folder / "bin" / "python"
    asked = "\n".join(REQUIREMENTS[peer])
    mark = folder / "requirements.txt"
    if not (mark.is_file() and mark.read_text() == asked):
        print(f"installing {', '.join(REQUIREMENTS[peer])} into {folder}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        install = [str(python), "-m", "pip", "install", "--quiet", *REQUIREMENTS[peer]]
        subprocess.run(install, check=True, stdout=sys.stderr)
        mark.write_text(asked)
    return python


def ask(peer: str, script: str, *arguments: str) -> Any:
    """What a script prints in a peer's environment, its last line read as JSON.

    Args:
        peer: A key of ``REQUIREMENTS``, or ``studio`` for this interpreter.
        script: Path of the file, beside this one or under ``inside_peers``.
        arguments: Of its command line.

    Raises:
        RuntimeError: The script failed; with the end of what it said.
    """
    python = sys.executable if peer == "studio" else str(python_of(peer))
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    environment["PYTHONPATH"] = str(HERE.parent) if peer == "studio" else ""
    if peer != "studio":  # set by importing the studio; a peer has TensorFlow as it comes
        environment.pop("TF_ONEDNN_USE_SYSTEM_ALLOCATOR", None)
    done = subprocess.run(
        [python, str(HERE / script), *arguments], capture_output=True, text=True, env=environment
    )
    if done.returncode:
        raise RuntimeError(f"{peer} {script}: {done.stderr[-2000:]}")
    lines = done.stdout.strip().splitlines()
    return json.loads(lines[-1]) if lines else None


def _home() -> Path:
    named = os.environ.get("PRUNING_STUDIO_PEERS")
    return Path(named) if named else Path(platformdirs.user_cache_dir("pruning-studio")) / "peers"


if __name__ == "__main__":
    for wanted in sys.argv[1:] or REQUIREMENTS:
        print(python_of(wanted))
