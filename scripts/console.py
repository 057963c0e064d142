# SPDX-License-Identifier: GPL-2.0-or-later
"""Printing on consoles whose encoding, such as Windows' code page 1252, lacks letters of other scripts."""

from __future__ import annotations

import io
import sys


def show_every_name() -> None:
    """Have this process print as an escape what its console's encoding lacks, such as in the name of a file."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")
