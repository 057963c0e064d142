# SPDX-License-Identifier: GPL-2.0-or-later
"""How stored values are read and stored: scale and offset, nodata, masks, types, product metadata."""
