# SPDX-License-Identifier: GPL-2.0-or-later
"""Check the output's name: neither it nor a sidecar may be an input, and only a regular file is replaced."""

from __future__ import annotations

import os
import stat
from collections.abc import Container, Iterable, Mapping
from contextlib import suppress
from pathlib import Path

from ..errors import InputError, OutputError
from ..messages import translate
from .disk import behind_links
from .input_files import InputFiles
from .sidecars import sidecars, world_files
from .temporaries import is_temporary


def check_output(
    output: str, inputs: Iterable[str], profile: Mapping[str, str], suffixes: Container[str]
) -> None:
    """Check the name of the result; a symbolic link is followed, and its target is written.

    Parameters
    ----------
    output
        The name.
    inputs
        Names of rasters, and of the files that GDAL lists for them.
    profile
        GDAL's creation options.
    suffixes
        Suffixes that a result can have, in lower case.

    Raises
    ------
    OutputError
        If ``output`` cannot or must not be written.
    InputError
        For an input that is a temporary file, which the next run would remove.
    """
    named = Path(output)
    status = _status(named)
    target = behind_links(named)
    files = InputFiles(inputs)
    if named in files:
        text = translate("Bandwise", "{file} is an input; the result needs a name of its own.")
        raise OutputError(text.format(file=output))
    if named.suffix.lower() not in suffixes:
        text = translate(
            "Bandwise", "The result is a GeoTIFF; give {file} a name that ends in .tif."
        )
        raise OutputError(text.format(file=output))
    if not os.path.isdir(target.parent):
        text = translate(
            "Bandwise", "The folder {folder} does not exist; create it or choose another."
        )
        raise OutputError(text.format(folder=target.parent))
    if status is not None:
        _check_replaceable(output, target, status)
    if not os.access(target.parent, os.W_OK | os.X_OK):
        text = translate("Bandwise", "The folder {folder} cannot be written to; choose another.")
        raise OutputError(text.format(folder=target.parent))
    _check_temporaries(files)
    former = list(dict.fromkeys([*sidecars(named), *sidecars(target)]))
    _check_sidecars(output, files, [*former, *world_files(target, profile)], former)


def _check_temporaries(files: InputFiles) -> None:
    """Raise :class:`InputError` for an input that the next run would remove."""
    for name in files:
        if is_temporary(os.path.basename(name)):
            text = translate(
                "Bandwise",
                "{file} is a temporary file of a stopped run, and the next run removes it; rename it first.",
            )
            raise InputError(text.format(file=name))


def _check_sidecars(
    output: str, files: InputFiles, beside: Iterable[Path], former: Iterable[Path]
) -> None:
    """Raise :class:`OutputError` if an input is one of the files ``beside`` the result that GDAL
    reads with it, or if a ``former`` sidecar cannot be removed.
    """
    for path in beside:
        if path in files:
            text = translate(
                "Bandwise",
                "{input} is an input, and GDAL would read it as a part of {file}; choose another name.",
            )
            raise OutputError(text.format(input=path, file=output))
    for path in filter(os.path.lexists, former):
        removable = os.access(path.parent, os.W_OK | os.X_OK)
        if not removable or _is_kept_by_folder(path.parent, path.lstat()):
            text = translate(
                "Bandwise",
                "{sidecar} cannot be removed, but belongs to the former {file}; choose another name.",
            )
            raise OutputError(text.format(sidecar=path, file=output))


def _status(path: Path) -> os.stat_result | None:
    """Return the status of a file, following links, or None; raise :class:`OutputError` for an invalid name."""
    try:
        with suppress(FileNotFoundError, NotADirectoryError):
            return path.stat()
    # a name that is too long or has a null character, or a cycle of links
    except (OSError, ValueError) as error:
        text = translate(
            "Bandwise", "{file} cannot be the name of a file ({reason}); choose another."
        )
        reason = getattr(error, "strerror", None) or error
        raise OutputError(
            text.format(file=str(path)[:100].replace("\0", ""), reason=reason)
        ) from error
    return None


def _check_replaceable(output: str, target: Path, status: os.stat_result) -> None:
    if stat.S_ISDIR(status.st_mode):
        raise OutputError(
            translate("Bandwise", "{file} is a folder; choose a file name for the result.").format(
                file=output
            )
        )
    if not stat.S_ISREG(status.st_mode):
        text = translate(
            "Bandwise",
            "{file} is a device, a pipe or a socket, not a file; choose another name for the result.",
        )
        raise OutputError(text.format(file=output))
    if not os.access(target, os.W_OK):
        text = translate(
            "Bandwise",
            "{file} exists and is read-only; make it writable, or choose another name for the result.",
        )
        raise OutputError(text.format(file=output))
    if _is_kept_by_folder(target.parent, status):
        text = translate(
            "Bandwise",
            "{file} belongs to another user, and nobody else may replace it in this folder; choose another name.",
        )
        raise OutputError(text.format(file=output))


def _is_kept_by_folder(folder: Path, status: os.stat_result) -> bool:
    """Return whether the folder's sticky bit, as that of /tmp, forbids replacing a file of another user."""
    if not hasattr(os, "geteuid") or os.geteuid() == 0:
        return False
    above = folder.stat()
    return bool(above.st_mode & stat.S_ISVTX) and os.geteuid() not in (status.st_uid, above.st_uid)
