# SPDX-License-Identifier: GPL-2.0-or-later
"""Parts of a result: each a GeoTIFF of its own, and the one file that their blocks become."""
