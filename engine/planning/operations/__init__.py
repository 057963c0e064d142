# SPDX-License-Identifier: GPL-2.0-or-later
"""From what a job asks for to the operation that computes it."""
