# SPDX-License-Identifier: GPL-2.0-or-later
"""A preview as a file, for a map."""

from __future__ import annotations

import numpy as np

from ...radiometry.storage import DataType, storage_of
from ...writing.creation import ResultSpec, creation_profile
from ...writing.sink import sink_for
from .run import Preview


def save(preview: Preview, result: int, path: str) -> str:
    """Write a result of a preview to the GeoTIFF ``path``, in Float64, and return the name it got.

    Raises
    ------
    OutputError
        Where it cannot be written.
    """
    storage = storage_of(DataType.FLOAT64)
    spec = ResultSpec(
        target=path,
        grid=preview.grid,
        names=(preview.names[result],),
        storage=storage,
        profile=creation_profile("", storage.dtype),
        overviews=False,
        cog=False,
    )
    values = preview.values[result]
    stored = np.where(np.isnan(values), storage.nodata, values)
    with sink_for(spec) as sink:
        sink.write(preview.grid.window, stored[np.newaxis])
        return sink.commit({}, [{}])
