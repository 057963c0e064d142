# SPDX-License-Identifier: GPL-2.0-or-later
"""The editor of expressions on the Qt of this QGIS."""

from __future__ import annotations

import pytest
from editor_cases import *  # noqa: F403

pytestmark = pytest.mark.usefixtures("qgis_app")
