# SPDX-License-Identifier: GPL-2.0-or-later
"""All scenes in a folder and those below it, by names of files: no raster is opened."""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from ..errors import BandwiseError, InputError, MetadataError
from ..messages import translate
from ..radiometry.archives import files as archives
from ..radiometry.sensors import modis, sentinel2
from ..radiometry.sensors.registry import scene_file
from .stac_json import as_dict, as_text, item_at

_DEEPEST = 6  #: folders below the one that is chosen
_MOST_FILES = 1_000_000
_LARGEST_ITEM = (
    5_000_000  #: bytes of a STAC item, which has some ten thousands; polygons may have more
)
_ARCHIVES = (".tar.gz", ".zip", ".tar", ".tgz")
_RESOLUTIONS = ("R10m", "R20m", "R60m", "IMG_DATA")  #: folders in which one scene is spread
_SAFE = ".safe"
_SENTINEL2 = re.compile(r"S2[A-Z]_MSI")


def scenes_in(folder: str) -> tuple[str, ...]:
    """Return the scenes in a folder and those below it, as names for :func:`~engine.scenes.opening.open_scene`.

    A Sentinel-2 product in folders of its own is returned as its folder, a product whose files lie
    beside those of others as its metadata file or its first band, an archive of one scene as the
    archive. A product that also lies there unpacked, or a STAC item whose bands do, is returned
    once. Links are followed, but no folder is looked into twice.

    Parameters
    ----------
    folder
        A local folder; a product's own folder is one scene.

    Returns
    -------
    tuple of str
        Sorted; empty where there is no scene. Damaged ones are among them as far as their names
        tell.

    Raises
    ------
    InputError
        For what is no folder, cannot be listed, or holds too many files.
    """
    top = checked_folder(folder)
    listing = _Listing()
    for directory, names, folders in _walk(top):
        listing.add_folder(directory, names, folders)
    return listing.scenes()


def checked_folder(folder: str) -> str:
    """Return the absolute path of a folder. Raises :class:`InputError` for what is none or cannot be listed."""
    top = os.path.abspath(folder.strip()) if folder.strip() else ""
    if not os.path.isdir(top):
        text = translate(
            "Bandwise", "{folder} is no folder on this computer; choose one that holds scenes."
        )
        raise InputError(text.format(folder=folder))
    try:
        os.scandir(top).close()
    except OSError as error:
        text = translate("Bandwise", "The folder {folder} cannot be listed ({reason}).")
        raise InputError(text.format(folder=folder, reason=error.strerror)) from error
    return top


def _walk(top: str) -> Iterator[tuple[str, list[str], list[str]]]:
    """Yield folders with names of their files and folders; links to folders come last, each folder once.

    A folder that is a product is not gone into.
    """
    count = 0
    seen: set[str] = set()
    waiting, links = deque([(top, 0)]), deque[tuple[str, int]]()
    while waiting or links:
        directory, depth = (waiting or links).popleft()
        real = os.path.realpath(directory)
        if real in seen:
            continue
        seen.add(real)
        try:
            with os.scandir(directory) as found:
                entries = [entry for entry in found if not entry.name.startswith(".")]
        except OSError:  # a broken link, or a folder of somebody else
            continue
        count += len(entries)
        if count > _MOST_FILES:
            text = translate(
                "Bandwise", "{folder} holds more than {count} files; choose a folder below it."
            )
            raise InputError(text.format(folder=top, count=_MOST_FILES))
        entries.sort(key=lambda entry: entry.name)
        folders = {entry.name: entry for entry in entries if _is_folder(entry)}
        yield directory, [each.name for each in entries if each.name not in folders], [*folders]
        if depth >= _DEEPEST or _is_product(directory, folders):
            continue
        for entry in folders.values():
            (links if entry.is_symlink() else waiting).append((entry.path, depth + 1))


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False


def _is_product(directory: str, folders: Collection[str]) -> bool:
    """Return whether a folder is a Sentinel-2 product, whatever it is called."""
    name = os.path.basename(directory).lower()
    return "GRANULE" in folders or (name.endswith(_SAFE) and name.startswith("s2"))


