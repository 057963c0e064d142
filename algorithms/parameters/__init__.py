# SPDX-License-Identifier: GPL-2.0-or-later
"""Definitions of parameters that a single algorithm has."""
