import pytest
from hypothesis import given
from hypothesis import strategies as st

from abac.audit.checkpoint import LARGEST, Checkpoint, opened, signed
from abac.audit.errors import CheckpointError, NoteError
from abac.audit.merkle import EMPTY_ROOT
from abac.audit.note import SigningKey, sign

KEY = SigningKey("example.com/log", bytes(range(32)))
LINE = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters=[chr(c) for c in range(32)]),
    min_size=1,
    max_size=20,
)

# From C2SP tlog-checkpoint.
SPEC_TEXT = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"


def test_the_specifications_checkpoint_is_read_and_written():
    checkpoint = Checkpoint.parse(SPEC_TEXT)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20_852_163)
    assert checkpoint.root.hex()[:8] == "0ac5186a"
    assert checkpoint.text() == SPEC_TEXT


@given(LINE, st.integers(1, LARGEST), st.binary(min_size=32, max_size=32), st.lists(LINE, max_size=3))
def test_what_is_signed_is_opened(origin, size, root, extensions):
    checkpoint = Checkpoint(origin, size, root, tuple(extensions))
    assert Checkpoint.parse(checkpoint.text()) == checkpoint
    assert opened(signed(checkpoint, KEY), [KEY.verifying], origin) == checkpoint


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "does not end with a newline"),
        (SPEC_TEXT[:-1], "does not end with a newline"),
        ("origin\n1\n", "three lines at least, not 2"),
        ("\n" + SPEC_TEXT, "line 1 is empty"),
        (SPEC_TEXT + "\n", "line 4 is empty"),
        (SPEC_TEXT.replace("2085", "\n2085"), "line 2 is empty"),
        (SPEC_TEXT.replace("2085", "02085"), "leading zeros"),
        (SPEC_TEXT.replace("20852163", "00"), "leading zeros"),
        (SPEC_TEXT.replace("2085", "-2085"), "sign"),
        (SPEC_TEXT.replace("2085", "+2085"), "sign"),
        (SPEC_TEXT.replace("2085", " 2085"), "spaces"),
        (SPEC_TEXT.replace("2085", "2_085"), "decimal number"),
        (SPEC_TEXT.replace("2085", "\u0662085"), "decimal number"),
        (SPEC_TEXT.replace("20852163", "0x10"), "decimal number"),
        (SPEC_TEXT.replace("20852163", "9" * 5_000), "decimal number"),
        (SPEC_TEXT.replace("20852163", "9" * 19), "the size is from 0 to 9223372036854775807"),
        (SPEC_TEXT.replace("20852163", "0"), "root hash of the empty tree"),
        (SPEC_TEXT.replace("q2I=", "q2J="), "line 3, the root hash: not base64"),
        (SPEC_TEXT.replace("q2I=", "q2I"), "line 3, the root hash: not base64"),
        (SPEC_TEXT.replace("q2I=", "q2I=="), "line 3, the root hash: not base64"),
        (SPEC_TEXT.replace("CsUY", ""), "32 bytes, not 29"),
        (SPEC_TEXT.replace("/behind", "/\x1fbehind"), "origin is not empty and has no control"),
        (SPEC_TEXT.replace("\n", "\r\n"), "decimal number"),
    ],
)
def test_what_is_not_a_checkpoint_is_refused_and_it_says_why(text, said):
    with pytest.raises(CheckpointError, match=said):
        Checkpoint.parse(text)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"origin": ""}, "origin is not empty"),
        ({"origin": "a\nb"}, "origin is not empty and has no control"),
        ({"size": -1}, "size is from 0"),
        ({"size": LARGEST + 1}, "size is from 0"),
        ({"size": 0}, "empty tree"),
        ({"root": bytes(31)}, "not 31"),
        ({"extensions": ("",)}, "extension line is not empty"),
        ({"extensions": ("a\nb",)}, "extension line"),
    ],
)
def test_what_cannot_be_written_is_not_a_checkpoint(change, said):
    with pytest.raises(CheckpointError, match=said):
        Checkpoint(**{"origin": "example.com/log", "size": 1, "root": bytes(32), **change})


def test_the_empty_tree_has_a_checkpoint():
    empty = Checkpoint("example.com/log", 0, EMPTY_ROOT)
    assert opened(signed(empty, KEY), [KEY.verifying]) == empty


def test_another_logs_checkpoint_is_refused_where_the_origin_is_asked_for():
    note = signed(Checkpoint("example.com/log", 1, bytes(32)), KEY)
    with pytest.raises(CheckpointError, match=r"of the log `example.com/log`, not of `example.com/other`"):
        opened(note, [KEY.verifying], "example.com/other")


def test_a_checkpoint_is_nothing_without_its_signature():
    checkpoint = Checkpoint("example.com/log", 1, bytes(32))
    with pytest.raises(NoteError):
        opened(checkpoint.text(), [KEY.verifying])
    with pytest.raises(NoteError, match="none of the 1 signatures"):
        opened(signed(checkpoint, KEY), [SigningKey(KEY.name, bytes(32)).verifying])
    with pytest.raises(CheckpointError, match="three lines"):
        opened(sign("not a checkpoint\n", [KEY]), [KEY.verifying])
