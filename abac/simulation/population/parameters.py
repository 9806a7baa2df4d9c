"""The numbers that a synthetic population is drawn from, read from a document in which each has its source.

`NUMBERS` is the closed list of them: a document that leaves one out, misspells one or gives it the wrong shape is
refused. What the numbers do is `synthetic`'s part; how firm they are is said in the document and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from abac.errors import Findings, did_you_mean
from abac.language import yaml_source
from abac.language.countries import country_type
from abac.simulation.digests import digest_of
from abac.simulation.population import Assumption

FIRMNESSES = ("firm", "corroborated", "reported", "company's account", "author's account", "assumption")
TOP_KEYS = ("population", "provider", "entitled", "roles", "numbers")
ROW_KEYS = ("value", "source", "firmness")
KINDS = ("person", "organisation_key", "agent")
STATUSES = ("naturalised", "permanent_resident", "visa")
Check = Callable[[Any], str]


def _number(value: Any) -> bool:
    return type(value) in (int, float) and value >= 0 and value < float("inf")


def _share(value: Any) -> str:
    return "" if _number(value) and value <= 1 else "expected a share from 0 to 1"


def _amount(value: Any) -> str:
    return "" if _number(value) else "expected a number, not below 0"


def _weights(value: Any, names: tuple[str, ...] = (), most: float = float("inf")) -> str:
    if not isinstance(value, dict) or not all(_number(v) and v <= most for v in value.values()):
        return "expected a mapping of names to numbers" + (f" up to {most:g}" if most == 1 else "")
    if names and set(value) != set(names):
        return f"expected exactly the keys {', '.join(names)}"
    return "" if sum(value.values()) > 0 else "the weights sum to nothing"


def _countries(value: Any) -> str:
    codes = country_type().values
    unknown = next((c for c in value if c not in codes), None) if isinstance(value, dict | list) else None
    return f"`{unknown}` is not a country code" if unknown is not None else ""


def _country_weights(value: Any) -> str:
    return _weights(value) or _countries(value)


def _country_shares(value: Any) -> str:
    wrong = _weights(value, most=1) or _countries(value)
    return wrong or ("" if sum(value.values()) <= 1 else "the shares sum to more than 1")


def _country_list(value: Any) -> str:
    return _countries(value) if isinstance(value, list) else "expected a list of country codes"


def _keyed(*names: str, most: float = float("inf")) -> Check:
    return lambda value: _weights(value, names, most)


NUMBERS: dict[str, Check] = {
    "kinds": _keyed(*KINDS),
    "location.reported": _country_shares,
    "location.others": _country_weights,
    "us.foreign_born": _share,
    "us.foreign_born.status": _keyed(*STATUSES),
    "us.visa.protected": _share,
    "origins": _country_weights,
    "dual.retained": _share,
    "dual.forbidden_by": _country_list,
    "dual.native": _share,
    "dual.native.second_is_latest": _share,
    "abroad.us_citizens": _share,
    "abroad.foreign_born": _share,
    "abroad.foreign_born.status": _keyed(*STATUSES),
    "abroad.us_permanent_residents": _share,
    "stateless": _share,
    "organisations.per_subject": _share,
    "organisations.least": _amount,
    "organisations.spread": _amount,
    "countries.partners": _country_weights,
    "countries.listed": _country_weights,
    "countries.owned": _country_weights,
    "ownership.parents": _share,
    "ownership.minority": _share,
    "employment": _keyed("staff", "applicant", "listed", "owned", "partner", "ordinary", "none"),
    "employment.local": _share,
    "staff.in_us": _share,
    "staff.foreign_born": _share,
    "keys.by_role": _keyed("provider", "listed", "owned", "partner", "ordinary"),
    "end_users": _keyed("listed", "owned", "embargoed", "other", most=1),
    "embargoed": _country_list,
    "nationality.on_file": _share,
    "organisation_country.on_file": _share,
    "location.wrong": _share,
    "employer.concealed": _share,
    "ownership.screened": _share,
    "identity.verified": _share,
    "account.mean_age_days": _amount,
    "trust": _keyed("new_below_days", "trusted_share"),
    "use.models": _weights,
    "use.mean_requests": _keyed(*KINDS),
    "use.dispersion": _amount,
    "use.limited": _share,
    "use.cyber": _keyed("anyone", "entitled", "end_user", most=1),
    "use.cyber.share": _share,
    "use.cyber.least_tier": _amount,
    "use.end_user.restricted": _share,
    "sessions.open": _keyed(*KINDS, most=1),
    "sessions.more": _keyed(*KINDS),
}
"""Every number that the synthetic population rests on, and what says what is wrong with a value for it."""


@dataclass(frozen=True)
class Parameters:
    """The numbers by name, the provider's organisation id, blocks of organisation ids by role, and entitlements.

    `roles` gives first and last organisation number of a block; `entitled` says which role's organisations use
    a model in limited access.
    """

    rows: Mapping[str, Assumption]
    provider: str
    roles: Mapping[str, tuple[int, int]]
    entitled: Mapping[str, str]
    digest: str

    def __getitem__(self, name: str) -> Any:
        return self.rows[name].value

    @property
    def assumptions(self) -> tuple[Assumption, ...]:
        """The rows in the document's order, as they stand in a report."""
        return tuple(self.rows.values())

    def varied(self, **values: Any) -> Parameters:
        """Return these parameters with other values, marked as varied: the stress test's door.

        A name's dots are written as two underscores (`location__wrong=0.1`). Raises `ValueError` for a name
        that is not a number or a value of the wrong shape.
        """
        rows = dict(self.rows)
        for key, value in values.items():
            name = key.replace("__", ".")
            wrong = NUMBERS[name](value) if name in NUMBERS else "no such number"
            if wrong:
                raise ValueError(f"{name}: {wrong}")
            rows[name] = replace(rows[name], value=value, source=f"varied; {rows[name].source}")
        changed = [[name, row.value] for name, row in rows.items()]
        return replace(self, rows=rows, digest=digest_of(self.digest, changed))


