"""The profile's cost polynomials as arrays, so that a plan is priced in microseconds.

A ResNet50 has about a thousand terms. Walking them in Python takes milliseconds, which a solver
that tries forty ratios cannot afford; three array operations do the same sum, exactly, in int64.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pruning.analysis.cost import Cost, Term, Width
from pruning.analysis.profile import Layer, ModelProfile


@dataclass(frozen=True)
class CostTable:
    """Costs of all layers as functions of the kept channels of all groups.

    Attributes:
        groups: Group ids in the order of the columns of ``multiples``.
        multiples, constants: (widths, groups) and (widths,): the distinct widths.
        coefficients, factors: (terms,) and (terms, most factors): rows of ``multiples``; row 0 is
            the width that is always 1, which fills up shorter terms.
        layer_of_term: (terms,) index of the layer that the term belongs to.
        layers: How many layers there are.
    """

    groups: tuple[str, ...]
    multiples: np.ndarray
    constants: np.ndarray
    coefficients: np.ndarray
    factors: np.ndarray
    layer_of_term: np.ndarray
    layers: int

    @classmethod
    def of(cls, groups: Sequence[str], costs: Sequence[Cost]) -> CostTable:
        """Compile one cost for each layer."""
        column = {group: index for index, group in enumerate(groups)}
        rows: dict[tuple[int, tuple[tuple[str, int], ...]], int] = {(1, ()): 0}
        terms = [(layer, term) for layer, cost in enumerate(costs) for term in cost.terms]
        most = max((len(term.widths) for _, term in terms), default=0)
        factors = np.zeros((len(terms), max(most, 1)), np.int64)
        for index, (_, term) in enumerate(terms):
            for position, width in enumerate(term.widths):
                factors[index, position] = rows.setdefault(_key(width), len(rows))
        multiples = np.zeros((len(rows), len(groups)), np.int64)
        constants = np.zeros(len(rows), np.int64)
        for (constant, parts), row in rows.items():
            constants[row] = constant
            for group, multiple in parts:
                multiples[row, column[group]] = multiple
        return cls(
            groups=tuple(groups),
            multiples=multiples,
            constants=constants,
            coefficients=np.array([term.coefficient for _, term in terms], np.int64),
            factors=factors,
            layer_of_term=np.array([layer for layer, _ in terms], np.int64),
            layers=len(costs),
        )

    def total(self, kept: np.ndarray) -> int:
        """Sum over all layers. kept: int64 (groups,), channels that stay in each group."""
        return int(self._terms(kept).sum())

    def by_layer(self, kept: np.ndarray) -> np.ndarray:
        """Cost of each layer. kept: int64 (groups,) -> int64 (layers,)."""
        sums = np.zeros(self.layers, np.int64)
        np.add.at(sums, self.layer_of_term, self._terms(kept))
        return sums

    def _terms(self, kept: np.ndarray) -> np.ndarray:
        widths = self.multiples @ kept + self.constants
        terms: np.ndarray = self.coefficients * widths[self.factors].prod(axis=1)
        return terms


def params_table(profile: ModelProfile) -> CostTable:
    """Parameters of each layer."""
    return CostTable.of(_ids(profile), [layer.params_cost for layer in profile.layers])


def bytes_table(profile: ModelProfile) -> CostTable:
    """Bytes of each layer's weights in the model's file."""
    return CostTable.of(_ids(profile), [_bytes_cost(layer) for layer in profile.layers])


def _bytes_cost(layer: Layer) -> Cost:
    terms = layer.params_cost.terms
    return Cost(tuple(Term(layer.value_bytes * t.coefficient, t.widths) for t in terms))


def flops_table(profile: ModelProfile) -> CostTable:
    """FLOPs of each layer, for one sample."""
    return CostTable.of(_ids(profile), [layer.flops_cost for layer in profile.layers])


def full_widths(profile: ModelProfile) -> np.ndarray:
    """Channels of each group of the unpruned model. -> int64 (groups,)."""
    return np.array([group.channels for group in profile.groups], np.int64)


def widths(profile: ModelProfile, kept: Mapping[str, int]) -> np.ndarray:
    """Kept channels in the order of the profile's groups. -> int64 (groups,)."""
    return np.array([kept.get(g.id, g.channels) for g in profile.groups], np.int64)


def _ids(profile: ModelProfile) -> list[str]:
    return [group.id for group in profile.groups]


def _key(width: Width) -> tuple[int, tuple[tuple[str, int], ...]]:
    return width.constant, tuple(sorted(width.groups.items()))
