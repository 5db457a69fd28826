"""One page to show to others: the verdict, what it rests on, and what was done. HTML, no scripts.

The page stands alone: it loads nothing, and prints as it looks. Names from files are text in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from pruning import quantities
from pruning.comparison import details
from pruning.comparison.proof import proof
from pruning.comparison.result import ClassScore, Comparison, Interval, Latency, Scores
from pruning.comparison.verdict import NAMES, verdict
from pruning.strategy.description import describe
from pruning.strategy.plan import PruningPlan

MOST_CLASSES = 50  # of many, those that lost most
AS_SAVED = (
    "Files are compared as the studio saves them, without the state of an optimizer; gzip is at "
    "level 6."
)
_STYLE = """
:root{color-scheme:light dark;--ink:#1B2733;--soft:#5B6874;--line:#D9DEE3;--page:#fff}
@media(prefers-color-scheme:dark){:root{--ink:#E4EAF0;--soft:#9AA7B3;--line:#33404D;--page:#11181F}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--page);
max-width:52rem;margin:2rem auto;padding:0 1rem;overflow-wrap:anywhere}
h1{font-size:1.5rem;line-height:1.3}h2{font-size:1.1rem;margin-top:2rem}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;padding:.35rem .75rem .35rem 0;border-bottom:1px solid var(--line)}
th{font-weight:600}td+td{font-variant-numeric:tabular-nums}
p.soft,li,dd{color:var(--soft)}dt{font-weight:600}dd{margin:0 0 .5rem}
"""


@dataclass(frozen=True)
class About:
    """What a report is about, beside the figures.

    Attributes:
        model, data: Names as uploaded.
        samples: Of each split, in words.
        run: The run's id.
        finished: When, in words.
        model_id, data_ref: Digests, by which anybody can tell whether it was the same file.
    """

    model: str
    data: str
    samples: str
    run: str
    finished: str
    model_id: str
    data_ref: str


def report(
    comparison: Comparison, plan: PruningPlan, results: Mapping[str, Any], about: About
) -> str:
    """Write the page.

    Args:
        comparison: Before and after.
        plan: As it was carried out.
        results: Of the finished run, as ``prune`` prints them.
        about: Names and dates.
    """
    parts = [
        f"<h1>{escape(verdict(comparison))}</h1>",
        f'<p class="soft">{escape(f"{about.model} on {about.data} · {about.finished}")}</p>',
        "<h2>Before and after</h2>",
        _table(("", "before", "after", "change", "known"), _figures(comparison)),
        "<h2>Quality</h2>",
        _table(_quality_head(comparison), _quality(comparison)),
        f'<p class="soft">{escape(_samples(comparison))}</p>',
        *_classes(comparison),
        "<h2>What was done</h2>",
        f"<p>{escape(' · '.join(filter(None, (plan.name, describe(plan)))))}</p>",
        "<h2>How the figures were made</h2>",
        _items(_method(comparison, results)),
        "<h2>Of what</h2>",
        _identity(about),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "style-src 'unsafe-inline'\">"
        f"<title>{escape(about.model)}: before and after pruning</title>"
        f"<style>{_STYLE}</style></head>\n<body>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def _figures(comparison: Comparison) -> list[tuple[str, ...]]:
    before, after = comparison.sizes_before, comparison.sizes_after
    rows = [
        _sized("Parameters", before.params, after.params, "params"),
        _sized("FLOPs of one sample", before.flops, after.flops, "FLOPs"),
        _sized("File", before.bytes, after.bytes, "bytes"),
        _sized("File after gzip", before.gzip_bytes, after.gzip_bytes, "bytes"),
    ]
    if after.nonzero_params < after.params:
        rows.insert(
            1,
            _sized("Nonzero parameters", before.nonzero_params, after.nonzero_params, "params"),
        )
    return [*rows, _timed(comparison.latency_before, comparison.latency_after)]


def _sized(label: str, before: int, after: int, unit: str) -> tuple[str, ...]:
    write = quantities.size if unit == "bytes" else quantities.count
    change = quantities.factor(before, after, unit)
    return label, write(before), write(after), change, "exactly"


def _timed(before: Latency, after: Latency) -> tuple[str, ...]:
    if before.median_ms is None or after.median_ms is None:
        return "Latency", "—", "—", "", after.note or before.note or "not measured"
    was, now = before.median_ms, after.median_ms
    return (
        "Latency",
        quantities.milliseconds(was, beside=[now]),
        quantities.milliseconds(now, beside=[was]),
        quantities.factor(was, now, "ms"),
        "measured",
    )


def _quality_head(comparison: Comparison) -> tuple[str, ...]:
    further = details.in_words(comparison.before.details)
    names = (details.NAMES[name] for name in further)
    return "", NAMES[comparison.before.metric], "95 % interval", "loss", *names


def _quality(comparison: Comparison) -> list[tuple[str, ...]]:
    before, after, metric = comparison.before, comparison.after, comparison.before.metric
    difference = comparison.difference
    change = quantities.number(after.loss - before.loss, signed=True)
    further = details.changes_in_words(comparison).values()
    return [
        _score("before", before),
        _score("after", after),
        ("difference, paired", *_changed(metric, difference), change, *further),
    ]


def _score(name: str, scores: Scores) -> tuple[str, ...]:
    value, loss = scores.value, quantities.number(scores.loss)
    further = details.in_words(scores.details).values()
    if scores.metric == "mae":
        middle, low, high = map(quantities.number, (value.value, value.low, value.high))
        return name, middle, f"{low} to {high}", loss, *further
    ends = quantities.percent_ends(value.low, value.high)
    return name, quantities.percent(value.value), ends, loss, *further


def _changed(metric: str, difference: Interval) -> tuple[str, str]:
    ends = (difference.value, difference.low, difference.high)
    if metric == "mae":
        value, low, high = (quantities.number(end, signed=True) for end in ends)
        return value, f"{low} to {high}"
    decimals = quantities.decimals_of_points(difference.low, difference.high)
    value, low, high = (quantities.points(end, decimals) for end in ends)
    return value, f"{low.removesuffix(' points')} to {high}"


def _samples(comparison: Comparison) -> str:
    words = f"On {quantities.plural(comparison.samples, 'test sample')}, the same for both."
    words += " The retraining did not see them."
    counts = (
        (comparison.both_right, "both models right"),
        (comparison.only_before, "only the original"),
        (comparison.only_after, "only the pruned one"),
        (comparison.both_wrong, "neither"),
    )
    told = [f"{what} {count:,}" for count, what in counts if count is not None]
    if not told:
        return words
    answers, what = comparison.judged
    of = f"Of {quantities.plural(answers, what)}: " if answers != comparison.samples else ""
    said = ", ".join(told)
    return f"{words} {of or said[0].upper()}{said if of else said[1:]}."


def _classes(comparison: Comparison) -> list[str]:
    tested = [entry for entry in comparison.classes if entry.count]  # the others have no accuracy
    if not tested:
        return []
    worst = sorted(tested, key=lambda entry: entry.after - entry.before)
    shown = worst[:MOST_CLASSES]
    left = len(worst) - len(shown)
    more = [f'<p class="soft">and {left:,} classes that lost less.</p>'] if left else []
    head = ["class", f"{comparison.judged[1]}s", "before", "after", "change"]
    if comparison.of_pixels:
        head += ["IoU before", "IoU after"]
    return ["<h2>By class, worst change first</h2>", _table(head, map(_class, shown)), *more]


def _class(entry: ClassScore) -> tuple[str, ...]:
    change = quantities.points(entry.after - entry.before)
    before, after = quantities.percent(entry.before), quantities.percent(entry.after)
    overlaps = (entry.iou_before, entry.iou_after)
    shared = (quantities.percent(value) for value in overlaps if value is not None)
    return entry.name, f"{entry.count:,}", before, after, change, *shared


def _method(comparison: Comparison, results: Mapping[str, Any]) -> list[str]:
    lines = [" ".join((f"{proven}:", words)) for proven, words in (proof(results),) if proven]
    if comparison.recalibration is not None:
        lines.append(comparison.recalibration.describe())
    if comparison.difference_method:
        lines.append(f"Interval of the difference: {comparison.difference_method}.")
    if comparison.latency_after.median_ms is not None:
        lines.append(
            f"Latency is the median of {comparison.latency_after.runs} calls on LiteRT, one "
            "thread, one sample, before and after by turns on the machine of the run."
        )
    return [*lines, AS_SAVED, *comparison.notes]


def _identity(about: About) -> str:
    entries = {
        "Model": f"{about.model} · {about.model_id}",
        "Data": f"{about.data} · {about.samples} · {about.data_ref}",
        "Run": about.run,
    }
    rows = (f"<dt>{name}</dt><dd>{escape(words)}</dd>" for name, words in entries.items())
    return f"<dl>{''.join(rows)}</dl>"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    names = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>\n" for row in rows
    )
    return f"<table><thead><tr>{names}</tr></thead><tbody>\n{body}</tbody></table>"


def _items(lines: Iterable[str]) -> str:
    return f"<ul>{''.join(f'<li>{escape(line)}</li>' for line in lines)}</ul>"
