import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from abac.errors import Findings
from abac.language.lexer import tokens
from abac.language.yaml_source import MAX_CHARACTERS, MAX_DEPTH, read


def _read(text: str):
    findings = Findings()
    document = read(text, "d.yaml", findings)
    findings.raise_errors()
    assert document is not None
    return document


def _refusal(text: str):
    findings = Findings()
    assert read(text, "d.yaml", findings) is None
    return findings.errors[0]


def _places(text: str) -> list[tuple[str, int, int]]:
    return [(t.text, t.span.line, t.span.column) for t in tokens(_read(text).text("c"))[:-1]]


@pytest.mark.parametrize(
    ("text", "places"),
    [
        ("a: 1\nc: x == 1", [("x", 2, 4), ("==", 2, 6), ("1", 2, 9)]),
        ("c: 'x == 1'", [("x", 1, 5), ("==", 1, 7), ("1", 1, 10)]),
        ('c: "x == 1"', [("x", 1, 5), ("==", 1, 7), ("1", 1, 10)]),
        ("c: 'x == ''y'' + z'", [("x", 1, 5), ("==", 1, 7), ("'y'", 1, 10), ("+", 1, 16), ("z", 1, 18)]),
        (r'c: "x == \"y\" + z"', [("x", 1, 5), ("==", 1, 7), ('"y"', 1, 10), ("+", 1, 16), ("z", 1, 18)]),
        ('c: "x \\\n   == y"', [("x", 1, 5), ("==", 2, 4), ("y", 2, 7)]),
        ("c: |\n  x &&\n\n    y\n  z", [("x", 2, 3), ("&&", 2, 5), ("y", 4, 5), ("z", 5, 3)]),
        ("c: |+2  # why\n\n   x\n", [("x", 3, 4)]),
        ("c: >-\n  x &&\n  y\n  && z", [("x", 2, 3), ("&&", 2, 5), ("y", 3, 3), ("&&", 4, 3), ("z", 4, 6)]),
        ("c: >-\n  x\n\n\n  y", [("x", 2, 3), ("y", 5, 3)]),
        ("c: x &&\n   y\n\n   z", [("x", 1, 4), ("&&", 1, 6), ("y", 2, 4), ("z", 4, 4)]),
        ("c: 'x &&\n   y'", [("x", 1, 5), ("&&", 1, 7), ("y", 2, 4)]),
        ("c:\n    !!str   x == 1", [("x", 2, 13), ("==", 2, 15), ("1", 2, 18)]),
        ("c:\r\n  x &&\r\n  y", [("x", 2, 3), ("&&", 2, 5), ("y", 3, 3)]),
        ("{a: [1, 2], c: x == y}", [("x", 1, 16), ("==", 1, 18), ("y", 1, 21)]),
        ("\ufeffc: x", [("x", 1, 5)]),
    ],
)
def test_every_token_of_a_scalar_has_its_place_in_the_file(text, places):
    assert _places(text) == places


