# SPDX-License-Identifier: GPL-2.0-or-later
"""What can go wrong, as a tree; every message says what, where and what to do.

BandwiseError
|-- InputError        (ValueError)  an input cannot be used at all
|   `-- GridError                   inputs do not share a grid
|-- MetadataError     (ValueError)  a product's metadata cannot be trusted
|-- ReadError         (OSError)     pixels of an opened input cannot be read
|-- OutputError       (OSError)     the result cannot be written
|   `-- SpaceError                  the disk has no room for it
|-- OptionError       (ValueError)  an option has a value that means nothing
`-- Cancelled                       the caller asked to stop
"""

from __future__ import annotations


class BandwiseError(Exception):
    """Root of all errors that the engine raises on purpose; ``args[0]`` is one clear sentence."""


class InputError(BandwiseError, ValueError):
    """An input is missing, unreadable, or has no such band."""


class GridError(InputError):
    """Inputs differ in CRS, size, pixel size or origin."""


class MetadataError(BandwiseError, ValueError):
    """A metadata file is damaged, hostile, or lacks what it must say."""


class ReadError(BandwiseError, OSError):
    """A window of an opened input could not be read: the file is damaged or went away."""


class OutputError(BandwiseError, OSError):
    """The result cannot be created, written, closed whole or moved to its name."""


class SpaceError(OutputError):
    """The disk has less room than the result is estimated to need."""


class OptionError(BandwiseError, ValueError):
    """An option is out of range, unknown, or contradicts another."""


class Cancelled(BandwiseError):
    """The run was cancelled; nothing of it is left on disk."""
