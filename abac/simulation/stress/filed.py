"""What a setting makes of a drawn world: what is true, and what is on file of it, as encoded columns.

Every mechanism has one uniform number per subject (or organisation, or stake), the one that the population was
drawn with where there is one, so that two settings differ by their parameters alone (common random numbers). A
column is made anew only if a parameter that it depends on has another value; else the very same object is given,
by which `backends.columnar.prepared` knows that nothing it made from it need be made again.

Use, sessions, and who is of the purpose are held: a setting changes what is so of a nationality and what is known,
never how often anybody asks.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import polars as pl

from abac.backends.columnar.frame import Frame, Scalars
from abac.backends.columnar.sets import Sets
from abac.condition.schema import Assurance
from abac.ownership.completions import loosened
from abac.ownership.reading import OFAC
from abac.ownership.standing import standing
from abac.simulation.population import subject_attributes
from abac.simulation.population.draws import NONE, Countries, Marks, Reals, Streams
from abac.simulation.population.draws import Setting as Drawing
from abac.simulation.population.organisations import ANNEX, GLASSWING, LISTED, OWNED
from abac.simulation.population.people import location_weights
from abac.simulation.population.synthetic import ASSURANCE, World
from abac.simulation.population.truth import NATIONALITY, NO_ORGANISATION, enum_values
from abac.simulation.stress.document import Matrix
from abac.simulation.stress.dual import duals
from abac.simulation.stress.setting import MISDECLARED, Setting
from abac.simulation.stress.variants import Codes, Confusion, Variants

COUNTRY, HELD = "subject.organisation_country", "subject.listed_ownership"
ORGANISATION, LOCATION = "subject.organisation", "subject.location"
END_USER = "subject.military_intelligence_end_user"
KEPT = 6
"""Versions of a column that are kept."""

Column = Scalars | Sets


class Filed:
    """The columns of a world at any setting, for the rows asked for (all of them unless given)."""

    def __init__(
        self, world: World, confusion: Mapping[str, Matrix], rows: np.ndarray[Any, Any] | None = None
    ) -> None:
        self._world, self._rows = world, np.arange(world.truth.height) if rows is None else rows
        self._streams = Streams(world.seed)
        self._kept: dict[str, OrderedDict[Any, Any]] = {}
        self._person = np.asarray(world.subjects.person)
        second = duals(world, self._rows, self._of_person)
        self._truth = world.truth[self._rows].with_columns(second.single)
        self._dual_from = second.from_share
        self._variants = {d.path: Variants(world.schema, d.path) for d in subject_attributes(world.schema)}
        self._true = {path: v.add(self._truth[path]) for path, v in self._variants.items()}
        self._dual = {s.name: self._variants[s.name].add(s) for s in second.dual}
        self._confusions = {path: self._confused(path, matrix) for path, matrix in confusion.items()}
        self._variants[ORGANISATION].code(NO_ORGANISATION)
        self._countries = [self._variants[LOCATION].code(c) for c in enum_values(world.schema, LOCATION)]

    def __len__(self) -> int:
        return len(self._rows)

    # --- the two frames ---------------------------------------------------------------------------------

    def true(self, setting: Setting) -> Frame:
        """Return what is true: everything verified, every set complete."""
        columns: dict[str, Column] = {}
        for path, variants in self._variants.items():
            codes = self._true_codes(path, setting)
            columns[path] = self._once(
                f"true {path}",
                self._dual_key(path, setting),
                lambda v=variants, c=codes: v.column(c, Assurance.VERIFIED),  # type: ignore[misc]
            )
        return self._frame("true", columns)

    def asserted(self, setting: Setting, collected: frozenset[str] = frozenset()) -> Frame:
        """Return what is on file; of the attributes `collected`, the truth of everybody, verified."""
        true = self.true(setting).columns if collected else {}
        columns = {
            path: true[path] if path in collected else self._asserted(path, setting) for path in self._variants
        }
        return self._frame("asserted", columns)

    def _frame(self, side: str, columns: dict[str, Column]) -> Frame:
        """Return the frame of these columns, the same object for the same ones."""
        key = tuple(map(id, columns.values()))
        return self._once(f"frame {side}", key, lambda: Frame(len(self), columns))  # type: ignore[no-any-return]

    def _once(self, name: str, key: Any, make: Callable[[], Any]) -> Any:
        kept = self._kept.setdefault(name, OrderedDict())
        if key not in kept:
            kept[key] = make()
            if len(kept) > KEPT:
                kept.popitem(last=False)
        kept.move_to_end(key)
        return kept[key]

    # --- one column -------------------------------------------------------------------------------------

    def _asserted(self, path: str, setting: Setting) -> Column:
        variants, filing, errors = self._variants[path], self._filing(setting), self._errors(path, setting)
        key: tuple[Any, ...]
        codes: Callable[[], Codes]
        if path in NATIONALITY:
            key = (*self._dual_key(path, setting), setting["coverage"], *filing, errors)
            return self._made(path, key, lambda: self._nationality(path, setting))
        if path == COUNTRY:
            return self._made(path, (*filing, errors), lambda: self._country(setting))
        if path == HELD:
            names = ("employer.concealed", "ownership.screened", "ownership.hidden", "ownership.width")
            return self._made(path, tuple(setting[name] for name in names), lambda: self._held(setting))
        if path == ORGANISATION:
            key, codes = (setting["employer.concealed"],), lambda: self._organisation(setting)
        elif path == LOCATION:
            key, codes = (setting["location.wrong"],), lambda: self._location(setting)
        elif path == END_USER:  # nobody says so of himself, and the provider has no such record
            key, codes = (), lambda: np.full(len(self), -1, np.int64)
        else:
            key, codes = (errors,), lambda: self._told(path, self._true[path], setting)
        level = ASSURANCE.get(path, self._world.schema[path].assurance)
        return self._made(path, key, lambda: variants.column(codes(), level))

    def _made(self, path: str, key: Any, make: Callable[[], Column]) -> Column:
        return self._once(f"asserted {path}", key, make)  # type: ignore[no-any-return]

    def _filing(self, setting: Setting) -> tuple[Any, ...]:
        return setting["attesting"], setting["employer.concealed"]

    def _errors(self, path: str, setting: Setting) -> float:
        name = MISDECLARED + path.removeprefix("subject.")
        return float(setting[name]) if path in self._confusions else 0.0

    def _told(self, path: str, codes: Codes, setting: Setting) -> Codes:
        """Return what is told of an attribute whose true codes are given: false where the multiple says so."""
        multiple = self._errors(path, setting)
        if not multiple:
            return codes
        false, of_dual = self._confusions[path]
        found = np.where(false.at(multiple), false.codes, codes)
        if of_dual is not None:
            dual = self._dual_now(setting)
            found = np.where(dual, np.where(of_dual.at(multiple), of_dual.codes, codes), found)
        return found

    def _nationality(self, path: str, setting: Setting) -> Column:
        verified = self._take(self._world.verified_from) < setting["coverage"]
        documented = self._attested(setting) & (self._take(self._person) != NONE)
        codes = self._told(path, self._true_codes(path, setting), setting)
        codes = np.where(verified | documented, codes, -1)
        levels = np.where(verified, Assurance.VERIFIED, Assurance.DOCUMENTED).astype(np.uint8)
        return self._variants[path].column(codes, levels)

    def _country(self, setting: Setting) -> Column:
        own = self._filed_employer(setting) == 0  # the provider knows its own country
        codes = self._told(COUNTRY, self._true[COUNTRY], setting)
        codes = np.where(own, self._true[COUNTRY], np.where(self._attested(setting), codes, -1))
        return self._variants[COUNTRY].column(codes, ASSURANCE[COUNTRY])

    def _organisation(self, setting: Setting) -> Codes:
        nobody = self._variants[ORGANISATION].code(NO_ORGANISATION)
        return np.where(self._filed_employer(setting) == NONE, nobody, self._true[ORGANISATION])

    def _held(self, setting: Setting) -> Column:
        organisations, filed = self._world.organisations, self._filed_employer(setting)
        chance = self._streams.uniforms("organisation.screened", len(organisations.ids))
        always = organisations.roles[GLASSWING] | organisations.roles[ANNEX]
        always[0] = True
        screened = np.append((chance < setting["ownership.screened"]) | always, [True])[filed]
        shares = np.append(self._stakes(setting["ownership.hidden"], setting["ownership.width"]), [0.0])[filed]
        values = pl.Series(HELD, np.where(screened, shares, np.nan)).fill_nan(None)
        frame = Frame.encode(pl.DataFrame([values]), self._world.schema, assurance={HELD: ASSURANCE[HELD]})
        return frame.columns[HELD]

    def _stakes(self, hidden: float, width: float) -> Reals:
        """Return of every organisation the share held by listed parties; NaN where that is not settled."""
        organisations = self._world.organisations
        if not hidden and not width:
            return organisations.listed_ownership
        graph = organisations.graph
        uniforms = self._streams.uniforms("ownership.hidden", len(graph.owner))
        found = standing(loosened(graph, uniforms, hidden=hidden, width=width), organisations.listed, OFAC)
        return np.asarray(found.nearest, np.float64)

    def _location(self, setting: Setting) -> Codes:
        people, persons = self._world.subjects, self._persons
        world = self._world
        chance = self._streams.uniforms("location.wrong", persons)
        countries = Countries(enum_values(world.schema, LOCATION))
        drawing = Drawing(world.parameters, self._streams, countries)
        elsewhere = self._streams.pick("location.shown", location_weights(drawing), persons)
        wrong = self._of_person(chance < setting["location.wrong"], missing=False)
        shown = np.where(wrong, self._of_person(elsewhere, missing=NONE), self._take(people.location))
        return np.array(self._countries, np.int64)[shown]

    # --- mechanisms -------------------------------------------------------------------------------------

    @property
    def _persons(self) -> int:
        return int(np.count_nonzero(np.asarray(self._world.subjects.kind) == 0))

    def _take(self, values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return np.asarray(values)[self._rows]

    def _of_person(self, values: np.ndarray[Any, Any], *, missing: Any) -> np.ndarray[Any, Any]:
        """Return for every row the value of the person it is about; keys are about nobody."""
        person = self._take(self._person)
        return np.where(person == NONE, missing, values[np.where(person == NONE, 0, person)])

    def _of_organisation(self, values: np.ndarray[Any, Any], missing: Any) -> np.ndarray[Any, Any]:
        found: np.ndarray[Any, Any] = np.append(values, [missing])[self._take(self._world.subjects.organisation)]
        return found

    def _filed_employer(self, setting: Setting) -> np.ndarray[Any, Any]:
        """Return the organisation on file by number, `NONE` for those who conceal theirs."""
        organisation = self._take(self._world.subjects.organisation)
        roles = self._world.organisations.roles
        concealable = self._of_organisation(roles[LISTED] | roles[OWNED], missing=False)
        chance = self._streams.uniforms("concealed", self._persons)
        concealed = self._of_person(chance < setting["employer.concealed"], missing=False)
        found: np.ndarray[Any, Any] = np.where(concealable & concealed, NONE, organisation).astype(np.int32)
        return found

    def _attested(self, setting: Setting) -> Marks:
        attesting = self._world.organisations.attesting < setting["attesting"]
        marks: Marks = np.append(attesting, [False])[self._filed_employer(setting)]
        return marks

    def _dual_now(self, setting: Setting) -> Marks:
        marks: Marks = np.logical_or.reduce([of < setting[name] for name, of in self._dual_from.items()])
        return marks

    def _dual_key(self, path: str, setting: Setting) -> tuple[Any, ...]:
        return (setting["dual.native"], setting["dual.retained"]) if path in NATIONALITY else ()

    def _true_codes(self, path: str, setting: Setting) -> Codes:
        if path not in NATIONALITY:
            return self._true[path]
        return np.where(self._dual_now(setting), self._dual[path], self._true[path])

    def _confused(self, path: str, matrix: Matrix) -> tuple[Confusion, Confusion | None]:
        """Return the errors of an attribute, and of dual nationals where it is about nationality."""
        whether, which = (
            self._chances(path, f"{stream}.{path}") for stream in ("misdeclared", "misdeclared.which")
        )
        variants = self._variants[path]
        single = Confusion(variants, self._true[path], matrix, whether, which)
        if path not in NATIONALITY:
            return single, None
        return single, Confusion(variants, self._dual[path], matrix, whether, which)

    def _chances(self, path: str, stream: str) -> Reals:
        """Return a uniform number per row: an organisation's own for its country, else the person's."""
        if path == COUNTRY:
            return self._of_organisation(
                self._streams.uniforms(stream, len(self._world.organisations.ids)), np.inf
            )
        return self._of_person(self._streams.uniforms(stream, self._persons), missing=np.inf)