@given(
    st.lists(st.sampled_from(["aa", "b", "&&", "==", "'q r'", '"s"', "é", "(", ")"]), min_size=1, max_size=12),
    st.sampled_from(["|", "|-", ">", ">-", "'", '"']),
    st.randoms(use_true_random=False),
)
def test_a_token_stands_where_the_file_says_it_does(words, style, source):
    gaps = [source.choice([" ", "  ", "\n  ", "\n\n  "]) for _ in words]
    body = "".join(w + g for w, g in zip(words, gaps, strict=True)).rstrip()
    if style in ("'", '"'):
        body = body.replace("'", "''") if style == "'" else body.replace('"', '\\"')
        text = f"first: 1\nc: {style}{body}{style}\n"
    else:
        text = f"first: 1\nc: {style}\n  {body}\n"
    if "'q r'" in words and "\n" in body:
        return  # a string may not run over lines; here it never does
    lines = text.split("\n")
    for token in tokens(_read(text).text("c"))[:-1]:
        written = token.text.replace("'", "''") if style == "'" else token.text
        written = written.replace('"', '\\"') if style == '"' else written
        assert lines[token.span.line - 1][token.span.column - 1 :].startswith(written)


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("a: 1\na: 2", "duplicate-key", (2, 1)),
        ("a: &x 1\nb: *x", "yaml-alias", (1, 4)),
        ("a: [1\nb: 2", "yaml", (2, 2)),
        ("", "yaml", (1, 1)),
        ("# nothing", "yaml", (1, 1)),
        ("a: 1\n---\nb: 2", "yaml", (2, 1)),
        ("? [a]\n: 1", "yaml", (1, 3)),
        ("1: one", "yaml", (1, 1)),
        ("yes: one", "yaml", (1, 1)),
        ("<<: {a: 1}", "yaml", (1, 1)),
        ("a: !!python/object/apply:os.system ['true']", None, None),
        ("a: !!python/name:os.system x", "yaml", (1, 4)),
        ("a: !!bool maybe", "yaml", (1, 4)),
        ("a: !!int ''", "yaml", (1, 4)),
        ("a: !!int x", "yaml", (1, 4)),
        ("a: !!float ''", "yaml", (1, 4)),
        ("a: !!binary 'é'", "yaml", (1, 4)),
        (f"a: {'9' * 5_000}", "yaml", (1, 4)),
        ('a: "\\UFFFFFFFF"', "yaml", (1, 1)),
        ('a: "\\uD800"', "yaml", (1, 4)),
        ("a: 1\nb: x\x07", "yaml", (2, 5)),
        ("[" * 10_000, "nested-too-deep", (1, 1)),
        ("[" * (MAX_DEPTH + 2) + "]" * (MAX_DEPTH + 2), "nested-too-deep", (1, MAX_DEPTH + 2)),
        ("a: " + "x" * MAX_CHARACTERS, "too-long", (1, 1)),
    ],
    ids=range(24),
)
def test_what_is_not_sound_yaml_is_refused_with_its_place(text, code, place):
    if code is None:  # a tag on a sequence builds nothing: it is the plain list it looks like
        assert _read(text).value == {"a": ["true"]}
        return
    found = _refusal(text)
    assert (found.code, (found.span.line, found.span.column)) == (code, place)
    assert str(found).encode()


def test_a_character_that_yaml_does_not_allow_is_named():
    assert "#x0007" in _refusal("b: x\x07").message


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused_and_never_crashes(text):
    findings = Findings()
    document = read(text, "d.yaml", findings)
    assert (document is None) == bool(findings.errors)


@given(st.text("{}[]:,#&*!|>'\"%@`?- \n\tac0~\\", max_size=40))
def test_any_text_of_yamls_own_marks_is_read_or_refused(text):
    findings = Findings()
    document = read(text, "d.yaml", findings)
    assert (document is None) == bool(findings.errors)
    if document is not None:
        assert document.value == _plain(text)


def _plain(text: str):
    class Loader(yaml.SafeLoader):
        pass

    Loader.add_constructor("tag:yaml.org,2002:timestamp", lambda loader, node: loader.construct_scalar(node))
    return yaml.load(text, Loader=Loader)  # noqa: S506  # a safe loader


def test_the_place_of_a_missing_value_is_its_nearest_parents():
    document = _read("a:\n  b: 1\n")
    assert str(document.span("a", "b")) == "d.yaml:2:6"
    assert str(document.span("a", "x", "y")) == "d.yaml:2:3"
    assert str(document.span()) == "d.yaml:1:1"


def test_a_date_time_stays_text():
    assert _read("at: 2026-06-12T21:21:00Z").value == {"at": "2026-06-12T21:21:00Z"}


def test_places_of_a_long_text_are_found_in_linear_time():
    start = time.process_time()
    document = _read("c: |\n" + "  a &&\n" * 14_000)
    assert len(tokens(document.text("c"))) == 28_001
    assert time.process_time() - start < 10
