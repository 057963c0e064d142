# SPDX-License-Identifier: GPL-2.0-or-later
"""Check the zip with the tools that the plugin site runs on every upload, and with qgis-plugin-analyzer.

    python -m scripts.check_site ZIP

The site asks bandit, detect-secrets and flake8 for a part of their rules (qgis/QGIS-Plugins-Website:
``security_scanner.py``); here all rules have to pass, but for those of layout and imports that are ruff's part.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

NAME = "bandwise"
_ANALYZER = ("--no-cache", "--output", "report")
TOOLS = {
    "bandit": ("bandit", "--quiet", "--recursive", "."),
    "flake8": (
        "flake8",
        "--isolated",
        "--max-line-length=120",
        "--extend-ignore=E203,E501,F401",
        ".",
    ),
    "detect-secrets": (
        "detect-secrets",
        "scan",
        "--all-files",
        "--exclude-files",
        r"metadata\.txt",
        ".",
    ),
    "qgis-plugin-analyzer security": (
        *("qgis-analyzer", "security", NAME, "--tools", "native,bandit,detect-secrets", "--deep"),
        *("--fail-on", "info", *_ANALYZER),
    ),
    "qgis-plugin-analyzer": (
        "qgis-analyzer",
        "analyze",
        NAME,
        "--json",
        "--linters",
        "none",
        *_ANALYZER,
    ),
}
#: Rules of qgis-plugin-analyzer that do not hold here, and why.
ACCEPTED = {
    "METADATA_SUPPORTS_QT6": "QGIS 3.44 on Qt 6 lists a plugin without the flag as incompatible",
    "MISSING_I18N": "takes file names and units for sentences; tests/test_translations.py has these",
    "MISSING_DOCSTRING": "methods that QGIS names and documents",
    "MISSING_TYPE_HINTS": "classFactory, which QGIS calls",
    "MAGIC_NUMBER": "numbers of formats and formulas",
    "HIGH_COMPLEXITY": "ruff's limit of ten is the stricter one",
    "SPAGHETTI_CODE": "ruff's limit of ten is the stricter one",
    "GOD_OBJECT": "an algorithm has the methods that QGIS calls",
    "UNSAFE_THREAD engine/execution/executor.py": "the engine's threads touch neither Qt nor QGIS",
    "UNSAFE_THREAD gui/expression/live_check.py": "it checks text and touches no widget",
    "UNSAFE_THREAD gui/preview_window.py": "it runs the engine and touches no widget",
    "UNSAFE_SUBPROCESS cluster/workers/processes.py": "a list of arguments, no shell; not in QGIS",
    "POTENTIAL_MISSING_SLOT": "signals and inherited methods are taken for missing ones",
    "QT6_ADDACTION_MULTIARG": "QMenu has it in Qt 6, too",
    "QT6_QCOMBOBOX_ACTIVATED gui/expression/editor.py": "it is a QCompleter",
    "BLOCKING_NETWORK_CALL engine/files/changes.py": "in the thread of a run, with a time limit",
}


def faults(package: Path) -> list[str]:
    """Return what the tools find in a zip, a paragraph each."""
    found = []
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(package) as archive:
            archive.extractall(folder)
        for name, command in TOOLS.items():
            program = Path(sys.executable).with_name(command[0])
            done = subprocess.run(
                [program, *command[1:]], cwd=folder, capture_output=True, text=True, check=False
            )
            fault = _fault(name, done)
            print(f"{name}: {'failed' if fault else 'passed'}")
            found += [f"{name}:\n{fault}"] if fault else []
    return found


def _fault(name: str, done: subprocess.CompletedProcess[str]) -> str:
    if done.returncode:
        return (done.stdout + done.stderr).strip() or f"exit code {done.returncode}"
    if name == "detect-secrets":
        results = json.loads(done.stdout)["results"]
        return json.dumps(results, indent=1) if results else ""
    if name == "qgis-plugin-analyzer":
        return "\n".join(_findings(json.loads(done.stdout)))
    return ""


def _findings(report: dict[str, Any]) -> list[str]:
    """Return the findings of qgis-plugin-analyzer that are not accepted."""
    issues = report["qgis_compliance"]["best_practices"]["issues"]
    if not any(issue["type"] == "METADATA_SUPPORTS_QT6" for issue in issues):
        return ["supportsQt6 was not found, so the rules did not run"]
    found = [
        f"{issue['file']}:{issue['line']}: {issue['type']} {issue['message']}"
        for issue in [*issues, *report["security"]["findings"]]
        if not {issue["type"], f"{issue['type']} {issue['file']}"} & set(ACCEPTED)
    ]
    repository = report["repository_compliance"]
    return found + ([] if repository["is_compliant"] else [str(repository)])


if __name__ == "__main__":
    sys.exit("\n\n".join(faults(Path(sys.argv[1]))) or None)
