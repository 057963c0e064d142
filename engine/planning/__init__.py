# SPDX-License-Identifier: GPL-2.0-or-later
"""Every check and every decision before pixels are read."""
