# SPDX-License-Identifier: GPL-2.0-or-later
"""The raster library: the only package that calls one."""
