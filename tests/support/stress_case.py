# SPDX-License-Identifier: GPL-2.0-or-later
"""A case of a stress test."""

from __future__ import annotations

import os
import random
from collections.abc import Callable
from typing import Any

SEED = int(os.environ.get("BANDWISE_SEED", "15"))
#: Count an outcome, for the table of ``docs/guarantees.md``.
Tally = Callable[..., None]


class Case:
    """A case of a kind: its random numbers follow from the seed, the test and the case's number, so
    that it can be repeated alone.
    """

    def __init__(self, test: str, number: int) -> None:
        self.number = number
        self.random = random.Random(f"{SEED}/{test}/{number}")

    def numpy(self) -> Any:
        """A generator of numpy."""
        import numpy as np

        return np.random.default_rng(self.random.getrandbits(64))
