"""What commands write for people says the same facts as their JSON."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

from rich.console import Console

from pruning.api.results import Inspection, Planned
from pruning.command_line.commands import inspect, plan, prune
from pruning.strategy.estimates import price
from pruning.strategy.plan import PruningPlan, Target
from pruning.strategy.planner import make_plan
from tests.strategy.profiles import small_profile, write_arrays


def text(show, *facts: object) -> str:
    stream = StringIO()
    show(*facts, Console(file=stream, highlight=False, width=160))
    return stream.getvalue()


def rows(written: str) -> list[str]:
    """Lines without the padding between columns."""
    return [" ".join(line.split()) for line in written.splitlines()]


def test_inspect_says_inputs_outputs_layers_and_groups():
    lines = rows(text(inspect.show, Inspection(small_profile())))
    assert "reads ?×8×8×3 float32" in lines
    assert "answers ?×10 float32" in lines
    assert "conv2 Conv2D 8×8×16 1,168 147 k 0.0 % yes" in lines
    assert "a 8 conv1, conv2 yes" in lines
    assert "out 10 dense These are the model's outputs." in lines


def test_plan_says_what_it_does(tmp_path: Path):
    profile = small_profile()
    write_arrays(tmp_path)
    made = make_plan(profile, tmp_path, PruningPlan(target=Target("params", 0.6), locked=("a",)))
    written = text(plan.show, Planned(made, price(profile, tmp_path, made)), None)
    assert rows(written)[0] == (
        "Remove channels to 60 % of the parameters · L1, uniform, 1 locked · 3 epochs, adam"
    )
    exact = [line.split()[0] for line in rows(written) if line.endswith("exact")]
    assert exact[:2] == ["parameters", "FLOPs"]


def test_prune_says_where_the_time_went():
    pair = {"before": 100, "after": 50}
    results = {
        **dict.fromkeys(("params", "flops", "bytes", "gzip_bytes"), pair),
        "accuracy": {"before": 0.9, "after": 0.885},
        "metric": "accuracy",
        "sparsity": 0.0,
        "self_check": {"max_abs_error": 3e-8, "tolerance": 1e-5, "samples": 32},
        "seconds": {"load": 1.2, "retrain": 200.0},
        "model": "out/model.keras",
        "channels": "out/channels.json",
        "masks": None,
    }
    lines = text(prune.show, results).splitlines()
    assert "time: load 1.2 s, retrain 3 min 20 s" in lines
    assert "accuracy 90.0 % 88.5 % −1.5 points" in rows("\n".join(lines))
    assert "channels  out/channels.json" in lines
    assert "self-check: the cut equals the original to 3.0e-08 (allowed 1e-05, 32 samples)" in lines
    results["self_check"] = {"max_abs_error": 0.0, "tolerance": 1e-5, "samples": 32}
    same = "self-check: the cut equals the original to the last bit (allowed 1e-05, 32 samples)"
    assert same in text(prune.show, results).splitlines()
