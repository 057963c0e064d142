# SPDX-License-Identifier: GPL-2.0-or-later
"""Whoever does the work of a run: threads, processes, or a cluster of dask."""
