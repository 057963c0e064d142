# SPDX-License-Identifier: GPL-2.0-or-later
"""Make this checkout a release: version, changelog and addresses, or say in one sentence what is missing.

    python -m scripts.release 0.2.0

The version is the argument, the changelog is *Unreleased* in ``CHANGELOG.md``, and the addresses are those in
``pyproject.toml``, the one place for them. Nothing is written before everything is found to be right.
"""

from __future__ import annotations

import argparse
import datetime
import re
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import tomllib

ROOT = Path(__file__).resolve().parents[1]
CHANGELOG, METADATA, PROJECT, ENGINE = FILES = (
    "CHANGELOG.md",
    "metadata.txt",
    "pyproject.toml",
    "engine/__init__.py",
)
_URLS = ("homepage", "tracker", "repository")
#: Names that nobody can own (RFC 2606), gaps to fill in, and what templates say.
_PLACEHOLDER = re.compile(
    r"\.(invalid|example|test|localhost)\b|\bexample\.(com|net|org)\b|\blocalhost\b|[<>{}\s]"
    r"|\b(todo|fixme|tbd|changeme|placeholder)\b|\b(your|my)[-_.]?(name|user|org|plugin|e?mail)",
    re.IGNORECASE,
)


class NotReady(ValueError):
    """What keeps the checkout from being a release."""


def release(files: Mapping[str, str], version: str, day: datetime.date) -> dict[str, str]:
    """Return the texts of ``FILES`` as they are in the release.

    Raises :class:`NotReady`.
    """
    contacts = addresses(files[PROJECT])
    _refuse_placeholders(contacts)
    former = metadata_value(files[METADATA], "version")
    if not re.fullmatch(r"\d+\.\d+\.\d+", version) or _parts(version) <= _parts(former):
        raise NotReady(f"{version} is no version after {former}; give three numbers, as 1.2.3.")
    notes = section(files[CHANGELOG], "Unreleased")
    if not notes:
        raise NotReady("CHANGELOG.md has nothing under Unreleased; say there what is new.")
    heading = f"## [Unreleased]\n\n## [{version}] - {day.isoformat()}"
    return {
        CHANGELOG: _replaced(files[CHANGELOG], r"^## \[Unreleased\]$", heading),
        METADATA: with_metadata(files[METADATA], version, notes, contacts),
        PROJECT: _replaced(files[PROJECT], r'^version = ".*"$', f'version = "{version}"'),
        ENGINE: _replaced(files[ENGINE], r'^__version__ = ".*"$', f'__version__ = "{version}"'),
    }


def addresses(project: str) -> dict[str, str]:
    """Return author, email and the three addresses, by their names in ``metadata.txt``."""
    table = tomllib.loads(project)["project"]
    (author,) = table["authors"]
    urls = {name: table["urls"][name] for name in _URLS}
    return {"author": author["name"], "email": author["email"], **urls}


def _refuse_placeholders(contacts: Mapping[str, str]) -> None:
    for name in ("email", *_URLS):
        value = contacts[name]
        if name == "email":
            fine = re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value) is not None
        else:
            fine = urlsplit(value).scheme == "https" and "." in urlsplit(value).netloc
        if not fine or _PLACEHOLDER.search(value):
            raise NotReady(f"{name} is {value!r}; write the real one into pyproject.toml.")


def section(changelog: str, title: str) -> str:
    """Return what stands under a version in ``CHANGELOG.md``."""
    match = re.search(
        rf"^## \[{re.escape(title)}\][^\n]*\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL
    )
    return match[1].strip() if match else ""


def with_metadata(metadata: str, version: str, notes: str, contacts: Mapping[str, str]) -> str:
    """Return ``metadata.txt`` with a version, its changelog and addresses."""
    values = {**contacts, "version": version, "changelog": f"{version}\n{plain(notes)}"}
    for key, value in values.items():
        # a line that is not indented would be a key of its own; % starts a reference to one
        text = value.replace("%", "%%").replace("\n", "\n  ")
        metadata = _replaced(metadata, rf"^{key}=.*(\n[ \t].*)*$", f"{key}={text}")
    return metadata


def plain(notes: str) -> str:
    """Return Markdown as QGIS shows it: a line an item, and no ``#``, which starts a comment there."""
    joined = re.sub(r"\n[ \t]+(?=\S)", " ", notes.replace("`", ""))
    lines = [line for line in joined.splitlines() if line.strip()]
    return "\n".join(re.sub(r"^#+ *(.*)", r"\1:", line) for line in lines)


def metadata_value(metadata: str, key: str) -> str:
    match = re.search(rf"^{key}=(.*)$", metadata, re.MULTILINE)
    if not match:
        raise NotReady(f"metadata.txt has no {key}.")
    return match[1]


def _replaced(text: str, pattern: str, replacement: str) -> str:
    text, count = re.subn(pattern, lambda match: replacement, text, flags=re.MULTILINE)
    if count != 1:
        raise NotReady(f"{pattern} is in its file {count} times, not once.")
    return text


def _parts(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


def refuse_silent(contacts: Mapping[str, str]) -> None:
    """Raise :class:`NotReady` where an address does not answer: the plugin site refuses such a zip."""
    for name in _URLS:
        request = urllib.request.Request(contacts[name], method="HEAD")
        try:
            urllib.request.urlopen(request, timeout=10).close()
        except OSError as error:
            raise NotReady(f"{name} does not answer: {contacts[name]} ({error}).") from error


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("version", help="three numbers, as 1.2.3")
    version = parser.parse_args().version
    files = {name: (ROOT / name).read_text("utf-8") for name in FILES}
    try:
        texts = release(files, version, datetime.date.today())
        refuse_silent(addresses(files[PROJECT]))
    except NotReady as error:
        sys.exit(str(error))
    for name, text in texts.items():
        (ROOT / name).write_text(text, "utf-8")
    print(f"{version}: look at the changes, commit them, then run make check-package check-site.")


if __name__ == "__main__":
    main()
