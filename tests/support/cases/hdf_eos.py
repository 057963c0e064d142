# SPDX-License-Identifier: GPL-2.0-or-later
"""Writes grids in HDF-EOS2, the format of MODIS files, by the HDF4 library that GDAL itself is linked to.

HDF-EOS Library User's Guide (175-emd-001): a grid is a Vgroup of class ``GRID`` with the Vgroups
``Data Fields`` and ``Grid Attributes``, and is described by the attribute ``StructMetadata.0``.
"""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

_CREATE, _WRITE = 4, 3
_CHAR, _DOUBLE, _TYPES = 4, 6, {"int16": 22, "uint16": 23}
_DATA = 720  #: the tag of a scientific dataset
_NORTH = 5559752.598333  #: metres, of a tile's upper edge in the sinusoidal projection

#: Fields by name in the grids of a file; each field has rows and columns
Grids = Mapping[str, Mapping[str, Any]]


def libraries() -> tuple[Any, Any]:
    """The two libraries; the test is skipped where they are absent."""
    try:
        return ctypes.CDLL("libdfalt.so.0", ctypes.RTLD_GLOBAL), ctypes.CDLL("libmfhdfalt.so.0")
    except OSError:
        pytest.skip("needs the HDF4 library")


def write_grids(path: str, grids: Grids, metres: Mapping[str, float], scale: float) -> str:
    """Write a file whose signed fields declare ``scale`` as their ``scale_factor``."""
    groups, datasets = libraries()
    file = datasets.SDstart(path.encode(), _CREATE)
    version, structure = b"HDFEOS_V2.17", _structure(grids, metres).encode()
    datasets.SDsetattr(file, b"HDFEOSVersion", _CHAR, len(version), version)
    datasets.SDsetattr(file, b"StructMetadata.0", _CHAR, len(structure), structure)
    references = {
        grid: [_write_field(datasets, file, grid, *field, scale) for field in fields.items()]
        for grid, fields in grids.items()
    }
    assert datasets.SDend(file) == 0
    file = groups.Hopen(path.encode(), _WRITE, 0)
    groups.Vinitialize(file)
    for grid, members in references.items():
        group = _group(groups, file, grid, "GRID")
        for name, inside in (("Data Fields", members), ("Grid Attributes", [])):
            part = _group(groups, file, name, "GRID Vgroup")
            for reference in inside:
                groups.Vaddtagref(part, _DATA, reference)
            groups.Vinsert(group, part)
            groups.Vdetach(part)
        groups.Vdetach(group)
    groups.Vfinish(file)
    assert groups.Hclose(file) == 0
    return path


def _group(groups: Any, file: int, name: str, kind: str) -> int:
    group: int = groups.Vattach(file, -1, b"w")
    groups.Vsetname(group, name.encode())
    groups.Vsetclass(group, kind.encode())
    return group


def _write_field(datasets: Any, file: int, grid: str, name: str, values: Any, scale: float) -> int:
    sizes, start = (ctypes.c_int32 * 2)(*values.shape), (ctypes.c_int32 * 2)(0, 0)
    field = datasets.SDcreate(file, name.encode(), _TYPES[values.dtype.name], 2, sizes)
    for number, dimension in enumerate(("YDim", "XDim")):
        datasets.SDsetdimname(datasets.SDgetdimid(field, number), f"{dimension}:{grid}".encode())
    pixels = np.ascontiguousarray(values)
    pointer = pixels.ctypes.data_as(ctypes.c_void_p)
    assert datasets.SDwritedata(field, start, None, sizes, pointer) == 0
    if values.dtype == np.int16:
        datasets.SDsetattr(field, b"scale_factor", _DOUBLE, 1, (ctypes.c_double * 1)(scale))
        datasets.SDsetattr(field, b"add_offset", _DOUBLE, 1, (ctypes.c_double * 1)(0.0))
    reference: int = datasets.SDidtoref(field)
    datasets.SDendaccess(field)
    return reference


def _structure(grids: Grids, metres: Mapping[str, float]) -> str:
    lines = ["GROUP=SwathStructure", "END_GROUP=SwathStructure", "GROUP=GridStructure"]
    for number, (grid, fields) in enumerate(grids.items(), start=1):
        rows, columns = next(iter(fields.values())).shape
        size = metres[grid]
        lines += [
            *(f"\tGROUP=GRID_{number}", f'\t\tGridName="{grid}"'),
            *(f"\t\tXDim={columns}", f"\t\tYDim={rows}"),
            f"\t\tUpperLeftPointMtrs=(0.000000,{_NORTH})",
            f"\t\tLowerRightMtrs=({size * columns:f},{_NORTH - size * rows:f})",
            *("\t\tProjection=GCTP_SNSOID", "\t\tSphereCode=-1"),
            "\t\tProjParams=(6371007.181000,0,0,0,0,0,0,0,0,0,0,0,0)",
            *("\t\tGROUP=Dimension", "\t\tEND_GROUP=Dimension", "\t\tGROUP=DataField"),
        ]
        for place, (name, values) in enumerate(fields.items(), start=1):
            lines += [
                *(f"\t\t\tOBJECT=DataField_{place}", f'\t\t\t\tDataFieldName="{name}"'),
                f"\t\t\t\tDataType=DFNT_{values.dtype.name.upper()}",
                *('\t\t\t\tDimList=("YDim","XDim")', f"\t\t\tEND_OBJECT=DataField_{place}"),
            ]
        lines += ["\t\tEND_GROUP=DataField", "\t\tGROUP=MergedFields", "\t\tEND_GROUP=MergedFields"]
        lines += [f"\tEND_GROUP=GRID_{number}"]
    lines += ["END_GROUP=GridStructure", "GROUP=PointStructure", "END_GROUP=PointStructure", "END"]
    return "\n".join([*lines, ""])
