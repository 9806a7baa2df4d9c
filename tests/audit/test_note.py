import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abac.audit.errors import NoteError
from abac.audit.note import LONGEST_NOTE, SigningKey, VerifyingKey, open_note, sign

# From the documentation of Go's golang.org/x/mod/sumdb/note.
GO_SIGNING = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_VERIFYING = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_LINE = (
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
GO_SECOND = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop"
GO_SECOND_LINE = (
    "— EnochRoot rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1RvMc+QQ=\n"
)

# From C2SP signed-note, section "Verifier keys".
SPEC_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72Ineya"
    "QM=\n"
)

KEY = SigningKey("example.com/log", bytes(range(32)))
OTHER = SigningKey("example.com/witness", bytes(range(1, 33)))
TEXT = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters=[chr(c) for c in range(32)]), max_size=30
)


def test_gos_note_is_signed_to_the_byte_and_opened():
    key = SigningKey.parse(GO_SIGNING)
    note = f"{GO_TEXT}\n{GO_LINE}"
    assert sign(GO_TEXT, [key]) == note
    assert key.verifying.text() == GO_VERIFYING
    assert key.text() == GO_SIGNING
    opened = open_note(note, [VerifyingKey.parse(GO_VERIFYING)])
    assert (opened.text, opened.signers) == (GO_TEXT, (key.verifying,))


def test_gos_note_of_two_signers_is_opened_by_either():
    note = f"{GO_TEXT}\n{GO_LINE}{GO_SECOND_LINE}"
    first, second = VerifyingKey.parse(GO_VERIFYING), VerifyingKey.parse(GO_SECOND)
    assert open_note(note, [first]).signers == (first,)
    assert open_note(note, [second]).signers == (second,)
    assert open_note(note, [second, first]).signers == (first, second)


def test_the_specifications_note_is_opened():
    key = VerifyingKey.parse(SPEC_KEY)
    assert key.text() == SPEC_KEY
    assert str(key) == "example.com/foo+530d903a"
    assert open_note(SPEC_NOTE, [key]).text == "This is an example message.\n"


@given(st.lists(TEXT, max_size=5), st.integers(1, 2))
def test_what_is_signed_is_opened(lines, signers):
    text = "\n".join(lines) + "\n"
    keys = [KEY, OTHER][:signers]
    opened = open_note(sign(text, keys), [OTHER.verifying, KEY.verifying])
    assert opened.text == text
    assert opened.signers == tuple(key.verifying for key in keys)


def test_every_flipped_bit_of_a_note_is_refused():
    raw = sign("one\n\ntwo é\n", [KEY]).encode()
    for bit in range(8 * len(raw)):
        flipped = bytearray(raw)
        flipped[bit >> 3] ^= 1 << (bit & 7)
        try:
            note = flipped.decode()
        except UnicodeDecodeError:
            continue
        with pytest.raises(NoteError):
            open_note(note, [KEY.verifying])


def test_a_line_by_an_unknown_key_is_ignored_even_of_the_same_name():
    namesake = SigningKey(KEY.name, bytes(32))
    note = sign("text\n", [namesake, OTHER, KEY])
    assert open_note(note, [KEY.verifying]).signers == (KEY.verifying,)
    unknown_type = f"— {KEY.name} {base64.b64encode(b'unknown type of key').decode()}\n"
    assert open_note(note + unknown_type, [KEY.verifying]).signers == (KEY.verifying,)


def test_a_signature_given_twice_is_by_one_signer():
    note = sign("text\n", [KEY, KEY])
    assert open_note(note, [KEY.verifying, KEY.verifying]).signers == (KEY.verifying,)


def test_a_bad_signature_by_a_known_key_spoils_the_note_though_another_is_good():
    note = sign("text\n", [OTHER, KEY])
    bad = sign("other\n", [KEY]).rsplit(" ", 1)[1]
    note = note[: note.rindex(" ") + 1] + bad
    with pytest.raises(NoteError, match=r"signature by `example.com/log\+[0-9a-f]{8}` does not verify"):
        open_note(note, [KEY.verifying, OTHER.verifying])
    assert open_note(note, [OTHER.verifying]).text == "text\n"


RIGHT = sign("text\n", [KEY])
LINE = RIGHT.split("\n\n")[1]
BASE64 = LINE.split(" ")[2].rstrip("\n")


