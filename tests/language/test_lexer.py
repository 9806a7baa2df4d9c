import time
import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abac.errors import Span
from abac.language.lexer import MAX_LENGTH, Sort, TextError, Token, number_value, string_value, tokens
from abac.language.yaml_source import Text
from tests.reading import text


def _texts(value: str) -> list[str]:
    return [t.text for t in tokens(text(value))[:-1]]


def _refusal(value: str) -> TextError:
    with pytest.raises(TextError) as refused:
        _read_through(value)
    return refused.value


def _read_through(value: str) -> None:
    for token in tokens(text(value)):
        if token.sort is Sort.STRING:
            string_value(token)
        if token.sort is Sort.NUMBER:
            number_value(token)


def test_a_text_is_cut_into_names_numbers_strings_and_marks():
    cut = _texts("""r.sub.x>=1.5e-3&&!(y in{"a",'b'})||z!=.5""")
    assert cut == [
        *("r", ".", "sub", ".", "x", ">=", "1.5e-3", "&&", "!", "(", "y", "in", "{", '"a"', ",", "'b'", "}", ")"),
        *("||", "z", "!=", ".5"),
    ]


@given(st.text(max_size=40))
def test_tokens_and_blanks_are_the_whole_text_and_each_stands_where_it_says(value):
    try:
        found = tokens(text(value))
    except TextError:
        return
    lines = value.split("\n")
    for token in found[:-1]:
        line = lines[token.span.line - 1]
        assert line[token.span.column - 1 : token.span.column - 1 + token.span.length] == token.text
    assert "".join(t.text for t in found) == "".join(value.split()) or any(" " in t.text for t in found)


@pytest.mark.parametrize(
    ("value", "says", "column"),
    [
        ("a & b", "write `&&`", 3),
        ("a | b", "write `||`", 3),
        ("a = b", "write `==`", 3),
        ("a # b", "no comments", 3),
        ("a == 'b", "does not end on its line", 6),
        ('a == "b\nc"', "does not end on its line", 6),
        ('a == "b\rc"', "does not end on its line", 6),
        ("a; b", "unexpected character ';'", 2),
        ("a `b`", "unexpected character", 3),
        ("a\0b", "unexpected character '\\x00'", 2),
        ("\ud800", "unexpected character '\\ud800'", 1),
        ("\u0663 == 3", "unexpected character", 1),  # an Arabic-Indic three
        ("x == \uff11", "unexpected character", 6),  # a full-width one
        ("a ** b ^ c", "unexpected character '^'", 8),
        ("x == 007", "does not start with 0", 6),
        ("x == " + "9" * 20, "outside 64 bits", 6),
        ("x == 1e999", "beyond the range of a double", 6),
        (r'x == "\q"', "bad escape", 6),
        (r'x == "\400"', "bad escape", 6),
        (r'x == "\x4"', "bad escape", 6),
        (r'x == "\u12"', "bad escape", 6),
        (r'x == "\ud800"', "bad escape", 6),
        (r'x == "\U00110000"', "bad escape", 6),
        (r'x == "\N{no such character}"', "bad escape", 6),
    ],
)
def test_what_is_no_token_is_refused_at_its_place_in_words_that_can_be_printed(value, says, column):
    refused = _refusal(value)
    assert says in refused.message
    assert refused.span.column == column
    assert refused.message.encode()


def test_a_string_means_what_it_means_in_python_and_nothing_python_would_warn_of():
    for written in (r'"\n\t\\\"\'"', r"'\x41\u00e9\U0001d11e\101\7\0'", r"'\N{SNOWMAN}'", "'\u2028'", '"\'"'):
        token = Token(Sort.STRING, written, Span())
        assert string_value(token) == eval(written)  # noqa: S307  # the oracle


@given(st.text(r"\"'01234567xuUN{}aqz", max_size=12))
def test_an_escape_is_read_as_python_reads_it_or_refused(body):
    written = f'"{body}"'
    try:
        found = tokens(text(written))
    except TextError:
        return
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            meant = eval(written) if len(found) == 2 else None  # noqa: S307  # the oracle, on an escaped string
        except (SyntaxError, ValueError):
            meant = None
    if len(found) == 2 and found[0].sort is Sort.STRING:
        try:
            assert string_value(found[0]) == meant
        except TextError:
            assert meant is None or not _encodes(meant)


def _encodes(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def test_a_string_of_very_many_escapes_is_refused_in_linear_time():
    start = time.process_time()
    assert "bad escape" in _refusal('"' + r"\123" * 20_000 + r'\q"').message
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    ("written", "value"), [("0", 0), ("7", 7), ("0.5", 0.5), ("1.", 1.0), (".5", 0.5), ("1e3", 1e3)]
)
def test_a_number_without_point_or_exponent_is_an_integer(written, value):
    got = number_value(Token(Sort.NUMBER, written, Span()))
    assert (got, type(got)) == (value, type(value))


def test_a_text_beyond_the_limit_is_refused_before_it_is_read():
    assert _refusal("x" * (MAX_LENGTH + 1)).code == "too-long"
    assert tokens(text("x" * MAX_LENGTH))


def test_fifty_thousand_lines_are_cut_in_linear_time():
    start = time.process_time()
    found = tokens(text("a\n" * 50_000))
    assert (found[-2].span.line, found[-2].span.column) == (50_000, 1)
    assert time.process_time() - start < 5


def test_places_run_on_from_where_the_text_starts():
    found = tokens(Text("a &&\n b", Span("f", 7, 11)))
    assert [(t.span.line, t.span.column) for t in found] == [(7, 11), (7, 13), (8, 2), (8, 3)]
