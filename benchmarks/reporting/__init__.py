# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables, targets and a picture of the measurements."""
