# SPDX-License-Identifier: GPL-2.0-or-later
"""Open rasters, and say in a sentence why one cannot be opened."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress

from ..backend.api import Dataset
from ..backend.captured import leave_if_left
from ..backend.choice import backend
from ..backend.failures import RasterFailure, reason_of
from ..errors import BandwiseError, InputError
from ..messages import translate


def opened(path: str, *, thread_safe: bool = False) -> Dataset:
    """Open a raster for reading.

    Raises
    ------
    InputError
        For a file that is missing, a pipe, or nothing that GDAL can read.
    """
    if not path or path.startswith("MEM:"):
        text = translate("Bandwise", "An input raster is missing or lies in memory; choose a file.")
        raise InputError(text.format())
    if os.path.exists(path) and stat.S_ISFIFO(os.stat(path).st_mode):
        text = translate(
            "Bandwise",
            "{file} is a pipe, which cannot be read in windows; write what it gives to a file and choose that.",
        )
        raise InputError(text.format(file=path))
    leave_if_left()
    library = backend()
    try:
        with library.http_timeouts():
            return library.open(path, thread_safe=thread_safe)
    except ValueError as error:
        raise _damaged(path, error) from error
    except OSError as error:
        local = (os.path.isabs(path) or ":" not in path) and not path.startswith("/vsi")
        if local and not os.path.exists(path):
            text = translate("Bandwise", "{file} does not exist; check the path.")
            raise InputError(text.format(file=path)) from error
        text = translate(
            "Bandwise",
            "{file} cannot be opened as a raster ({reason}); choose a file that GDAL can read.",
        )
        raise InputError(text.format(file=path, reason=reason_of(error, path))) from error


@contextmanager
def facts_of(path: str) -> Iterator[Dataset]:
    """Open a raster to ask for its facts: GDAL reads some of them late, and finds only then that they are damaged.

    Raises
    ------
    InputError
        As :func:`opened` does, and for a header that cannot be read.
    """
    with closing(opened(path)) as dataset:
        try:
            yield dataset
        except BandwiseError:
            raise
        except (OSError, ValueError, OverflowError) as error:
            raise _damaged(path, error) from error


def subdatasets_of(path: str) -> list[str]:
    """Return the names of the rasters within a container.

    Raises
    ------
    InputError
        As :func:`facts_of` does.
    """
    with facts_of(path) as dataset:
        return list(dataset.subdatasets)


def _damaged(path: str, error: Exception) -> InputError:
    reason = (
        translate("Bandwise", "a text in it is not UTF-8").format()
        if isinstance(error, UnicodeError)
        else reason_of(error, path)
    )
    text = translate(
        "Bandwise",
        "The header of {file} cannot be read ({reason}); copy or download the file again, or convert it to a GeoTIFF.",
    )
    return InputError(text.format(file=path, reason=reason))


def all_files(path: str, files: Sequence[str]) -> tuple[str, ...]:
    """Return ``path``, ``files`` and, where one of them is a VRT, the files of that, and so on."""
    all_names = dict.fromkeys([path, *files])
    waiting = [file for file in files if file != path and file.lower().endswith(".vrt")]
    while waiting:
        with suppress(InputError, RasterFailure), closing(opened(waiting.pop())) as dataset:
            new = [file for file in dataset.files if file not in all_names]
            all_names.update(dict.fromkeys(new))
            waiting.extend(file for file in new if file.lower().endswith(".vrt"))
    return tuple(all_names)
