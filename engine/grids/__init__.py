# SPDX-License-Identifier: GPL-2.0-or-later
"""Where pixels lie: grids, the layout of the result, windows, resampling kernels."""
