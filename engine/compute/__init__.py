# SPDX-License-Identifier: GPL-2.0-or-later
"""Formula to program, and program to pixels and statistics."""
