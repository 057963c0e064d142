# SPDX-License-Identifier: GPL-2.0-or-later
"""The error for a machine that has too little memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ..backend.failures import ran_out_of_memory
from ..errors import BandwiseError, ResourceError
from ..messages import Field, translate


@contextmanager
def resources_named() -> Iterator[None]:
    """Raise :class:`ResourceError`, one sentence, for all errors that mean lack of memory."""
    try:
        yield
    except (BandwiseError, MemoryError, OSError) as error:
        if isinstance(error, ResourceError) or not ran_out_of_memory(error):
            raise
        text = translate(
            "Bandwise",
            "There is not enough memory for this run; lower {memory} or {workers}, or close other programs. "
            "Rasters with large blocks, such as whole strips, can be converted to tiles.",
        )
        raise ResourceError(text.format(memory=Field.MEMORY, workers=Field.WORKERS)) from error
