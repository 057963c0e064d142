# SPDX-License-Identifier: GPL-2.0-or-later
"""The tools that are compared, as commands."""
