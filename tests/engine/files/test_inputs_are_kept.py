# SPDX-License-Identifier: GPL-2.0-or-later
"""An input is never overwritten or removed, by whatever name GDAL reaches it; other files are
replaced if they may be.
"""

from __future__ import annotations

import gzip
import os
import stat
import tarfile
import zipfile
from pathlib import Path
from typing import Any, Callable

import numpy as np
import pytest
import rasterio
import rasterio.shutil
from bandwise.engine.errors import InputError, OutputError
from bandwise.engine.execution.pipeline import run
from bandwise.engine.files.input_files import InputFiles
from bandwise.engine.grids.layout import GridRule, Layout
from bandwise.engine.job import BandRef, Job
from bandwise.engine.radiometry.masks import MaskChoice, MaskRule
from bench import Bench

VALUES = np.arange(1, 5001, dtype=np.uint16).reshape(50, 100)


def contents(bench: Bench) -> dict[str, str]:
    """Every file but those that GDAL itself writes beside what it decompresses, and where links lead."""
    files = {
        name: digest for name, digest in bench.listing().items() if not name.endswith(".properties")
    }
    return {
        **files,
        **{
            name: os.readlink(bench.path(name))
            for name in os.listdir(bench.folder)
            if os.path.islink(bench.path(name))
        },
    }


def refused(bench: Bench, job: Any, *words: str) -> str:
    before = contents(bench)
    with pytest.raises(OutputError) as caught:
        run(job)
    sentence = str(caught.value)
    for word in words:
        assert word in sentence
    assert "\n" not in sentence
    assert contents(bench) == before
    return sentence


def vrt(bench: Bench, name: str, source: str, relative: int = 0) -> str:
    bench.save("form.tif", VALUES)
    text = f"""<VRTDataset rasterXSize="100" rasterYSize="50"><SRS>EPSG:32633</SRS>
<GeoTransform>300000, 10, 0, 5000040, 0, -10</GeoTransform><VRTRasterBand dataType="UInt16" band="1"><SimpleSource>
<SourceFilename relativeToVRT="{relative}">{source}</SourceFilename><SourceBand>1</SourceBand></SimpleSource>
</VRTRasterBand></VRTDataset>"""
    Path(bench.path(name)).write_text(text, encoding="utf-8")
    return bench.path(name)


def zipped(bench: Bench) -> str:
    with zipfile.ZipFile(bench.path("out.tif"), "w") as archive:
        archive.write(bench.save("inner.tif", VALUES), "inner.tif")
    return f"/vsizip/{{{bench.path('out.tif')}}}/inner.tif"


def tarred(bench: Bench) -> str:
    with tarfile.open(bench.path("out.tif"), "w") as archive:
        archive.add(bench.save("inner.tif", VALUES), "deep/inner.tif")
    return f"/vsitar/{{{bench.path('out.tif')}}}/deep/inner.tif"


def compressed(bench: Bench) -> str:
    Path(bench.path("out.tif")).write_bytes(
        gzip.compress(Path(bench.save("inner.tif", VALUES)).read_bytes())
    )
    return f"/vsigzip/{bench.path('out.tif')}"


def zip_with_a_link_to_a_zip(bench: Bench) -> str:
    name = zipped(bench)
    os.symlink(bench.path("out.tif"), bench.path("link.zip"))
    return name.replace("{" + bench.path("out.tif") + "}", bench.path("link.zip"))


def part_of_a_file(bench: Bench) -> str:
    size = os.path.getsize(bench.save("out.tif", VALUES))
    return f"/vsisubfile/0_{size},{bench.path('out.tif')}"


def part_of_a_compressed_file(bench: Bench) -> str:
    name = compressed(bench)
    return f"/vsisubfile/0_{os.path.getsize(bench.path('inner.tif'))},{name}"


def vrt_of_a_vrt(bench: Bench, middle: str, relative: int = 0) -> str:
    bench.save("out.tif", VALUES)
    vrt(bench, middle, "out.tif" if relative else bench.path("out.tif"), relative)
    return vrt(bench, "outer.vrt", bench.path(middle))


