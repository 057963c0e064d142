# SPDX-License-Identifier: GPL-2.0-or-later
"""From what an algorithm is given to a job."""
