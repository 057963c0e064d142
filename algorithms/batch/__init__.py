# SPDX-License-Identifier: GPL-2.0-or-later
"""An algorithm of many scenes: a result of each."""
