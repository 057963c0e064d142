# SPDX-License-Identifier: GPL-2.0-or-later
"""GDAL's text of a raster that is warped as it is read, onto any grid."""

from __future__ import annotations

from html import escape

from ..grids.grid import Grid
from ..grids.layout import Resampling
from .gdal_settings import geotransform

_METHODS = {
    Resampling.NEAREST: "NearestNeighbour",
    Resampling.BILINEAR: "Bilinear",
    Resampling.CUBIC: "Cubic",
    Resampling.AVERAGE: "Average",
    Resampling.CUBIC_SPLINE: "CubicSpline",
    Resampling.LANCZOS: "Lanczos",
}
_BLOCK = (
    512,
    128,
)  #: of GDAL's own warped rasters, which its coordinates between two exact ones depend on
_WARPED = """<VRTDataset rasterXSize="{width}" rasterYSize="{height}" subClass="VRTWarpedDataset">
<VRTRasterBand dataType="{type}" band="1" subClass="VRTWarpedRasterBand"><NoDataValue>nan</NoDataValue></VRTRasterBand>
<BlockXSize>{block[0]}</BlockXSize><BlockYSize>{block[1]}</BlockYSize>
<GDALWarpOptions><ResampleAlg>{method}</ResampleAlg><SourceDataset relativeToVRT="0">{source}</SourceDataset>
<Option name="UNIFIED_SRC_NODATA">YES</Option><Option name="INIT_DEST">NO_DATA</Option>
<Option name="XSCALE">{scale[0]!r}</Option><Option name="YSCALE">{scale[1]!r}</Option>
<Transformer><ApproxTransformer><MaxError>{tolerance!r}</MaxError><BaseTransformer><GenImgProjTransformer>
<SrcGeoTransform>{source_transform}</SrcGeoTransform><DstGeoTransform>{target_transform}</DstGeoTransform>
{reprojection}</GenImgProjTransformer></BaseTransformer></ApproxTransformer></Transformer>
<BandList><BandMapping src="1" dst="1"><SrcNoDataReal>nan</SrcNoDataReal><SrcNoDataImag>0</SrcNoDataImag>
<DstNoDataReal>nan</DstNoDataReal><DstNoDataImag>0</DstNoDataImag></BandMapping></BandList>
</GDALWarpOptions></VRTDataset>"""
_REPROJECTION = """<ReprojectTransformer><ReprojectionTransformer>
<SourceSRS>{source}</SourceSRS><TargetSRS>{target}</TargetSRS>
</ReprojectionTransformer></ReprojectTransformer>"""


def warped_vrt(
    name: str,
    data_type: str,
    source: Grid,
    target: Grid,
    resampling: Resampling,
    *,
    tolerance: float,
    scale: tuple[float, float],
    reproject: bool,
) -> str:
    """Return the text, by which GDAL opens the raster; NaN is nodata.

    Parameters
    ----------
    name, data_type
        GDAL's of the source, which lies on the grid ``source``.
    tolerance, scale
        As :meth:`~.api.Backend.warp` has them.
    reproject
        Whether the CRS of the grids differ.
    """
    systems = {"source": escape(source.crs), "target": escape(target.crs)}
    return _WARPED.format(
        width=target.width,
        height=target.height,
        type=data_type,
        block=(min(target.width, _BLOCK[0]), min(target.height, _BLOCK[1])),
        method=_METHODS[resampling],
        source=escape(name),
        scale=scale,
        tolerance=tolerance,
        source_transform=",".join(map(repr, geotransform(source.transform))),
        target_transform=",".join(map(repr, geotransform(target.transform))),
        reprojection=_REPROJECTION.format(**systems) if reproject else "",
    )