def vrt_of_an_archive(bench: Bench) -> str:
    return vrt(bench, "outer.txt", zipped(bench))


def netcdf(bench: Bench) -> str:
    """The output is a link to the file; names of GeoTIFFs alone are accepted."""
    rows = bench.save("plain.tif", VALUES)
    try:
        with rasterio.open(rows) as source:
            rasterio.shutil.copy(source, bench.path("data.nc"), driver="netCDF")
    except rasterio.errors.RasterioError:  # this rasterio has no netCDF
        os.rename(rows, bench.path("data.nc"))
        os.symlink(bench.path("data.nc"), bench.path("out.tif"))
        return f"GTIFF_DIR:1:{bench.path('data.nc')}"
    os.symlink(bench.path("data.nc"), bench.path("out.tif"))
    return f'NETCDF:"{bench.path("data.nc")}":Band1'


WAYS: dict[str, Callable[[Any], str]] = {
    "zip": zipped,
    "tar": tarred,
    "gzip": compressed,
    "zip by a link": zip_with_a_link_to_a_zip,
    "part of a file": part_of_a_file,
    "part of a gzip": part_of_a_compressed_file,
    "VRT of a VRT": lambda bench: vrt_of_a_vrt(bench, "middle.vrt"),
    "VRT of another suffix": lambda bench: vrt_of_a_vrt(bench, "middle.xml"),
    "relative VRT without a suffix": lambda bench: vrt_of_a_vrt(bench, "middle", 1),
    "VRT named as a TIFF": lambda bench: vrt_of_a_vrt(bench, "middle.tif"),
    "VRT of an archive": vrt_of_an_archive,
    "subdataset": netcdf,
    "options of a VRT": lambda bench: f"vrt://{bench.save('out.tif', VALUES)}?bands=1",
    "URL of a file": lambda bench: f"file://{bench.save('out.tif', VALUES)}",
    "derived": lambda bench: f"DERIVED_SUBDATASET:AMPLITUDE:{bench.save('out.tif', VALUES)}",
}


@pytest.mark.parametrize("way", WAYS)
def test_the_output_is_an_input_by_whatever_name(bench: Bench, way: str) -> None:
    name = WAYS[way](bench)
    assert refused(bench, bench.job(name, name, output="out.tif"), "out.tif", "is an input")


@pytest.mark.parametrize("way", ["zip", "VRT named as a TIFF", "part of a file"])
def test_a_raster_that_is_listed_and_not_used_is_an_input_too(bench: Bench, way: str) -> None:
    name, other = WAYS[way](bench), bench.save("other.tif", VALUES)
    refused(
        bench, bench.job(other, other, output="out.tif")._replace(listed=(name,)), "is an input"
    )
    refused(
        bench,
        bench.job(other, other, output="out.tif")._replace(
            layout=Layout(rule=GridRule.REFERENCE, reference=name)
        ),
        "is an input",
    )


@pytest.mark.parametrize("kind", ["itself", "link", "hard link", "VRT", "zip"])
@pytest.mark.parametrize("suffix", [".msk", ".ovr", ".aux.xml", ".msk.ovr", ".OVR"])
def test_a_sidecar_of_the_outputs_name_is_an_input(bench: Bench, suffix: str, kind: str) -> None:
    """GDAL would read it as a part of the new file, so it would have to go."""
    beside = bench.path(f"scene.tif{suffix}")
    os.rename(bench.save("mask.tif", (VALUES % 2).astype(np.uint8)), beside)
    name = beside
    if kind == "link":
        os.symlink(beside, bench.path("link.tif"))
        name = bench.path("link.tif")
    elif kind == "hard link":
        os.link(beside, bench.path("again.tif"))
        name = bench.path("again.tif")
    elif kind == "VRT":
        name = vrt(bench, "mask.vrt", beside)
    elif kind == "zip":
        with zipfile.ZipFile(bench.path("a.zip"), "w") as archive:
            archive.write(beside, "mask.tif")
        os.replace(bench.path("a.zip"), beside)
        name = f"/vsizip/{{{beside}}}/mask.tif"
    other = bench.save("other.tif", VALUES)
    for job in (
        bench.job(other, name, output="scene.tif"),
        bench.job(other, other, output="scene.tif")._replace(
            mask=MaskChoice(name, rule=MaskRule.KEEP_NONZERO)
        ),
        bench.job(other, other, output="scene.tif")._replace(listed=(name,)),
    ):
        refused(bench, job, f"scene.tif{suffix}", "is an input", "another name")


