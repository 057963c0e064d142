# SPDX-License-Identifier: GPL-2.0-or-later
"""A job as text: a versioned JSON file that another machine can run."""
