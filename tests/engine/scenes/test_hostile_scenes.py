# SPDX-License-Identifier: GPL-2.0-or-later
"""Archives, items and folders that mean harm: refused in one sentence, before they cost memory or time."""

from __future__ import annotations

import io
import json
import os
import struct
import tarfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest
from bandwise.engine.errors import MetadataError
from bandwise.engine.radiometry.archives import files as archives
from bandwise.engine.radiometry.formats.metadata_file import file_content
from bandwise.engine.radiometry.products import Products
from bandwise.engine.scenes import places
from bench import Bench
from scene_cases import LC08, PLANET, SAFE, TILE, landsat, opened, refusal, safe, touch, zipped

KILOBYTES = 150_000  #: that a process with numpy may take; it takes some 60,000 by itself
SECONDS = 10  #: of the processor, so that a busy machine fails nothing


def zip_of(path: str, *files: tuple[str, bytes], **options: Any) -> str:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return path


def tar_of(path: str, *entries: tarfile.TarInfo, mode: str = "w") -> str:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for entry in entries:
            archive.addfile(entry, io.BytesIO(b"\0" * entry.size))
    return path


def entry(name: str, size: int = 0, **fields: Any) -> tarfile.TarInfo:
    result = tarfile.TarInfo(name)
    result.size = size
    for field, value in fields.items():
        setattr(result, field, value)
    return result


def bomb_in_metadata(bench: Bench) -> str:
    """A product file that unpacks to 300 MB."""
    path = zip_of(bench.path("a.zip"), (f"{SAFE}.SAFE/{TILE}_B04_10m.jp2", b""))
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open(f"{SAFE}.SAFE/MTD_MSIL2A.xml", "w") as file,
    ):
        for _ in range(300):
            file.write(b" " * 1_000_000)
    return path


def bomb_of_directory(bench: Bench) -> str:
    """A zip that says its directory has 3 GB."""
    path = zip_of(bench.path("a.zip"), ("a", b""))
    content = bytearray(Path(path).read_bytes())
    end = content.rfind(b"PK\x05\x06")
    content[end + 12 : end + 16] = struct.pack("<I", 3_000_000_000)
    Path(path).write_bytes(content)
    return path


def crowd(bench: Bench) -> str:
    """More files than any product has."""
    return zip_of(bench.path("a.zip"), *((f"{n}", b"") for n in range(20_001)))


def crowd_in_tar(bench: Bench) -> str:
    return tar_of(bench.path("a.tar"), *(entry(f"{n}") for n in range(20_001)))


def gzip_bomb(bench: Bench) -> str:
    """A gzipped tar whose second file, after 512 MB of zeros, is to have 3 GB."""
    path = Path(bench.path("a.tar.gz"))
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    with path.open("wb") as file:
        file.write(packer.compress(entry(f"{LC08}_SR_B4.TIF", 512_000_000).tobuf()))
        for _ in range(512):
            file.write(packer.compress(b"\0" * 1_000_000))
        file.write(packer.compress(entry(f"{LC08}_SR_B5.TIF", 3_000_000_000).tobuf()))
        file.write(packer.compress(b"\0" * 10240) + packer.flush())
    return str(path)


def header_bomb(bench: Bench) -> str:
    """A name of 100 MB in a compressed tar."""
    path = Path(bench.path("a.tar.gz"))
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    with path.open("wb") as file:
        file.write(packer.compress(entry("x", 100_000_000, type=tarfile.GNUTYPE_LONGNAME).tobuf()))
        for _ in range(100):
            file.write(packer.compress(b"a" * 1_000_000))
        file.write(packer.compress(b"\0" * 10240) + packer.flush())
    return str(path)


def negative_size(bench: Bench) -> str:
    """A size below zero, which leads back to where it stands."""
    path = tar_of(bench.path("a.tar"), entry("a"), entry("b"))
    content = bytearray(Path(path).read_bytes())
    content[124:136] = b"\xff" * 10 + b"\xfc\x00"  # base 256: -1024
    header = bytes(content[:148]) + b" " * 8 + bytes(content[156:512])
    content[148:156] = b"%06o\0 " % sum(header)
    Path(path).write_bytes(content)
    return path


def encrypted(bench: Bench) -> str:
    path = zip_of(bench.path("a.zip"), ("MTD_MSIL2A.xml", b"<a/>"), (f"{TILE}_B04_10m.jp2", b""))
    content = bytearray(Path(path).read_bytes())
    start = content.find(b"PK\x01\x02")
    content[start + 8] |= 1
    content[6] |= 1
    Path(path).write_bytes(content)
    return path


