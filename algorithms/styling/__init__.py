# SPDX-License-Identifier: GPL-2.0-or-later
"""How layers of results are shown and described."""
