# SPDX-License-Identifier: GPL-2.0-or-later
"""All checks and decisions before pixels are read."""