def test_a_world_file_of_an_input_is_not_overwritten(bench: Bench) -> None:
    """scene.tfw belongs to scene.tiff, and would be written with scene.tif."""
    name = bench.save("scene.tiff", VALUES, crs=None, transform=None)
    Path(bench.path("scene.tfw")).write_text("10\n0\n0\n-10\n300005\n5000035\n", encoding="ascii")
    refused(
        bench,
        bench.job(name, name, output="scene.tif", creation_options="TFW=YES"),
        "scene.tfw",
        "is an input",
    )
    run(bench.job(name, name, output="scene.tif"))
    assert Path(bench.path("scene.tfw")).exists()


def test_names_that_only_look_alike_are_no_inputs(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path with separators of other names in it is that path alone, and a folder is no file."""
    monkeypatch.chdir(bench.folder)
    odd = bench.save("a,out.tif", VALUES)
    bench.save("out.tif", VALUES)
    run(bench.job(odd, odd, output="out.tif"))
    run(bench.job("a,out.tif", "a,out.tif", output="out.tif"))
    files = InputFiles(
        [
            "/vsicurl/https://host/out.tif",
            "/vsimem/out.tif",
            "",
            "\0",
            "x" * 10_000,
            f"/vsizip/{bench.folder}",
        ]
    )
    assert bench.path("out.tif") not in files and bench.folder not in files


def test_a_vrt_that_is_its_own_source_ends(bench: Bench) -> None:
    one = vrt(bench, "one.vrt", bench.path("two.vrt"))
    two = vrt(bench, "two.vrt", one)
    assert (
        one in InputFiles([two])
        and two in InputFiles([two])
        and bench.path("out.tif") not in InputFiles([two])
    )


def test_a_wide_mosaic_is_looked_through_in_little_time_and_memory(bench: Bench) -> None:
    """10,000 sources: each is looked at once."""
    path = vrt(bench, "wide.vrt", bench.path("tile0.tif"))
    text = Path(path).read_text(encoding="utf-8")
    source = text[text.index("<SimpleSource>") : text.index("</VRTRasterBand>")]
    many = "".join(source.replace("tile0", f"tile{number}") for number in range(10_000))
    Path(path).write_text(text.replace(source, many), encoding="utf-8")
    Path(bench.path("tile9999.tif")).write_bytes(b"")
    assert bench.path("tile9999.tif") in InputFiles([path]) and bench.path(
        "form.tif"
    ) not in InputFiles([path])


@pytest.mark.posix
def test_a_fifo_and_a_device_are_no_files(bench: Bench) -> None:
    name = bench.save("other.tif", VALUES)
    os.mkfifo(bench.path("out.tif"))
    refused_without_reading = bench.job(name, name, output="out.tif")
    with pytest.raises(OutputError, match=r"out\.tif is a device, a pipe or a socket"):
        run(refused_without_reading)
    assert stat.S_ISFIFO(os.lstat(bench.path("out.tif")).st_mode)
    os.symlink("/dev/null", bench.path("null.tif"))
    with pytest.raises(OutputError, match=r"null\.tif is a device"):
        run(bench.job(name, name, output="null.tif"))
    os.mkdir(bench.path("folder"))
    os.symlink(bench.path("folder"), bench.path("linked.tif"))
    with pytest.raises(OutputError, match=r"linked\.tif is a folder"):
        run(bench.job(name, name, output="linked.tif"))
    os.symlink(str(bench.folder / "nowhere" / "x.tif"), bench.path("dangling.tif"))
    with pytest.raises(OutputError, match=r"nowhere does not exist"):
        run(bench.job(name, name, output="dangling.tif"))
    os.symlink(bench.path("circle.tif"), bench.path("circle.tif"))
    with pytest.raises(OutputError, match=r"circle\.tif cannot be the name of a file"):
        run(bench.job(name, name, output="circle.tif"))
    assert not [name for name in os.listdir(bench.folder) if name.startswith(".")]


#: A process of the user 1234, in a folder that is its own, whatever may be above.
UNPRIVILEGED = """
import os
from bandwise.engine.backend.choice import backend
from bandwise.engine.errors import OutputError
from bandwise.engine.job import BandRef, Job
from bandwise.engine.execution.pipeline import run
from bandwise.engine.expression.names import named_formula
backend()
os.setgroups([])
os.setgid({group})
os.setuid(1234)
bands = (BandRef("nir", "nir.tif"), BandRef("red", "nir.tif"))
try:
    run(Job(bands, named_formula("NDVI := (nir - red) / (nir + red)", ("nir", "red")), {output!r}))
    print("done")
except OutputError as error:
    print(error)
"""


@pytest.mark.posix
@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become another user"
)
@pytest.mark.parametrize(
    ("mode", "owner", "folder_mode", "said"),
    [
        (0o444, 1234, 0o755, "out.tif exists and is read-only"),
        (0o644, 0, 0o755, "out.tif exists and is read-only"),
        (0o666, 0, 0o1777, "belongs to another user"),
        (0o666, 0, 0o755, "done"),
        (0o600, 1234, 0o1777, "done"),
    ],
)
def test_what_may_not_be_replaced_is_refused_before_the_work(
    bench: Bench, mode: int, owner: int, folder_mode: int, said: str
) -> None:
    bench.save("nir.tif", VALUES)
    Path(bench.path("out.tif")).write_bytes(b"former result")
    os.chown(bench.path("out.tif"), owner, owner)
    os.chmod(bench.path("out.tif"), mode)
    os.chown(bench.folder, 1234 if folder_mode == 0o755 else 0, 1234)
    os.chmod(bench.folder, folder_mode)
    before = bench.listing()
    result = bench.python(UNPRIVILEGED.format(output="out.tif", group=1234))
    assert said in result.stdout and result.stdout.count("\n") == 1, result.stdout + result.stderr
    assert (bench.listing() == before) == (said != "done")


@pytest.mark.posix
@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can become another user"
)
def test_a_sidecar_beside_a_link_that_cannot_be_removed_is_refused_before_the_work(
    bench: Bench,
) -> None:
    """The link lies in a folder of root's, and what it points to in the user's own."""
    bench.save("nir.tif", VALUES)
    os.mkdir(bench.path("locked"))
    os.symlink(bench.path("out.tif"), bench.path("locked/link.tif"))
    Path(bench.path("locked/link.tif.ovr")).write_bytes(b"former overviews")
    for folder in list(bench.folder.parents)[:-2]:  # the user may pass
        folder.chmod(folder.stat().st_mode | 0o011)
    os.chown(bench.folder, 1234, 1234)
    before = bench.listing()
    result = bench.python(UNPRIVILEGED.format(output="locked/link.tif", group=1234))
    assert "link.tif.ovr cannot be removed" in result.stdout and result.stdout.count("\n") == 1, (
        result.stdout + result.stderr
    )
    assert bench.listing() == before


def test_an_input_that_does_not_exist_is_complained_of_as_such(bench: Bench) -> None:
    job = Job(
        (BandRef("nir", bench.path("gone.tif")),),
        bench.job("", "").formula._replace(),
        bench.path("gone.tif"),
    )
    with pytest.raises((InputError, OutputError), match=r"gone\.tif"):
        run(job)
