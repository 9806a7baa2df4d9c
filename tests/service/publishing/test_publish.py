from __future__ import annotations

import pytest

from abac.errors import CompileError
from abac.service import starter
from abac.service.publishing.folder import compile_folder
from abac.service.publishing.publish import publish, rehearsal
from abac.service.shipped import shipped
from abac.storage.policies.errors import PolicySamePersonError, PolicyStaleError, PolicyWordsError
from tests.policy_stores import clock, number, postgres, program, store, url  # noqa: F401  # fixtures

GIVEN = {"who": "Ada", "why": "a test", "expect": "none", "commit": "a" * 40}


def test_without_an_approver_it_is_a_draft_and_the_next_command_is_told(store):  # noqa: F811
    outcome = publish(store.policies, program(), **GIVEN)
    assert outcome.published is None
    assert outcome.next == f"abac policy activate {program().revision[:12]} --who NAME --why TEXT --expect none"
    assert store.policies.active_revision() is None
    store.policies.activate(program().revision[:12], who="Bob", why="fine", expect="none")
    assert store.policies.active()[1] == "a" * 40


def test_with_one_it_is_in_force(store):  # noqa: F811
    outcome = publish(store.policies, program(), **GIVEN, approver="Bob")
    assert outcome.published.publication.revision == store.policies.active_revision()
    assert outcome.difference.before == ""


def test_a_draft_knows_what_it_was_drafted_against(store):  # noqa: F811
    publish(store.policies, program(), **GIVEN, approver="Bob")
    outcome = publish(store.policies, program(4), **GIVEN | {"expect": program().revision[:8]})
    assert outcome.draft.base == program().revision
    assert set(outcome.difference.sections) == {"rules"}


def test_one_person_where_the_store_says_so(store):  # noqa: F811
    store.policies.settings.set_one_person(who="Ada", why="alone")
    assert publish(store.policies, program(), **GIVEN).published is not None


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"approver": "ADA"}, PolicySamePersonError),
        ({"who": ""}, PolicyWordsError),
        ({"why": " "}, PolicyWordsError),
        ({"commit": "main"}, PolicyWordsError),
    ],
)
def test_what_is_refused_leaves_nothing(store, more, error):  # noqa: F811
    with pytest.raises(error):
        publish(store.policies, program(), **GIVEN | more)
    assert number(store) == 0


def test_a_stale_draft_is_refused_before_it_is_recorded(store):  # noqa: F811
    publish(store.policies, program(), **GIVEN, approver="Bob")
    with pytest.raises(PolicyStaleError):
        publish(store.policies, program(4), **GIVEN)
    assert store.policies.revisions.get(program(4).revision) is None


def test_a_dry_run_writes_nothing(store):  # noqa: F811
    outcome = publish(store.policies, program(), **GIVEN, dry_run=True)
    assert outcome.difference.sections["rules"].added
    assert number(store) == 0
    with pytest.raises(PolicyStaleError):
        rehearsal(program(), "0123456789ab")
    assert rehearsal(program(), "None").difference.sections


def test_a_folder_with_errors_tells_them_all(tmp_path):
    folder = tmp_path / "start"
    starter.write(folder)
    (folder / "rules" / "rules.csv").write_text("p, r.sub.nope, true, invoke, allow\n")
    directive = folder / "directives" / "first.yaml"
    directive.write_text(directive.read_text().replace("broad", "brood"))
    with pytest.raises(CompileError) as refused:
        compile_folder(folder)
    assert {d.span.file.rsplit("/", 1)[-1] for d in refused.value.diagnostics} == {"rules.csv", "first.yaml"}


def test_some_directives_of_a_folder_and_a_warning_of_what_was_never_issued():
    everything = compile_folder(shipped("policies"))
    assert "counterfactual" in {f.code for f in everything.warnings}
    some = compile_folder(shipped("policies"), directives=["v0-framework", "d1-foreign-nationals"])
    assert {d.id for d in some.program.directives} == {"v0-framework", "d1-foreign-nationals"}
    assert "counterfactual" not in {f.code for f in some.warnings}
    with pytest.raises(CompileError, match="did you mean `d2-annex-a`"):
        compile_folder(shipped("policies"), directives=["d2-annex"])


def test_a_schema_named_apart_from_its_policies(tmp_path):
    folder = tmp_path / "start"
    starter.write(folder)
    made = compile_folder(folder / "rules", folder / "schema.yaml", folder / "models" / "abac.conf")
    assert made.program.directives == ()
