# SPDX-License-Identifier: GPL-2.0-or-later
"""Results in memory, at few pixels, before a run."""
