# SPDX-License-Identifier: GPL-2.0-or-later
"""Kinds of values in a JSON file: how each is written, and read again with every value checked.

Reading raises ``ValueError`` that says where in the file something is wrong. Nothing of a file is
ever executed, and no class is looked up by a name that stands in it.
"""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

_UNBOUNDED = {
    "nan": math.nan,
    "inf": math.inf,
    "-inf": -math.inf,
}  #: numbers that JSON does not have
_LARGEST_INTEGER = 2**63 - 1


class Kind(Protocol):
    """A kind of value."""

    def write(self, value: Any) -> Any:
        """Return the value as JSON has it: numbers, text, lists and mappings alone."""

    def read(self, data: Any, where: str) -> Any:
        """Return the value again; ``where`` is its place in the file, for the error."""


@dataclass(frozen=True)
class Whole:
    """A whole number from ``least`` on."""

    least: int = -_LARGEST_INTEGER

    def write(self, value: Any) -> Any:
        return int(value)

    def read(self, data: Any, where: str) -> Any:
        if type(data) is not int or not self.least <= data <= _LARGEST_INTEGER:
            raise ValueError(f"{where} is no whole number that fits there")
        return data


@dataclass(frozen=True)
class Real:
    """A number in float64, which may be infinite or NaN."""

    def write(self, value: Any) -> Any:
        return float(value) if math.isfinite(value) else str(float(value))

    def read(self, data: Any, where: str) -> Any:
        if type(data) is str and data in _UNBOUNDED:
            return _UNBOUNDED[data]
        if type(data) not in (int, float) or not abs(data) <= 1.8e308:
            raise ValueError(f"{where} is no number")
        return float(data)


@dataclass(frozen=True)
class Flag:
    """True or false."""

    def write(self, value: Any) -> Any:
        return bool(value)

    def read(self, data: Any, where: str) -> Any:
        if type(data) is not bool:
            raise ValueError(f"{where} is neither true nor false")
        return data


@dataclass(frozen=True)
class Words:
    """A text of at most ``most`` characters; ``made`` turns it into the value."""

    most: int = 1_000_000
    made: Callable[[str], Any] = str

    def write(self, value: Any) -> Any:
        return str(value)

    def read(self, data: Any, where: str) -> Any:
        if type(data) is not str or len(data) > self.most or "\0" in data:
            raise ValueError(f"{where} is no text that fits there")
        return self.made(data)


@dataclass(frozen=True)
class Member:
    """A member of an enum, by its name."""

    members: type[enum.Enum]

    def write(self, value: Any) -> Any:
        return value.name

    def read(self, data: Any, where: str) -> Any:
        if type(data) is not str or data not in self.members.__members__:
            raise ValueError(f"{where} is none of {', '.join(self.members.__members__)}")
        return self.members[data]


@dataclass(frozen=True)
class Optional:
    """A value, or null for None."""

    kind: Kind

    def write(self, value: Any) -> Any:
        return None if value is None else self.kind.write(value)

    def read(self, data: Any, where: str) -> Any:
        return None if data is None else self.kind.read(data, where)


@dataclass(frozen=True)
class Many:
    """A tuple of values of one kind, as a list."""

    kind: Kind
    least: int = 0

    def write(self, value: Any) -> Any:
        return [self.kind.write(item) for item in value]

    def read(self, data: Any, where: str) -> Any:
        if type(data) is not list or len(data) < self.least:
            raise ValueError(f"{where} is no list of at least {self.least}")
        return tuple(self.kind.read(item, f"{where}[{n}]") for n, item in enumerate(data))


@dataclass(frozen=True)
class Each:
    """A tuple with a value of each of these kinds, as a list."""

    kinds: tuple[Kind, ...]

    def write(self, value: Any) -> Any:
        return [kind.write(item) for kind, item in zip(self.kinds, value)]

    def read(self, data: Any, where: str) -> Any:
        if type(data) is not list or len(data) != len(self.kinds):
            raise ValueError(f"{where} is no list of {len(self.kinds)}")
        pairs = enumerate(zip(self.kinds, data))
        return tuple(kind.read(item, f"{where}[{n}]") for n, (kind, item) in pairs)


@dataclass(frozen=True)
class Record:
    """An object with named fields, as a mapping; one that is left out has the default of ``made``."""

    made: Callable[..., Any]
    fields: Mapping[str, Kind]
    optional: frozenset[str] = frozenset()

    def write(self, value: Any) -> Any:
        return {name: kind.write(getattr(value, name)) for name, kind in self.fields.items()}

    def read(self, data: Any, where: str) -> Any:
        if type(data) is not dict:
            raise ValueError(f"{where} is no mapping")
        if unknown := data.keys() - self.fields.keys():
            raise ValueError(f"{where} has the unknown field {min(unknown)[:40]!r}")
        if missing := self.fields.keys() - data.keys() - self.optional:
            raise ValueError(f"{where} has no field {min(missing)!r}")
        read = {
            name: self.fields[name].read(item, f"{where}.{name}") for name, item in data.items()
        }
        return self.made(**read)


@dataclass(frozen=True)
class Variant:
    """A value of one of several classes; ``kinds`` has a name for each, which the file tells it by."""

    kinds: Mapping[str, tuple[type, Record]]

    def write(self, value: Any) -> Any:
        for name, (cls, kind) in self.kinds.items():
            if type(value) is cls:
                return {"is": name, **kind.write(value)}
        raise ValueError(f"{type(value).__name__} has no form in a file")

    def read(self, data: Any, where: str) -> Any:
        name = data.get("is") if type(data) is dict else None
        if type(name) is not str or name not in self.kinds:
            raise ValueError(f"{where} is none of {', '.join(self.kinds)}")
        return self.kinds[name][1].read({k: v for k, v in data.items() if k != "is"}, where)
