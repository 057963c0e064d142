# SPDX-License-Identifier: GPL-2.0-or-later
"""The raster library of this process: which it is and why, what it says, how much it caches."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ..errors import LibraryError
from ..messages import Text, join, translate
from .api import Backend
from .captured import GdalMessages, collecting
from .soundness import fault_of, fault_of_package

#: The variable that names the backend where it is not to be chosen.
VARIABLE = "BANDWISE_BACKEND"

_lock = threading.Lock()
_chosen: list[Backend] = []
_reasons: dict[Backend, Text] = {}
_cache_before: dict[Backend, list[int]] = {}


def backend() -> Backend:
    """Return the backend of this process; it is chosen, and its library imported, at the first call.

    It is the one that the variable ``BANDWISE_BACKEND`` names (``rasterio`` or ``gdal``), else
    rasterio where that is sound, else GDAL's own Python package.

    Raises
    ------
    LibraryError
        Where neither can be loaded, or not the one that is named.
    """
    if not _chosen:
        with _lock:
            if not _chosen:
                _chosen.append(_choose(os.environ.get(VARIABLE, "").strip().lower()))
    return _chosen[-1]


def why_not_rasterio() -> Text | None:
    """Return why this process does not use rasterio: one sentence for the log; None where it does."""
    return _reasons.get(backend())


def library_versions() -> str:
    """Return the backend's name and versions, such as ``rasterio 1.3.5, GDAL 3.6``."""
    library = backend()
    return f"{library.name} {library.version}, GDAL {'.'.join(map(str, library.gdal_version))}"


def _choose(name: str) -> Backend:
    if name and name not in _CANDIDATES:
        text = translate("Bandwise", "{variable} is {value}; set it to rasterio or to gdal.")
        raise LibraryError(text.format(variable=VARIABLE, value=name))
    faults: list[Text] = []
    for candidate, load in _CANDIDATES.items():
        if name in ("", candidate):
            library = load(bool(name))
            if not isinstance(library, Text):
                if faults:
                    text = translate("Bandwise", "GDAL is used without rasterio: {reason}.")
                    _reasons[library] = text.format(reason=join(faults))
                return library
            faults.append(library)
    if name:
        text = translate(
            "Bandwise",
            "{variable} is {value}, which cannot be used: {reason}; leave the choice to Bandwise.",
        )
    else:
        text = translate("Bandwise", "No raster library can be used: {reason}; install QGIS again.")
    raise LibraryError(text.format(variable=VARIABLE, value=name, reason=join(faults)))


def _rasterio(forced: bool) -> Backend | Text:
    """Load rasterio, or say what is wrong with it; how it was installed is the user's choice where ``forced``."""
    fault = None if forced else fault_of_package()
    if fault is not None:
        return fault
    try:
        from .rasterio_.library import RasterioBackend  # noqa: PLC0415  a fifth of a second
    except ImportError as error:
        return _not_loaded("rasterio", error)
    library = RasterioBackend()
    return fault_of(library) or library


def _osgeo(forced: bool) -> Backend | Text:
    try:
        from .osgeo_.library import OsgeoBackend  # noqa: PLC0415
    except ImportError as error:
        return _not_loaded("osgeo", error)
    return OsgeoBackend()


def _not_loaded(package: str, error: ImportError) -> Text:
    text = translate("Bandwise", "the Python package {package} cannot be loaded ({reason})")
    return text.format(package=package, reason=(str(error).splitlines() or [""])[0][:200])


#: What loads each backend, or says what is wrong with it, the preferred one first.
_CANDIDATES: dict[str, Callable[[bool], Backend | Text]] = {"rasterio": _rasterio, "gdal": _osgeo}


@contextmanager
def using(other: Backend) -> Iterator[None]:
    """Have all threads use another backend for a while."""
    _chosen.append(other)
    try:
        yield
    finally:
        _chosen.remove(other)


@contextmanager
def listening(messages: GdalMessages) -> Iterator[None]:
    """Collect what the library says in this thread, whatever the host's logging is set to."""
    with collecting(messages), backend().captured():
        yield


@contextmanager
def block_cache(size: int) -> Iterator[None]:
    """Bound the library's cache of blocks, which the whole process shares, to ``size`` bytes for a while.

    Runs may overlap; the last to leave restores what the first found.
    """
    library = backend()
    with _lock:
        before = _cache_before.setdefault(library, [])
        before.append(library.cache_size())
        library.set_cache_size(size)
    try:
        yield
    finally:
        with _lock:
            size_before = before.pop()
            if not before:
                library.set_cache_size(size_before)
                del _cache_before[library]
