# SPDX-License-Identifier: GPL-2.0-or-later
"""Find the tools that are compared, and build the command of each for a task, or say why it is not run."""

from __future__ import annotations

import functools
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .cases import NDVI, Bands, s_expression, translated
from .environments import Absent, Place, first_line, inside, program, split

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent


@dataclass(frozen=True)
class Task:
    """``expression`` over ``bands`` to the file ``output``, with GDAL's creation ``options``."""

    place: Place
    expression: str
    bands: Bands
    output: str
    options: tuple[str, ...]

    @property
    def ours(self) -> str:
        """What Bandwise is told: the codec; tiles and threads are its own business."""
        return "|".join(
            option
            for option in self.options
            if re.match("COMPRESS|ZLEVEL|ZSTD_LEVEL|PREDICTOR", option)
        )

    @property
    def profile(self) -> Path:
        """Where the engine writes what its run tells of itself."""
        return Path(self.output).with_suffix(".json")

    @property
    def masks_itself(self) -> bool:
        """Whether the expression is 0 / 0 where the bands are nodata, so that a tool may leave its
        masks out, which is faster.
        """
        return NDVI in self.expression

    @property
    def numbered(self) -> dict[str, tuple[int, int]]:
        """For each band the number of its file, from 1 in the order of :attr:`files`, and its number there."""
        return {
            name: (self.files.index(path) + 1, number)
            for name, (path, number) in self.bands.items()
        }

    @property
    def files(self) -> list[str]:
        return list(dict.fromkeys(path for path, _ in self.bands.values()))

    @property
    def arguments(self) -> list[str]:
        """Bands, expression and output, as our own small programs take them."""
        bands = [f"--band={name}={path}:{number}" for name, (path, number) in self.bands.items()]
        return [*bands, f"--expression={self.expression}", f"--output={self.output}"]


Command = Callable[[Task], Sequence[str]]


@dataclass(frozen=True)
class Tool:
    """``version`` raises :class:`Absent` where there is no such tool, ``command`` where it cannot do the task.

    ``computes`` is what the tool computes instead of the case's expression: a band's name, or
    nothing for a floor without a raster.
    """

    title: str
    version: Callable[[Place], str]
    command: Command
    computes: Callable[[Task], str | None] = lambda task: task.expression


def _bandwise(task: Task, *, default_options: bool = False) -> list[str]:
    """NDVI by the algorithm of that name, anything else by band math."""
    options = [
        "OVERVIEWS=0",
        *([] if default_options else [f"CREATION_OPTIONS={task.ours}"]),
    ]  # the others build none either
    if set(task.bands) == {"red", "nir"}:
        inputs = [
            f"{name.upper()}{suffix}={value}"
            for name, place in task.bands.items()
            for suffix, value in zip(("", "_BAND"), place)
        ]
        return [
            program("qgis_process.bin", "qgis_process"),
            "run",
            "bandwise:ndvi",
            "--",
            *inputs,
            "RADIOMETRY=1",
            *options,
            f"OUTPUT={task.output}",
        ]
    names = {name: f"{'ABCD'[file - 1]}@{number}" for name, (file, number) in task.numbered.items()}
    inputs = [f"LAYERS={path}" for path in task.files]
    expression = f"EXPRESSION={translated(task.expression, names.__getitem__)}"
    return [
        program("qgis_process.bin", "qgis_process"),
        "run",
        "bandwise:bandmath",
        "--",
        *inputs,
        expression,
        *options,
        f"OUTPUT={task.output}",
    ]


def engine_command(task: Task, *, workers: int = 0, options: str = "") -> list[str]:
    """The engine alone; ``options`` are creation options as it takes them, the task's unless given."""
    task = replace(task, expression=f"result := {task.expression}")
    mine = [
        f"--options={options or task.ours}",
        f"--workers={workers}",
        f"--profile={task.profile}",
    ]
    return [sys.executable, str(HERE / "peers" / "bare_engine.py"), *task.arguments, *mine]


def _engine_with_overviews(task: Task) -> list[str]:
    return [*engine_command(task), "--overviews"]


def _copied(task: Task) -> str:
    """The band that the floors copy."""
    return next(iter(task.bands))


def _engine_copy(task: Task) -> list[str]:
    name = _copied(task)
    return engine_command(replace(task, expression=name, bands={name: task.bands[name]}))


def _added(task: Task) -> str:
    """The least that takes all bands."""
    return " + ".join(task.bands)


