"""Comparisons made by hand, for the tests of what is said and shown about them."""

from pruning.comparison.result import Comparison, Interval, Latency, Scores, Sizes

BEFORE = Interval(0.9, 0.88, 0.92)
DIFFERENCE = Interval(-0.003, -0.008, 0.002)


def comparison(
    *,
    task: str = "classification",
    metric: str = "accuracy",
    before: Interval = BEFORE,
    chance: float = 0.1,
    difference: Interval = DIFFERENCE,
    flops: tuple[int, int] = (420_000, 200_000),
    params: tuple[int, int] = (1000, 500),
    nonzero: tuple[int, int] = (1000, 500),
    gzip: tuple[int, int] = (4000, 2000),
    latency: tuple[float | None, float | None] = (1.8, 1.0),
    samples: int = 2000,
) -> Comparison:
    """A comparison with those figures."""
    after = Interval(
        before.value + difference.value,
        before.low + difference.value,
        before.high + difference.value,
    )
    return Comparison(
        task=task,
        samples=samples,
        before=Scores(metric, before, 0.3, chance),
        after=Scores(metric, after, 0.31, chance),
        difference=difference,
        sizes_before=Sizes(params[0], nonzero[0], flops[0], 4 * params[0], gzip[0]),
        sizes_after=Sizes(params[1], nonzero[1], flops[1], 4 * params[1], gzip[1]),
        latency_before=Latency(latency[0], latency[0], 200),
        latency_after=Latency(latency[1], latency[1], 200),
    )
