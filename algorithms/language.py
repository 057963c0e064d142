# SPDX-License-Identifier: GPL-2.0-or-later
"""The plugin's sentences in the language that the user chose for QGIS."""

from __future__ import annotations

from pathlib import Path

from qgis.PyQt.QtCore import QCoreApplication, QLocale, QSettings, QTranslator

_TRANSLATIONS = Path(__file__).parents[1] / "resources" / "i18n"


def install_translator(folder: Path = _TRANSLATIONS) -> QTranslator | None:
    """Return the translator that was installed, which the caller keeps; None where the language has no file."""
    locale = QLocale(QSettings().value("locale/userLocale", QLocale().name()))
    translator = QTranslator()
    if not translator.load(locale, "bandwise", "_", str(folder)):
        return None
    QCoreApplication.installTranslator(translator)
    return translator
