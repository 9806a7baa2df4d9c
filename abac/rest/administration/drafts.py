"""Drafts: a folder's files as texts by path, looked over as `abac check` does, recorded for others to approve."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field

from abac.rest.administration.guarding import Asking, Routes
from abac.rest.administration.shapes import Asked, Difference, ExpectName, Finding, Revision, Why, examples
from abac.service.publishing.difference import difference
from abac.service.publishing.uploaded import MOST, check_texts, compile_texts
from abac.service.store import Store
from abac.storage.policies import NOTHING

TAG = "Revisions"

Files = Annotated[
    dict[str, str],
    Field(
        min_length=1,
        max_length=MOST,
        description="The files of a folder of policies: texts by their paths in it. Scenarios are left out.",
    ),
]


EXAMPLE_FILES = {
    "schema.yaml": """\
schema: abac/1
attributes:
  subject:
    relation: {type: string}
  resource:
    cyber_tier: {type: int}
  action:
    name: {type: string}
""",
    "models/abac.conf": """\
[request_definition]
r = sub, obj, act

[policy_definition]
p = sub_rule, obj_rule, act, eft

[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))

[matchers]
m = eval(p.sub_rule) && eval(p.obj_rule) && r.act == p.act
""",
    "rules.csv": "p, true, r.obj.cyber_tier <= 4, invoke, allow\n",
}


class Upload(Asked):
    """Policies as texts by path."""

    model_config = examples({"files": EXAMPLE_FILES})
    files: Files


class Drafted(Upload):
    """Policies to be recorded as a draft; `directives` names those of theirs that are meant, all by default."""

    model_config = examples({"files": EXAMPLE_FILES, "why": "Models up to tier 4", "commit": "a61f712"})
    why: Why
    commit: Annotated[str, Field(max_length=64, description="The commit that the files come from.")] = ""
    base: ExpectName | None = None
    directives: Annotated[tuple[str, ...], Field(max_length=1_000)] = ()


class Looked(BaseModel):
    """What is wrong with policies: nothing that keeps them from being published where `sound`."""

    sound: bool
    findings: list[Finding]


class Draft(BaseModel):
    """A recorded draft, the warnings about it, and what would change."""

    draft: Revision
    warnings: list[Finding]
    difference: Difference


def add(on: Routes, store: Store) -> None:
    """Add the routes."""
    policies = store.policies

    @on.publish.post("/admin/v1/check", tags=[TAG], summary="Look policies over, and keep nothing")
    def check(body: Upload) -> Looked:
        found = check_texts(body.files)
        sound = not any(one.severity == "error" for one in found)
        return Looked(sound=sound, findings=[Finding.model_validate(one.as_json()) for one in found])

    @on.publish.post(
        "/admin/v1/drafts", tags=[TAG], summary="Record policies for somebody else to approve", status_code=201
    )
    def draft(body: Drafted, caller: Asking) -> Draft:
        compiled = compile_texts(body.files, body.directives)
        if body.base is None:
            last = policies.publications.last()
            base = "" if last is None else last.revision
        else:
            base = "" if body.base == NOTHING else policies.revisions[body.base].revision
        before = policies.program(base) if base else None
        made = policies.record(compiled.program, who=caller.name, why=body.why, commit=body.commit, base=base)
        return Draft.model_validate(
            {
                "draft": made.as_json(),
                "warnings": [one.as_json() for one in compiled.warnings],
                "difference": difference(before, compiled.program).as_json(),
            }
        )
