"""What a caller's word is worth: a program as a class of callers sees it.

A caller outside our process asserts no better than its ceiling of assurance. Rather than annotating every value of
every request, the program is seen under a schema in which a bare value *is* worth the ceiling; everything that
decides, and the revision, stay the same. What a caller says of its values itself is lowered by whoever reads the
request.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace

from abac.compiler.combiner import combiner
from abac.compiler.index.table import Table
from abac.compiler.outcomes import Outcomes
from abac.compiler.program import Program
from abac.compiler.quick import generate
from abac.compiler.runner import runner
from abac.condition.schema import Assurance, Schema
from abac.policy.request import Source

STAMPED = "environment.now"
"""The attribute that the service asserts itself: a caller's ceiling does not lower it."""

CALLER = Source("request", schema_defaults=True)
"""The source of a request from outside that is decided by a program `under` its caller's ceiling."""


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The best assurance of a caller's values, and whether its bare sets are whole where the schema says so."""

    assurance: Assurance = Assurance.DECLARED
    complete: bool = False


DECLARED = Ceiling()
"""The ceiling of a caller of whom nothing better is configured."""


def under(program: Program, ceiling: Ceiling) -> Program:
    """Return the program by which requests from `CALLER` are decided: bare values are worth the ceiling.

    It answers as `program` answers the same request with every value annotated, under the same revision. The
    sorted rules are shared, so it costs one memo per attribute and no compilation.
    """
    schema = Schema.of(
        definition
        if definition.path == STAMPED
        else replace(definition, assurance=ceiling.assurance, complete=ceiling.complete and definition.complete)
        for definition in program.schema
    )
    index = program.index
    tables = {d.path: Table(d, index.tables[d.path].layers, index.capacity) for d in schema}
    own = replace(index, schema=schema, tables=tables)
    way = runner(own, combiner(program.root, own), Outcomes(own, program.revision))
    return replace(program, schema=schema, index=own, run=generate(program.root, way))


class Ceilings:
    """Programs under every ceiling in use, made when first asked for; those of the last two programs are kept."""

    def __init__(self) -> None:
        self._held: tuple[tuple[Program, dict[Ceiling, Program]], ...] = ()
        self._turn = threading.Lock()

    def under(self, program: Program, ceiling: Ceiling) -> Program:
        """Return `program` under `ceiling`."""
        for whose, made in self._held:  # one reference: another thread may replace it
            if whose is program and ceiling in made:
                return made[ceiling]
        with self._turn:
            made = self._of(program)
            if ceiling not in made:
                made[ceiling] = under(program, ceiling)
            return made[ceiling]

    def prepare(self, program: Program) -> dict[Ceiling, Program]:
        """Return `program` under every ceiling in use: made before it is published, in a thread of its own."""
        in_use = {ceiling for _, made in self._held for ceiling in tuple(made)}
        return {ceiling: self.under(program, ceiling) for ceiling in in_use}

    def _of(self, program: Program) -> dict[Ceiling, Program]:
        for whose, made in self._held:
            if whose is program:
                return made
        fresh: dict[Ceiling, Program] = {}
        self._held = ((program, fresh), *self._held[:1])
        return fresh
