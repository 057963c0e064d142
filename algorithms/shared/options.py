# SPDX-License-Identifier: GPL-2.0-or-later
"""Read the shared parameters as options of a run."""

from __future__ import annotations

import enum
from dataclasses import replace
from typing import Any, TypeVar

from qgis.core import (
    QgsCoordinateReferenceSystem,
    QgsProcessing,
    QgsProcessingAlgorithm,
    QgsProcessingContext,
)

from ...engine import messages
from ...engine.errors import InputError, OptionError
from ...engine.grids.layout import Extent, ExtentRule, GridRule, Layout, Resampling
from ...engine.job import RunOptions
from ...engine.radiometry.masks import (
    CLEAR_CLASSES,
    Area,
    MaskChoice,
    MaskRule,
    QaFlag,
    clear_classes,
)
from ...engine.radiometry.scaling import RadiometryChoice, Scaling
from ...engine.radiometry.storage import DataType
from ..layers import file_of, path_as_given, polygons_of
from .choices import CREATION_OPTIONS, FileKind
from .labels import with_name
from .names import Names

_Choice = TypeVar("_Choice", bound=enum.Enum)


class SharedOptions(Names, QgsProcessingAlgorithm):
    """Reads the shared parameters, in two steps: :meth:`layer_options`, then :meth:`run_options`."""

    def layer_options(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> RunOptions:
        """Return the options that layers and extents choose, as paths and numbers, in the main thread.

        Raises
        ------
        BandwiseError
            For a layer or an extent that cannot be read.
        """
        extent = None
        if parameters.get(self.EXTENT) not in (None, ""):
            box = self.parameterAsExtent(parameters, self.EXTENT, context)
            crs = self.parameterAsExtentCrs(parameters, self.EXTENT, context)
            extent = Extent(
                box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum(), _wkt(crs)
            )
            if box.isNull() or not box.isFinite():
                raise OptionError(
                    messages.translate(
                        "Bandwise",
                        "{parameter} is not understood: {text}; give xmin,xmax,ymin,ymax [EPSG:code].",
                    ).format(
                        parameter=self._label(self.EXTENT),
                        text=messages.shown(str(parameters[self.EXTENT])),
                    )
                )
        layout = Layout(
            rule=self.choice(self.GRID, GridRule, parameters, context),
            reference=self._path(self.REFERENCE, parameters, context) or "",
            extent_rule=self.choice(self.GRID_EXTENT, ExtentRule, parameters, context),
            extent=extent,
            resampling=self.choice(self.RESAMPLING, Resampling, parameters, context),
        )
        mask = self._mask(parameters, context)
        return RunOptions(layout=layout, mask=mask, area=self._area(parameters, context))

    def check_report_file(self, parameters: dict[str, Any], context: QgsProcessingContext) -> None:
        """Raise :class:`OptionError` for a name that a report cannot have."""
        from ...engine.files.text_files import check_report

        path = self.parameterAsString(parameters, self.REPORT_FILE, context)
        if path and path != QgsProcessing.TEMPORARY_OUTPUT:
            check_report(path)

    def _mask(self, parameters: dict[str, Any], context: QgsProcessingContext) -> MaskChoice | None:
        path = self._path(self.MASK, parameters, context)
        if not path:
            return None
        rule = self.choice(self.MASK_RULE, MaskRule, parameters, context)
        return self.mask_choice(path, parameters, context)._replace(rule=rule)

    def mask_choice(
        self, path: str, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> MaskChoice:
        """Return a mask with the classes and flags that the options name.

        Raises
        ------
        OptionError
            For what is no class or flag.
        """
        classes = self.parameterAsString(parameters, self.SCL_KEEP, context)
        return MaskChoice(
            path=path,
            keep=clear_classes(classes or ",".join(map(str, CLEAR_CLASSES))),
            reject=self._flags(parameters, context),
        )

    def run_options(
        self,
        layers: RunOptions,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
    ) -> RunOptions:
        """Add the options of the other parameters to those of ``layers``.

        Raises
        ------
        OptionError
            For a value that an option cannot have.
        """
        overviews = None
        if parameters.get(self.OVERVIEWS) not in (None, ""):
            overviews = self.parameterAsEnum(parameters, self.OVERVIEWS, context) == 1
        kind = self.choice(self.FILE_KIND, FileKind, parameters, context)
        cog = self.parameterAsBool(parameters, self.COG, context)
        cog = cog or kind is FileKind.CLOUD_OPTIMIZED
        return replace(
            layers,
            radiometry=RadiometryChoice(
                scaling=self.choice(self.RADIOMETRY, Scaling, parameters, context),
                scale=self.parameterAsDouble(parameters, self.SCALE, context),
                offset=self.parameterAsDouble(parameters, self.OFFSET, context),
                nodata=self._number(self.SOURCE_NODATA, parameters, context),
            ),
            data_type=self.choice(self.DATA_TYPE, DataType, parameters, context),
            clamp=(
                self._number(self.CLAMP_MIN, parameters, context),
                self._number(self.CLAMP_MAX, parameters, context),
            ),
            overviews=overviews,
            cog=cog,
            creation_options=_completed(
                self.parameterAsString(parameters, self.CREATION_OPTIONS, context),
                CREATION_OPTIONS.get(kind, ""),
            ),
            workers=self.parameterAsInt(parameters, self.WORKERS, context),
            memory=self.parameterAsInt(parameters, self.MEMORY, context),
        )

    def is_number(self, name: str, parameters: dict[str, Any], *, integer: bool = False) -> bool:
        """Return whether a parameter is given.

        Raises
        ------
        OptionError
            For text that is no number, which QGIS would read as 0, and with ``integer`` for a
            fraction, which QGIS would round.
        """
        value = parameters.get(name)
        if value in (None, ""):
            return False
        if isinstance(value, (str, float)):
            try:
                valid = float(value).is_integer() or not integer
            except ValueError:
                valid = False
            if not valid:
                text = messages.translate("Bandwise", "{parameter} must be a number, not {value}.")
                if integer:
                    text = messages.translate(
                        "Bandwise", "{parameter} must be a whole number, not {value}."
                    )
                raise OptionError(text.format(parameter=self._label(name), value=str(value)[:60]))
        return True

    def _label(self, name: str) -> str:
        """Return a parameter by its label and its name."""
        return with_name(self.parameterDefinition(name).description(), name)

    def _flags(
        self, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> tuple[QaFlag, ...]:
        numbers = self.parameterAsEnums(parameters, self.QA_REJECT, context)
        try:
            return tuple(QaFlag(number) for number in numbers)
        except ValueError as error:
            raise OptionError(
                messages.translate(
                    "Bandwise", "{parameter} must be numbers from 0 to 5, not {value}."
                ).format(parameter=self._label(self.QA_REJECT), value=", ".join(map(str, numbers)))
            ) from error

    def _number(
        self, name: str, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> float | None:
        return (
            self.parameterAsDouble(parameters, name, context)
            if self.is_number(name, parameters)
            else None
        )

    def choice(
        self,
        name: str,
        kind: type[_Choice],
        parameters: dict[str, Any],
        context: QgsProcessingContext,
    ) -> _Choice:
        """Return the member of an enum that a parameter chooses; raise :class:`OptionError` for none."""
        value = self.parameterAsEnum(parameters, name, context)
        try:
            return kind(value)
        except ValueError as error:
            options = self.parameterDefinition(name).options()
            raise OptionError(
                messages.translate(
                    "Bandwise", "{parameter} must be {choices}, not {value}."
                ).format(
                    parameter=self._label(name),
                    choices=", ".join(
                        f"{number} ({option})" for number, option in enumerate(options)
                    ),
                    value=value,
                )
            ) from error

    def choices(
        self,
        name: str,
        kind: type[_Choice],
        parameters: dict[str, Any],
        context: QgsProcessingContext,
    ) -> tuple[_Choice, ...]:
        """Return the members of an enum that a parameter chooses; raise :class:`OptionError` for others."""
        values = self.parameterAsEnums(parameters, name, context)
        try:
            return tuple(kind(value) for value in values)
        except ValueError as error:
            text = messages.translate(
                "Bandwise", "{parameter} must be numbers from 0 to {last}, not {value}."
            )
            shown = ", ".join(map(str, values))
            raise OptionError(
                text.format(parameter=self._label(name), last=len(kind) - 1, value=shown)
            ) from error

    def _path(
        self, name: str, parameters: dict[str, Any], context: QgsProcessingContext
    ) -> str | None:
        """Return the file of a raster parameter; None if it is empty."""
        value = parameters.get(name)
        if value is None or value == "":
            return None
        layer = self.parameterAsRasterLayer(parameters, name, context)
        label = self._label(name)
        return file_of(layer, label) if layer is not None else path_as_given(value, label)

    def _area(self, parameters: dict[str, Any], context: QgsProcessingContext) -> Area | None:
        if parameters.get(self.AOI) in (None, ""):
            return None
        source = self.parameterAsSource(parameters, self.AOI, context)
        if source is None:
            raise InputError(
                messages.translate(
                    "Bandwise",
                    "{parameter} cannot be opened; choose a polygon layer or a file of polygons.",
                ).format(parameter=self._label(self.AOI))
            )
        return Area(polygons_of(source, self._label(self.AOI)), _wkt(source.sourceCrs()))


def _completed(given: str, options: str) -> str:
    """Return creation options ``given`` with those of ``options`` that they do not replace.

    A codec that is given replaces the other's level, too.
    """
    names = {part.partition("=")[0].strip().upper() for part in given.split("|")}
    if "COMPRESS" in names or not options:
        return given
    kept = [part for part in options.split("|") if part.partition("=")[0] not in names]
    return "|".join([*kept, *filter(None, [given])])


def _wkt(crs: QgsCoordinateReferenceSystem) -> str:
    return (
        str(crs.toWkt(QgsCoordinateReferenceSystem.WktVariant.WKT_PREFERRED))
        if crs.isValid()
        else ""
    )
