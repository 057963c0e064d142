# SPDX-License-Identifier: GPL-2.0-or-later
"""From QGIS's layers and parameter values to the paths that GDAL opens."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsFeatureRequest,
    QgsGeometry,
    QgsMapLayer,
    QgsProcessingContext,
    QgsProcessingFeatureSource,
    QgsProcessingOutputLayerDefinition,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterRasterLayer,
    QgsProcessingUtils,
    QgsProviderRegistry,
    QgsRasterLayer,
    QgsWkbTypes,
)

from ..engine import messages
from ..engine.credentials import file_name, without_credentials
from ..engine.errors import InputError

_LEAST_RING = 4  #: points of a triangle, the first again at the end


def rasters_of(
    value: Any, label: str, context: QgsProcessingContext
) -> tuple[tuple[str, str], ...]:
    """(layer name, path) of every raster of a list parameter's ``value``, in its order.

    One that cannot be loaded keeps its place, for the engine to refuse. Raises :class:`InputError`.
    """
    rasters = []
    for item in _flat(value):
        layer = item
        if not isinstance(item, QgsMapLayer):
            layer = QgsProcessingUtils.mapLayerFromString(
                str(item), context, True, QgsProcessingUtils.LayerHint.Raster
            )
        if isinstance(layer, QgsMapLayer):
            path = file_of(layer, label)
            # QGIS names a layer after the end of its address, which may be the end of a signature.
            name = (
                layer.name()
                if without_credentials(path) == path or layer.name() not in path
                else Path(file_name(path)).stem
            )
            rasters.append((name, path))
        else:
            rasters.append((Path(file_name(str(item))).stem, path_as_given(item, label)))
    return tuple(rasters)


def taken_as_layers(
    parameters: dict[str, Any], definitions: Iterable[QgsProcessingParameterDefinition]
) -> dict[str, Any]:
    """``parameters`` for QGIS's own check, after the engine has opened the rasters: those given as
    text are layers there.

    QGIS 3.22 takes text for a raster only where it is the path of a file, which ``/vsizip/...`` and
    ``NETCDF:...`` are not.
    """
    replaced = {}
    for definition in definitions:
        value = parameters.get(definition.name())
        if (
            definition.type() == QgsProcessingParameterRasterLayer.typeName()
            and isinstance(value, str)
            and value
        ):
            replaced[definition.name()] = QgsRasterLayer()
        elif (
            definition.type() == QgsProcessingParameterMultipleLayers.typeName()
            and isinstance(value, (str, list, tuple))
            and value
        ):
            replaced[definition.name()] = [
                item if isinstance(item, QgsMapLayer) else QgsRasterLayer() for item in _flat(value)
            ]
    return {**parameters, **replaced}


def _flat(value: Any) -> list[Any]:
    """The items of a list parameter's value, which models nest and scripts give singly or separated by semicolons."""
    if isinstance(value, (list, tuple)):
        return [item for part in value for item in _flat(part)]
    if isinstance(value, QgsProcessingOutputLayerDefinition):
        return [value.sink.staticValue()]
    if isinstance(value, str) and ";" in value and not os.path.exists(value):
        return [part for part in value.split(";") if part]
    return [] if value in (None, "") else [value]


def file_of(layer: QgsMapLayer, label: str) -> str:
    """What GDAL opens to see what the layer shows."""
    source = str(layer.source())
    if layer.providerType() != "gdal" or source.startswith("MEM:"):
        raise InputError(
            messages.translate(
                "Bandwise",
                "{parameter}: the layer {layer} is not a file that GDAL can open ({provider}); "
                "export it to a GeoTIFF and choose that file.",
            ).format(
                parameter=label,
                layer=layer.name(),
                provider=layer.providerType() if layer.providerType() != "gdal" else "memory",
            )
        )
    if QgsProviderRegistry.instance().decodeUri("gdal", source).get("openOptions"):
        raise InputError(
            messages.translate(
                "Bandwise",
                "{parameter}: the layer {layer} is opened with GDAL open options, which cannot be "
                "passed on; add the file without them.",
            ).format(parameter=label, layer=layer.name())
        )
    return source


def path_as_given(value: Any, label: str) -> str:
    """A path that QGIS could not open, for the engine to say what is wrong with it."""
    if isinstance(value, str) and value:
        return value
    raise InputError(
        messages.translate(
            "Bandwise", "{parameter}: no raster is given; choose a raster layer or file."
        ).format(parameter=label)
    )


def destination_path(value: Any) -> str:
    """The path that a destination parameter stands for, found without telling the context to load it."""
    if isinstance(value, QgsProcessingOutputLayerDefinition):
        value = value.sink.staticValue()
    if isinstance(value, str) and value and not value.startswith("TEMPORARY_OUTPUT"):
        return value
    return str(Path(QgsProcessingUtils.tempFolder()) / "result.tif")


def load_instead(path: str, placed: str, context: QgsProcessingContext) -> None:
    """Have the layer that would be loaded from ``path`` loaded from where the result is ``placed``."""
    layers = context.layersToLoadOnCompletion()
    if placed != path and path in layers:
        layers[placed] = layers.pop(path)
        context.setLayersToLoadOnCompletion(layers)


def polygons_of(
    source: QgsProcessingFeatureSource,
) -> tuple[tuple[tuple[tuple[float, float], ...], ...], ...]:
    """The polygons of a vector layer, each of rings of (x, y); curves become lines."""
    polygons: list[tuple[tuple[tuple[float, float], ...], ...]] = []
    # An invalid polygon would end the program while QGIS checks it; laid over pixels, its rings count even-odd.
    for feature in source.getFeatures(
        QgsFeatureRequest(), QgsProcessingFeatureSource.Flag.FlagSkipGeometryValidityChecks
    ):
        geometry = feature.geometry()
        if geometry.isNull() or geometry.isEmpty():
            continue
        if QgsWkbTypes.geometryType(geometry.wkbType()) != QgsWkbTypes.GeometryType.PolygonGeometry:
            raise InputError(
                messages.translate(
                    "Bandwise",
                    "“Area of interest” (AOI) holds other geometries than polygons; choose a polygon "
                    "layer.",
                ).format()
            )
        if QgsWkbTypes.isCurvedType(geometry.wkbType()):
            geometry = QgsGeometry(geometry.constGet().segmentize())
        parts = geometry.asMultiPolygon() if geometry.isMultipart() else [geometry.asPolygon()]
        for part in parts:
            rings = tuple(
                tuple((point.x(), point.y()) for point in ring)
                for ring in part
                if len(ring) >= _LEAST_RING
            )
            if part and len(part[0]) >= _LEAST_RING:
                polygons.append(rings)
    return tuple(polygons)
