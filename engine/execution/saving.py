# SPDX-License-Identifier: GPL-2.0-or-later
"""Write a job to a file, checked, for other machines."""

from __future__ import annotations

import os

from ..files.changes import states_of
from ..job import Job
from ..job_file.job_file import input_states, write_job_file
from ..planning.plan import prepare


def save_job(job: Job, path: str) -> None:
    """Check a job as a run does, and write it to the file ``path`` with absolute paths.

    Raises
    ------
    BandwiseError
        For a job that cannot be run, or not be written to a file.
    """
    bands = tuple(band._replace(path=_absolute(band.path)) for band in job.bands)
    layout = job.layout._replace(reference=_absolute(job.layout.reference))
    mask = job.mask and job.mask._replace(path=_absolute(job.mask.path))
    listed = tuple(map(_absolute, job.listed))
    output = os.path.abspath(job.output)
    job = job._replace(bands=bands, layout=layout, mask=mask, listed=listed, output=output)
    plan = prepare(job)
    states = states_of(file for each in plan.all_inputs for file in each.band.files)
    write_job_file(path, job, input_states(states))


def _absolute(path: str) -> str:
    """Return the absolute path of a file; another name that GDAL opens as it is."""
    return os.path.abspath(path) if path and os.path.exists(path) else path
