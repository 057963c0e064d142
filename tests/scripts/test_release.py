# SPDX-License-Identifier: GPL-2.0-or-later
"""A release has its version, changelog and addresses everywhere; placeholders are refused before a byte is written."""

from __future__ import annotations

import configparser
import datetime
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from scripts import release

DAY = datetime.date(2026, 12, 1)
CHANGELOG = """# Changelog

## [Unreleased]

### Added

- `bandwise:more`: a line
  and its second line, 100 % of it.

### Fixed

- Another.

## [0.1.0]

- The first.
"""
METADATA = """[general]
name=Bandwise
version=0.1.0
changelog=0.1.0
  - The first.
author=A
email=b@c.invalid
homepage=https://c.invalid
tracker=https://c.invalid
repository=https://c.invalid
experimental=False
"""
PROJECT = """[project]
name = "bandwise"
version = "0.1.0"
authors = [{ name = "Real People", email = "people@raster.org" }]

[project.urls]
homepage = "https://raster.org/bandwise"
tracker = "https://raster.org/bandwise/issues"
repository = "https://raster.org/bandwise.git"
"""
FILES = {
    "CHANGELOG.md": CHANGELOG,
    "metadata.txt": METADATA,
    "pyproject.toml": PROJECT,
    "engine/__init__.py": '"""The engine."""\n\n__version__ = "0.1.0"\n',
}


def general(metadata: str) -> configparser.SectionProxy:
    """Read ``metadata.txt`` as QGIS and the plugin site do."""
    parser = configparser.ConfigParser()
    parser.read_string(metadata)
    return parser["general"]


def test_version_changelog_and_addresses_are_set() -> None:
    files = release.release(FILES, "0.2.0", DAY)
    metadata = general(files["metadata.txt"])
    assert metadata["version"] == "0.2.0"
    assert metadata["changelog"].splitlines() == [
        "0.2.0",
        "Added:",
        "- bandwise:more: a line and its second line, 100 % of it.",
        "Fixed:",
        "- Another.",
    ]
    assert (metadata["author"], metadata["email"]) == ("Real People", "people@raster.org")
    assert [metadata[name] for name in ("homepage", "tracker", "repository")] == [
        "https://raster.org/bandwise",
        "https://raster.org/bandwise/issues",
        "https://raster.org/bandwise.git",
    ]
    assert (metadata["name"], metadata["experimental"]) == ("Bandwise", "False")
    assert 'version = "0.2.0"' in files["pyproject.toml"]
    assert files["engine/__init__.py"].endswith('__version__ = "0.2.0"\n')
    assert "## [Unreleased]\n\n## [0.2.0] - 2026-12-01\n\n### Added" in files["CHANGELOG.md"]


def test_the_next_release_needs_something_new() -> None:
    files = release.release(FILES, "0.2.0", DAY)
    with pytest.raises(release.NotReady, match="nothing under Unreleased"):
        release.release(files, "0.3.0", DAY)


@pytest.mark.parametrize("version", ["0.1.0", "0.0.9", "1.0", "v1.0.0", "1.0.0rc1", ""])
def test_a_version_is_three_numbers_and_later(version: str) -> None:
    with pytest.raises(release.NotReady, match="no version after"):
        release.release(FILES, version, DAY)


@pytest.mark.parametrize("name", ["homepage", "tracker", "repository"])
@pytest.mark.parametrize(
    "url",
    [
        "",
        "raster.org/bandwise",
        "http://raster.org/bandwise",
        "https://raster.invalid/bandwise",
        "https://example.com/bandwise",
        "https://localhost/bandwise",
        "https://github.com/<owner>/bandwise",
        "https://github.com/your-name/bandwise",
        "https://github.com/TODO/bandwise",
    ],
)
def test_placeholders_are_no_addresses(name: str, url: str) -> None:
    lines = [
        f'{name} = "{url}"' if line.startswith(f"{name} =") else line
        for line in PROJECT.split("\n")
    ]
    with pytest.raises(release.NotReady, match=f"{name} is"):
        release.release({**FILES, "pyproject.toml": "\n".join(lines)}, "0.2.0", DAY)


@pytest.mark.parametrize(
    "email", ["", "people", "people@raster", "people@raster.invalid", "a b@c.org"]
)
def test_placeholders_are_no_email(email: str) -> None:
    project = PROJECT.replace("people@raster.org", email)
    with pytest.raises(release.NotReady, match="email is"):
        release.release({**FILES, "pyproject.toml": project}, "0.2.0", DAY)


def test_nothing_is_written_where_it_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {**FILES, "pyproject.toml": PROJECT.replace("raster.org", "raster.invalid")}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, "utf-8")
    monkeypatch.setattr(release, "ROOT", tmp_path)
    monkeypatch.setattr(sys, "argv", ["release", "0.2.0"])
    with pytest.raises(SystemExit, match=r"email is 'people@raster.invalid'"):
        release.main()
    assert {name: (tmp_path / name).read_text("utf-8") for name in files} == files


class Page(BaseHTTPRequestHandler):
    def do_HEAD(self) -> None:
        self.send_response(200 if self.path == "/here" else 404)
        self.end_headers()

    def log_message(self, *values: object) -> None:
        pass


def test_an_address_that_does_not_answer_is_refused() -> None:
    server = HTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    contacts = dict.fromkeys(("homepage", "tracker", "repository"), f"{base}/here")
    release.refuse_silent(contacts)
    with pytest.raises(release.NotReady, match="tracker does not answer"):
        release.refuse_silent({**contacts, "tracker": f"{base}/gone"})
    server.shutdown()
    server.server_close()
    with pytest.raises(release.NotReady, match="homepage does not answer"):
        release.refuse_silent(contacts)


def test_the_checkout_holds_what_a_release_writes() -> None:
    """Addresses, changelog and version of ``metadata.txt`` are those of the files that they come from."""
    files = {name: (release.ROOT / name).read_text("utf-8") for name in release.FILES}
    version = release.metadata_value(files["metadata.txt"], "version")
    notes = release.section(files["CHANGELOG.md"], version)
    contacts = release.addresses(files["pyproject.toml"])
    assert (
        release.with_metadata(files["metadata.txt"], version, notes, contacts)
        == files["metadata.txt"]
    )
    assert f'version = "{version}"' in files["pyproject.toml"]
    assert general(files["metadata.txt"])["changelog"].count("\n") > 3
