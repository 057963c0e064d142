# SPDX-License-Identifier: GPL-2.0-or-later
"""The command and the version of each peer: QGIS, GDAL, OTB, rasterio and dask."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from ..cases import s_expression, translated
from ..environments import PEERS, Absent, Place, first_line, inside, program, split
from .task import Command, Task


@functools.cache
def _has_native_calculator(place: Place, *, chroot: bool) -> bool:
    """Return whether QGIS's own calculator takes creation options, as it does since 3.44."""
    command = [
        "qgis_process.bin" if chroot else program("qgis_process.bin", "qgis_process"),
        "help",
        "native:rastercalc",
    ]
    where = inside(place, command) if chroot else command
    return (
        "CREATION_OPTIONS"
        in subprocess.run(
            where, capture_output=True, text=True, check=False, env=dict(place.environment)
        ).stdout
    )


def qgis_calculator_command(task: Task, *, chroot: bool) -> list[str]:
    """Return the command of QGIS's raster calculator, in which layers have the names of their files.

    The calculator before 3.34 writes neither tiles nor compressed files.
    """
    names = {name: f'"{Path(path).stem}@{number}"' for name, (path, number) in task.bands.items()}
    expression = f"EXPRESSION={translated(task.expression, names.__getitem__)}"
    common = [*(f"LAYERS={path}" for path in task.files), expression, f"OUTPUT={task.output}"]
    native = _has_native_calculator(task.place, chroot=chroot)
    if native:
        common.append(f"CREATION_OPTIONS={'|'.join(task.options)}")
    elif not re.search(r"\bCOMPRESS=NONE\b", "|".join(task.options)):
        raise Absent("this QGIS's calculator takes no creation options")
    algorithm = "native:rastercalc" if native else "qgis:rastercalculator"
    command = ["run", algorithm, "--", *common]
    return (
        inside(task.place, ["qgis_process.bin", *command])
        if chroot
        else [program("qgis_process.bin", "qgis_process"), *command]
    )


def qgis_version(place: Place) -> str:
    """Return the version of QGIS."""
    return re.sub(
        r"^QGIS |-.*",
        "",
        first_line([program("qgis_process.bin", "qgis_process"), "--version"], place.environment),
    )


def chroot_qgis_version(place: Place) -> str:
    """Return the version of the QGIS in the chroot."""
    if not place.chroot:
        raise Absent("no chroot with a newer QGIS was given")
    return re.sub(r"^QGIS |-.*", "", first_line(inside(place, ["qgis_process.bin", "--version"])))


def gdal_calc_command(task: Task, *, dtype: str = "numpy.float32", hide: bool = False) -> list[str]:
    """Return the command of ``gdal_calc.py``, which computes in ``dtype``.

    With ``hide`` it reads nodata as numbers: right only if the expression is not finite for them.
    """
    if hide and not task.masks_itself:
        raise Absent("it takes nodata for numbers, and this expression gives a value for them")
    letters = dict(zip(task.bands, "ABCDEF"))
    files = [
        part
        for name, (path, number) in task.bands.items()
        for part in (f"-{letters[name]}", path, f"--{letters[name]}_band={number}")
    ]
    calculations = [
        f"--calc={translated(expression, lambda name: f'{letters[name]}.astype({dtype})')}"
        for expression in task.expressions
    ]
    options = [
        "--type=Float32",
        "--quiet",
        *(["--hideNoData"] if hide else ["--NoDataValue=-9999"]),
        *split("--co", task.options),
    ]
    return [program("gdal_calc.py"), *files, *calculations, f"--outfile={task.output}", *options]


def gdal_calc_version(place: Place) -> str:
    """Return the version of the GDAL of ``gdal_calc.py``."""
    return gdal_version("gdalinfo", "--version")


def gdal_raster_calc_command(task: Task) -> list[str]:
    """Return the command of ``gdal raster calc``."""
    letters = dict(zip(task.files, "ABCD"))
    names = {name: f"{letters[path]}[{number}]" for name, (path, number) in task.bands.items()}
    inputs = [f"--input={letter}={path}" for path, letter in letters.items()]
    nodata = ["--propagate-nodata", "--nodata=-9999"]
    calc = f"--calc={translated(task.expression, names.__getitem__)}"
    command = [
        "raster",
        "calc",
        "--quiet",
        *inputs,
        calc,
        "--ot=Float32",
        *nodata,
        *split("--co", task.options),
        task.output,
    ]
    return inside(task.place, [gdal_program(task.place), *command])


def gdal_program(place: Place) -> str:
    """Return the program ``gdal``, of the chroot if there is one."""
    return "gdal" if place.chroot else program("gdal")


def gdal_version(*command: str) -> str:
    """Return the number in what a command prints as the version of GDAL."""
    return re.sub(r"^GDAL |[ ,].*", "", first_line(command))


def otb_command(task: Task) -> list[str]:
    """Return the command of OTB BandMath."""
    names = {name: f"im{file}b{number}" for name, (file, number) in task.numbered.items()}
    target = (
        task.output + "?&nodata=-9999" + "".join(f"&gdal:co:{option}" for option in task.options)
    )
    return [
        program("otbcli_BandMath"),
        "-il",
        *task.files,
        "-out",
        target,
        "float",
        "-exp",
        translated(task.expression, names.__getitem__),
    ]


def otb_version(place: Place) -> str:
    """Return the version of OTB."""
    program("otbcli_BandMath")
    return (
        first_line(["dpkg-query", "-W", "-f", "${Version}", "otb-bin"]).partition("+")[0]
        if shutil.which("dpkg-query")
        else ""
    )


def rio_command(task: Task) -> list[str]:
    """Return the command of ``rio calc``."""
    names = {
        name: f"(read {file} {number} 'float32')" for name, (file, number) in task.numbered.items()
    }
    command = s_expression(task.expression, names.__getitem__)
    # without nodata it would take the 0 of the inputs, and results that are 0 would be nodata
    options = split("--co", ["nodata=-9999", *task.options])
    options += ["--dtype=float32", "--not-masked" if task.masks_itself else "--masked"]
    return [program("rio", "rasterio"), "calc", command, *task.files, task.output, *options]


def rio_version(place: Place) -> str:
    """Return the version of ``rio``."""
    return first_line([program("rio", "rasterio"), "--version"]).rpartition(" ")[2]


def plain_command(task: Task) -> list[str]:
    """Return the command of the pattern of rasterio's documentation: threads and locks."""
    return [
        sys.executable,
        str(PEERS / "plain_pattern.py"),
        *task.arguments,
        f"--options={'|'.join(task.options)}",
    ]


def dask_command(task: Task) -> list[str]:
    """Return the command of the pattern of rioxarray's documentation: dask."""
    return [
        _venv(task.place),
        str(PEERS / "dask_pattern.py"),
        *task.arguments,
        f"--options={'|'.join(task.options)}",
    ]


def dask_version(place: Place) -> str:
    """Return the versions of dask, rioxarray and their GDAL."""
    code = (
        "import dask, rioxarray, rasterio as r; print(f'{dask.__version__}, rioxarray "
        "{rioxarray.__version__}, GDAL {r.__gdal_version__}')"
    )
    return first_line([_venv(place), "-c", code])


def _venv(place: Place) -> str:
    python = place.venv / "bin" / "python"
    if not python.exists():
        raise Absent("the environment of pip's peers is not set up")
    return str(python)


def threaded(command: Command) -> Command:
    """Return the command with GDAL's own threads for compression."""
    return lambda task: command(replace(task, options=(*task.options, "NUM_THREADS=ALL_CPUS")))
