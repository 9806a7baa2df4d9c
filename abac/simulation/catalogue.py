"""The catalogue: which AI models there are on the day, what they can do, and on what evidence we say so.

A dated document (`policies/scenarios/<name>/catalogue.yaml`). The capability of a model enters twice: as the
resource attributes that rules read, and as levels with their evidence, which displacement is computed on. Whether
a person may use a substitute is for the policies to say, not for the catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from abac.condition.schema import Category, Schema
from abac.condition.types import Kind, ScalarType, TypeClash, Value, admit
from abac.errors import Findings, did_you_mean
from abac.language import yaml_source
from abac.simulation.digests import digest_of
from abac.simulation.evidence import TESTS, Evidence, read_evidence

PARITIES = ("none", "claimed", "shown")
TOP_KEYS = ("catalogue", "as_of", "actions", "models")
MODEL_KEYS = (
    "id",
    "attributes",
    "price_per_million_tokens",
    "popularity",
    "source",
    "firmness",
    "capabilities",
)
CAPABILITY_KEYS = ("level", "claimed_level", "evidence", "firmness", "parity")


@dataclass(frozen=True, slots=True)
class Capability:
    """How far a model can do one thing: a level that stands by itself, and one that rests on a claim of parity.

    `parity` says on what the model is said to equal the models a directive restricts: `none` (nobody says so,
    or it is one of them), `claimed` (said, and no test is on record) or `shown` (a public test). `evidence` is in
    words; `rests_on` has it by kind, source and date where the catalogue gives them.
    """

    name: str
    level: int
    claimed_level: int
    evidence: str
    firmness: str
    parity: str
    rests_on: Evidence | None = None

    def reading(self, *, parity_shown: bool) -> int:
        """Return the level under one of the two readings of a claim: taken as shown, or not counted."""
        counted = parity_shown or self.parity == "shown"
        return self.claimed_level if counted else self.level


@dataclass(frozen=True, slots=True)
class Model:
    """One AI model: resource attributes as the schema types them, price (USD), popularity weight, capabilities."""

    id: str
    attributes: dict[str, Value]
    price: float
    popularity: float
    capabilities: dict[str, Capability]
    source: str
    firmness: str

    @property
    def provider(self) -> str:
        """Who serves the model."""
        return str(self.attributes.get("provider", ""))

    @property
    def family(self) -> str:
        """The model's family."""
        return str(self.attributes.get("family", ""))

    def level(self, capability: str, *, parity_shown: bool) -> int:
        """Return the level of a capability under one reading of parity; 0 where the catalogue names none."""
        found = self.capabilities.get(capability)
        return found.reading(parity_shown=parity_shown) if found else 0


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The models and actions of a scenario as of a date, in the order they were written."""

    models: tuple[Model, ...] = ()
    actions: tuple[str, ...] = ()
    as_of: datetime | None = None
    digest: str = ""

    def get(self, model: str) -> Model | None:
        """Return the model of that id, or None."""
        return next((m for m in self.models if m.id == model), None)

    def capability_level(self, model: str, capability: str, parity_shown: bool) -> int:
        """Return the level of a model's capability under one reading of parity; 0 where there is none.

        Where parity is not shown, a level that rests on a claim alone is not counted.
        """
        found = self.get(model)
        return found.level(capability, parity_shown=parity_shown) if found else 0


def read_catalogue(
    text: str, file: str, schema: Schema, findings: Findings, capability: str | None = None
) -> Catalogue:
    """Return the catalogue that `text` declares; findings are noted, and what could not be read is left out.

    Every model must state a level of `capability`, where one is given: 0 for a model that cannot do it. A level
    that nobody stated would count as none, and make a capability seem lost that is not.
    """
    document = yaml_source.read(text, file, findings)
    if document is None:
        return Catalogue()
    return _Reader(document, schema, findings, capability).catalogue()


class _Reader:
    def __init__(
        self, document: yaml_source.Document, schema: Schema, findings: Findings, capability: str | None
    ) -> None:
        self._document, self._schema, self._findings = document, schema, findings
        self._needed = capability

    def catalogue(self) -> Catalogue:
        top = self._document.value
        if not isinstance(top, dict) or top.get("catalogue") != "abac/1":
            self._error((), "a catalogue starts with `catalogue: abac/1`")
            return Catalogue()
        self._keys(top, TOP_KEYS, ())
        as_of = self._instant(top.get("as_of"), ("as_of",))
        actions = self._actions(top.get("actions"))
        models = top.get("models")
        if not isinstance(models, list) or not models:
            self._error(("models",), "`models` is a list of at least one model")
            return Catalogue()
        read = [m for i, body in enumerate(models) if (m := self._model(body, ("models", i)))]
        for i, model in enumerate(read):
            if any(model.id == other.id for other in read[:i]):
                self._error(("models", i, "id"), f"model `{model.id}` stands twice")
        return Catalogue(tuple(read), actions, as_of, digest_of(top))

    def _actions(self, words: Any) -> tuple[str, ...]:
        definition = self._schema.get("action.name")
        known = definition.type.values if definition and isinstance(definition.type, ScalarType) else ()
        if not isinstance(words, list) or not words:
            self._error(("actions",), "`actions` is a list of at least one action")
            return ()
        for i, word in enumerate(words):
            if known and word not in known:
                self._error(("actions", i), f"`{word}` is not an action", did_you_mean(str(word), known))
        return tuple(str(word) for word in words)

    def _model(self, body: Any, path: tuple[Any, ...]) -> Model | None:
        if not isinstance(body, dict) or not isinstance(body.get("id"), str):
            self._error(path, "a model is a mapping with an `id`")
            return None
        self._keys(body, MODEL_KEYS, path)
        attributes = self._attributes(body, path)
        capabilities = body.get("capabilities") or {}
        if not isinstance(capabilities, dict):
            self._error((*path, "capabilities"), "`capabilities` maps names to levels")
            capabilities = {}
        if self._needed is not None and self._needed not in capabilities:
            message = f"model `{body['id']}` states no level of the capability `{self._needed}`"
            near = did_you_mean(self._needed, map(str, capabilities))
            self._error(
                (*path, "id"), message, near or "a model that cannot do it has `level: 0` and its evidence"
            )
        return Model(
            body["id"],
            attributes,
            self._number(body, "price_per_million_tokens", path),
            self._number(body, "popularity", path),
            {n: self._capability(n, c, (*path, "capabilities", n)) for n, c in capabilities.items()},
            str(body.get("source", "")),
            str(body.get("firmness", "assumption")),
        )

    def _attributes(self, body: dict[str, Any], path: tuple[Any, ...]) -> dict[str, Value]:
        given = body.get("attributes")
        if not isinstance(given, dict):
            self._error((*path, "attributes"), "`attributes` maps resource attributes to values")
            given = {}
        admitted: dict[str, Value] = {}
        for name, value in {"id": body["id"], **given}.items():
            definition = self._schema.get(f"resource.{name}")
            place = (*path, "attributes", name)
            if definition is None:
                known = self._schema.names(Category.RESOURCE)
                self._error(place, f"`{name}` is not a resource attribute", did_you_mean(str(name), known))
                continue
            try:
                admitted[name] = admit(value, definition.type)
            except TypeClash as clash:
                self._error(place, f"{definition.path}: {clash}")
        return admitted

    def _capability(self, name: str, body: Any, path: tuple[Any, ...]) -> Capability:
        if not isinstance(body, dict) or type(body.get("level")) is not int:
            self._error(path, f"capability `{name}` needs a whole `level`")
            return Capability(str(name), 0, 0, "", "", "none")
        self._keys(body, CAPABILITY_KEYS, path)
        claimed = body.get("claimed_level", body["level"])
        if type(claimed) is not int or claimed < body["level"]:
            self._error((*path, "claimed_level"), "`claimed_level` is a whole number, at least `level`")
            claimed = body["level"]
        parity = body.get("parity", "none")
        if parity not in PARITIES:
            self._error((*path, "parity"), f"`{parity}` is not one of {', '.join(PARITIES)}")
        rests_on, wrong = read_evidence(body.get("evidence"))
        for key, message in wrong:
            self._error((*path, *key), f"capability `{name}`: {message}")
        if parity == "shown" and (rests_on is None or rests_on.kind not in TESTS):
            message = (
                f"capability `{name}`: parity is shown by evidence of kind {' or '.join(TESTS)}, never by a claim"
            )
            self._error((*path, "parity"), message)
        says = rests_on.says if rests_on else str(body.get("evidence", ""))
        firmness = str(body.get("firmness", "assumption"))
        return Capability(str(name), body["level"], claimed, says, firmness, str(parity), rests_on)

    def _number(self, body: dict[str, Any], key: str, path: tuple[Any, ...]) -> float:
        value = body.get(key)
        try:
            number = admit(value, ScalarType(Kind.FLOAT))
        except TypeClash as clash:
            self._error((*path, key), f"`{key}`: {clash}")
            return 0.0
        if not isinstance(number, float) or number < 0:
            self._error((*path, key), f"`{key}` is not below 0")
            return 0.0
        return number

    def _instant(self, value: Any, path: tuple[Any, ...]) -> datetime | None:
        try:
            instant = admit(value, ScalarType(Kind.DATETIME))
        except TypeClash as clash:
            self._error(path, str(clash))
            return None
        return instant if isinstance(instant, datetime) else None

    def _keys(self, body: dict[Any, Any], known: tuple[str, ...], path: tuple[Any, ...]) -> None:
        for key in body:
            if key not in known:
                self._error((*path, key), f"unknown key `{key}`", did_you_mean(str(key), known))

    def _error(self, path: tuple[Any, ...], message: str, hint: str = "") -> None:
        self._findings.error(self._document.span(*path), "catalogue", message, hint)