@dataclass
class _Listing:
    """Scenes by folder, product and level, and archives by name."""

    products: dict[tuple[str, str, str], str] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)
    archives: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=set)  #: of products that lie there unpacked

    def scenes(self) -> tuple[str, ...]:
        packed = (path for path in self.archives if _stem(path) not in self.names)
        inside = (scene for path in packed for scene in _in_archive(path))
        return tuple(sorted({*self.products.values(), *self.others, *inside}))

    def add_folder(self, directory: str, names: Sequence[str], folders: Sequence[str]) -> None:
        if _is_product(directory, folders):
            self.others.append(directory)
            self.names.add(_stem(directory))
            return
        paths = [os.path.join(directory, name) for name in names]
        self.archives += [path for path in paths if path.lower().endswith(_ARCHIVES)]
        found = _products(paths)
        items = [path for path in paths if path.lower().endswith((".json", ".geojson"))]
        self.others += [
            path for path in items if not _is_metadata(path) and _is_item(path, set(names))
        ]
        for metadata in (path for path in paths if os.path.basename(path) in sentinel2.METADATA):
            product, level, name = _product_of(metadata)
            self.names.add(name)
            if (directory, product, level) in found or not found:
                found[directory, product, level] = metadata
        for key, path in found.items():
            self.products.setdefault(key, path)
            self.names.add(key[1])


def _products(paths: Iterable[str]) -> dict[tuple[str, str, str], str]:
    """Return by folder, product and level the metadata file, or else the first band, of each product."""
    found: dict[tuple[str, str, str], str] = {}
    for path in paths:
        file = scene_file(path)
        if file is None:
            continue
        directory = os.path.dirname(path)
        while os.path.basename(directory) in _RESOLUTIONS:
            directory = os.path.dirname(directory)
        key = (directory, file.product, file.level)
        if _is_metadata(path):
            found[key] = path
        elif file.bands or modis.is_container(path):
            found.setdefault(key, path)
    return found


def _is_metadata(path: str) -> bool:
    """Return whether a file with a product in its name is that of its metadata (Landsat)."""
    stem, suffix = os.path.splitext(path)
    return stem.endswith("_MTL") and suffix.lower() in (".txt", ".xml", ".json")


def _product_of(metadata: str) -> tuple[str, str, str]:
    """Return product, level and name of a Sentinel-2 product file; empty where it cannot be read."""
    try:
        product, name = sentinel2.product_of_metadata(metadata)
    except MetadataError:
        return "", "", ""
    return product.product, product.level, name


def _is_item(path: str, beside: set[str]) -> bool:
    """Return whether a file is a STAC item, damaged or not, of bands that are not known ``beside`` it."""
    try:
        item = item_at(path) if os.path.getsize(path) <= _LARGEST_ITEM else None
    except (InputError, OSError):  # STAC, but a catalogue or collection; or a broken link
        return False
    except MetadataError:
        return True
    if item is None:
        return False
    links = (as_text(as_dict(asset).get("href")) for asset in as_dict(item.get("assets")).values())
    names = {os.path.basename(link) for link in links} & beside
    return not any(file.bands for name in names if (file := scene_file(name)))


def _stem(path: str) -> str:
    """Return the name of a product's archive or folder, as agencies deliver it, without its suffixes."""
    name = os.path.basename(path)
    ending = next((each for each in _ARCHIVES if name.lower().endswith(each)), "")
    name = name[: len(name) - len(ending)]
    return name[: -len(_SAFE)] if name.lower().endswith(_SAFE) else name


def _in_archive(path: str) -> list[str]:
    """Return an archive of one scene, or the scenes in one of several.

    One that is called like a product is not looked into; one that cannot be looked into is
    returned, so that a run tells what is wrong with it.
    """
    name = _stem(path)
    if _SENTINEL2.match(name) or scene_file(f"{name}_MTL.txt") or scene_file(f"{name}.tif"):
        return [path]
    try:
        names = archives.members(path)
    except BandwiseError:
        return [path]
    inside = _products(archives.joined(path, member) for member in names)
    if any(os.path.basename(member) in sentinel2.METADATA for member in names) and len(inside) < 2:
        return [path]
    return [path] if len(inside) == 1 else list(inside.values())
