# SPDX-License-Identifier: GPL-2.0-or-later
"""Saved expressions and the last ones used: a JSON file in the profile, and some that come with the plugin."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ...engine.errors import InputError, OutputError
from ...engine.messages import Text, shown, translate

SHIPPED = Path(__file__).parents[2] / "resources" / "expressions.json"
MOST_RECENT = 20
_VERSION = 1
_LARGEST_FILE = 10_000_000  #: bytes


@dataclass(frozen=True)
class Saved:
    """An expression with a name; ``tags`` are words to find it by."""

    name: str
    expression: str
    description: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Store:
    """The content of a file; ``recent`` are the last expressions used, the latest first."""

    saved: tuple[Saved, ...] = ()
    recent: tuple[str, ...] = ()


class SavedExpressions:
    """Reads and writes one file; it is read again before each change, so two windows lose nothing."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)

    def load(self) -> tuple[Store, Text | None]:
        """Return what is saved, and the sentence that says why a damaged file is not used."""
        try:
            return _store(self._path), None
        except FileNotFoundError:
            return Store(), None
        except InputError as error:
            return Store(), error.args[0]

    def save(self, saved: Saved) -> Text | None:
        """Save an expression in place of one with the same name; return what became of a damaged file."""
        store, note = self._changeable()
        others = [each for each in store.saved if each.name != saved.name]
        self._write(Store((*others, saved), store.recent))
        return note

    def delete(self, name: str) -> Text | None:
        """Delete the expression of a name."""
        store, note = self._changeable()
        kept = tuple(each for each in store.saved if each.name != name)
        self._write(Store(kept, store.recent))
        return note

    def use(self, expression: str) -> Text | None:
        """Put an expression before the last ones used."""
        store, note = self._changeable()
        if expression.strip():
            others = [each for each in store.recent if each != expression]
            self._write(Store(store.saved, (expression, *others)[:MOST_RECENT]))
        return note

    def import_file(self, path: str) -> int:
        """Add the expressions of another file, and return how many are new.

        Those of a name that is taken by another expression get a number behind it.

        Raises
        ------
        InputError
            For a file that holds no expressions.
        """
        try:
            added = _store(Path(path)).saved
        except FileNotFoundError as error:
            text = translate("Bandwise", "{file} does not exist; check the path.")
            raise InputError(text.format(file=path)) from error
        store, _ = self._changeable()
        saved = {each.name: each for each in store.saved}
        before = len(saved)
        for each in added:
            name, number = each.name, 2
            while name in saved and saved[name].expression != each.expression:
                name, number = f"{each.name} ({number})", number + 1
            saved.setdefault(name, Saved(name, each.expression, each.description, each.tags))
        self._write(Store(tuple(saved.values()), store.recent))
        return len(saved) - before

    def export_file(self, path: str, saved: Sequence[Saved]) -> None:
        """Write expressions to a file of their own."""
        _write(Path(path), Store(tuple(saved)))

    def _changeable(self) -> tuple[Store, Text | None]:
        """Return what is saved; a damaged file is renamed first, so that it is not overwritten."""
        store, problem = self.load()
        if problem is None:
            return store, None
        kept = _free_name(self._path)
        _or_sentence(self._path, lambda: os.replace(self._path, kept))
        text = translate("Bandwise", "{problem}; it is kept as {file}")
        return store, text.format(problem=problem, file=str(kept))

    def _write(self, store: Store) -> None:
        _write(self._path, store)


def shipped() -> tuple[Saved, ...]:
    """Return the expressions that come with the plugin."""
    return _store(SHIPPED).saved


def _store(path: Path) -> Store:
    """Read a file; raise :class:`InputError` for one that is damaged."""
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST_FILE + 1)
        if len(data) > _LARGEST_FILE:
            raise ValueError(f"more than {_LARGEST_FILE} bytes")
        return _from_json(json.loads(data.decode("utf-8")))
    except FileNotFoundError:
        raise
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        text = translate(
            "Bandwise",
            "The saved expressions in {file} cannot be read ({reason}); correct the file",
        )
        reason = shown(f"{type(error).__name__}: {error}")
        raise InputError(text.format(file=str(path), reason=reason)) from error


def _from_json(data: Any) -> Store:
    if not isinstance(data, dict) or data.get("version") != _VERSION:
        raise ValueError(f"not of version {_VERSION}")
    saved = tuple(
        Saved(
            _text(row["name"]),
            _text(row["expression"]),
            _text(row.get("description", "")),
            tuple(map(_text, row.get("tags", []))),
        )
        for row in data["expressions"]
    )
    return Store(saved, tuple(map(_text, data.get("recent", [])))[:MOST_RECENT])


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{shown(str(value))} is no text")
    return value


def _write(path: Path, store: Store) -> None:
    """Write a file beside its place and move it there: it is whole, or the former one."""
    data: dict[str, Any] = {
        "version": _VERSION,
        "expressions": [asdict(saved) for saved in store.saved],
    }
    if store.recent:
        data["recent"] = store.recent
    text = json.dumps(data, indent=1, ensure_ascii=False)
    _or_sentence(path, lambda: _replace(path, text))


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=path.name, dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(name)
        raise


def _or_sentence(path: Path, work: Any) -> None:
    try:
        work()
    except (OSError, UnicodeError) as error:
        text = translate("Bandwise", "{file} cannot be written ({reason}); check its folder")
        raise OutputError(text.format(file=str(path), reason=shown(str(error)))) from error


def _free_name(path: Path) -> Path:
    number = 1
    while (free := path.with_name(f"{path.stem}.damaged{number}{path.suffix}")).exists():
        number += 1
    return free
