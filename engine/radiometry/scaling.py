# SPDX-License-Identifier: GPL-2.0-or-later
"""Scale, offset, nodata and saturation of stored values, and the source of each."""

from __future__ import annotations

import enum
from typing import NamedTuple

from ..errors import MetadataError, OptionError
from ..messages import Field, Text, translate
from .formats.metadata_file import ProductFacts, is_sound
from .products import Products


class Scaling(enum.Enum):
    """The source of scale and offset."""

    AUTOMATIC = 0
    STORED = 1
    CUSTOM = 2


class RadiometryChoice(NamedTuple):
    """The user's choice: ``scale`` and ``offset`` for ``CUSTOM`` only; ``nodata``, a stored value, always."""

    scaling: Scaling = Scaling.AUTOMATIC
    scale: float = 1.0
    offset: float = 0.0
    nodata: float | None = None

    def check(self) -> None:
        """Raise :class:`OptionError` for a scale or an offset that is not plausible."""
        if self.scaling is Scaling.CUSTOM and not is_sound(self.scale, self.offset):
            text = translate(
                "Bandwise",
                "{scale_field} must be a number other than 0, from 1e-30 to 1e30 or the negative of "
                "such a number, and {offset_field} one of at most 1e30, not {scale} and {offset}.",
            )
            fields = {"scale_field": Field.SCALE, "offset_field": Field.OFFSET}
            raise OptionError(text.format(scale=self.scale, offset=self.offset, **fields))


class Declared(NamedTuple):
    """Declarations of the raster file for a band; scale 1 and offset 0 mean that there is none."""

    dtype: str
    nodata: float | None = None
    scale: float = 1.0
    offset: float = 0.0
    name: str = ""
    description: str = ""


class KnownScale(NamedTuple):
    """Scale and offset of a band, and their source in short."""

    scale: float
    offset: float
    source: Text


class Radiometry(NamedTuple):
    """Physical value = stored value * ``scale`` + ``offset``, unless the stored value is ``nodata``
    or ``saturated``.

    ``unused`` is the scaling of the metadata if the user chose stored values.
    """

    scale: float
    offset: float
    nodata: float | None
    saturated: float | None
    scaling_source: Text
    nodata_source: Text
    warning: Text | None = None
    unused: KnownScale | None = None


def resolve(
    path: str,
    declared: Declared,
    choice: RadiometryChoice,
    *,
    band: int = 1,
    products: Products | None = None,
) -> Radiometry:
    """Decide how the stored values of band number ``band`` are read.

    Scale and offset: the user's, else the band's own, else those of the product's metadata, else 1 and 0.
    Nodata: the user's, else the band's own, else the product's. ``products`` caches files for other bands.

    Raises
    ------
    MetadataError
        For metadata that are needed and cannot be used.
    OptionError
        For numbers that are not plausible.
    """
    choice.check()
    product, warning = _product(path, declared, choice, band, products or Products())
    if product and product.tag_divides and declared.scale > 1:
        declared = declared._replace(scale=1.0, offset=0.0)
    scale, offset, scaling_source = _scaling(path, declared, choice, product)
    warned = choice.scaling is Scaling.AUTOMATIC or (
        choice.scaling is Scaling.STORED and product and product.mixed
    )
    if product and product.missing and warned and (scale, offset) == (1.0, 0.0):
        warning = translate("Bandwise", "{source}: stored values are used unchanged").format(
            source=product.source
        )
    nodata, nodata_source = _nodata(declared, choice, product)
    return Radiometry(
        scale=scale,
        offset=offset,
        nodata=nodata,
        saturated=product.saturated if product else None,
        scaling_source=scaling_source,
        nodata_source=nodata_source,
        warning=warning,
        unused=_unused(declared, product) if choice.scaling is Scaling.STORED else None,
    )


def _product(
    path: str, declared: Declared, choice: RadiometryChoice, band: int, products: Products
) -> tuple[ProductFacts | None, Text | None]:
    try:
        return products.facts(path, declared.dtype, declared.name, band), None
    except MetadataError as error:
        if choice.scaling is Scaling.AUTOMATIC and (declared.scale, declared.offset) == (1.0, 0.0):
            raise
        return None, error.args[0]


def _scaling(
    path: str, declared: Declared, choice: RadiometryChoice, product: ProductFacts | None
) -> tuple[float, float, Text]:
    if choice.scaling is Scaling.CUSTOM:
        return choice.scale, choice.offset, translate("Bandwise", "given by the user").format()
    if choice.scaling is Scaling.STORED:
        return 1.0, 0.0, translate("Bandwise", "stored values as they are").format()
    if (declared.scale, declared.offset) != (1.0, 0.0):
        if not is_sound(declared.scale, declared.offset):
            raise MetadataError(
                translate(
                    "Bandwise",
                    "{file} declares scale {scale} and offset {offset}, which cannot be right (a "
                    "scale from 1e-30 to 1e30, an offset of at most "
                    "1e30); choose stored values or a custom scale and offset.",
                ).format(file=path, scale=declared.scale, offset=declared.offset)
            )
        return (
            declared.scale,
            declared.offset,
            translate("Bandwise", "scale and offset tags of the band").format(),
        )
    if product and not product.missing:
        return product.scale, product.offset, product.source
    return (
        1.0,
        0.0,
        translate("Bandwise", "stored values, as no scale or offset was found").format(),
    )


def _unused(declared: Declared, product: ProductFacts | None) -> KnownScale | None:
    """Return the scaling that automatic scaling would apply; None if there is none, or not plausible."""
    if (declared.scale, declared.offset) != (1.0, 0.0):
        sound = is_sound(declared.scale, declared.offset)
        return (
            KnownScale(
                declared.scale, declared.offset, translate("Bandwise", "tags of the band").format()
            )
            if sound
            else None
        )
    if product and not product.missing and (product.scale, product.offset) != (1.0, 0.0):
        return KnownScale(product.scale, product.offset, product.origin)
    return None


def _nodata(
    declared: Declared, choice: RadiometryChoice, product: ProductFacts | None
) -> tuple[float | None, Text]:
    if choice.nodata is not None:
        return choice.nodata, translate("Bandwise", "given by the user").format()
    if declared.nodata is not None:
        return declared.nodata, translate("Bandwise", "declared by the file").format()
    if product and product.nodata is not None:
        return product.nodata, translate("Bandwise", "the product's metadata").format()
    return None, translate("Bandwise", "not declared").format()
