# SPDX-License-Identifier: GPL-2.0-or-later
"""Compile a formula to a program, and compute pixels and statistics by it."""
