import pytest

from abac.condition.functions import SHIPPED, Function
from abac.condition.types import BOOL, INT, STRING


@pytest.mark.parametrize(
    ("call", "result"),
    [
        (lambda _: 1 / 0, INT),
        (lambda _: "1", INT),
        (lambda _: True, INT),
        (lambda _: 1, BOOL),
        (lambda _: None, BOOL),
        (lambda _: 2**63, INT),
        (lambda _: "\ud800", STRING),
    ],
)
def test_a_function_that_raises_or_lies_about_its_type_has_no_value(call, result):
    assert Function("f", 1, (STRING,), result, call).value("x") is None


@pytest.mark.parametrize(
    ("name", "arguments", "value"),
    [
        ("startsWith", ("abc", "ab"), True),
        ("lower", ("AB",), "ab"),
        ("keyMatch", ("/models/x", "/models/*"), True),
        ("keyMatch2", ("/orgs/a", "/orgs/:org"), True),
        ("keyMatch3", ("/orgs/a", "/orgs/{org}"), True),
        ("keyMatch4", ("/a/1/1", "/a/{id}/{id}"), True),
        ("keyMatch5", ("/orgs/a?x=1", "/orgs/{org}"), True),
        ("keyGet", ("/a/b/c", "/a/*"), "b/c"),
        ("keyGet2", ("/a/b/c", "/a/:x/c", "x"), "b"),
        ("keyGet3", ("/a/b_c", "/a/{x}_c", "x"), "b"),
        ("regexMatch", ("fable-5", "fable-[0-9]$"), True),
        ("globMatch", ("/a/b/c.bin", "/a/**/*.bin"), True),
        ("ipMatch", ("10.1.2.3", "10.0.0.0/8"), True),
    ],
)
def test_the_shipped_functions_have_values(name, arguments, value):
    assert SHIPPED[name].value(*arguments) == value
    assert SHIPPED[name].value(*arguments) is not None


def test_every_shipped_function_is_tried_above():
    (mark,) = test_the_shipped_functions_have_values.pytestmark
    assert {case[0] for case in mark.args[1]} == set(SHIPPED)


@pytest.mark.parametrize(
    ("name", "at", "refused"),
    [
        ("keyMatch2", 1, "/a+"),
        ("keyMatch3", 1, "/a(b)"),
        ("keyMatch4", 1, "/a*"),
        ("keyMatch5", 1, "/a?"),
        ("keyGet2", 1, "/a|b"),
        ("keyGet3", 1, "/a$"),
        ("regexMatch", 1, "a(?=b)"),
        ("globMatch", 1, "[a"),
        ("ipMatch", 0, "10.0.0"),
        ("ipMatch", 1, "10.0.0.0/33"),
    ],
)
def test_what_a_constant_is_refused_for_has_no_value_when_it_is_none(name, at, refused):
    function = SHIPPED[name]
    with pytest.raises(ValueError, match=r"."):
        function.inspect[at](refused)
    arguments = ["10.0.0.1"] * len(function.parameters)
    arguments[at] = refused
    assert function.value(*arguments) is None
    arguments[at] = "10.0.0.1"
    assert function.value(*arguments) is not None


def test_every_inspected_argument_is_tried_above():
    (mark,) = test_what_a_constant_is_refused_for_has_no_value_when_it_is_none.pytestmark
    assert {case[:2] for case in mark.args[1]} == {(f.name, at) for f in SHIPPED.values() for at in f.inspect}
