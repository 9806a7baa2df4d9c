"""The revision: it changes with everything that can change an answer, and with nothing else."""

import subprocess
import sys
from dataclasses import replace

import pytest

import abac
from abac.compiler.program import assemble, schema_digest, select
from abac.condition.functions import Function
from abac.condition.types import BOOL, STRING
from abac.policy.decision import Effect, Obligation
from abac.policy.rule import Algorithm, Policy, PolicySet, Rule
from tests.reading import DIRECTIVES, MODELS, ROOT, SCHEMA_TEXT, condition, schema

RULES = """\
# a comment
p, r.sub.age > 3, true, read, allow
p, r.sub.name in list("friends"), true, write, deny
"""
LIST = "list: friends\nversion: 1\nsource: s\nfirmness: firm\ntype: string\nvalues: [ann, bob]\n"


@pytest.fixture
def compiled(tmp_path):
    def compile_(*, rules=RULES, listed=LIST, declared=SCHEMA_TEXT, model="abac.conf", functions=(), folder="a"):
        home = tmp_path / folder
        (home / "lists").mkdir(parents=True, exist_ok=True)
        (home / "schema.yaml").write_text(declared, encoding="utf-8")
        (home / "rules.csv").write_text(rules, encoding="utf-8")
        (home / "lists" / "friends.yaml").write_text(listed, encoding="utf-8")
        return abac.compile(home / "schema.yaml", MODELS / model, [home / "rules.csv"], functions=functions)

    return compile_


def test_a_revision_is_a_sha256_and_every_outcome_carries_it(compiled):
    program = compiled()
    assert len(program.revision) == 64
    assert int(program.revision, 16)
    assert abac.decide(program, abac.Request({"age": 4}, "read")).revision == program.revision


@pytest.mark.parametrize(
    "same",
    [
        {"folder": "elsewhere"},
        {"rules": RULES.replace("# a comment", "# another\n\n# comment")},
        {"rules": RULES.replace("r.sub.age > 3", "( subject.age   >3 )")},
        {"listed": LIST.replace("[ann, bob]", "[bob, ann]").replace("source: s", "source: t")},
        {"declared": SCHEMA_TEXT.replace("{type: string}", "{type: string, description: words}")},
    ],
    ids=["folder", "comments", "spelling", "order of a list", "descriptions"],
)
def test_what_cannot_change_an_answer_does_not_change_the_revision(compiled, same):
    assert compiled(**same).revision == compiled().revision


@pytest.mark.parametrize(
    "other",
    [
        {"rules": RULES.replace("> 3", "> 4")},
        {"rules": RULES.replace("> 3", ">= 3")},
        {"rules": RULES.replace("write, deny", "write, allow")},
        {"rules": RULES.replace("read, allow", "write, allow")},
        {"rules": "\n".join(reversed(RULES.splitlines()))},
        {"rules": RULES + "p, true, true, read, allow\n"},
        {"listed": LIST.replace("bob]", "bob, eve]")},
        {"declared": SCHEMA_TEXT.replace("{type: int}", "{type: int, assurance: verified}", 1)},
        {"declared": SCHEMA_TEXT.replace("[FR, US, CN]", "[FR, CN, US]", 1)},
        {"declared": SCHEMA_TEXT + "    more: {type: int}\n"},
        {"functions": [Function("mine", 1, (STRING,), BOOL, bool)]},
    ],
    ids=[
        "number",
        "mark",
        "effect",
        "action",
        "order",
        "rule",
        "list",
        "assurance",
        "enum",
        "attribute",
        "function",
    ],
)
def test_what_can_change_an_answer_changes_the_revision(compiled, other):
    assert compiled(**other).revision != compiled().revision


def test_a_functions_version_is_part_of_the_revision(compiled):
    one, two = (compiled(functions=[Function("mine", v, (STRING,), BOOL, bool)]) for v in (1, 2))
    assert one.revision != two.revision


def test_every_part_of_a_rule_and_of_the_tree_is_part_of_the_revision():
    rule = Rule("r", Effect.PERMIT, condition("r.sub.flag"), (Obligation("log", {"days": 1}),))
    leaf = Policy("p", Algorithm.DENY_OVERRIDES, (rule,))
    trees = [
        leaf,
        replace(leaf, default_deny=True),
        replace(leaf, algorithm=Algorithm.PERMIT_OVERRIDES),
        replace(leaf, id="q"),
        replace(leaf, rules=(replace(rule, id="s"),)),
        replace(leaf, rules=(replace(rule, obligations=()),)),
        replace(leaf, rules=(replace(rule, obligations=(Obligation("log", {"days": 2}),)),)),
        replace(leaf, rules=(replace(rule, obligations=(Obligation("log", {"days": 1}, advice=True),)),)),
        replace(leaf, rules=(replace(rule, condition=condition("!r.sub.flag")),)),
        PolicySet("s", Algorithm.DENY_OVERRIDES, (leaf,)),
        PolicySet("s", Algorithm.DENY_OVERRIDES, (leaf, leaf)),
    ]
    digests = [assemble(schema(), tree, {}).revision for tree in trees]
    assert len(set(digests)) == len(trees)
    assert digests == [assemble(schema(), tree, {}).revision for tree in trees]


def test_a_schemas_digest_does_not_depend_on_the_order_of_its_attributes():
    mixed = replace(schema(), attributes=dict(reversed(schema().attributes.items())))
    assert schema_digest(mixed) == schema_digest(schema())


def test_two_processes_with_different_hash_seeds_name_one_revision():
    code = (
        "import abac;"
        "p = abac.compile('policies/schema.yaml', 'models/abac.conf',"
        " ['policies/directives', 'policies/rules/baseline.csv']);"
        "r = abac.Request({'kind': 'person', 'citizenships_current': ['CN', 'FR', 'US']}, 'invoke',"
        " {'id': 'fable-5', 'access': 'public'});"
        "o = abac.decide(p, r);"
        "print(p.revision, o.decision, o.unknown, [str(x) for x in o.reasons])"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "4242")
    }
    assert len(said) == 1
    assert "INDETERMINATE" in said.pop()


def test_a_program_can_be_narrowed_to_some_of_its_directives():
    whole = abac.compile(ROOT / "policies" / "schema.yaml", MODELS / "abac.conf", [DIRECTIVES])
    one = select(whole, ["t2-end-users"])
    assert [d.id for d in one.directives] == ["t2-end-users"]
    assert one.revision != whole.revision
    alone = abac.compile(
        ROOT / "policies" / "schema.yaml", MODELS / "abac.conf", [DIRECTIVES / "t2-end-users.yaml"]
    )
    assert one.revision == alone.revision
    with pytest.raises(KeyError):
        select(whole, ["d9"])
