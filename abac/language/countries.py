"""Country codes: ISO 3166-1 alpha-2 through `pycountry`, with the overlay that the field needs.

The library lacks XK (Kosovo), a user-assigned code that the EU, banks and passports use. Names are the UN's;
we only use the codes.
"""

from __future__ import annotations

from functools import cache

import pycountry

from abac.condition.types import Kind, ScalarType

OVERLAY = ("XK",)
"""User-assigned codes in wide use that ISO 3166-1 does not list."""


@cache
def country_type() -> ScalarType:
    """Return the enum of all country codes, in alphabetical order.

    >>> "XK" in country_type().values, "UK" in country_type().values
    (True, False)
    """
    codes = {country.alpha_2 for country in pycountry.countries} | set(OVERLAY)
    return ScalarType(Kind.ENUM, tuple(sorted(codes)), "country")
