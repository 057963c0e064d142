# SPDX-License-Identifier: GPL-2.0-or-later
"""Statistics of each pixel over the scenes of a composite."""
