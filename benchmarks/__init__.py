# SPDX-License-Identifier: GPL-2.0-or-later
"""Bandwise and its peers measured in turn: ``python -m benchmarks.bench``."""
