# SPDX-License-Identifier: GPL-2.0-or-later
"""Room on the disk and in memory."""

from __future__ import annotations

import math
import os
import shutil
from pathlib import Path


def free_bytes(folder: Path) -> int:
    """Bytes that this user may still write to the disk of ``folder``."""
    return shutil.disk_usage(folder).free


def memory_bytes() -> float:
    """Bytes of memory that this machine has; infinite where the system cannot be told to forget pages of a file."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if hasattr(os, "posix_fadvise") else math.inf
