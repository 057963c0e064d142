# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line of the programs that are measured; it uses the standard library only, as these
run in different environments.
"""

from __future__ import annotations

import argparse
from typing import NamedTuple


class Band(NamedTuple):
    """``name=path:number``."""

    name: str
    path: str
    number: int

    @classmethod
    def parsed(cls, text: str) -> Band:
        """Read ``name=path:number``."""
        name, _, place = text.partition("=")
        path, _, number = place.rpartition(":")
        return cls(name, path, int(number))


def command(description: str | None) -> argparse.ArgumentParser:
    """Return a parser of bands, expression, output and creation options."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument(
        "--band",
        type=Band.parsed,
        action="append",
        required=True,
        help="name=path:number; may be repeated",
    )
    parser.add_argument("--expression", required=True, help="such as '(nir - red) / (nir + red)'")
    parser.add_argument("--output", required=True)
    parser.add_argument("--options", default="", help="creation options as NAME=VALUE|NAME=VALUE")
    return parser
