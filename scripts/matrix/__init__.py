# SPDX-License-Identifier: GPL-2.0-or-later
"""The tests on other platforms."""
