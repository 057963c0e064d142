# SPDX-License-Identifier: GPL-2.0-or-later
"""Beyond one machine: the parts of a run on many, and one file of them. QGIS never imports this."""
