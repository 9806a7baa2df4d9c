"""Country names as people write them in spreadsheets, to ISO 3166-1 alpha-2 codes.

Codes are taken exactly; names in any case, through `pycountry` and a short list of common names. A word that is
neither is unknown, never guessed: `UK` is not a code, and Korea is two countries.
"""

from __future__ import annotations

from functools import cache

import pycountry

from abac.errors import did_you_mean
from abac.language.countries import country_type

ALIASES = {
    "bolivia": "BO",
    "brunei": "BN",
    "burma": "MM",
    "cape verde": "CV",
    "czech republic": "CZ",
    "dr congo": "CD",
    "east timor": "TL",
    "great britain": "GB",
    "holland": "NL",
    "hong kong sar": "HK",
    "iran": "IR",
    "ivory coast": "CI",
    "kosovo": "XK",
    "laos": "LA",
    "macau": "MO",
    "macedonia": "MK",
    "micronesia": "FM",
    "moldova": "MD",
    "north korea": "KP",
    "palestine": "PS",
    "republic of korea": "KR",
    "russia": "RU",
    "south korea": "KR",
    "swaziland": "SZ",
    "syria": "SY",
    "taiwan": "TW",
    "tanzania": "TZ",
    "the netherlands": "NL",
    "turkey": "TR",
    "u.k.": "GB",
    "u.s.": "US",
    "u.s.a.": "US",
    "united states of america": "US",
    "vatican": "VA",
    "venezuela": "VE",
    "vietnam": "VN",
}


@cache
def names() -> dict[str, str]:
    """Return code by name, names in lower case; alpha-3 codes stand among them."""
    found: dict[str, str] = {}
    for country in pycountry.countries:
        for attribute in ("name", "official_name", "common_name", "alpha_3"):
            name = getattr(country, attribute, None)
            if name:
                found[name.casefold()] = country.alpha_2
    return found | ALIASES


def country_code(word: str) -> str | None:
    """Return the alpha-2 code that a cell means, or None where it means none that we know.

    >>> [country_code(w) for w in ("KR", "South Korea", "korea, republic of", "UK", "kr")]
    ['KR', 'KR', 'KR', None, None]
    """
    return word if word in country_type().values else names().get(word.casefold())


def nearest_country(word: str) -> str:
    """Return a `did you mean` for a word that is no country."""
    if word.upper() in country_type().values:
        return f"did you mean `{word.upper()}`?"
    return "did you mean `GB`?" if word.upper() == "UK" else did_you_mean(word.casefold(), names())
