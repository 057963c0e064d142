# SPDX-License-Identifier: GPL-2.0-or-later
"""Paths that GDAL opens, from QGIS's layers and values of parameters."""

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

_LEAST_RING = 4  #: points of a triangle, with the first repeated at the end


def rasters_of(
    value: Any, label: str, context: QgsProcessingContext
) -> tuple[tuple[str, str], ...]:
    """Return (layer name, path) of each raster of a list parameter's ``value``, in its order.

    The path of one that QGIS cannot load is returned, too: the engine says what is wrong with it.

    Raises
    ------
    InputError
        For a layer that is no file; ``label`` is the parameter in the message.
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
            # QGIS takes the name from the end of the address, which may be the end of a signature
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
    """Return ``parameters`` with layers in place of rasters that are given as text, for QGIS's own check.

    The engine has opened these rasters before. QGIS 3.22 accepts text as a raster only if it is the
    path of a file, which ``/vsizip/...`` and ``NETCDF:...`` are not.
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
    """Return the items of a list parameter: models nest lists, scripts give one item, or text with semicolons."""
    if isinstance(value, (list, tuple)):
        return [item for part in value for item in _flat(part)]
    if isinstance(value, QgsProcessingOutputLayerDefinition):
        return [value.sink.staticValue()]
    if isinstance(value, str) and ";" in value and not os.path.exists(value):
        return [part for part in value.split(";") if part]
    return [] if value in (None, "") else [value]


def files_given(value: Any) -> list[str]:
    """Return the items of a list parameter of files."""
    return [str(item) for item in _flat(value)]


def file_of(layer: QgsMapLayer, label: str) -> str:
    """Return the name that GDAL opens for a layer; raise :class:`InputError` if there is none."""
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
    """Return a path that QGIS could not open, so that the engine says what is wrong with it."""
    if isinstance(value, str) and value:
        return value
    raise InputError(
        messages.translate(
            "Bandwise", "{parameter}: no raster is given; choose a raster layer or file."
        ).format(parameter=label)
    )


def no_folder(path: str, label: str) -> str:
    """Return a path; raise :class:`InputError` for a folder."""
    if os.path.isdir(path):
        text = messages.translate(
            "Bandwise", "{parameter}: {path} is a folder; choose the file of a band in it."
        )
        raise InputError(text.format(parameter=label, path=path))
    return path


def destination_path(value: Any) -> str:
    """Return the path of a destination parameter, without adding it to the layers that the context loads."""
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
    source: QgsProcessingFeatureSource, label: str
) -> tuple[tuple[tuple[tuple[float, float], ...], ...], ...]:
    """Return the polygons of a vector layer, each of rings of (x, y); curves become lines.

    Raises
    ------
    InputError
        For other geometries; ``label`` is the parameter in the message.
    """
    polygons: list[tuple[tuple[tuple[float, float], ...], ...]] = []
    # unchecked, since an invalid polygon stops the algorithm; rasterized, its rings count even-odd
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
                    "{parameter} has other geometries than polygons; choose a polygon layer.",
                ).format(parameter=label)
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
