# SPDX-License-Identifier: GPL-2.0-or-later
"""Reading the files that metadata come in: XML, MTL and GDAL's virtual format."""
