# SPDX-License-Identifier: GPL-2.0-or-later
"""The JSON form of a :class:`~..job.Job`, and what has to hold between its values."""

from __future__ import annotations

from typing import Any

from ..compute.composite.statistic import Reduction, Statistic
from ..credentials import without_credentials
from ..errors import OptionError
from ..expression.formula import Band, Call, Formula, Number, Result
from ..expression.functions import FUNCTIONS
from ..grids.layout import Extent, ExtentRule, GridRule, Layout, Resampling
from ..job import BandRef, Composite, CompositeScene, Job, Note
from ..messages import Text, translate
from ..radiometry.formats.metadata_file import ProductFacts
from ..radiometry.masks import Area, MaskChoice, MaskRule, QaFlag
from ..radiometry.scaling import RadiometryChoice, Scaling
from ..radiometry.storage import DataType
from .kinds import Each, Flag, Many, Member, Optional, Real, Record, Variant, Whole, Words

#: Functions of formulas that are no entry of the table, with the number of their arguments
_OTHER_CALLS = {"isnodata": (1, 1), "coalesce": (1, 10**6)}
_BRACES = str.maketrans({"{": "{{", "}": "}}"})


def _text(words: str) -> Text:
    return Text(words.translate(_BRACES), {})


_PATH = Words(32_000)
_SENTENCE = Words(made=_text)
_PAIR = Each((Real(), Real()))
_FACTS = Record(
    ProductFacts,
    {
        "source": _SENTENCE,
        "scale": Real(),
        "offset": Real(),
        "nodata": Optional(Real()),
        "saturated": Optional(Real()),
        "missing": Flag(),
        "mixed": Flag(),
        "origin": _SENTENCE,
        "tag_divides": Flag(),
    },
)
_RADIOMETRY = Record(
    RadiometryChoice,
    {
        "scaling": Member(Scaling),
        "scale": Real(),
        "offset": Real(),
        "nodata": Optional(Real()),
    },
)
_BAND = Record(
    BandRef,
    {
        "name": Words(),
        "path": _PATH,
        "number": Whole(1),
        "facts": Optional(_FACTS),
        "radiometry": Optional(_RADIOMETRY),
    },
)
_CALL = Record(
    Call,
    {
        "function": Words(100),
        "arguments": Many(Whole(0), 1),
        "strict": Flag(),
        "span": Each((Whole(0), Whole(0))),
    },
)
_NODE = Variant(
    {
        "band": (Band, Record(Band, {"index": Whole(0)})),
        "number": (Number, Record(Number, {"value": Real(), "boolean": Flag(), "nodata": Flag()})),
        "call": (Call, _CALL),
    }
)
_RESULT = Record(
    Result,
    {
        "name": Words(),
        "node": Whole(0),
        "valid_range": Optional(_PAIR),
        "tags": Many(Each((Words(), Words()))),
    },
)
_FORMULA = Record(
    Formula, {"nodes": Many(_NODE, 1), "results": Many(_RESULT, 1), "text": Words(10_000_000)}
)
_EXTENT = Record(
    Extent, {"left": Real(), "bottom": Real(), "right": Real(), "top": Real(), "crs": Words()}
)
_LAYOUT = Record(
    Layout,
    {
        "rule": Member(GridRule),
        "reference": _PATH,
        "extent_rule": Member(ExtentRule),
        "extent": Optional(_EXTENT),
        "resampling": Member(Resampling),
    },
)
_MASK = Record(
    MaskChoice,
    {
        "path": _PATH,
        "number": Whole(0),
        "rule": Member(MaskRule),
        "keep": Many(Whole()),
        "reject": Many(Member(QaFlag)),
    },
)
_SCENE = Record(
    CompositeScene,
    {
        "name": Words(),
        "sensor": Words(),
        "date": Words(10),
        "formula": _FORMULA,
        "bands": Many(Whole(0), 1),
        "roles": Many(Words(), 1),
        "mask": Optional(_MASK),
    },
)
_REDUCTION = Record(
    Reduction,
    {"statistics": Many(Member(Statistic), 1), "days": Many(Whole(), 1), "percentile": Real()},
)
_COMPOSITE = Record(Composite, {"scenes": Many(_SCENE, 1), "reduction": _REDUCTION})
_AREA = Record(Area, {"polygons": Many(Many(Many(_PAIR))), "crs": Words()})
JOB = Record(
    Job,
    {
        "bands": Many(_BAND, 1),
        "formula": _FORMULA,
        "output": _PATH,
        "radiometry": _RADIOMETRY,
        "creation_options": Words(10_000),
        "workers": Whole(0),
        "memory": Whole(1),
        "notes": Many(Record(Note, {"text": _SENTENCE, "warning": Flag()})),
        "listed": Many(_PATH),
        "layout": _LAYOUT,
        "mask": Optional(_MASK),
        "area": Optional(_AREA),
        "data_type": Member(DataType),
        "clamp": Each((Optional(Real()), Optional(Real()))),
        "overviews": Optional(Flag()),
        "cog": Flag(),
        "composite": Optional(_COMPOSITE),
    },
)


