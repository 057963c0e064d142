# SPDX-License-Identifier: GPL-2.0-or-later
"""Names of files as Windows and macOS have them: drive letters, network shares, any case."""

from __future__ import annotations

import ntpath
import os
from contextlib import suppress
from pathlib import Path, PureWindowsPath
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from bandwise.engine.credentials import file_name, without_credentials
from bandwise.engine.errors import InputError, OutputError
from bandwise.engine.execution.pipeline import run
from bandwise.engine.files import changes, input_files
from bandwise.engine.files.changes import url_of
from bandwise.engine.files.input_files import InputFiles
from bandwise.engine.files.locations import is_remote
from bandwise.engine.radiometry.archives import files as archives
from bandwise.engine.radiometry.sensors import sentinel2
from bandwise.engine.radiometry.sensors.registry import scene_file
from bench import Bench
from other_systems import refusing

VALUES = np.arange(1, 5001, dtype=np.uint16).reshape(50, 100)
DRIVE, SHARE = r"C:\data\scene one\a.tif", r"\\server\share\data\a.tif"


class WindowsOs(SimpleNamespace):
    """The ``os`` of a Windows that has ``files``, by any case and slash; ``numbered`` says that it has inodes."""

    def __init__(self, *files: str, numbered: bool = True) -> None:
        present = [self.spelt(file) for file in files]
        names = {
            **vars(ntpath),
            "isfile": lambda name: self.spelt(name) in present,
            "lexists": lambda name: self.spelt(name) in present,
            "exists": lambda name: self.spelt(name) in present,
        }

        def stat(name: str) -> Any:
            if self.spelt(name) not in present:
                raise FileNotFoundError(2, "The system cannot find the file specified", name)
            return SimpleNamespace(
                st_dev=7, st_ino=present.index(self.spelt(name)) + 1 if numbered else 0
            )

        super().__init__(
            path=SimpleNamespace(**names),
            stat=stat,
            fspath=os.fspath,
            PathLike=os.PathLike,
            sep="\\",
        )

    @staticmethod
    def spelt(name: str) -> str:
        return ntpath.normcase(ntpath.normpath(name))


@pytest.mark.parametrize("numbered", [True, False], ids=["inodes", "no inodes"])
@pytest.mark.parametrize("file", [DRIVE, SHARE, r"\\?\C:\data\a.tif", r"Z:\a.tif"])
@pytest.mark.parametrize(
    "name",
    [
        "{file}",
        'NETCDF:"{file}":Band1',
        "NETCDF:{file}:Band1",
        "GTIFF_DIR:1:{file}",
        "HDF5:{file}://group/band",
        "/vsizip/{file}/inner/b.tif",
        "/vsizip/{{{file}}}/inner/b.tif",
        "/vsisubfile/0_900,{file}",
        "/vsigzip/{file}",
        "vrt://{file}?bands=1",
        "file:///{file}",
        "DERIVED_SUBDATASET:AMPLITUDE:{file}",
    ],
)
def test_the_local_file_is_found_behind_a_name_of_gdals(
    monkeypatch: pytest.MonkeyPatch, name: str, file: str, numbered: bool
) -> None:
    """And known again by whatever case and slashes; another file of the share is another."""
    monkeypatch.setattr(input_files, "os", WindowsOs(file, DRIVE + "f", numbered=numbered))
    for spelling in (file, file.replace("\\", "/")):
        files = InputFiles([name.format(file=spelling)])
        for again in (file, file.upper(), file.lower(), file.replace("\\", "/")):
            assert again in files
        assert DRIVE + "f" not in files and ntpath.dirname(file) + r"\new.tif" not in files


