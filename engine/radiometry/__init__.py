# SPDX-License-Identifier: GPL-2.0-or-later
"""Stored values: scale and offset, nodata, masks, data types, metadata of products."""
