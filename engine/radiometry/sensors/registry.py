# SPDX-License-Identifier: GPL-2.0-or-later
"""The sensors that are known: a new one is a file beside this one, and its name in the list."""

from __future__ import annotations

from .hls import Hls
from .landsat import Landsat
from .modis import Modis
from .planet import Planet
from .sensor import SceneFile, Sensor
from .sentinel2 import Sentinel2

#: The first that knows a file's name reads it
SENSORS: tuple[type[Sensor], ...] = (Landsat, Hls, Modis, Planet, Sentinel2)


def scene_file(path: str) -> SceneFile | None:
    """Return what the name of a file or subdataset tells; None where it is of no product that is known."""
    return next(filter(None, (sensor.scene_file(path) for sensor in SENSORS)), None)


def owner(path: str) -> type[Sensor]:
    """Return the sensor that reads the facts of a file; the last one also knows some without a scene in their names."""
    return next((sensor for sensor in SENSORS if sensor.scene_file(path)), SENSORS[-1])