def _engine_sum(task: Task) -> list[str]:
    return engine_command(replace(task, expression=_added(task)))


def _dd(task: Task) -> list[str]:
    """As many bytes as the result has, which is of float32 where the input is of 16 bits."""
    megabytes = 2 * Path(task.bands[_copied(task)][0]).stat().st_size // 2**20
    return ["dd", "if=/dev/zero", f"of={task.output}", "bs=1M", f"count={megabytes}"]


def _cp(task: Task) -> list[str]:
    return ["cp", "--sparse=never", "--reflink=never", task.bands[_copied(task)][0], task.output]


@functools.cache
def _has_native_calculator(place: Place, *, chroot: bool) -> bool:
    """Whether QGIS's calculator is the one of 3.34 and later, which takes creation options since 3.44."""
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


def _qgis_calculator(task: Task, *, chroot: bool) -> list[str]:
    """Layers are called after their files; results of the older calculator are neither tiled nor compressed."""
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


def _gdal_calc(task: Task, *, dtype: str = "numpy.float32", hide: bool = False) -> list[str]:
    """``hide`` reads nodata as numbers, which is right where the expression itself gives none for them."""
    if hide and not task.masks_itself:
        raise Absent("it takes nodata for numbers, and this expression gives a value for them")
    letters = dict(zip(task.bands, "ABCD"))
    files = [
        part
        for name, (path, number) in task.bands.items()
        for part in (f"-{letters[name]}", path, f"--{letters[name]}_band={number}")
    ]
    calc = translated(task.expression, lambda name: f"{letters[name]}.astype({dtype})")
    options = [
        "--type=Float32",
        "--quiet",
        *(["--hideNoData"] if hide else ["--NoDataValue=-9999"]),
        *split("--co", task.options),
    ]
    return [program("gdal_calc.py"), *files, f"--calc={calc}", f"--outfile={task.output}", *options]


def _gdal_raster_calc(task: Task) -> list[str]:
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
    return inside(task.place, [_gdal(task.place), *command])


def _gdal(place: Place) -> str:
    return "gdal" if place.chroot else program("gdal")


def _otb(task: Task) -> list[str]:
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


def _rio(task: Task) -> list[str]:
    names = {
        name: f"(read {file} {number} 'float32')" for name, (file, number) in task.numbered.items()
    }
    command = s_expression(task.expression, names.__getitem__)
    options = split(
        "--co", ["nodata=-9999", *task.options]
    )  # else it takes the 0 of the inputs, and loses what is 0
    options += ["--dtype=float32", "--not-masked" if task.masks_itself else "--masked"]
    return [program("rio", "rasterio"), "calc", command, *task.files, task.output, *options]


def _plain(task: Task) -> list[str]:
    return [
        sys.executable,
        str(HERE / "peers" / "plain_pattern.py"),
        *task.arguments,
        f"--options={'|'.join(task.options)}",
    ]


def _dask(task: Task) -> list[str]:
    return [
        _venv(task.place),
        str(HERE / "peers" / "dask_pattern.py"),
        *task.arguments,
        f"--options={'|'.join(task.options)}",
    ]


def _venv(place: Place) -> str:
    python = place.venv / "bin" / "python"
    if not python.exists():
        raise Absent("the environment of pip's peers is not set up")
    return str(python)


def _decode(task: Task) -> list[str]:
    return [sys.executable, str(HERE / "peers" / "read_back.py"), *task.files]


def _imports(task: Task) -> list[str]:
    return [sys.executable, "-c", "import numpy, rasterio"]


def _qgis_empty(task: Task) -> list[str]:
    return [program("qgis_process.bin", "qgis_process"), "run", "script:empty"]


@functools.cache
def _ours(place: Place) -> str:
    """Version of the plugin, and of the rasterio it runs on."""
    text = re.search(
        r"^version=(.*)$", (ROOT / "metadata.txt").read_text(encoding="utf-8"), re.MULTILINE
    )
    with_rasterio = first_line(
        [
            sys.executable,
            "-c",
            "import rasterio as r; print(f'rasterio {r.__version__}, GDAL {r.__gdal_version__}')",
        ]
    )
    return f"{text[1] if text else ''}, {with_rasterio}"


def _rasterio(place: Place) -> str:
    return _ours(place).partition(", ")[2]


def _qgis(place: Place) -> str:
    return re.sub(
        r"^QGIS |-.*",
        "",
        first_line([program("qgis_process.bin", "qgis_process"), "--version"], place.environment),
    )


