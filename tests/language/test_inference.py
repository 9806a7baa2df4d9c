import pytest

from abac.condition.functions import SHIPPED
from abac.condition.types import BOOL, DATETIME, FLOAT, INT, STRING, SetType
from abac.errors import Findings, Span
from abac.language.casbin import dotted
from abac.language.inference import Inference
from abac.language.names import Names, RequestShape
from abac.language.parser import parse
from abac.language.yaml_source import Text


def learnt(*texts, names=("sub", "obj", "act", "env", "dom", "path")):
    shape, findings = RequestShape("r", "p", names), Findings()
    conditions = [parse(Text(t, Span("t", n)), Names(shape=shape), findings) for n, t in enumerate(texts, 1)]
    findings.raise_errors()
    inference = Inference(SHIPPED)
    inference.learn(conditions)
    return inference


def types(*texts):
    findings = Findings()
    schema = learnt(*texts).schema(findings)
    findings.raise_errors()
    return {definition.path: definition.type for definition in schema}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("r.sub == 'ann'", {"subject.id": STRING}),
        ("r.sub.age > 3", {"subject.age": FLOAT}),
        ("r.sub.age + 1 > 3", {"subject.age": INT}),
        ("r.sub.age * 1.5 > 3", {"subject.age": FLOAT}),
        ("r.sub.size == 9007199254740993", {"subject.size": INT}),
        ("r.sub.flag && !r.obj.gone", {"subject.flag": BOOL, "resource.gone": BOOL}),
        ("'a' in r.sub.groups", {"subject.groups": SetType(STRING)}),
        ("r.sub.level in (1, 2)", {"subject.level": FLOAT}),
        (
            "r.obj.level in r.sub.levels && 3 in r.sub.levels",
            {"resource.level": FLOAT, "subject.levels": SetType(FLOAT)},
        ),
        ("r.sub.team == r.obj.team", {"subject.team": STRING, "resource.team": STRING}),
        ("r.sub.level >= r.obj.level", {"subject.level": FLOAT, "resource.level": FLOAT}),
        ("r.sub.a == r.obj.b && r.obj.b > 2", {"subject.a": FLOAT, "resource.b": FLOAT}),
        ("keyMatch(r.path, '/a')", {"environment.path": STRING}),
        ("timeMatch('_', '_')", {"environment.now": DATETIME}),
        ("r.dom == 'x' && r.env.level > 1", {"subject.domain": STRING, "environment.env.level": FLOAT}),
        ("r.sub.a.b == 'x'", {"subject.a.b": STRING}),
        ("any_of(r.sub.groups, {'a'})", {"subject.groups": SetType(STRING)}),
    ],
)
def test_an_attribute_is_of_the_type_of_what_it_meets(text, found):
    assert types(text) == found


@pytest.mark.parametrize(
    "texts",
    [
        ("r.sub.a == 1", "r.sub.a == 'x'"),
        ("r.sub.a", "r.sub.a > 1"),
        ("r.sub.a == 'x'", "'y' in r.sub.a"),
        ("r.sub.a == r.sub.b && r.sub.a == 1", "r.sub.b == 'x'"),
    ],
)
def test_an_attribute_that_meets_values_of_several_types_is_a_finding_with_its_place(texts):
    findings = Findings()
    learnt(*texts).schema(findings)
    assert {d.code for d in findings.errors} == {"type-clash"}
    assert all(d.span.file == "t" for d in findings.errors)


def test_an_unknown_function_is_of_the_types_it_is_used_at():
    inference = learnt("big(r.sub.n, 3) && r.sub.n > 1 && name(r.sub.s) == 'x'")
    signatures = {call.function: inference.signature(call) for call in inference.calls}
    assert signatures == {"big": ((FLOAT, FLOAT), BOOL), "name": ((STRING,), STRING)}
    assert inference.open() == {"subject.s"}
    assert inference.computed() == set()
    assert learnt("r.sub.a + 1 > 2").computed() == {"subject.a"}


def test_two_ways_to_one_attribute_cannot_both_be_read():
    findings, shape = Findings(), RequestShape("r", "p", ("sub", "obj"))
    assert parse(Text("r.sub == 'x' && r.sub.id == 'y'", Span("t")), Names(shape=shape), findings) is None
    assert "cannot both be read" in findings.errors[0].message


@pytest.mark.parametrize(
    "text", ["r.sub.__class__ == 'x'", "r.sub.format == 'x'", "r2.sub == 'x'", "r.nobody == 'x'"]
)
def test_what_is_no_part_of_the_request_is_refused(text):
    findings = Findings()
    assert parse(Text(text, Span("t")), Names(shape=RequestShape("r", "p", ("sub",))), findings) is None
    assert findings.errors[0].code in ("refused", "unknown-name")


def test_pycasbin_s_spelling_is_turned_back_outside_strings_and_keeps_every_place():
    text = """r_sub.a == p_sub_rule && r_other == "r_sub" && 'p_sub_rule\\'r_sub' != r_sub"""
    turned = dotted(text, ["r_sub", "p_sub_rule"])
    assert turned == """r.sub.a == p.sub_rule && r_other == "r_sub" && 'p_sub_rule\\'r_sub' != r.sub"""
    assert len(turned) == len(text)