def written_job(job: Job) -> Any:
    """Return a job as JSON has it.

    Raises
    ------
    OptionError
        For a job with an operation of its own, which is code, and for paths with credentials.
    """
    if job.operation is not None:
        text = translate(
            "Bandwise",
            "{operation} is a program and no formula, so it cannot be written to a file of a job; run it here.",
        )
        raise OptionError(text.format(operation=type(job.operation).__name__))
    for path in paths_of(job):
        if without_credentials(path) != path:
            text = translate(
                "Bandwise",
                "{path} holds a password, a key or a signature, which a file of a job must not; give "
                "it to GDAL on each machine by its variables or configuration file.",
            )
            raise OptionError(text.format(path=path))
    return JOB.write(job)


def read_job(data: Any) -> Job:
    """Return the job again; raise ``ValueError`` for one that means nothing."""
    job: Job = JOB.read(data, "job")
    scenes = job.composite.scenes if job.composite else ()
    _check_formula(job.formula, len(scenes[0].bands if scenes else job.bands))
    if job.composite and len(job.composite.reduction.days) != len(scenes):
        raise ValueError("job.composite has not a day for each scene")
    for scene in scenes:
        if max(scene.bands) >= len(job.bands) or len(scene.roles) != len(scene.bands):
            raise ValueError("job.composite names a band that is not there")
        _check_formula(scene.formula, len(scene.bands))
    return job


def paths_of(job: Job) -> list[str]:
    """Return every path that a job names."""
    scenes = job.composite.scenes if job.composite else ()
    mask = [each.path for each in (job.mask, *(scene.mask for scene in scenes)) if each]
    references = [job.layout.reference] if job.layout.reference else []
    return [*(band.path for band in job.bands), *job.listed, *mask, *references, job.output]


def _check_formula(formula: Formula, bands: int) -> None:
    """Raise ``ValueError`` for nodes that are no formula: each depends on earlier ones alone."""
    for index, node in enumerate(formula.nodes):
        if isinstance(node, Band) and node.index >= bands:
            raise ValueError(f"job.formula.nodes[{index}] is of a band that is not there")
        if isinstance(node, Call):
            count = len(node.arguments)
            function = FUNCTIONS.get(node.function)
            exact = (len(function.takes),) * 2 if function else (1, 0)
            least, most = _OTHER_CALLS.get(node.function, exact)
            if not least <= count <= most or max(node.arguments) >= index:
                raise ValueError(f"job.formula.nodes[{index}] is no function of earlier nodes")
    if any(result.node >= len(formula.nodes) for result in formula.results):
        raise ValueError("job.formula.results names a node that is not there")