def lying_member(bench: Bench) -> str:
    """Metadata whose checksum is wrong."""
    path = zip_of(bench.path("a.zip"), ("MTD_MSIL2A.xml", b"<a/>"), (f"{TILE}_B04_10m.jp2", b""))
    content = bytearray(Path(path).read_bytes())
    start = content.find(b"PK\x01\x02")
    content[start + 16] ^= 255
    Path(path).write_bytes(content)
    return path


def lzma_member(bench: Bench) -> str:
    path = bench.path("a.zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive:
        archive.writestr("MTD_MSIL2A.xml", b"<a/>")
    return path


ARCHIVES: dict[str, tuple[Callable[[Bench], str], str]] = {
    "a bomb in metadata": (bomb_in_metadata, "larger than any product metadata"),
    "a directory of 3 GB": (bomb_of_directory, "cannot be looked into"),
    "a crowd in a zip": (crowd, "more files than any product"),
    "a crowd in a tar": (crowd_in_tar, "more files than any product"),
    "a gzip bomb": (gzip_bomb, "unpacks to more than any product"),
    "a long name": (header_bomb, "headers are larger than any"),
    "a negative size": (negative_size, "cannot be looked into"),
    "encrypted metadata": (encrypted, "cannot be looked into"),
    "a wrong checksum": (lying_member, "cannot be looked into"),
    "a method that GDAL lacks": (lzma_member, "compressed in a way that GDAL cannot read"),
    "two files of one name": (
        lambda bench: tar_of(bench.path("a.tar"), entry("x"), entry("x")),
        "two files in it have one name",
    ),
    "a cut zip": (
        lambda bench: cut(zipped(safe(bench), bench.path("a.zip")), 40),
        "cannot be looked into|belongs to no scene",
    ),
    "a cut gzip": (
        lambda bench: cut(tar_of(bench.path("a.tgz"), entry("x", 90_000), mode="w:gz"), 40),
        "cannot be looked into",
    ),
}


def cut(path: str, size: int) -> str:
    content = Path(path).read_bytes()
    Path(path).write_bytes(content[: len(content) - size])
    return path


@pytest.mark.parametrize("case", ARCHIVES)
def test_archives_are_refused_at_once(bench: Bench, case: str) -> None:
    make, reason = ARCHIVES[case]
    path = make(bench)
    script = f"""
import time
from bandwise.engine.errors import BandwiseError
from bandwise.engine.scenes.opening import open_scene
start = time.process_time()
try:
    print(open_scene({path!r}, lambda _: ()))
except BandwiseError as error:
    print(error)
peak = [line for line in open("/proc/self/status") if line.startswith("VmHWM")][0]
print(time.process_time() - start, peak.split()[1])
"""
    result = bench.python(script)
    assert result.returncode == 0, result.stderr
    said, numbers = result.stdout.strip().split("\n")
    assert any(part in said for part in reason.split("|")), said
    seconds, kilobytes = map(float, numbers.split())
    assert seconds < SECONDS
    assert kilobytes < KILOBYTES


OUTSIDE = (
    *("../x", "/etc/x", "a/../../x", "a\\..\\x", "C:/x", "./../x", "a//x", "{x}/y", "x\n/y"),
)


@pytest.mark.parametrize("form", ["zip", "tar"])
def test_names_that_leave_an_archive_are_not_in_it(bench: Bench, form: str) -> None:
    names = [f"{name}_{TILE}_B04_10m.jp2" for name in OUTSIDE]
    inside = f"in/{TILE}_B08_10m.jp2"
    if form == "zip":
        path = zip_of(bench.path("a.zip"), *((name, b"") for name in (*names, inside)))
    else:
        entries = [entry(name) for name in (*names, inside)]
        link = entry(f"l/{TILE}_B04_10m.jp2", type=tarfile.SYMTYPE, linkname="/etc/passwd")
        path = tar_of(bench.path("a.tar"), *entries, link)
    assert [band.name for band in opened(path).bands] == ["B08"]
    assert archives.members(path) == (inside,)
    with pytest.raises(MetadataError):
        file_content(f"/vsi{form}/{path}/../../../etc/passwd")


LINKS = (
    *("/vsistdin/x.tif", "/vsicurl/http://127.0.0.1/x.tif", "/vsizip/a.zip/x.tif", "//host/x.tif"),
    *("\\\\host\\share\\x.tif", "HDF5:a.tif", "PG:dbname=x.tif", "GTIFF_DIR:1:a.tif"),
    *("a\nb.tif", "ftp://host/x.tif", "file://host/x.tif", "http:///x.tif"),
    *("javascript:x.tif", "a" * 9000 + ".tif", "file:///vsimem/x.tif", "file:////host/x.tif"),
    *("http://[::1/x.tif", "vrt://x/a.tif", "file:///a%0Ab.tif", "wms:x.tif", "JP2:x.jp2"),
)


@pytest.mark.parametrize("href", LINKS, ids=range(len(LINKS)))
def test_links_to_anything_but_images(bench: Bench, href: str) -> None:
    said = refusal(stac(bench, {"red": {"href": href, "eo:bands": [{"name": "red"}]}}))
    assert "is neither an image on a server" in said


@pytest.mark.parametrize("href", ["/etc/passwd", "a.vrt", "../x.xml", "file:///etc/shadow", ""])
def test_files_that_are_no_images_are_not_looked_at(bench: Bench, href: str) -> None:
    said = refusal(stac(bench, {"red": {"href": href, "eo:bands": [{"name": "red"}]}}))
    assert "links to no band" in said


def stac(bench: Bench, assets: Any, **properties: Any) -> str:
    path = Path(bench.path("item.json"))
    item = {"type": "Feature", "stac_version": "1.0.0", "assets": assets, "properties": properties}
    path.write_text(json.dumps(item), "utf-8")
    return str(path)


ITEMS = {
    "deep": '{"stac_version": "1.0.0", "a": ' + "[" * 50_000,
    "crowded": '{"stac_version": "1.0.0", "a": [' + "1," * 200_000 + "1]}",
    "cut": '{"stac_version": "1.0.0", ',
    "large": '{"stac_version": "1.0.0", "a": "' + "x" * 21_000_000 + '"}',
    "digits": '{"stac_version": "1.0.0", "a": ' + "1" * 100_000 + "}",
    "a list": '["stac_version"]',
}


@pytest.mark.parametrize("case", ITEMS)
def test_items_that_cannot_be(bench: Bench, case: str) -> None:
    path = Path(bench.path("item.json"))
    path.write_text(ITEMS[case], "utf-8")
    start = time.process_time()
    assert refusal(str(path))
    assert time.process_time() - start < SECONDS


@pytest.mark.parametrize(
    "band",
    [
        *({"scale": value} for value in ("0.1", True, [1], {}, 0, 1e300, 10**400, float("nan"))),
        *({"scale": 1, "offset": value} for value in ("x", float("inf"), -1e300)),
    ],
    ids=str,
)
def test_numbers_that_scale_nothing(bench: Bench, band: dict[str, Any]) -> None:
    asset = {"href": "a.tif", "eo:bands": [{"name": "red"}], "raster:bands": [band]}
    assert "cannot be used" in refusal(stac(bench, {"red": asset}))


@pytest.mark.parametrize("value", [None, 1, "x", [], {}, [1], [None], {"a": 1}], ids=str)
def test_values_of_another_kind_are_ignored(bench: Bench, value: Any) -> None:
    """Whatever a field holds, there is a scene or a sentence."""
    good = {"href": "a.tif", "eo:bands": [{"name": "red"}]}
    for name in ("href", "eo:bands", "raster:bands", "bands", "roles", "gsd"):
        path = stac(
            bench, {"red": {**good, name: value}, "nir": good}, platform=value, datetime=value
        )
        assert opened(path).bands
    assert refusal(stac(bench, value))


@pytest.fixture
def looping(bench: Bench) -> Iterator[str]:
    """A folder with a link to itself, and one out of it."""
    folder = landsat(bench, LC08, ["SR_B4.TIF"])
    os.symlink(folder, f"{folder}/again")
    os.symlink("/", f"{folder}/all")
    yield folder


@pytest.mark.posix
def test_pipes_are_not_read(bench: Bench) -> None:
    """Whoever opens one waits for ever."""
    touch(bench, f"p/{TILE}_B04_10m.jp2", f"p/{PLANET}_3B_AnalyticMS.tif")
    for name in ("MTD_MSIL2A.xml", f"{PLANET}_3B_AnalyticMS_metadata.xml", "item.json", "a.zip"):
        os.mkfifo(bench.path(f"p/{name}"))
    assert "There is no scene" in refusal(bench.path("p/item.json"))
    assert "There is no scene" in refusal(bench.path("p/a.zip"))
    assert opened(bench.path(f"p/{TILE}_B04_10m.jp2")).name == TILE
    facts = Products().facts(bench.path(f"p/{PLANET}_3B_AnalyticMS.tif"), "uint16")
    assert facts is not None
    assert facts.missing


def test_links_to_folders_are_not_followed(looping: str) -> None:
    assert len(opened(looping).bands) == 1


def test_a_folder_with_too_many_files(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "_MOST_FILES", 100)
    touch(bench, *(f"many/{n}.tif" for n in range(101)))
    assert "more files than a scene has" in refusal(str(bench.folder / "many"))
    deep = "/".join("d" * 9)
    touch(bench, f"deep/{deep}/{TILE}_B04_10m.jp2")
    assert "holds no band" in refusal(str(bench.folder / "deep"))
