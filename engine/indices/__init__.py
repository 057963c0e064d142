# SPDX-License-Identifier: GPL-2.0-or-later
"""Spectral indices: the list and the user's own, which bands they need, and their formulas with constants."""
