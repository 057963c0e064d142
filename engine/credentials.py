# SPDX-License-Identifier: GPL-2.0-or-later
"""Passwords, signatures and keys, hidden in whatever people or files get to see."""

from __future__ import annotations

import os
import re

_HIDDEN = "***"
#: What stands before a name, be it encoded once or more often
_AND = r"(?:[?&;|]|%(?:25)*(?:3F|26|3B))"
_NAME = (
    r"[\w.-]*(?:sig|signature|token|secret|password|passwd|pwd"
    r"|key|key[-_]?(?:pair-)?id|credentials?|auth|policy|jwt)"
)
_IS = r"%(?:25)*3D"
_PATTERNS = [
    (re.compile(pattern, re.IGNORECASE), rf"\g<1>{_HIDDEN}\g<2>")
    for pattern in (
        r"(://)[^/?#\s\"']*(@)",  # user:password@host
        r"(%(?:25)*3A(?:%(?:25)*2F){2})(?:(?!%(?:25)*2F)[^\s\"'&/])*?(%(?:25)*40)",
        r"(header\.[\w-]+=)[^&\"'\n|]+()",  # /vsicurl?header.Authorization=Bearer ...
        rf"(header(?:\.|%2E)[\w-]+{_IS})(?:(?!%(?:25)*26)[^&\"'\s|])+()",
        rf"({_AND}{_NAME}=)[^&\s\"'<>|;)\]]+()",
        rf"({_AND}{_NAME}{_IS})(?:(?!%(?:25)*26)[^&\s\"'<>|;)\]])+()",
        r"(\b\w*(?:SECRET|PASSWORD|PASSWD|USERPWD|ACCESS_KEY|SESSION_TOKEN|ACCOUNTKEY)\w*\s*(?:=|%3D)\s*)(?:'[^']*'|[^&\s\"'<>|;,)]+)()",
        r"(\bauthorization:\s*)[^\"'\n]+()",
    )
]
_SIGNS = re.compile(r"[=@:%]")  #: one of which all of them need


def without_credentials(text: str) -> str:
    """``text`` with what would let its reader in somewhere hidden: passwords, signatures and keys
    in URLs, headers and options.
    """
    if _SIGNS.search(text):
        for pattern, shown in _PATTERNS:
            text = pattern.sub(shown, text)
    return text


def file_name(path: str) -> str:
    """The last part of a path, for people: a signature may hold a slash, so it is hidden first."""
    return os.path.basename(without_credentials(path))