@pytest.mark.parametrize(
    "path",
    [
        DRIVE,
        SHARE,
        DRIVE.replace("\\", "/"),
        "//server/share/a.tif",
        r"C:\Users\a@b.org\key=1\100%\a.tif",
        r"D:\http\s3\gs\a.tif",
    ],
)
def test_no_drive_is_taken_for_an_address(monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setattr("bandwise.engine.credentials.os", SimpleNamespace(path=ntpath))
    assert not is_remote(path) and not url_of(path)
    assert without_credentials(path) == path
    assert file_name(path) == "a.tif"


@pytest.mark.parametrize(
    ("name", "archive"),
    [
        (r"/vsizip/C:\data\a.zip\b.tif", r"C:\data\a.zip"),
        ("/vsizip/C:/data/a.zip/deep/b.tif", r"C:\data\a.zip"),
        ("/vsizip/vsigzip/C:/data/a.zip", ""),
        (r"/vsitar/\\server\share\a.tar\b.tif", r"\\server\share\a.tar"),
        (r"/vsisubfile/10_900,C:\data\a.zip", r"C:\data\a.zip"),
    ],
)
def test_an_archive_is_watched_while_it_is_read(
    monkeypatch: pytest.MonkeyPatch, name: str, archive: str
) -> None:
    class WindowsPath(PureWindowsPath):
        def is_file(self) -> bool:
            return str(self) == archive

    monkeypatch.setattr(changes, "Path", WindowsPath)
    assert changes._behind(name) == (archive or name)


def test_products_are_found_on_a_drive_and_on_a_share(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sentinel-2's metadata in a folder above, up to the drive and no further; Landsat's beside the band."""
    name = "T32TNS_20240601T101559_B04_10m.jp2"
    read: list[str] = []

    def refused(path: str, *_: Any) -> Any:
        read.append(path)
        raise InputError("read")

    monkeypatch.setattr(sentinel2, "_read", refused)
    for top in ("C:\\", r"\\server\share"):
        product = ntpath.join(top, "MTD_MSIL2A.xml")
        for module in (sentinel2, archives):
            monkeypatch.setattr(module, "os", WindowsOs(product))
        with pytest.raises(InputError):
            sentinel2.Sentinel2().of_file(ntpath.join(top, "GRANULE", "IMG_DATA", name))
        assert read.pop() == product
        for module in (sentinel2, archives):
            monkeypatch.setattr(module, "os", WindowsOs())
        facts = sentinel2.Sentinel2().of_file(ntpath.join(top, name))
        assert facts is not None and facts.missing
    scene = "LC08_L2SP_192027_20200101_20200823_02_T1"
    assert scene_file(rf"\\server\share\{scene}_SR_B4.TIF") == scene_file(f"{scene}_SR_B4.TIF")


@pytest.fixture
def any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file system ignores case, as far as functions of ``os`` that look at names can tell."""

    def ignoring(function: Any) -> Any:
        def called(name: Any, *more: Any, **options: Any) -> Any:
            if isinstance(name, (str, os.PathLike)) and not options.get("dir_fd"):
                folder, last = os.path.split(os.fspath(name))
                with suppress(OSError):
                    alike = [other for other in os.listdir(folder) if other.lower() == last.lower()]
                    name = os.path.join(folder, *alike[:1]) if alike else name
            return function(name, *more, **options)

        return called

    for name in ("stat", "lstat", "access"):
        monkeypatch.setattr(os, name, ignoring(getattr(os, name)))


@pytest.mark.parametrize(
    ("given", "output"),
    [
        ("a.tif", "A.TIF"),
        ("a.tif", "A.tif"),
        ("Straße.tif", "straße.TIF"),
        ("a.tif.ovr", "A.tif"),
        ("A.TIF.MSK", "a.tif"),
    ],
)
def test_an_output_that_differs_in_case_is_the_input(
    bench: Bench, any_case: None, given: str, output: str
) -> None:
    """And so is what GDAL would read with it."""
    name = bench.save("plain.tif", VALUES)
    os.rename(name, bench.path(given))
    before = bench.listing()
    with pytest.raises(OutputError, match="is an input"):
        run(bench.job(bench.path(given), bench.path(given), output=output))
    assert bench.listing() == before


def test_a_free_name_is_free_in_every_case(
    bench: Bench, any_case: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``NDVI_1.TIF`` is there."""
    name = bench.save("a.tif", VALUES)
    run(bench.job(name, name))
    Path(bench.path("NDVI_1.TIF")).write_bytes(b"somebody's")
    monkeypatch.setattr(os, "replace", refusing(os.replace, 2))
    with Path(bench.path("ndvi.tif")).open("rb"):
        assert run(bench.job(name, name)).output == bench.path("ndvi_2.tif")
