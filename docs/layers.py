"""The table of layer classes in ``docs/layers.md``, taken from the rules and the installed Kerases.

Run: ``python docs/layers.py`` from the repository's root after a rule or a pinned Keras changed. A
test compares the page with what this would write.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pruning.analysis.layer_rules import UNKNOWN, rules
from pruning.analysis.layer_rules._base import LayerRule
from pruning.frameworks.greetings import give_no_advice

PAGE = Path(__file__).with_name("layers.md")
KERASES = {"keras": "Keras 3", "tf_keras": "tf_keras"}
WORDS = {"cut": "cut", "passed": "passed through", "frozen": "frozen"}
HEAD = """# What happens to each layer

This table has every layer class of the installed Keras 3 and tf_keras. `python docs/layers.py`
writes it, and a test compares it with the installed versions.

- **cut**: the layer has weights along the channels, and they become smaller.
- **passed through**: the number of channels is the same before and after the layer. It never
  prevents a cut.
- **frozen**: the channels that the layer reads stay whole, for the reason given. The rest of the
  model is still cut.

A class that is not listed freezes the channels that it reads and makes.

Some channels are cut only when a plan asks for it:

- `plan --on-request inexact`: widths that a layer normalises over. The change is measured.
- `plan --on-request rescaled`: the key width of attention. The cut is exact.
- `plan --on-request summed`: channels that a product or a sum adds up without weights. The cut is
  exact.

"""


def exported(module: str) -> dict[str, type]:
    """Layer classes that a Keras exports, by class name; aliases are one class."""
    keras: Any = importlib.import_module(module)
    spaces = [keras.layers]
    for name in ("experimental", "experimental.preprocessing"):
        space: Any = keras.layers
        for part in name.split("."):
            space = getattr(space, part, None)
        spaces += [space] if space is not None else []
    return {
        cls.__name__: cls
        for space in spaces
        for _, cls in inspect.getmembers(space, inspect.isclass)
        if issubclass(cls, keras.layers.Layer)
    }


def rule_of(name: str) -> LayerRule:
    """The rule for a layer class of that name."""
    return rules().get(name, UNKNOWN)


def rows() -> list[tuple[str, str, str, str]]:
    """(class, Kerases, what happens, how or why), by class name."""
    found = {title: exported(module) for module, title in KERASES.items()}
    names = sorted({name for classes in found.values() for name in classes}, key=str.lower)
    return [
        (
            name,
            ", ".join(title for title, classes in found.items() if name in classes),
            WORDS[rule_of(name).effect],
            rule_of(name).reason or str(inspect.getdoc(rule_of(name).trace)).splitlines()[0],
        )
        for name in names
    ]


def page() -> str:
    """The whole page."""
    lines = ["| layer | in | channels | how, or why not |", "|---|---|---|---|"]
    lines += [f"| `{name}` | {where} | {what} | {how} |" for name, where, what, how in rows()]
    return HEAD + "\n".join(lines) + "\n"


if __name__ == "__main__":
    give_no_advice()
    PAGE.write_text(page())
