# SPDX-License-Identifier: GPL-2.0-or-later
"""Results of many scenes: their names, their jobs, and which are finished."""