def read_parameters(text: str, file: str, findings: Findings) -> Parameters | None:
    """Return the parameters that `text` declares, or None with every finding noted."""
    document = yaml_source.read(text, file, findings)
    return _Reader(document, findings).parameters() if document else None


class _Reader:
    def __init__(self, document: yaml_source.Document, findings: Findings) -> None:
        self._document, self._findings = document, findings

    def parameters(self) -> Parameters | None:
        before = len(self._findings.errors)
        top = self._document.value
        if not isinstance(top, dict) or top.get("population") != "abac/1":
            self._error((), "a document of population parameters starts with `population: abac/1`")
            return None
        self._keys(top, TOP_KEYS, ())
        provider = top.get("provider")
        if not isinstance(provider, str):
            self._error(("provider",), "`provider` is the organisation id of the provider")
        roles = self._roles(top.get("roles"))
        entitled = top.get("entitled") or {}
        for model, role in entitled.items() if isinstance(entitled, dict) else ():
            if role not in roles:
                self._error(("entitled", model), f"`{role}` is not a role", did_you_mean(str(role), roles))
        rows = self._rows(top.get("numbers"))
        if len(self._findings.errors) > before:
            return None
        return Parameters(rows, str(provider), roles, dict(entitled), digest_of(top))

    def _roles(self, given: Any) -> dict[str, tuple[int, int]]:
        roles: dict[str, tuple[int, int]] = {}
        for name, block in given.items() if isinstance(given, dict) else ():
            match block:
                case [int() as first, int() as last] if 0 < first <= last:
                    roles[name] = (first, last)
                case _:
                    self._error(("roles", name), f"`{name}` is a pair of organisation numbers, first and last")
        for name in ("listed-end-users", "owned", "glasswing-partners", "annex-a"):
            if not isinstance(given, dict) or name not in given:
                self._error(("roles",), f"`roles` lacks `{name}`")
        return roles

    def _rows(self, given: Any) -> dict[str, Assumption]:
        if not isinstance(given, dict):
            self._error(("numbers",), "`numbers` maps names to value, source and firmness")
            return {}
        for name in NUMBERS:
            if name not in given:
                self._error(("numbers",), f"`numbers` lacks `{name}`")
        return {name: row for name, body in given.items() if (row := self._row(name, body))}

    def _row(self, name: Any, body: Any) -> Assumption | None:
        path = ("numbers", name)
        if name not in NUMBERS:
            self._error(path, f"`{name}` is not a number of the population", did_you_mean(str(name), NUMBERS))
            return None
        if not isinstance(body, dict) or "value" not in body or not body.get("source"):
            self._error(path, f"`{name}` needs a `value`, a `source` and a `firmness`")
            return None
        self._keys(body, ROW_KEYS, path)
        if body.get("firmness") not in FIRMNESSES:
            hint = did_you_mean(str(body.get("firmness")), FIRMNESSES)
            self._error((*path, "firmness"), f"`firmness` is one of {', '.join(FIRMNESSES)}", hint)
        wrong = NUMBERS[name](body["value"])
        if wrong:
            self._error((*path, "value"), f"`{name}`: {wrong}")
        return Assumption(name, body["value"], str(body["source"]), str(body.get("firmness")))

    def _keys(self, body: dict[Any, Any], known: tuple[str, ...], path: tuple[Any, ...]) -> None:
        for key in body:
            if key not in known:
                self._error((*path, key), f"unknown key `{key}`", did_you_mean(str(key), known))

    def _error(self, path: tuple[Any, ...], message: str, hint: str = "") -> None:
        self._findings.error(self._document.span(*path), "population", message, hint)
