# SPDX-License-Identifier: GPL-2.0-or-later
"""The editor of expressions in the dialogs."""
