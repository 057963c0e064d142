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
|   `-- ExpressionError             an expression cannot be understood
|-- LibraryError      (ImportError) no raster library can be loaded
|-- ResourceError     (MemoryError) the machine has no more memory or threads
`-- Cancelled                       the caller asked to stop
"""

from __future__ import annotations

from .messages import Field, Text, translate

_MOST_MARKED = 40  #: characters of a long part that are marked
_LINE = 118  #: characters of an expression that are shown around an error, beside two marks


class BandwiseError(Exception):
    """Root of all errors that the engine raises on purpose; ``args[0]`` is one clear sentence."""

    @property
    def field(self) -> Field | None:
        """The option of the run that the error is about, if any."""
        text = self.args[0] if self.args else None
        return text.field if isinstance(text, Text) else None


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


class ExpressionError(OptionError):
    """An expression means nothing in its dialect; the place that it is about is marked in the text
    above the ``message``.
    """

    def __init__(self, message: Text, text: str, start: int, end: int) -> None:
        super().__init__(_marked(message, text, start, end))
        self.message, self.start, self.end = message, start, end


def _marked(message: Text, text: str, start: int, end: int) -> Text:
    """The line of ``text`` around ``start``, with the part up to ``end`` between two marks, and below it the message.

    Marks within the text stand in the right place in every font; carets below it need one of fixed width.
    """
    if not text.strip():
        return message
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", start)
    line = text[first : last if last >= 0 else len(text)]
    column = start - first
    cut = max(0, column - _LINE // 2)
    shown = "".join(
        character if character.isprintable() else " " for character in line[cut : cut + _LINE]
    )
    before, rest = shown[: column - cut], shown[column - cut :]
    length = max(1, min(end - start, _MOST_MARKED))
    marked = f"{before}»{rest[:length]}«{rest[length:]}"
    return translate("Bandwise", "{line}\n{message}").format(line=marked.rstrip(), message=message)


class LibraryError(BandwiseError, ImportError):
    """No raster library can be loaded, or not the one that was asked for."""


class ResourceError(BandwiseError, MemoryError):
    """The machine has not enough memory, or no more threads, for the run."""


class Cancelled(BandwiseError):
    """The run was cancelled; nothing of it is left on disk."""
