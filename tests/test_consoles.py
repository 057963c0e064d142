# SPDX-License-Identifier: GPL-2.0-or-later
"""What scripts and the log print can be printed on a Windows console of code page 1252."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from bandwise.engine.errors import ExpressionError
from bandwise.engine.expression.names import named_formula
from bench import Bench

ROOT = Path(__file__).resolve().parents[1]


def printed(*arguments: str, **options: Any) -> str:
    """What a Python program prints on such a console, which knows no way round what it lacks."""
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252:strict", "PYTHONUTF8": "0"}
    done = subprocess.run(
        [sys.executable, *arguments],
        **{"cwd": ROOT, **options},
        env=environment,
        capture_output=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr.decode("cp1252", "replace")
    return done.stdout.decode("cp1252")


def test_every_sentence_is_of_the_code_page() -> None:
    spec = importlib.util.spec_from_file_location("sentences", ROOT / "scripts" / "sentences.py")
    assert spec is not None and spec.loader is not None
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    for path in tool.sources():
        for texts in tool.sentences(ROOT / path).values():
            for text in texts:
                text.encode("cp1252")


def test_the_mark_of_an_error_is_of_the_code_page() -> None:
    with pytest.raises(ExpressionError) as caught:
        named_formula("x := red + foo", ("red",))
    assert str(caught.value).encode("cp1252").startswith(b"x := red + \xbbfoo\xab")


def test_the_log_and_the_errors_of_runs_are_printed(bench: Bench) -> None:
    """By a program that prints every line, of an output with letters of the code page."""
    import numpy as np

    bench.save("Schärding.tif", np.arange(1, 101, dtype=np.uint16).reshape(10, 10), nodata=7)
    script = """
from bandwise.engine.errors import BandwiseError
from bandwise.engine.execution.pipeline import run
from bandwise.engine.expression.names import named_formula
from bandwise.engine.job import BandRef, Job
formula = named_formula("x := a / (a - 3)", ("a",))
for name, output in (("Schärding.tif", "Ergebnis “é”.tif"), ("none.tif", "b.tif"), ("Schärding.tif", "b.jp2")):
    try:
        run(Job((BandRef("a", name),), formula, output), progress=lambda _, note: print(note and note.text))
    except BandwiseError as error:
        print(error)
"""
    from register import REGISTER

    lines = printed("-c", REGISTER + script, cwd=bench.folder).splitlines()
    assert any("Done in" in line and "“é”" in line for line in lines)
    assert "none.tif does not exist" in lines[-2] and "ends in .tif" in lines[-1]


def test_scripts_print_names_of_other_scripts_as_escapes(bench: Bench) -> None:
    folder = bench.folder / "植生"
    folder.mkdir()
    escaped = "植生".encode("ascii", "backslashreplace").decode()
    assert escaped in printed("-m", "demo.scene", str(folder), "--size", "256")
    assert escaped in printed("-m", "scripts.sentences", str(folder / "twins"))
    package = folder / "bandwise.zip"
    with zipfile.ZipFile(package, "w") as archive:
        for path in ("LICENSE", "__init__.py", "metadata.txt", "engine/__init__.py"):
            archive.write(ROOT / path, f"bandwise/{path}")
        icon = "resources/icons/bandwise.png"
        for line in (ROOT / "metadata.txt").read_text(encoding="utf-8").splitlines():
            icon = line.partition("=")[2] if line.startswith("icon=") else icon
        archive.write(ROOT / icon, f"bandwise/{icon}")
    assert escaped in printed("-m", "scripts.check_package", "--contents", str(package))
