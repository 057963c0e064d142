# SPDX-License-Identifier: GPL-2.0-or-later
"""The run: workers over windows."""
