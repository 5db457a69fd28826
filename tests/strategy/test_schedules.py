"""Schedules equal TF-MOT's step for step; plans' fractions become steps that reach the end."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pruning.strategy.plan import Schedule
from pruning.strategy.schedules import (
    constant_sparsity,
    curve,
    is_pruning_step,
    polynomial_decay,
    resolve,
    sparsity_at,
)

GRID = [
    (begin, end, frequency, power, initial, final)
    for begin, end in [(0, 100), (10, 90), (7, 61), (0, 1)]
    for frequency in (1, 3, 100)
    for power, initial, final in [(3, 0.0, 0.8), (1, 0.5, 0.9), (0.5, 0.3, 0.3), (3, 0.6, 0.2)]
]


def tfmot_schedules():
    import tensorflow_model_optimization as tfmot

    return tfmot.sparsity.keras


def every_step(schedule, steps):
    """TF-MOT's answers for all steps at once. -> bool (n,), float32 (n,)."""
    import tensorflow as tf

    should, sparsity = schedule(tf.constant(steps, tf.int64))
    return should.numpy(), np.broadcast_to(sparsity.numpy(), len(steps))


@pytest.mark.parametrize(("begin", "end", "frequency", "power", "initial", "final"), GRID)
def test_polynomial_decay_equals_tfmot(begin, end, frequency, power, initial, final):
    steps = np.arange(0, 121)
    theirs = tfmot_schedules().PolynomialDecay(initial, final, begin, end, power, frequency)
    should, sparsity = every_step(theirs, steps)
    ours = [
        polynomial_decay(
            int(step), initial=initial, final=final, begin=begin, end=end, power=power,
            frequency=frequency,
        )
        for step in steps
    ]  # fmt: skip
    assert [prunes for prunes, _ in ours] == should.tolist()
    assert [value for _, value in ours] == pytest.approx(sparsity.tolist(), abs=2e-7)


@settings(max_examples=80)
@given(
    begin=st.integers(0, 500),
    length=st.integers(1, 2000),
    frequency=st.integers(1, 300),
    power=st.sampled_from([0.5, 1, 2, 3, 4.5]),
    initial=st.floats(0, 0.99),
    final=st.floats(0, 0.99),
    step=st.integers(0, 3000),
)
def test_any_polynomial_decay_equals_tfmot(begin, length, frequency, power, initial, final, step):
    end = begin + length
    theirs = tfmot_schedules().PolynomialDecay(initial, final, begin, end, power, frequency)
    should, sparsity = every_step(theirs, [step])
    prunes, value = polynomial_decay(
        step, initial=initial, final=final, begin=begin, end=end, power=power, frequency=frequency
    )
    assert prunes == should[0]
    assert value == pytest.approx(float(sparsity[0]), abs=1e-6)


@settings(max_examples=80)
@given(
    begin=st.integers(0, 500),
    length=st.integers(-1, 2000),
    frequency=st.integers(1, 300),
    final=st.floats(0, 0.99),
    step=st.integers(0, 3000),
)
def test_any_constant_sparsity_equals_tfmot(begin, length, frequency, final, step):
    end = begin + length if length >= 0 else -1
    theirs = tfmot_schedules().ConstantSparsity(final, begin, end, frequency)
    should, sparsity = every_step(theirs, [step])
    prunes, value = constant_sparsity(step, final=final, begin=begin, end=end, frequency=frequency)
    assert prunes == should[0]
    assert value == sparsity[0]


def test_polynomial_decay_by_hand():
    at = {"initial": 0.0, "final": 0.8, "begin": 100, "end": 300, "power": 3.0, "frequency": 50}
    assert polynomial_decay(99, **at) == (False, 0.0)
    assert polynomial_decay(100, **at) == (True, pytest.approx(0.0, abs=1e-7))
    # halfway: .8 · (1 - 1/8)
    assert polynomial_decay(200, **at) == (True, pytest.approx(0.7))
    assert polynomial_decay(201, **at)[0] is False
    assert polynomial_decay(300, **at) == (True, pytest.approx(0.8))
    assert polynomial_decay(350, **at) == (False, pytest.approx(0.8))


def test_no_time_between_begin_and_end_is_the_end():
    assert polynomial_decay(5, initial=0.1, final=0.8, begin=5, end=5)[1] == pytest.approx(0.8)
    assert polynomial_decay(4, initial=0.1, final=0.8, begin=5, end=5)[1] == pytest.approx(0.1)


def test_a_negative_end_prunes_for_ever():
    assert is_pruning_step(1_000_000, begin=0, end=-1, frequency=100)


def test_resolve_by_hand():
    steps = resolve(Schedule(begin=0.1, end=0.75, frequency=100), 1000)
    assert (steps.begin, steps.end, steps.frequency) == (100, 700, 100)  # 750 is off the grid
    short = resolve(Schedule(begin=0.0, end=0.7, frequency=100), 60)
    assert (short.begin, short.end, short.frequency) == (1, 41, 10)  # 100 would never come
    at_once = resolve(Schedule(kind="one_shot", begin=0.5), 60)
    assert (at_once.begin, at_once.end) == (0, 0)
    assert resolve(Schedule(), 0).prunes(0)


schedules = st.builds(
    Schedule,
    kind=st.sampled_from(["one_shot", "constant", "polynomial"]),
    initial_sparsity=st.floats(0, 0.9),
    begin=st.floats(0, 0.5),
    end=st.floats(0.5, 1),
    frequency=st.integers(1, 500),
    power=st.sampled_from([1.0, 3.0]),
)


@given(schedules, st.integers(1, 3000), st.floats(0.01, 0.99))
def test_a_training_always_ends_at_the_final_sparsity(schedule, total, final):
    steps = resolve(schedule, total)
    assert 0 <= steps.begin <= steps.end <= total
    assert steps.prunes(steps.end)
    assert steps.at(steps.end, final)[1] == pytest.approx(final, abs=1e-6)
    assert sparsity_at(schedule, final, total, total) == pytest.approx(final, abs=1e-6)
    assert steps.settled(steps.end)
    assert schedule.kind == "one_shot" or steps.begin >= 1  # training never sees step 0


@given(schedules, st.integers(1, 400), st.floats(0.01, 0.99))
def test_sparsity_in_force_is_a_rising_staircase(schedule, total, final):
    steps = resolve(schedule, total)
    values = [sparsity_at(schedule, final, step, total) for step in range(total + 1)]
    assert all(b >= a - 1e-7 for a, b in pairwise(values))
    for step in range(1, total + 1):
        assert values[step] == values[step - 1] or steps.prunes(step)


def test_the_curve_has_the_corners():
    at, sparsity = curve(Schedule(kind="polynomial", begin=0.1, end=0.5, frequency=20), 0.5, 200)
    assert at.tolist() == [0, 20, 40, 60, 80, 100, 200]
    # .5 · (1 - (1 - k/4)³)
    assert sparsity == pytest.approx([0, 0, 0.2890625, 0.4375, 0.4921875, 0.5, 0.5])
