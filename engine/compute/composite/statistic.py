# SPDX-License-Identifier: GPL-2.0-or-later
"""Which statistics a composite has."""

from __future__ import annotations

import enum
from typing import NamedTuple


class Statistic(enum.Enum):
    """A statistic of a pixel over scenes; dates are days since 1970-01-01."""

    MEDIAN = 0
    MEAN = 1
    MINIMUM = 2
    MAXIMUM = 3
    PERCENTILE = 4
    COUNT = 5
    DATE_OF_MAXIMUM = 6

    @property
    def is_of_ranks(self) -> bool:
        """Whether all values of a pixel are needed at a time."""
        return self in (Statistic.MEDIAN, Statistic.PERCENTILE)

    @property
    def is_index(self) -> bool:
        """Whether it is a value of the index."""
        return self not in (Statistic.COUNT, Statistic.DATE_OF_MAXIMUM)


class Reduction(NamedTuple):
    """``statistics`` over scenes, of which ``days`` has the date of each, as days since 1970-01-01.

    ``percentile`` is from 0 to 100, linear between two values as in ``numpy.percentile``.
    """

    statistics: tuple[Statistic, ...]
    days: tuple[int, ...]
    percentile: float = 90.0

    @property
    def is_running(self) -> bool:
        """Whether scenes can be forgotten one by one."""
        return not any(statistic.is_of_ranks for statistic in self.statistics)
