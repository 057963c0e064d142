# SPDX-License-Identifier: GPL-2.0-or-later
"""Which schedulers may be talked to: dask's unpickles whatever reaches it, and is unencrypted by default."""

from __future__ import annotations

import ipaddress
import json
from pathlib import Path
from urllib.parse import urlsplit

from ...engine.errors import InputError, OptionError
from ...engine.messages import translate


def address_of(scheduler: str, *, insecure: bool, keys: bool = True) -> str:
    """Return the address of a scheduler, or of the one that a scheduler file tells.

    ``keys`` tells whether there are certificates.

    Raises
    ------
    InputError
        For a scheduler file that tells none.
    OptionError
        For one that is not encrypted and not on this machine.
    """
    address = scheduler
    if Path(scheduler).is_file():
        try:
            address = str(json.loads(Path(scheduler).read_text("utf-8"))["address"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            text = translate("Bandwise", "{file} is no scheduler file of dask; check the path.")
            raise InputError(text.format(file=scheduler)) from error
    parts = urlsplit(address if "://" in address else f"tcp://{address}")
    if parts.scheme == "tls" and not keys:
        text = translate(
            "Bandwise", "{address} is encrypted; give the files CA CERT KEY with --tls."
        )
        raise OptionError(text.format(address=address))
    if parts.scheme == "tls" or insecure or (parts.scheme == "tcp" and _is_here(parts.hostname)):
        return address
    text = translate(
        "Bandwise",
        "{address} is neither encrypted nor on this machine, and whoever reaches it can run "
        "programs on all workers; use tls:// with certificates, or say --insecure in a network "
        "that you trust.",
    )
    raise OptionError(text.format(address=address))


def _is_here(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host or "").is_loopback
    except ValueError:
        return False
