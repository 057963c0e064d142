# SPDX-License-Identifier: GPL-2.0-or-later
"""Windows of a composite: its scenes one after the other, then the statistics over them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..arrays import NDArray
from ..compute.composite.reducer import Reducer
from ..compute.kernel import Kernel
from ..compute.validity import Excluded
from ..grids.grid import Window
from ..planning.operations.composite import MOST_KERNELS, CompositePlan, ScenePart
from ..reading.reader import Pixels


class Composer:
    """Computes windows in one thread; ``read`` reads a window of a scene by its position."""

    def __init__(
        self, plan: CompositePlan, read: Callable[[Window, int], Pixels], *, mask: bool
    ) -> None:
        """``mask``: the user's mask is read after the scenes."""
        self._scenes, self._read, self._has_mask = plan.scenes, read, mask
        self._reducer = Reducer(plan.reduction, plan.dtype)
        self._kernels: dict[str, Kernel] = {}

    def compute(self, window: Window) -> Pixels:
        """Return the statistics of a window as if they were read: NaN where there is none."""
        self._reducer.start(window.pixels)
        for position, scene in enumerate(self._scenes):
            pixels = self._read(window, position)
            hidden = None
            if scene.mask is not None and pixels.mask is not None:
                hidden = scene.mask.hidden(pixels.mask, pixels.mask_planes)
            self._kernel(scene).compute(
                pixels.values,
                pixels.planes,
                self._reducer.row(position),
                Excluded(None, hidden),
                window.width,
            )
            self._reducer.add(position)
        values = self._reducer.results()
        planes: list[list[NDArray[Any]]] = [[] for _ in values]
        if not self._has_mask:
            return Pixels([values], planes)
        return self._read(window, len(self._scenes))._replace(values=[values], planes=planes)

    def _kernel(self, scene: ScenePart) -> Kernel:
        """Return the kernel of a scene; those of one kind share one, and few are kept, for their memory."""
        kind = repr(scene.kernel)  # as NaN is not equal to NaN
        if kind not in self._kernels:
            if len(self._kernels) >= MOST_KERNELS:
                self._kernels.clear()
            self._kernels[kind] = Kernel(scene.kernel)
        return self._kernels[kind]
