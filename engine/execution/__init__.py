# SPDX-License-Identifier: GPL-2.0-or-later
"""The run: workers that process windows."""
