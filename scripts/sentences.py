# SPDX-License-Identifier: GPL-2.0-or-later
"""Write the plugin's sentences so that every version of Qt's ``pylupdate`` finds them.

``pylupdate5`` overlooks a literal that a comma follows, and one that is wrapped in several parts. So
each source file gets a twin below the folder ``OUT``, with one plain call on the line of each sentence:

    python -m scripts.sentences OUT
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def sources() -> list[Path]:
    """Return the files that hold sentences a user meets, relative to the repository."""
    folders = ("algorithms", "gui", "engine", "cluster")
    found = [path for folder in folders for path in ROOT.glob(f"{folder}/**/*.py")]
    return sorted(path.relative_to(ROOT) for path in (ROOT / "plugin.py", *found))


def sentences(path: Path) -> dict[int, list[str]]:
    """Return the literals of all calls of ``translate`` in a file, by line."""
    found: dict[int, list[str]] = {}
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(node, ast.Call) or len(node.args) != 2:
            continue
        if getattr(node.func, "id", getattr(node.func, "attr", "")) != "translate":
            continue
        values = [getattr(argument, "value", None) for argument in node.args]
        if values[0] == "Bandwise" and isinstance(values[1], str):
            found.setdefault(node.lineno, []).append(values[1])
    return found


def write_twins(out: Path) -> list[Path]:
    """Write a twin of each source file below ``out``, and return the files that hold a sentence."""
    twins = []
    for source in sources():
        found = sentences(ROOT / source)
        if not found:
            continue
        lines = [""] * max(found)
        for line, texts in found.items():
            lines[line - 1] = "; ".join(f'translate("Bandwise", {_quoted(text)})' for text in texts)
        twin = out / source
        twin.parent.mkdir(parents=True, exist_ok=True)
        twin.write_text("\n".join(lines) + "\n", "utf-8")
        twins.append(twin)
    return twins


def _quoted(text: str) -> str:
    """A literal in double quotes that Python and Qt's tools read alike."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


if __name__ == "__main__":
    from scripts.console import show_every_name

    show_every_name()
    print(*write_twins(Path(sys.argv[1])), sep="\n")
