# SPDX-License-Identifier: GPL-2.0-or-later
"""All tools by name."""

from __future__ import annotations

from functools import partial

from ..environments import inside
from .bandwise import (
    bandwise_command,
    bandwise_version,
    engine_command,
    overviews_command,
    rasterio_version,
)
from .floors import (
    band_sum,
    copied_band,
    cp_command,
    dd_command,
    decode_command,
    empty_command,
    engine_copy_command,
    engine_one_command,
    engine_sum_command,
    first_result,
    import_command,
)
from .peers import (
    chroot_qgis_version,
    dask_command,
    dask_version,
    gdal_calc_command,
    gdal_calc_version,
    gdal_program,
    gdal_raster_calc_command,
    gdal_version,
    otb_command,
    otb_version,
    plain_command,
    qgis_calculator_command,
    qgis_version,
    rio_command,
    rio_version,
    threaded,
)
from .task import Tool

TOOLS = {
    "bandwise": Tool(
        "Bandwise in QGIS",
        lambda place: f"{bandwise_version(place)}, QGIS {qgis_version(place)}",
        bandwise_command,
    ),
    "bandwise-default": Tool(
        "Bandwise in QGIS, its default options",
        bandwise_version,
        partial(bandwise_command, default_options=True),
    ),
    "engine": Tool("Bandwise's engine alone", bandwise_version, engine_command),
    "engine-overviews": Tool(
        "Bandwise's engine, with overviews", bandwise_version, overviews_command
    ),
    "engine-one": Tool(
        "Bandwise's engine, one of the indices", bandwise_version, engine_one_command, first_result
    ),
    "qgis": Tool(
        "QGIS raster calculator", qgis_version, partial(qgis_calculator_command, chroot=False)
    ),
    "qgis-chroot": Tool(
        "QGIS raster calculator", chroot_qgis_version, partial(qgis_calculator_command, chroot=True)
    ),
    "gdal-raster-calc": Tool(
        "gdal raster calc",
        lambda place: gdal_version(*inside(place, [gdal_program(place), "--version"])),
        gdal_raster_calc_command,
    ),
    "otb": Tool("OTB BandMath", otb_version, otb_command),
    "gdal_calc": Tool("gdal_calc.py", gdal_calc_version, gdal_calc_command),
    "gdal_calc-double": Tool(
        "gdal_calc.py, astype(float)", gdal_calc_version, partial(gdal_calc_command, dtype="float")
    ),
    "gdal_calc-hide": Tool(
        "gdal_calc.py --hideNoData", gdal_calc_version, partial(gdal_calc_command, hide=True)
    ),
    "gdal_calc-threads": Tool(
        "gdal_calc.py, NUM_THREADS=ALL_CPUS", gdal_calc_version, threaded(gdal_calc_command)
    ),
    "rio": Tool("rio calc", rio_version, rio_command),
    "dask": Tool("dask and rioxarray", dask_version, dask_command),
    "plain": Tool("rasterio, threads and locks", rasterio_version, plain_command),
    "plain-threads": Tool(
        "rasterio, threads and locks, NUM_THREADS=ALL_CPUS",
        rasterio_version,
        threaded(plain_command),
    ),
    "engine-copy": Tool(
        "floor: the engine copies one band", bandwise_version, engine_copy_command, copied_band
    ),
    "engine-sum": Tool(
        "floor: the engine adds the same bands", bandwise_version, engine_sum_command, band_sum
    ),
    "dd": Tool("floor: dd of as many bytes", lambda place: "", dd_command, lambda task: None),
    "cp": Tool("floor: cp of one input file", lambda place: "", cp_command, lambda task: None),
    "decode": Tool(
        "floor: decoding the inputs, all cores", rasterio_version, decode_command, lambda task: None
    ),
    **{
        f"engine-{count}": Tool(
            f"Bandwise's engine, workers: {count}",
            bandwise_version,
            partial(engine_command, workers=count),
        )
        for count in range(1, 5)
    },
    "qgis-empty": Tool(
        "an empty algorithm in QGIS", qgis_version, empty_command, lambda task: None
    ),
    "engine-imports": Tool(
        "Python, numpy and rasterio imported", rasterio_version, import_command, lambda task: None
    ),
}
