# SPDX-License-Identifier: GPL-2.0-or-later
"""What the other parameters of a dialog say: rasters, a scene, options. Files are described in a thread."""

from __future__ import annotations

import enum
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from qgis.core import QgsProcessingContext, QgsProcessingModelChildParameterSource, QgsProject
from qgis.PyQt.QtCore import QObject, QTimer, pyqtSignal

from ...algorithms.layers import rasters_of
from ...algorithms.shared.labels import PARAMETERS
from ...algorithms.shared.names import Names, SceneNames
from ...engine.errors import BandwiseError
from ...engine.expression.dialects import DialectChoice
from ...engine.messages import Setting
from ...engine.planning.editing.check import Options
from ...engine.planning.editing.described import DescribedRaster, Describer, Nameable
from ...engine.radiometry.scaling import RadiometryChoice, Scaling
from ...engine.radiometry.storage import DataType
from .live_check import Background

LAYERS, DIALECT = "LAYERS", "DIALECT"
_WATCHED = (
    *(LAYERS, DIALECT, SceneNames.SCENE, Names.RADIOMETRY, Names.SCALE, Names.OFFSET),
    *(Names.SOURCE_NODATA, Names.DATA_TYPE),
)
_DELAY = 100  #: milliseconds after the last change of another parameter
_Enum = TypeVar("_Enum", bound=enum.Enum)


class Surroundings(QObject):
    """:attr:`changed` tells that :attr:`nameable` or :attr:`options` have changed."""

    changed = pyqtSignal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.nameable, self.options = Nameable(), Options()
        self._wrappers: dict[str, Any] = {}
        self._describer = Describer()
        self._opened: dict[str, tuple[tuple[str, str], ...]] = {}
        self._background = Background(self)
        self._background.done.connect(self._end)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_DELAY)
        self._timer.timeout.connect(self.refresh)

    @property
    def is_busy(self) -> bool:
        """Whether an answer is still to come."""
        return self._background.is_busy or bool(self._timer.isActive())

    def watch(self, wrappers: Mapping[str, Any]) -> None:
        """Follow the values of other parameters, each given by its widget's wrapper."""
        self._wrappers = {name: wrappers[name] for name in _WATCHED if name in wrappers}
        for wrapper in self._wrappers.values():
            changes = getattr(wrapper, "widgetValueHasChanged", None)
            if changes is not None:
                changes.connect(self._later)
        self._timer.start()

    def _later(self, *_: Any) -> None:
        self._timer.start()

    def refresh(self) -> None:
        """Read the values now; the files that they name are described in a thread."""
        self.options = self._options()
        self._background.start(self._files())

    def apply(self, setting: Setting) -> None:
        """Set another parameter as a sentence of the check proposes."""
        wrapper = self._wrappers.get(PARAMETERS[setting.field])
        if wrapper is not None:
            wrapper.setParameterValue(setting.choice.value, QgsProcessingContext())
            self._timer.start()

    def _files(self) -> Callable[[], Nameable]:
        """Return the work that describes the rasters or the scene that are given."""
        describer = self._describer
        try:
            rasters = self._rasters(self._value(LAYERS))
        except BandwiseError as error:
            problem = error.args[0]
            return lambda: Nameable(problem=problem)
        path = str(self._value(SceneNames.SCENE) or "").strip()
        return lambda: describer.nameable(rasters, path)

    def _rasters(self, value: Any) -> list[tuple[str, str]]:
        """Return (layer name, path) of each raster; one that is no layer of the project is opened once."""
        project, context = QgsProject.instance(), QgsProcessingContext()
        context.setProject(project)
        rasters: list[tuple[str, str]] = []
        for item in value if isinstance(value, (list, tuple)) else [value]:
            if not isinstance(item, str) or project.mapLayer(item) is not None:
                rasters += rasters_of(item, LAYERS, context)
                continue
            if item not in self._opened:
                self._opened[item] = rasters_of(item, LAYERS, context)
            rasters += self._opened[item]
        return rasters

    def _end(self, nameable: Nameable) -> None:
        self.nameable = nameable
        self.changed.emit()

    def _value(self, name: str) -> Any:
        wrapper = self._wrappers.get(name)
        value = wrapper.parameterValue() if wrapper is not None else None
        return value if not isinstance(value, QgsProcessingModelChildParameterSource) else None

    def _options(self) -> Options:
        radiometry = RadiometryChoice(
            self._choice(Names.RADIOMETRY, Scaling.STORED),
            self._number(Names.SCALE) or 1.0,
            self._number(Names.OFFSET) or 0.0,
            self._number(Names.SOURCE_NODATA),
        )
        dialect = self._choice(DIALECT, DialectChoice.AUTOMATIC)
        return Options(dialect, radiometry, self._choice(Names.DATA_TYPE, DataType.FLOAT32))

    def _choice(self, name: str, default: _Enum) -> _Enum:
        try:
            return type(default)(int(self._value(name)))
        except (TypeError, ValueError):
            return default

    def _number(self, name: str) -> float | None:
        try:
            number = float(self._value(name))
        except (TypeError, ValueError):
            return None
        return number if math.isfinite(number) else None


class ModelSurroundings(Surroundings):
    """In the modeler rasters are those of other steps: they have a name, and their bands are not known."""

    def __init__(self, words: Callable[[Any], str], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._words = words

    def _files(self) -> Callable[[], Nameable]:
        wrapper = self._wrappers.get(LAYERS)
        value = wrapper.value() if wrapper is not None else None
        sources = value if isinstance(value, Sequence) and not isinstance(value, str) else [value]
        kinds = QgsProcessingModelChildParameterSource
        rasters = tuple(
            DescribedRaster(str(self._words(source)), known=False)
            for source in sources
            if isinstance(source, kinds)
        )
        return lambda: Nameable(rasters, later=True)

    def _value(self, name: str) -> Any:
        wrapper = self._wrappers.get(name)
        value = wrapper.value() if wrapper is not None else None
        if isinstance(value, QgsProcessingModelChildParameterSource):
            return value.staticValue()
        return value
