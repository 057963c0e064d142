# SPDX-License-Identifier: GPL-2.0-or-later
"""Bandwise: band math on rasters of any size, in QGIS."""


def classFactory(iface):  # noqa: N802
    from .plugin import BandwisePlugin

    return BandwisePlugin(iface)
