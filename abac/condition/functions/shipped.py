"""The functions that every program has: Casbin's built-ins, and two on text.

Those of pycasbin 2.8 (`casbin/util/builtin_operators.py`) answer as there on sane input; each module says where
not. `timeMatch` reads the clock there, so it is none here: `condition.clock` lowers it to `environment.now`.
"""

from __future__ import annotations

from collections.abc import Mapping

from abac.condition.functions.addresses import inspect_address, inspect_network, ip_match
from abac.condition.functions.function import Function
from abac.condition.functions.globs import glob_match, inspect_glob
from abac.condition.functions.keys import (
    inspect_braces,
    inspect_colon,
    inspect_lazy,
    inspect_lazy_names,
    key_get,
    key_get2,
    key_get3,
    key_match,
    key_match2,
    key_match3,
    key_match4,
    key_match5,
)
from abac.condition.functions.regex import inspect_regex, regex_match
from abac.condition.types import BOOL, STRING

_TWO, _THREE = (STRING, STRING), (STRING, STRING, STRING)

SHIPPED: Mapping[str, Function] = {
    f.name: f
    for f in (
        Function("keyMatch", 1, _TWO, BOOL, key_match),
        Function("keyMatch2", 2, _TWO, BOOL, key_match2, {1: inspect_colon}),
        Function("keyMatch3", 1, _TWO, BOOL, key_match3, {1: inspect_lazy}),
        Function("keyMatch4", 1, _TWO, BOOL, key_match4, {1: inspect_braces}),
        Function("keyMatch5", 1, _TWO, BOOL, key_match5, {1: inspect_braces}),
        Function("keyGet", 1, _TWO, STRING, key_get),
        Function("keyGet2", 1, _THREE, STRING, key_get2, {1: inspect_colon}),
        Function("keyGet3", 1, _THREE, STRING, key_get3, {1: inspect_lazy_names}),
        Function("regexMatch", 1, _TWO, BOOL, regex_match, {1: inspect_regex}),
        Function("globMatch", 1, _TWO, BOOL, glob_match, {1: inspect_glob}),
        Function("ipMatch", 1, _TWO, BOOL, ip_match, {0: inspect_address, 1: inspect_network}),
        Function("startsWith", 1, _TWO, BOOL, str.startswith),
        Function("lower", 1, (STRING,), STRING, str.lower),
    )
}
"""The functions every program has, by name."""
