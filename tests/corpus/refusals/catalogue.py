# SPDX-License-Identifier: GPL-2.0-or-later
"""All texts that are to be refused."""

from __future__ import annotations

from .characters import UNICODE
from .code import AGGREGATES, CODE
from .names import NAMES, NUMBERS
from .refusal import Refusal
from .sizes import LONG, NESTED
from .syntax import TEXTS

REFUSALS: tuple[Refusal, ...] = (
    *(*AGGREGATES, *CODE),
    *TEXTS,
    *(*NAMES, *NUMBERS),
    *UNICODE,
    *(*NESTED, *LONG),
)
