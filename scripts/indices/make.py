# SPDX-License-Identifier: GPL-2.0-or-later
"""Make ``resources/indices.json`` from the Awesome Spectral Indices list, as the package ``spyndex`` holds it.

    python -m scripts.indices.make

Rows that the list does not have, added by hand, stay. Where the list is known to differ from the
paper that it cites, :data:`DEFAULTS` and :data:`FORMULAS` correct it and say so, with the source.
Version 1 of the list is ``output/v1`` of github.com/awesome-spectral-indices/awesome-spectral-indices,
of August 2026.
"""

from __future__ import annotations

import json
import re
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

from engine.radiometry.roles import ROLES_BY_CODE

TABLE = Path(__file__).resolve().parents[2] / "resources" / "indices.json"
ABOUT = (
    "Facts of the Awesome Spectral Indices list (Montero et al. 2023, doi:10.1038/s41597-023-02096-0; MIT licence), "
    "as spyndex {version} holds it; a row an index. Formulas are Bandwise expressions over roles of bands and "
    "constants. "
    "A constant that is the name of a role is the central wavelength of that band in nm; null has to be given."
)
_HUETE = "the list's default of L is 1; Huete (1988), doi:10.1016/0034-4257(88)90106-X, has 0.5"
_WANG = "the list's default of alpha is 0.1; Wang et al. (2017), doi:10.1016/j.rse.2017.04.031, have 0.74"
_WCI = "the list's default of epsilon is 1; its description of epsilon has 1e-10 for this index"
_OTHER = (
    "the list's default of {names} is that of another index; its version 1 has {value} for this one"
)
_DAS = (
    "the list's default of {names} is that of other indices; its version 1 has {value} for Sentinel-2 in April, "
    "and {autumn}"
)
_KAUFMAN = (
    "the list has R - gamma * (R - B) for red, which is blue where gamma is 1; Kaufman and Tanré (1992), "
    "doi:10.1109/36.134076, and version 1 of the list have R - gamma * (B - R)"
)


def _das(value: float, autumn: str, *names: str) -> tuple[dict[str, float], str]:
    text = _DAS.format(names=" and ".join(names), value=f"{value:g}", autumn=autumn)
    return dict.fromkeys(names, value), text


def _other(**constants: float) -> tuple[dict[str, float], str]:
    ((name, value),) = constants.items()
    return constants, _OTHER.format(names=name, value=f"{value:g}")


#: Defaults of constants that differ from the list's, and why. Its version 1 gives each index its own.
DEFAULTS: dict[str, tuple[dict[str, float], str]] = {
    **dict.fromkeys(
        ("SAVI", "GSAVI", "SARVI", "SAVIT", "MNLI", "IBI", "NBUI"), ({"L": 0.5}, _HUETE)
    ),
    **dict.fromkeys(("NDPI", "sNIRvNDPI"), ({"alpha": 0.74}, _WANG)),
    **dict.fromkeys(("WCI1", "WCI2"), ({"epsilon": 1e-10}, _WCI)),
    **dict.fromkeys(("NDTI4RE", "SNDTI4RE", "STI4RE"), _das(0.4, "0.5 in November", "gamma")),
    **dict.fromkeys(("NDVI4RE", "SAVI4RE"), _das(0.2, "0.7 in August", "alpha", "beta")),
    "RVI4RE": _das(0.3, "alpha 0.9 and beta 0.6 in August", "alpha", "beta"),
    "NDWIns": _other(alpha=2.0),
    "SNDTI": _other(L=0.6),
}
#: Formulas, as the list would write them, that differ from it, and why.
FORMULAS = {
    "ARVI": ("(N - (R - gamma * (B - R))) / (N + (R - gamma * (B - R)))", _KAUFMAN),
    "SARVI": (
        "(1 + L) * (N - (R - gamma * (B - R))) / (N + (R - gamma * (B - R)) + L)",
        _KAUFMAN,
    ),
    "BAIM": (
        "1 / ((0.05 - N) ** 2 + (0.2 - S2) ** 2)",
        "the list adds the second square outside the quotient; Martín et al. (2006), "
        "doi:10.1016/j.foreco.2006.08.248, have the distance to burnt ground, as in BAI",
    ),
}
#: What else a user should know of a formula.
NOTES = {
    "MSAVI": "this is MSAVI2 of Qi et al. (1994), doi:10.1016/0034-4257(94)90134-1, which needs no soil line",
    "RWI": "n depends on the scene: median(green^(1 / 2.71828)) / median(green)",
}
_N2 = (
    "the list has nir2 of Sentinel-2 alone; B5 of Landsat 8 and 9, 850 to 880 nm, is that band too "
    "(USGS, Landsat 8 Data Users Handbook, LSDS-1574)"
)
#: The kernel that the list's kNN, kNR ... stand for.
KERNEL = "RBF: k(a, b) = exp(-(a - b)^2 / (2 sigma^2)); Camps-Valls et al. (2021), doi:10.1126/sciadv.abc7447"
_STYLES = {
    **dict.fromkeys(
        ("NDVI", "EVI", "EVI2", "SAVI", "OSAVI", "MSAVI", "GNDVI", "ARVI", "NDRE", "NDREI"), "ndvi"
    ),
    **dict.fromkeys(("NDWI", "MNDWI"), "ndwi"),
    **dict.fromkeys(("NDMI", "LSWI", "NDII"), "ndmi"),
    **dict.fromkeys(("NBR", "NBR2"), "nbr"),
    **dict.fromkeys(("NDSI",), "ndsi"),
    **dict.fromkeys(("NDBI", "UI"), "ndbi"),
}
_TOKEN = re.compile(r"\s*(\d+\.\d+|\d+|[A-Za-z]\w*|\*\*|[-+*/()])")


