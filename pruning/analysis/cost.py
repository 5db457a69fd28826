"""Parameters and FLOPs as polynomials in the widths of channel groups.

A *width* is a linear form ``constant + sum(multiple * kept channels of group)``: after ``Flatten``
a dense layer reads ``49 * kept`` values, after ``Concatenate`` the sum of two groups.
A cost is a sum of ``coefficient * product of widths``: a convolution has ``9 * in * out``
weights. Both are exact and need no TensorFlow, so that the server can price a plan at once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Width:
    """Number of values on one axis: ``constant + sum(multiple * kept[group])``."""

    constant: int = 0
    groups: Mapping[str, int] = field(default_factory=dict)

    def value(self, kept: Mapping[str, int]) -> int:
        """Evaluate with ``kept`` channels in each group."""
        return self.constant + sum(multiple * kept[name] for name, multiple in self.groups.items())

    def to_dict(self) -> dict[str, Any]:
        """JSON form."""
        return {"constant": self.constant, "groups": dict(self.groups)}

    @classmethod
    def from_dict(cls, record: dict[str, Any]) -> Width:
        """Inverse of :meth:`to_dict`."""
        return cls(record["constant"], dict(record["groups"]))


@dataclass(frozen=True)
class Term:
    """``coefficient * product of widths``."""

    coefficient: int
    widths: tuple[Width, ...] = ()

    def value(self, kept: Mapping[str, int]) -> int:
        """Evaluate with ``kept`` channels in each group."""
        product = self.coefficient
        for width in self.widths:
            product *= width.value(kept)
        return product


@dataclass(frozen=True)
class Cost:
    """A sum of terms. ``Cost() `` is zero."""

    terms: tuple[Term, ...] = ()

    def value(self, kept: Mapping[str, int]) -> int:
        """Evaluate with ``kept`` channels in each group."""
        return sum(term.value(kept) for term in self.terms)

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.terms + other.terms)

    def to_list(self) -> list[Any]:
        """JSON form: ``[[coefficient, [width, …]], …]``."""
        return [[t.coefficient, [w.to_dict() for w in t.widths]] for t in self.terms]

    @classmethod
    def from_list(cls, record: list[Any]) -> Cost:
        """Inverse of :meth:`to_list`."""
        return cls(
            tuple(Term(c, tuple(Width.from_dict(w) for w in widths)) for c, widths in record)
        )
