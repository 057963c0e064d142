# SPDX-License-Identifier: GPL-2.0-or-later
"""NDVI from end to end on a product that is made here: ``python -m demo``."""