def readable(formula: str) -> str:
    """A formula of the list as a Bandwise expression: roles for codes, kernels written out, ``^`` for ``**``."""
    words: list[str] = []
    operand_next = True
    for token in _TOKEN.findall(formula):
        if token == "(":
            words.append("(")
        elif token == ")":
            words.append(")")
        elif token in ("+", "-", "*", "/", "**"):
            sign = token.replace("**", "^")
            words.append(sign if operand_next else f" {sign} ")
        else:
            words.append(_operand(token))
        operand_next = token in ("(", "+", "-", "*", "/", "**")
    return "".join(words)


def _operand(token: str) -> str:
    if re.fullmatch(r"\d+\.0+", token):
        return token.partition(".")[0]
    kernel = re.fullmatch(r"k([A-Z])([A-Z])", token)
    if not kernel:
        return ROLES_BY_CODE.get(token, token)
    first, second = (ROLES_BY_CODE.get(code, code) for code in kernel.groups())
    return "1" if first == second else f"exp(-(({first} - {second}) ^ 2) / (2 * sigma ^ 2))"


def row(entry: dict[str, Any], defaults: dict[str, Any]) -> dict[str, Any]:
    """A row of the table."""
    name = entry["short_name"]
    listed, corrected = FORMULAS.get(name, (entry["formula"], ""))
    formula = readable(listed)
    words = list(dict.fromkeys(re.findall(r"(?<![\w.])[A-Za-z]\w*", formula)))
    bands = [word for word in words if word in ROLES_BY_CODE.values()]
    changed, why = DEFAULTS.get(name, ({}, ""))
    constants = {}
    for word in words:
        if word not in bands and word != "exp":
            role = ROLES_BY_CODE.get(word.removeprefix("lambda"))
            default = role if word.startswith("lambda") else defaults[word]["default"]
            constants[word] = changed.get(word, default)
    notes = [
        corrected,
        why,
        NOTES.get(name, ""),
        _N2 if "nir2" in bands and set(bands) <= _OLI else "",
    ]
    made = {
        "name": name,
        "long_name": entry["long_name"],
        "domain": entry["application_domain"],
        "formula": formula,
        "bands": bands,
        "constants": constants,
        "source": entry["reference"],
        "kernel": KERNEL if entry["application_domain"] == "kernel" else "",
        "note": "; ".join(filter(None, notes)),
        "style": _STYLES.get(name, ""),
    }
    return {key: value for key, value in made.items() if value not in ("", {})}


_OLI = {"coastal", "blue", "green", "red", "nir", "nir2", "swir1", "swir2", "thermal1", "thermal2"}


def text(about: str, rows: list[dict[str, Any]]) -> str:
    """The table as it is written: a line a row."""
    lines = ",\n".join(json.dumps(each, ensure_ascii=False) for each in rows)
    return f'{{"about": {json.dumps(about, ensure_ascii=False)},\n"indices": [\n{lines}\n]}}\n'


def main() -> None:
    data = files("spyndex") / "data"
    listed = json.loads((data / "spectral-indices-dict.json").read_text("utf-8"))["SpectralIndices"]
    defaults = json.loads((data / "constants.json").read_text("utf-8"))
    rows = [row(entry, defaults) for entry in listed.values()]
    if TABLE.exists():
        present = json.loads(TABLE.read_text("utf-8"))["indices"]
        rows += [each for each in present if each["name"] not in listed]
    TABLE.write_text(text(ABOUT.format(version=version("spyndex")), rows), "utf-8")
    print(f"{len(rows)} indices in {TABLE}")


if __name__ == "__main__":
    main()
