# SPDX-License-Identifier: GPL-2.0-or-later
"""Widgets of the dialogs; qgis_process never loads them."""
