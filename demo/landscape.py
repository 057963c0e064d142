# SPDX-License-Identifier: GPL-2.0-or-later
"""Red and near-infrared reflectance of a made-up landscape, a function of the place alone.

Every pixel follows from its own coordinates and fixed seeds, so any window of any scene can be computed
by itself and has the same values as in the whole. Places are metres east (``x``) and south (``y``) of the
middle of the scene. A *field* below is a float32 array of shape (rows, columns).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Field = npt.NDArray[np.float32]
Whole = npt.NDArray[np.int64]

#: (red, near infrared) of what grows on a parcel, in the order in which they are drawn: bare soil, stubble,
#: young maize, rape, pasture, meadow, winter wheat, sugar beet.
_CROPS = np.array(
    [
        (0.21, 0.28),
        (0.19, 0.30),
        (0.13, 0.27),
        (0.09, 0.36),
        (0.075, 0.33),
        (0.055, 0.37),
        (0.04, 0.42),
        (0.032, 0.49),
    ],
    np.float32,
)
_WATER = (0.030, 0.012)
_SHORE = (0.16, 0.20)
_SPRUCE = (0.030, 0.19)
_BEECH = (0.027, 0.39)
_HEDGE = (0.045, 0.30)
_ROOFS = (0.17, 0.20)
_GARDENS = (0.07, 0.27)


class Reflectance(NamedTuple):
    """Surface reflectance (no unit, 0 to 1) of two bands; arrays of shape (rows, columns)."""

    red: Field
    nir: Field


def reflectance(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> Reflectance:
    """Reflectance at the columns ``x`` (shape (columns,)) and the rows ``y`` (shape (rows,)), in metres."""
    relief = _rough(x, y, cell=9000, octaves=4, seed=1)
    fine = _rough(x, y, cell=120, octaves=2, seed=2) - 0.5
    red, nir = _farmland(x, y, fine)
    forest, beech = _forest(x, y, relief)
    _paint(red, nir, forest, _SPRUCE, shade=1 + 0.5 * fine)
    _paint(red, nir, forest * beech, _BEECH, shade=1 + 0.4 * fine)
    _build(red, nir, x, y, fine)
    shore, water = _water(x, y, relief)
    _paint(red, nir, shore, _SHORE, shade=1 + 0.5 * fine)
    _paint(red, nir, water, _WATER, shade=1 + 0.3 * fine)
    light = 0.94 + 0.12 * relief
    grain = [_draw(*_whole(x, y, 10.0), seed=seed) - 0.5 for seed in (3, 18)]
    return Reflectance(red * light + 0.005 * grain[0], nir * light + 0.008 * grain[1])


def _farmland(
    x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], fine: Field
) -> tuple[Field, Field]:
    """A mosaic of parcels: parishes, each with its own direction, cut into strips, and these into fields."""
    bend = 500 * (_rough(x, y, cell=1500, octaves=2, seed=4) - 0.5)
    east, south = x[np.newaxis, :] + bend, y[:, np.newaxis] - bend
    parish = _nearest(east, south, cell=3400.0, seed=5)
    angle = 2 * np.pi * _draw(parish, parish, seed=6)
    along = (east * np.cos(angle) + south * np.sin(angle)).astype(np.float32)
    across = (south * np.cos(angle) - east * np.sin(angle)).astype(np.float32)
    breadth = 220 + 220 * _draw(parish, parish, seed=7)
    strip = np.floor(across / breadth).astype(np.int64)
    length = 350 + 650 * _draw(strip, parish, seed=8)
    along += 1000 * _draw(strip, parish, seed=9)
    parcel = np.floor(along / length).astype(np.int64) + (strip << 20)
    kind = np.minimum(_draw(parcel, parish, seed=10) ** 0.75 * len(_CROPS), len(_CROPS) - 1)
    crop = _CROPS[kind.astype(np.intp)]
    vigour = 0.86 + 0.28 * _draw(parcel, parish, seed=11) + 0.35 * fine
    red, nir = crop[..., 0] * (1.6 - 0.6 * vigour), crop[..., 1] * (0.3 + 0.7 * vigour)
    edge = np.minimum(np.mod(across, breadth), np.mod(along, length)) < 14
    _paint(
        red,
        nir,
        (edge & (_draw(strip, parish, seed=12) < 0.6)).astype(np.float32),
        _HEDGE,
        shade=1 + fine,
    )
    return red, nir


def _forest(
    x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], relief: Field
) -> tuple[Field, Field]:
    """Share of forest, 0 to 1, on the heights and with ragged edges; and share of beech among its trees."""
    stands = _rough(x, y, cell=1300, octaves=4, seed=13)
    return _step(relief + 0.35 * (stands - 0.5), 0.575, 0.585), _step(
        _rough(x, y, cell=900, octaves=4, seed=17), 0.25, 0.8
    )


def _water(
    x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], relief: Field
) -> tuple[Field, Field]:
    """Shares of shore and of water: a river that winds through the middle, and a lake in the north-west of it."""
    bend = 7000 * _rough(x, y, cell=5200, octaves=3, seed=14)
    bend -= 7000 * _rough(np.zeros(1), np.zeros(1), cell=5200, octaves=3, seed=14)
    from_river = np.abs(y[:, np.newaxis] - 0.45 * x[np.newaxis, :] - bend) - (90 + 240 * relief)
    ragged = 3200 * (_rough(x, y, cell=3600, octaves=5, seed=15) - 0.5)
    from_lake = (
        np.hypot((x[np.newaxis, :] + 9500) / 1.8, y[:, np.newaxis] + 8500 - 0.3 * x[np.newaxis, :])
        - 1900
        + ragged
    )
    distance = np.minimum(from_river, from_lake).astype(np.float32)
    return 1 - _step(distance, 20, 70), 1 - _step(distance, -12, 12)


def _build(
    red: Field, nir: Field, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], fine: Field
) -> None:
    """A town south of the river and villages: blocks of houses and gardens, fewer with the distance."""
    east, south = x[np.newaxis, :], y[:, np.newaxis]
    block = _draw(
        np.floor((east + 0.3 * south) / 70).astype(np.int64),
        np.floor((south - 0.3 * east) / 90).astype(np.int64),
        seed=16,
    )
    density = np.exp(-np.hypot(east - 3500, (south - 4200) * 1.2) / 1500)
    for hamlet, (over, down) in enumerate(
        [
            (-12000, 5500),
            (11500, -7500),
            (-3000, -14500),
            (-9500, 15000),
            (14500, 11000),
            (600, 13000),
        ]
    ):
        density = np.maximum(
            density, 0.7 * np.exp(-np.hypot(east - over, south - down) / (380 + 90 * hamlet))
        )
    _paint(
        red,
        nir,
        _step((1.9 * density + 0.9 * fine).astype(np.float32), 0.30, 0.42),
        _GARDENS,
        shade=1 + fine,
    )
    houses = _step((1.5 * density).astype(np.float32) - 0.75 * block, 0.12, 0.22)
    _paint(red, nir, houses, _ROOFS, shade=0.75 + 0.5 * block + fine)


def _paint(
    red: Field, nir: Field, share: Field, colour: tuple[float, float], *, shade: Field
) -> None:
    """Cover ``share`` (0 to 1) of each pixel with ``colour`` (red, near infrared) times ``shade``, in place."""
    red += share * (np.float32(colour[0]) * shade - red)
    nir += share * (np.float32(colour[1]) * shade - nir)


def _step(values: Field, low: float, high: float) -> Field:
    """0 below ``low``, 1 above ``high`` and straight between."""
    return np.clip((values - np.float32(low)) / np.float32(high - low), 0, 1)


def _rough(
    x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], *, cell: float, octaves: int, seed: int
) -> Field:
    """Fractal value noise, 0 to 1, with hills ``cell`` metres apart and ``octaves`` of about half
    the size and half the height each.
    """
    total = np.zeros((len(y), len(x)), np.float32)
    for octave in range(octaves):
        shift = 7919.0 * (seed + octave)  # else the lattices of all octaves line up and show
        total += _smooth(
            x + shift, y - shift, cell / 1.83**octave, seed=100 * seed + octave
        ) * np.float32(0.5**octave)
    return total / np.float32(2 - 0.5 ** (octaves - 1))


def _smooth(
    x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], cell: float, *, seed: int
) -> Field:
    """Values drawn at the nodes of a lattice ``cell`` metres wide, smoothly interpolated: first by
    row, then by column.
    """
    column, between_columns = _position(x, cell)
    row, between_rows = _position(y, cell)
    nodes = np.arange(column[0], column[-1] + 2)
    upper, lower = (
        _draw(nodes[np.newaxis, :], line[:, np.newaxis], seed=seed) for line in (row, row + 1)
    )
    lines = upper + (lower - upper) * between_rows[:, np.newaxis]
    left = lines[:, column - column[0]]
    return left + (lines[:, column - column[0] + 1] - left) * between_columns


def _position(places: npt.NDArray[np.float64], cell: float) -> tuple[Whole, Field]:
    """The lattice node before each place, and how far it is (0 to 1, eased) to the next."""
    node = np.floor(places / cell)
    part = places / cell - node
    return node.astype(np.int64), (part * part * (3 - 2 * part)).astype(np.float32)


def _nearest(
    east: npt.NDArray[np.float64], south: npt.NDArray[np.float64], *, cell: float, seed: int
) -> Whole:
    """A number for each place's nearest of points that lie about ``cell`` metres apart (a Voronoi mosaic)."""
    column, row = (
        np.floor(east / cell - 0.5).astype(np.int64),
        np.floor(south / cell - 0.5).astype(np.int64),
    )
    nearest, number = np.full(column.shape, np.inf, np.float32), np.zeros(column.shape, np.int64)
    for down in (0, 1):
        for over in (0, 1):
            across, along = column + over, row + down
            right = (across + 0.2 + 0.6 * _draw(across, along, seed=seed)) * cell - east
            below = (along + 0.2 + 0.6 * _draw(along, across, seed=seed + 50)) * cell - south
            far = np.hypot(right, below).astype(np.float32)
            closer = far < nearest
            np.copyto(nearest, far, where=closer)
            np.copyto(number, across + (along << 20), where=closer)
    return number


def _whole(
    x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], cell: float
) -> tuple[Whole, Whole]:
    """Numbers of the columns and rows of cells, ready to be drawn for."""
    return np.floor(x / cell).astype(np.int64)[np.newaxis, :], np.floor(y / cell).astype(np.int64)[
        :, np.newaxis
    ]


def _draw(first: Whole, second: Whole, *, seed: int) -> Field:
    """A number from 0 to 1 for each pair of whole numbers: an integer hash (splitmix64's finaliser)."""
    mixed = first.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) ^ second.astype(
        np.uint64
    ) * np.uint64(0xC2B2AE3D27D4EB4F)
    mixed ^= np.uint64(seed * 0x165667B19E3779F9 % 2**64)
    mixed ^= mixed >> np.uint64(30)
    mixed *= np.uint64(0xBF58476D1CE4E5B9)
    mixed ^= mixed >> np.uint64(27)
    mixed *= np.uint64(0x94D049BB133111EB)
    return (mixed >> np.uint64(40)).astype(np.float32) / np.float32(2**24)
