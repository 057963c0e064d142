# SPDX-License-Identifier: GPL-2.0-or-later
"""Texts that are to be refused in one sentence, in bounded time and memory, and never executed.

Each entry is ``(text, word, answerable)``: a word that a helpful sentence would contain (any case;
empty where none is asked for), and whether the text may rightly be answered instead. They are meant
for two inputs, ``A`` = the raster ``scene`` of :mod:`inputs` (four bands) and ``B`` = ``other``
(two bands), in Bandwise's own dialect; no dialect may do worse than refuse.
"""

from __future__ import annotations

Refusal = tuple[str, str, bool]
