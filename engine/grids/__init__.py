# SPDX-License-Identifier: GPL-2.0-or-later
"""Positions of pixels: grids, the layout of the result, windows, resampling."""
