# SPDX-License-Identifier: GPL-2.0-or-later
"""Making the table of indices and its page."""
