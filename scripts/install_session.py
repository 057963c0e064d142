# SPDX-License-Identifier: GPL-2.0-or-later
"""Install, run, upgrade and uninstall the plugin with QGIS's own plugin installer; run by ``qgis --code``.

The folder in ``SESSION_FOLDER`` holds ``older.zip`` and ``newer.zip``; what was seen is written to ``facts.json``
there, for ``check_package.py`` to judge.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

import processing
import pyplugin_installer
import qgis.utils
from qgis.core import QgsApplication, QgsSettings
from qgis.PyQt.QtCore import QTimer

NAME = "bandwise"
FOLDER = Path(os.environ["SESSION_FOLDER"])
PROFILE = Path(QgsApplication.qgisSettingsDirPath())


def state() -> dict[str, Any]:
    """What there is of the plugin: in QGIS, in Python, in the profile and in its settings."""
    provider = QgsApplication.processingRegistry().providerById(NAME)
    engine = sys.modules.get(f"{NAME}.engine")
    settings = QgsSettings()
    return {
        "active": NAME in qgis.utils.active_plugins,
        "metadata": qgis.utils.pluginMetadata(NAME, "version"),
        "engine": getattr(engine, "__version__", ""),
        "algorithms": sorted(each.id() for each in provider.algorithms()) if provider else [],
        # QGIS forgets the packages in between, which hold nothing
        "modules": sorted(
            name
            for name, module in sys.modules.items()
            if name == NAME or (name.startswith(f"{NAME}.") and not hasattr(module, "__path__"))
        ),
        "files": sorted(str(path.relative_to(PROFILE)) for path in PROFILE.rglob("*")),
        "settings": {key: str(settings.value(key)) for key in sorted(settings.allKeys())},
    }


def ndvi(name: str) -> Any:
    """Run NDVI, so that the whole engine is loaded and compiled; return how many pixels are valid."""
    bands = {"RED": str(FOLDER / "bands.tif"), "NIR": str(FOLDER / "bands.tif"), "NIR_BAND": 2}
    return processing.run(f"{NAME}:ndvi", {**bands, "OUTPUT": str(FOLDER / name)})["VALID_PIXELS"]


def session() -> dict[str, Any]:
    installer = pyplugin_installer.instance()
    facts: dict[str, Any] = {"before": state()}
    for name in ("older", "newer"):
        installer.installFromZipFile(str(FOLDER / f"{name}.zip"))
        pixels = ndvi(f"{name}.tif")
        facts[name] = {**state(), "pixels": pixels}
    installer.uninstallPlugin(NAME, quiet=True)
    facts["after"] = state()
    return facts


def main() -> None:
    try:
        facts = session()
    except BaseException:
        facts = {"failure": traceback.format_exc()}
    (FOLDER / "facts.json").write_text(json.dumps(facts), encoding="utf-8")
    sys.stdout.flush()
    os._exit(0)  # QGIS's own way out asks whether to save the project


# once the window is there, and with it what installs plugins
QTimer.singleShot(0, main)
