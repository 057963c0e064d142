# SPDX-License-Identifier: GPL-2.0-or-later
"""Measurements of one thing at a time."""
