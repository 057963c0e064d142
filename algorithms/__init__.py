# SPDX-License-Identifier: GPL-2.0-or-later
"""The Processing algorithms: QGIS's vocabulary on one side, the engine's jobs on the other."""