@pytest.mark.parametrize(
    ("note", "said"),
    [
        ("", "empty line between"),
        ("text\n", "empty line between"),
        ("text\n\n", "ends with a newline"),
        (RIGHT[:-1], "ends with a newline"),
        (RIGHT + "\n", "ends with a newline"),
        (RIGHT.replace("— ", "- "), "signature line 1 is not written"),
        (RIGHT.replace("— ", "\u2013 "), "signature line 1 is not written"),
        (RIGHT.replace("— ", "—  "), "signature line 1 is not written"),
        (RIGHT.replace("— ", " — "), "signature line 1 is not written"),
        (RIGHT.replace("\n\n", "\n\nmore\n"), "signature line 1 is not written"),
        (RIGHT[:-1] + " \n", "signature line 1 is not written"),
        (RIGHT[:-2] + "\n", "line 1: not base64"),
        (f"text\n\n— a+b {BASE64}\n", "neither space nor plus"),
        (f"text\n\n— a\u2003b {BASE64}\n", "neither space nor plus"),
        ("text\n\n— name AAAAAA==\n", "holds 4 bytes"),
        (RIGHT.replace("\n", "\r\n"), r"U\+000D"),
        (RIGHT.replace("text", "te\txt"), r"U\+0009"),
        (RIGHT.replace("text", "te\0xt"), r"U\+0000"),
        (RIGHT.replace("text", "te\ud800xt"), "half a surrogate pair"),
        ("text\n\n" + 101 * LINE, "at most 100 signatures, not 101"),
        ("t" * LONGEST_NOTE + "\n\n" + LINE, "at most 1000000 characters"),
        (sign("text\n", [OTHER]), r"none of the 1 signatures is by a key that was asked for \(example.com/log\+"),
    ],
)
def test_a_note_that_is_not_one_is_refused_and_it_says_why(note, said):
    with pytest.raises(NoteError, match=said):
        open_note(note, [KEY.verifying])


def test_sixteen_signatures_are_few():
    keys = [SigningKey(f"signer-{i}", bytes([i] * 32)) for i in range(100)]
    assert len(open_note(sign("text\n", keys), [key.verifying for key in keys]).signers) == 100


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("text", "ends with a newline"),
        ("", "ends with a newline"),
        ("a\tb\n", "control"),
        ("\udc00\n", "surrogate"),
    ],
)
def test_what_no_note_can_say_is_not_signed(text, said):
    with pytest.raises(NoteError, match=said):
        sign(text, [KEY])


def test_nobody_vouches_for_nothing():
    with pytest.raises(NoteError, match="signed by one key at least"):
        sign("text\n", [])
    with pytest.raises(NoteError, match="without a key"):
        open_note(RIGHT, [])


def test_two_known_keys_of_one_name_and_id_are_refused():
    twin = VerifyingKey(KEY.name, OTHER.verifying.public)
    object.__setattr__(twin, "id", KEY.verifying.id)
    with pytest.raises(NoteError, match="two different keys"):
        open_note(RIGHT, [KEY.verifying, twin])


def test_keys_are_written_and_read():
    key = SigningKey.generate("example.com/new")
    assert SigningKey.parse(key.text()).verifying == key.verifying == VerifyingKey.parse(key.verifying.text())
    assert key.name == "example.com/new"
    assert SigningKey.generate("example.com/new").verifying != key.verifying


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "<name>"),
        ("name+c74f20a3", "<name>"),
        (GO_SIGNING, "<name>"),
        (GO_VERIFYING.replace("c7", "C7"), "another one is written"),
        (GO_VERIFYING.replace("c7", "c8"), "the key id of this name and key is c74f20a3"),
        (GO_VERIFYING.replace("Peter", "Paul"), "key id"),
        (GO_VERIFYING.replace("+ARpc", "+BRpc"), "not of type 0x01"),
        (GO_VERIFYING[:-4], "32 bytes, not 29"),
        (GO_VERIFYING + "\n", "not base64"),
        (GO_VERIFYING[:-1], "not base64"),
        (GO_VERIFYING.removeprefix("PeterNeumann"), "not empty"),
        (GO_VERIFYING.replace("Peter", "Peter "), "neither space"),
        (GO_VERIFYING.replace("Peter", "Peter\x01"), "control"),
    ],
)
def test_a_malformed_verifying_key_is_refused(text, said):
    with pytest.raises(NoteError, match=said):
        VerifyingKey.parse(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        GO_VERIFYING,
        GO_SIGNING.replace("KEY", "KAY"),
        GO_SIGNING.replace("c7", "c8"),
        GO_SIGNING.replace("Peter", "Paul"),
        GO_SIGNING[:-4],
        GO_SIGNING[:-1],
        GO_SIGNING.replace("+AYEK", "+BYEK"),
    ],
)
def test_a_malformed_signing_key_is_refused_and_not_repeated(text):
    with pytest.raises(NoteError) as caught:
        SigningKey.parse(text)
    assert "FALVFGyNhPJEMzD1QIDr" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_a_signing_key_shows_its_name_and_not_its_secret():
    key = SigningKey.parse(GO_SIGNING)
    assert repr(key) == "SigningKey(PeterNeumann+c74f20a3)"
