# SPDX-License-Identifier: GPL-2.0-or-later
"""What no archive of a product has; whoever exceeds it is refused with a ``ValueError``."""

from __future__ import annotations

from typing import NamedTuple

MOST_FILES = 20_000
MOST_BYTES_OF_HEADERS = 64_000_000


class Member(NamedTuple):
    """A file in an archive; ``place`` is ``offset_size`` of one that GDAL does not find by its name."""

    name: str
    place: str = ""


def too_many() -> ValueError:
    return ValueError("it has more files than any product")
