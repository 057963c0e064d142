# SPDX-License-Identifier: GPL-2.0-or-later
"""Files in zip and tar archives, read in place and bounded."""
