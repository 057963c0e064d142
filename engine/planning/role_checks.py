# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether the bands of a named index are those that it wants."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..credentials import file_name
from ..job import Job, Note
from ..messages import translate
from ..radiometry.band_names import NEAR_INFRARED, RED, BandName
from ..radiometry.scaling import Radiometry
from ..reading.inputs import Input

#: Bands that formulas of ours name by what they have to be.
_ROLES = {
    RED: translate("Bandwise", "red").format(),
    NEAR_INFRARED: translate("Bandwise", "near infrared").format(),
}


def role_warnings(
    job: Job, inputs: Sequence[Input], names: Sequence[BandName | None]
) -> Iterator[Note]:
    """A warning for each band that a formula of ours calls red or near infrared, and that is
    another one by its metadata or file name.
    """
    for ref, one, name in zip(job.bands, inputs, names):
        role = _ROLES.get(ref.name)
        if role is None:
            continue
        facts = {"role": role, "number": ref.number, "file": file_name(ref.path)}
        if one.band.classes or (name and name.classes):
            text = translate(
                "Bandwise",
                "Band {number} of {file} holds classes or flags, not {role} reflectance; choose the {role} band",
            )
            yield Note(text.format(**facts), warning=True)
        elif name and ref.name not in name.roles:
            expected = " / ".join(name.expected(ref.name))
            if expected:
                text = translate(
                    "Bandwise",
                    "Band {number} of {file} is {name} of {sensor}, not {role}; choose {expected}",
                )
            else:
                text = translate(
                    "Bandwise",
                    "Band {number} of {file} is {name}, not {role}; choose the {role} band",
                )
            yield Note(
                text.format(**facts, name=name.name, sensor=name.sensor, expected=expected),
                warning=True,
            )


def may_be_negative(
    inputs: Sequence[Input], radiometries: Sequence[Radiometry], names: Sequence[BandName | None]
) -> bool:
    """Whether values may be negative because of an offset: one was applied, and all inputs are measurements."""
    measured = not any(
        one.band.classes or (name and name.classes) for one, name in zip(inputs, names)
    )
    return measured and any(radiometry.offset for radiometry in radiometries)
