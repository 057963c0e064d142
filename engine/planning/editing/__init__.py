# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks of a text while it is typed, against rasters that are described once."""
