# SPDX-License-Identifier: GPL-2.0-or-later
"""Files as files: names, states, temporaries, sidecars, disk space."""
