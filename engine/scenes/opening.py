# SPDX-License-Identifier: GPL-2.0-or-later
"""From whatever part of a product a user points at to its scene."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Callable

from ..credentials import file_name
from ..errors import InputError
from ..files.locations import is_remote
from ..messages import translate
from ..radiometry.archives import files as archives
from ..radiometry.formats.vrt import is_vrt, vrt_bands
from ..radiometry.sensors import modis, sentinel2
from ..radiometry.sensors.registry import scene_file
from ..radiometry.sensors.sensor import SceneFile
from .gathering import Found, scene_of
from .long_names import openable
from .places import Place, folder_of, place_of
from .scene import Scene
from .stac import scene_of_item
from .stac_json import item_at

#: The names of GDAL for the parts of a container, such as an HDF file
Subdatasets = Callable[[str], Sequence[str]]

_DEEPEST_VRT = 10  #: VRTs in VRTs
_MOST_SOURCES = 1000  #: of a VRT
_ARCHIVES = (".zip", ".tar", ".tgz", ".tar.gz")
_SENTINEL2_FOLDERS = ("R10m", "R20m", "R60m", "IMG_DATA")


def open_scene(path: str, subdatasets: Subdatasets) -> Scene:
    """Find the scene that a name stands for.

    Parameters
    ----------
    path
        A folder, its metadata file, any band of it, an archive of one of these, a subdataset, a VRT
        of bands, or a STAC item.
    subdatasets
        Gives the names of GDAL for the parts of a container.

    Raises
    ------
    InputError
        Where that is no scene, or more than one.
    MetadataError
        For metadata, or an archive, that cannot be used.
    """
    path = path.strip()
    container = sentinel2.subdataset_file(path) or modis.subdataset_file(path)
    return _of_file(container or path, subdatasets, 0)


def _of_file(path: str, subdatasets: Subdatasets, depth: int) -> Scene:
    place = place_of(path)
    if place:
        return _of_place(place, subdatasets)
    if is_vrt(path):
        return _of_vrt(path, subdatasets, depth)
    if not archives.is_file(path):
        raise _no_file(path)
    item = item_at(path)
    if item:
        return scene_of_item(path, item)
    if _is_metadata(path):
        product, _ = sentinel2.product_of_metadata(path)
        return _of_place(_folder_of_product(path), subdatasets, product)
    return _of_band(path, subdatasets)


def _of_band(path: str, subdatasets: Subdatasets) -> Scene:
    """Return the scene of a band file, or of metadata beside it."""
    file = scene_file(path)
    above = "" if file and file.sensor != "Sentinel-2" else sentinel2.metadata_above(path)
    if above and (file or sentinel2.is_part(path)):
        return _of_place(_folder_of_product(above), subdatasets, file)
    if file:
        return _of_place(_folder_of_band(path), subdatasets, file)
    if modis.is_container(path):
        return scene_of(_parts(path, subdatasets), path)
    raise _unknown(path)


def _of_place(place: Place, subdatasets: Subdatasets, chosen: SceneFile | None = None) -> Scene:
    """Return the scene in a place: the one that there is, or that of a file or product that is ``chosen``."""
    files = place.files()
    found = [Found(path, file) for path in files if (file := scene_file(path))]
    product, name = _sentinel2_product(files)
    if product and not any(each.file.bands for each in found):
        found = [
            Found(path, file) for path in files if (file := sentinel2.file_of_folder(path, product))
        ]
    if not found and chosen is None and not place.archive:
        inside = [path for path in files if path.lower().endswith(_ARCHIVES)]
        if len(inside) == 1:
            return _of_place(Place("", inside[0]), subdatasets)
    found = _with_parts(found, chosen, subdatasets)
    scenes = {(each.file.product, each.file.level) for each in found if each.file.bands}
    if product and not chosen and len(scenes) == 1 and product.product == next(iter(scenes))[0]:
        chosen = product
    if not (product and chosen and chosen.product == product.product):
        name = ""
    return openable(scene_of(found, str(place), chosen, name))


def _sentinel2_product(files: Sequence[str]) -> tuple[SceneFile | None, str]:
    """Return the product, and its name, that the only product file among files tells of."""
    metadata = [path for path in files if _is_metadata(path) and archives.is_file(path)]
    return sentinel2.product_of_metadata(metadata[0]) if len(metadata) == 1 else (None, "")


def _with_parts(
    found: Sequence[Found], chosen: SceneFile | None, subdatasets: Subdatasets
) -> list[Found]:
    """Return files, and in place of each container that may be meant its parts."""
    result: list[Found] = []
    for each in found:
        if not modis.is_container(each.path):
            result.append(each)
        elif chosen is None or chosen.product == each.file.product:
            result += _parts(each.path, subdatasets)
    return result


def _parts(path: str, subdatasets: Subdatasets) -> list[Found]:
    """Return the layers of a MODIS file."""
    names = list(subdatasets(path))
    found = [Found(name, file) for name in names if (file := scene_file(name))]
    if not found:
        text = translate(
            "Bandwise",
            "GDAL finds no layers of surface reflectance in {file}; its driver HDF4 may be missing.",
        )
        raise InputError(text.format(file=path))
    return found


def _of_vrt(path: str, subdatasets: Subdatasets, depth: int) -> Scene:
    """Return the scene that all sources of a VRT belong to."""
    sources = list(
        dict.fromkeys(source.path for band in vrt_bands(path) for source in band.sources)
    )
    if depth > _DEEPEST_VRT or not sources or len(sources) > _MOST_SOURCES:
        raise _unknown(path)
    scenes: dict[tuple[str, str, str], Scene] = {}
    seen: dict[tuple[str, str], Scene] = {}
    for source in sources:
        container = sentinel2.subdataset_file(source) or modis.subdataset_file(source) or source
        file = scene_file(container)
        key = (os.path.dirname(container), file.product if file else container)
        if key not in seen:
            seen[key] = _of_file(container, subdatasets, depth + 1)
        scene = seen[key]
        scenes[scene.sensor, scene.name, scene.level] = scene
    if len(scenes) > 1:
        text = translate(
            "Bandwise", "{file} mixes {count} scenes ({scenes}); choose a file of one of them."
        )
        names = ", ".join(scene.name for scene in list(scenes.values())[:10])
        raise InputError(text.format(file=path, count=len(scenes), scenes=names))
    return next(iter(scenes.values()))


def _is_metadata(path: str) -> bool:
    return os.path.basename(path) in sentinel2.METADATA


def _folder_of_product(metadata: str) -> Place:
    """Return the folder of a Sentinel-2 product file; where no granule lies in it, folders of resolutions may."""
    place = folder_of(metadata)
    is_flat = not place.archive and not os.path.isdir(os.path.join(place.folder, "GRANULE"))
    return place._replace(below=1) if is_flat else place


def _folder_of_band(path: str) -> Place:
    """Return the folder of a scene without metadata above a band of it; what lies in others below is not its."""
    place = folder_of(path)._replace(below=0)
    while os.path.basename(place.folder) in _SENTINEL2_FOLDERS:
        place = place._replace(folder=os.path.dirname(place.folder), below=place.below + 1)
    return place


def _no_file(path: str) -> InputError:
    if is_remote(path):
        text = translate(
            "Bandwise",
            "{file} is on a server, whose folders cannot be listed; choose a STAC item on this computer "
            "that links to it.",
        )
        return InputError(text.format(file=path))
    text = translate(
        "Bandwise",
        "There is no scene {file}: no file or folder has that name; choose the folder of a product, its "
        "metadata file, one of its bands, or its zip or tar archive.",
    )
    return InputError(text.format(file=path))


def _unknown(path: str) -> InputError:
    text = translate(
        "Bandwise",
        "{file} belongs to no scene of a sensor that is known by its files' names (Sentinel-2, "
        "Landsat, HLS, MODIS, PlanetScope) and is no STAC item; choose the folder of a product, its "
        "metadata or one of its bands as they were delivered.",
    )
    return InputError(text.format(file=file_name(path)))
