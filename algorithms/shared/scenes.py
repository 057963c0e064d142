# SPDX-License-Identifier: GPL-2.0-or-later
"""A scene in place of rasters: the parameters, and what a run takes from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from qgis.core import (
    QgsProcessingContext,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterFile,
)
from qgis.PyQt.QtCore import QCoreApplication

from ...engine import messages
from ...engine.errors import InputError
from ...engine.job import Job, Note, RunOptions
from .names import SceneNames
from .options import SharedOptions

if TYPE_CHECKING:
    from ...engine.scenes.scene import Scene

translate = QCoreApplication.translate

#: By its name, as QGIS loads it, and only where there is a dialog.
_EDITOR = f"{__name__.partition('.algorithms.')[0]}.gui.scene_wrapper.SceneWrapper"
_MOST_NAMES = 3  #: of results, in the name of a layer


class SceneOptions(SceneNames, SharedOptions):
    """Adds ``SCENE`` and ``MASK_CLOUDS`` to an algorithm, and reads them.

    Its ``inputs`` return the scene as the second of two.
    """

    _chosen: tuple[Any, RunOptions]

    def add_scene_parameters(self) -> None:
        """Add both parameters; a file or a folder."""
        scene = QgsProcessingParameterFile(
            self.SCENE, translate("Bandwise", "Scene"), optional=True
        )
        # QGIS's own, *.*, refuses folders without a dot
        scene.setFileFilter(translate("Bandwise", "All files (*)"))
        scene.setHelp(
            translate(
                "Bandwise",
                "A product, whose bands are found by role: its metadata file, any band of it, its zip or tar "
                "archive, a STAC item, or its folder. Sentinel-2, Landsat, HLS, MODIS and "
                "PlanetScope.",
            )
        )
        scene.setMetadata({"widget_wrapper": {"class": _EDITOR}})
        self.addParameter(scene)
        self.add_mask_clouds()

    def add_mask_clouds(self) -> None:
        """Add ``MASK_CLOUDS`` alone."""
        clouds = QgsProcessingParameterBoolean(
            self.MASK_CLOUDS, translate("Bandwise", "Leave out the clouds of the scene"), True
        )
        clouds.setHelp(
            translate(
                "Bandwise",
                "By the scene's own mask, with the classes and flags of the mask options. Used if a scene "
                "that has a mask is given and no other mask; default yes.",
            )
        )
        self.addParameter(clouds)

    def scene(
        self,
        rasters: Sequence[str],
        parameters: dict[str, Any],
        context: QgsProcessingContext,
        *,
        beside: bool = False,
    ) -> Scene | None:
        """Return the scene that is given; None for some of the parameters ``rasters`` in its place.

        With ``beside`` there may be rasters, too.

        Raises
        ------
        InputError
            For neither, for both, and for what is no scene.
        """
        path = self.parameterAsString(parameters, self.SCENE, context).strip()
        given = [name for name in rasters if parameters.get(name) not in (None, "", [], ())]
        if bool(path) == bool(given) and not (path and beside):
            text = messages.translate(
                "Bandwise", "No raster is given, and no scene; choose {scene}, or else {rasters}."
            )
            if path:
                text = messages.translate(
                    "Bandwise",
                    "{scene} and {rasters} cannot both be given; leave the scene empty, or the rasters.",
                )
            labels = ", ".join(map(self._label, given or rasters))
            raise InputError(text.format(scene=self._label(self.SCENE), rasters=labels))
        if not path:
            return None
        from ...engine.reading.opening import subdatasets_of
        from ...engine.scenes.opening import open_scene

        return open_scene(path, subdatasets_of)

    def layer_name(self, job: Job) -> str:
        """The names of results, and which scene they are of."""
        return self.name_of_results([result.name for result in job.formula.results])

    def name_of_results(self, names: Sequence[str]) -> str:
        """Return the name of a layer of results called ``names``, with the scene that was given."""
        shown = ", ".join(names[:_MOST_NAMES])
        if len(names) > _MOST_NAMES:
            shown += f" + {len(names) - _MOST_NAMES}"
        _, scene = self._chosen[0]
        return f"{shown} {scene.label}" if scene else shown

    def ignored(
        self, scene: Scene, names: Sequence[str], parameters: dict[str, Any]
    ) -> tuple[Note, ...]:
        """Return a warning for numbers of bands that are given beside a scene, if any."""
        given = [name for name in names if parameters.get(name) not in (None, "", 1, "1")]
        text = messages.translate(
            "Bandwise",
            "Ignored, since the bands of the scene {scene} are found by role: {parameters}",
        )
        labels = ", ".join(map(self._label, given))
        note = Note(text.format(scene=scene.name, parameters=labels), warning=True)
        return (note,) if given else ()

    def without_clouds(
        self,
        scene: Scene | None,
        options: RunOptions,
        parameters: dict[str, Any],
        context: QgsProcessingContext,
    ) -> tuple[RunOptions, tuple[Note, ...]]:
        """Return ``options`` with the scene's own mask where it is wanted, and lines for the log."""
        from ...engine.planning.jobs.scenes import mask_of, no_mask_note, scene_notes

        if scene is None:
            return options, ()
        notes = scene_notes(scene)
        if options.mask or not self.parameterAsBool(parameters, self.MASK_CLOUDS, context):
            return options, notes
        mask = mask_of(scene, self.mask_choice("", parameters, context))
        if mask is None:
            return options, (*notes, no_mask_note(scene))
        return replace(options, mask=mask), notes
