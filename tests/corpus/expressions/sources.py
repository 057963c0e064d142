# SPDX-License-Identifier: GPL-2.0-or-later
"""Where an expression, or its kind, was found, and what tools do wrong."""

from __future__ import annotations

QGIS_DOCS = "QGIS user manual, Raster Calculator (docs.qgis.org, user_manual/working_with_raster/raster_analysis)"
QGIS_TRAINING = "QGIS training manual, terrain analysis and raster calculator lessons"
QGIS_TESTS = "qgis/QGIS: tests/src/analysis/testqgsrastercalculator.cpp"
QGIS_ISSUE = "qgis/QGIS issues 32477, 32954, 43592, 44092, 57747 on the raster calculator"
QGIS_GRAMMAR = "qgis/QGIS: src/analysis/raster/qgsrastercalclexer.ll and qgsrastercalcparser.yy"
SE_LOGIC = "gis.stackexchange 271560, logical operators in the QGIS raster calculator"
SE_CLASSES = (
    "gis.stackexchange, QGIS raster calculator: how to perform classification (aspect and slope)"
)
SE_ASPECT = "gis.stackexchange 106856, flat areas of an aspect raster in the raster calculator"
SE_LST = "gis.stackexchange 433305, land surface temperature in QGIS"
BLOG_CONDITION = "indicatrix.org, conditionals in the QGIS raster calculator"
INDICES = "spectral indices as written in user questions and in micasense, un-spider and spatialBACI guides"
USGS_SCALE = "usgs.gov FAQ, scale factors of Landsat Collection 2 level 2"
SAR_DB = "earthdata.nasa.gov, radiometrically terrain corrected images in QGIS (power to decibel)"
GDAL_DOCS = "GDAL manual, programs/gdal_calc"
GDAL_TESTS = "OSGeo/gdal: autotest/pyscripts/test_gdal_calc.py"
GDAL_SE = "gis.stackexchange, gdal_calc syntax for logical operators and other functions"
GDAL_SCRIPTS = "gdal_calc.py calls in public scripts on GitHub"
GDAL_BLOG = "spatialthoughts.com 2019, reclassifying rasters using gdal_calc"
QA_BITS = "gis.stackexchange 405056 and Landsat QA_PIXEL bit tables"
NUMPY_DOCS = "numpy reference, element-wise functions"
OTB_DOCS = "OTB CookBook, BandMath application"
OTB_TESTS = (
    "orfeotoolbox/OTB: Modules/Filtering/MathParser/test and Applications/AppMathParser/test"
)
OTB_SCRIPTS = "otbcli_BandMath calls in public scripts on GitHub"
OTB_SAR = "OTB CookBook, SAR processing recipe (intensity from complex, despeckle)"
MUPARSER = "beltoforion.de, muParser features: functions, operators, ternary"
GRAMMAR = "docs/dialects.md: a text that the dialects read differently"

# What tools do wrong, in a phrase.
NAN_IS_FALSE = "a comparison with 0/0 is answered as false"
NDVI_ZERO = "ndvi() is 0 where the sum is 0"
WRAPS = "int32 wraps around"