def _dask_version(place: Place) -> str:
    code = (
        "import dask, rioxarray, rasterio as r; print(f'{dask.__version__}, rioxarray "
        "{rioxarray.__version__}, GDAL {r.__gdal_version__}')"
    )
    return first_line([_venv(place), "-c", code])


def _chroot_qgis(place: Place) -> str:
    if not place.chroot:
        raise Absent("no chroot with a newer QGIS was given")
    return re.sub(r"^QGIS |-.*", "", first_line(inside(place, ["qgis_process.bin", "--version"])))


def _gdal_version(*command: str) -> str:
    return re.sub(r"^GDAL |[ ,].*", "", first_line(command))


def _otb_version(place: Place) -> str:
    program("otbcli_BandMath")
    return (
        first_line(["dpkg-query", "-W", "-f", "${Version}", "otb-bin"]).partition("+")[0]
        if shutil.which("dpkg-query")
        else ""
    )


def _rio_version(place: Place) -> str:
    return first_line([program("rio", "rasterio"), "--version"]).rpartition(" ")[2]


def _gdal_calc_version(place: Place) -> str:
    return _gdal_version("gdalinfo", "--version")


def _threaded(command: Command) -> Command:
    """With GDAL's own threads to compress."""
    return lambda task: command(replace(task, options=(*task.options, "NUM_THREADS=ALL_CPUS")))


_partial = functools.partial

TOOLS = {
    "bandwise": Tool(
        "Bandwise in QGIS", lambda place: f"{_ours(place)}, QGIS {_qgis(place)}", _bandwise
    ),
    "bandwise-default": Tool(
        "Bandwise in QGIS, its default options", _ours, _partial(_bandwise, default_options=True)
    ),
    "engine": Tool("Bandwise's engine alone", _ours, engine_command),
    "engine-overviews": Tool("Bandwise's engine, with overviews", _ours, _engine_with_overviews),
    "qgis": Tool("QGIS raster calculator", _qgis, _partial(_qgis_calculator, chroot=False)),
    "qgis-chroot": Tool(
        "QGIS raster calculator", _chroot_qgis, _partial(_qgis_calculator, chroot=True)
    ),
    "gdal-raster-calc": Tool(
        "gdal raster calc",
        lambda place: _gdal_version(*inside(place, [_gdal(place), "--version"])),
        _gdal_raster_calc,
    ),
    "otb": Tool("OTB BandMath", _otb_version, _otb),
    "gdal_calc": Tool("gdal_calc.py", _gdal_calc_version, _gdal_calc),
    "gdal_calc-double": Tool(
        "gdal_calc.py, astype(float)", _gdal_calc_version, _partial(_gdal_calc, dtype="float")
    ),
    "gdal_calc-hide": Tool(
        "gdal_calc.py --hideNoData", _gdal_calc_version, _partial(_gdal_calc, hide=True)
    ),
    "gdal_calc-threads": Tool(
        "gdal_calc.py, NUM_THREADS=ALL_CPUS", _gdal_calc_version, _threaded(_gdal_calc)
    ),
    "rio": Tool("rio calc", _rio_version, _rio),
    "dask": Tool("dask and rioxarray", _dask_version, _dask),
    "plain": Tool("rasterio, threads and locks", _rasterio, _plain),
    "plain-threads": Tool(
        "rasterio, threads and locks, NUM_THREADS=ALL_CPUS", _rasterio, _threaded(_plain)
    ),
    "engine-copy": Tool("floor: the engine copies one band", _ours, _engine_copy, _copied),
    "engine-sum": Tool("floor: the engine adds the same bands", _ours, _engine_sum, _added),
    "dd": Tool("floor: dd of as many bytes", lambda place: "", _dd, lambda task: None),
    "cp": Tool("floor: cp of one input file", lambda place: "", _cp, lambda task: None),
    "decode": Tool("floor: decoding the inputs, all cores", _rasterio, _decode, lambda task: None),
    **{
        f"engine-{count}": Tool(
            f"Bandwise's engine, workers: {count}", _ours, _partial(engine_command, workers=count)
        )
        for count in range(1, 5)
    },
    "qgis-empty": Tool("an empty algorithm in QGIS", _qgis, _qgis_empty, lambda task: None),
    "engine-imports": Tool(
        "Python, numpy and rasterio imported", _rasterio, _imports, lambda task: None
    ),
}
