# SPDX-License-Identifier: GPL-2.0-or-later
"""The editor of expressions on Qt 6."""

from __future__ import annotations

from editor_cases import *  # noqa: F403
