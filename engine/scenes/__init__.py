# SPDX-License-Identifier: GPL-2.0-or-later
"""From a product, wherever it lies and whatever part of it is pointed at, to its bands by role."""
