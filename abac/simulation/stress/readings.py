"""Read a directive's person test another way: the same order, with another definition of who is foreign."""

from __future__ import annotations

from dataclasses import replace

from abac.compiler.program import Program, select
from abac.condition.expr import Condition
from abac.condition.rewrite import simplify
from abac.condition.terms import Vocabulary
from abac.errors import AbacError, did_you_mean
from abac.language.condition import Context, demanding
from abac.policy.directive import Directive
from abac.simulation.stress.setting import OWN
from abac.simulation.study import Study


class ReadingError(AbacError):
    """A directive whose person test cannot be read another way."""

    code = "reading"


def read_by(study: Study, test: str, program: Program) -> Study:
    """Return the study with its directive under another person test; one without a person test stays as it is.

    The directive's own demands on assurance hold for the other test too. Raises `ReadingError` for a test that
    nobody defines, or a clause that adds a condition of its own to the person test.
    """
    directive = study.directive
    if test == OWN or directive is None or not directive.person_test or test == directive.person_test:
        return study
    if test not in program.persons:
        raise ReadingError(f"no person test `{test}` {did_you_mean(test, program.persons)}".strip())
    own, other = (_demanded(directive, name, program) for name in (directive.person_test, test))
    clauses = []
    for clause in directive.clauses:
        if clause.subject != own:
            raise ReadingError(
                f"directive `{directive.id}`, clause `{clause.id}`: it adds to the person test, so that another "
                "reading of the test alone is not defined; leave `reading` out of the stress test"
            )
        clauses.append(replace(clause, subject=other))
    reread = replace(directive, clauses=tuple(clauses), person_test=test)
    after = select(replace(study.after, directives=(reread,)), (directive.id,))
    return replace(study, directive=reread, after=after)


def _demanded(directive: Directive, test: str, program: Program) -> Condition:
    context = Context(Vocabulary(program.schema, program.functions), program.lists, program.persons)
    return simplify(demanding(program.persons[test].condition, context, dict(directive.requires)))
