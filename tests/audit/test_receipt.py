import json
from dataclasses import replace

import pytest

from abac.audit.checkpoint import Checkpoint, signed
from abac.audit.encoding import to_base64
from abac.audit.errors import AuditError, CheckpointError, NoteError, ProofError, ReceiptError
from abac.audit.merkle import leaf_hash
from abac.audit.note import SigningKey
from abac.audit.receipt import LONGEST_RECEIPT, Opening, make, read, verify
from tests.audit.example import FIELD, INDEX, KEY, ORIGIN, VALUE, made, tree

KEYS = [KEY.verifying]
RIGHT = made()


def changed(**fields):
    """Return the receipt's text with other values; None takes a key away."""
    said = json.loads(RIGHT.to_text()) | fields
    return json.dumps({key: value for key, value in said.items() if value is not None})


def of_one_entry(entry, openings=None):
    note = signed(Checkpoint(ORIGIN, 1, leaf_hash(entry)), KEY)
    return make(entry, 0, [], note, openings)


@pytest.mark.parametrize("disclose", [True, False])
@pytest.mark.parametrize("index", range(9))
def test_every_entry_of_a_log_has_a_receipt(index, disclose):
    receipt = made(index, disclose=disclose)
    assert read(receipt.to_text()) == receipt
    verified = verify(receipt, KEYS, ORIGIN)
    assert (verified.entry, verified.index) == (tree()[0][index], index)
    assert (verified.checkpoint.size, verified.checkpoint.root) == (9, tree()[1].root())
    assert verified.disclosed == ({FIELD: VALUE.encode()} if disclose else {})


def test_a_receipt_tampered_with_at_any_byte_is_refused():
    """Or it is the same receipt in another layout: a space became another space."""
    raw = RIGHT.to_text().encode()
    alike = 0
    for bit in range(8 * len(raw)):
        tampered = bytearray(raw)
        tampered[bit >> 3] ^= 1 << (bit & 7)
        try:
            receipt = read(tampered.decode())
            verify(receipt, KEYS, ORIGIN)
        except (UnicodeDecodeError, AuditError):
            continue
        assert receipt == RIGHT
        assert raw[bit >> 3 : (bit >> 3) + 1].isspace()
        alike += 1
    assert alike < 20


def test_a_receipt_cut_short_or_drawn_out_is_refused():
    text = RIGHT.to_text()
    for end in range(len(text) - 2):
        with pytest.raises(ReceiptError):
            read(text[:end])
    with pytest.raises(ReceiptError, match="not JSON: Extra data"):
        read(text + "{}")


def test_another_layout_of_the_same_json_is_the_same_receipt():
    assert read(json.dumps(json.loads(RIGHT.to_text()))) == RIGHT


def test_the_entrys_bytes_are_kept_to_the_byte():
    entry = ' {"id" : "\\u00e9\t\u2028\x00\x7f\U0001f600"}\r\n'.encode()
    receipt = of_one_entry(entry)
    assert verify(read(receipt.to_text()), KEYS).entry == entry


def test_a_parts_proof_or_checkpoint_of_another_entry_is_refused():
    other = made(INDEX - 1)
    for part in ("entry", "index", "proof"):
        with pytest.raises(ProofError):
            verify(replace(RIGHT, openings={}, **{part: getattr(other, part)}), KEYS)
    _, head, _ = tree(8)
    smaller = signed(Checkpoint(ORIGIN, 8, head.root()), KEY)
    with pytest.raises(ProofError, match="too long"):
        verify(replace(RIGHT, checkpoint=smaller), KEYS)


def test_a_receipt_does_not_bring_its_own_key():
    forger = SigningKey(ORIGIN, bytes(32))
    forged = replace(RIGHT, checkpoint=signed(Checkpoint(ORIGIN, 9, tree()[1].root()), forger))
    with pytest.raises(NoteError, match="none of the 1 signatures"):
        verify(forged, KEYS)
    with pytest.raises(CheckpointError, match=r"not of `example\.com/other`"):
        verify(RIGHT, KEYS, "example.com/other")


OPENING = {"salt": to_base64(bytes(32)), "value": "x"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "receipt: not JSON: Expecting value at line 1, column 1"),
        ("[]", "receipt: is not an object"),
        ("{}", "receipt: has no `format`"),
        ("[" * 100_000, "receipt: nested too deep"),
        ('{"format": NaN}', "receipt: `NaN` is not a JSON number"),
        ('{"index": ' + "9" * 5_000 + "}", "receipt: "),
        (" " * (LONGEST_RECEIPT + 1), "receipt: has at most 4000000 characters"),
        ('{"index": 1, "index": 1}', 'receipt: the key "index" stands twice'),
        (RIGHT.to_text().replace('"value"', '"salt": "", "value"'), 'the key "salt" stands twice'),
        (changed(proof=None), "receipt: has no `proof`"),
        (changed(note=1), 'receipt: has an unknown key "note"'),
        (changed(**{"\u202e": 1}), r'receipt: has an unknown key "\\u202e"'),
        (changed(format="abac/receipt/2"), "format: is not `abac/receipt/1`"),
        (changed(format=1), "format: is not"),
        (changed(entry=1), "entry: is not a string"),
        (changed(entry="\ud800"), "entry: holds half a surrogate pair"),
        (changed(index=-1), "index: is not a whole number"),
        (changed(index=True), "index: is not a whole number"),
        (changed(index=5.0), "index: is not a whole number"),
        (changed(index="5"), "index: is not a whole number"),
        (changed(proof={}), "proof: is not a list"),
        (changed(proof=[to_base64(bytes(32))] * 64), "proof: is not a list of 63 hashes at most"),
        (changed(proof=[to_base64(bytes(32)), 1]), r"proof\[1\]: is not a string"),
        (changed(proof=[to_base64(bytes(31))]), r"proof\[0\]: has 32 bytes, not 31"),
        (changed(proof=["A" * 42 + "B="]), r"proof\[0\]: not base64 in its one spelling"),
        (changed(checkpoint=[]), "checkpoint: is not a string"),
        (changed(openings=[]), "openings: is not an object"),
        (changed(openings={"f": 1}), r'openings\["f"\]: is not an object'),
        (changed(openings={"f": {"salt": OPENING["salt"]}}), r'openings\["f"\]: has no `value`'),
        (changed(openings={"f": OPENING | {"more": 1}}), r'openings\["f"\]: has an unknown key "more"'),
        (changed(openings={"f": OPENING | {"salt": "AA=="}}), r'openings\["f"\].salt: has 32 bytes, not 1'),
        (changed(openings={"f": OPENING | {"value": None}}), r'openings\["f"\].value: is not a string'),
        (changed(openings={"\ud800": OPENING}), "openings: holds half a surrogate pair"),
    ],
)
def test_what_is_not_a_receipt_is_refused_at_its_place(text, said):
    with pytest.raises(ReceiptError, match=said):
        read(text)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"entry": b"\xff{}"}, "entry: is not UTF-8 at byte 0"),
        ({"index": -1}, "index: is not a whole number"),
        ({"proof": [bytes(31)]}, r"proof\[0\]: has 32 bytes"),
        ({"openings": {"f": Opening(bytes(31), b"")}}, r'openings\["f"\].salt: has 32 bytes'),
        ({"openings": {"f": Opening(bytes(32), b"\xff")}}, r'openings\["f"\].value: is not UTF-8'),
    ],
)
def test_what_could_not_be_read_again_is_not_made(fields, said):
    with pytest.raises(ReceiptError, match=said):
        make(**{"entry": b"{}", "index": 0, "proof": [], "checkpoint": "", **fields})


def test_an_opening_that_does_not_open_is_refused():
    salt = RIGHT.openings[FIELD].salt
    for openings in (
        {FIELD: Opening(salt, b'["FR"]')},
        {FIELD: Opening(bytes(32), VALUE.encode())},
    ):
        with pytest.raises(ReceiptError, match="salt and value do not open the entry's commitment"):
            verify(replace(RIGHT, openings=openings), KEYS)
    with pytest.raises(ReceiptError, match=r'openings\["subject.other"\]: the entry has no such sealed field'):
        verify(replace(RIGHT, openings={"subject.other": RIGHT.openings[FIELD]}), KEYS)


ID = "019792c8-5a00-7000-8000-000000000005"


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("no json", "entry: not JSON"),
        ("[]", "entry: is not an object"),
        ('{"id": "ID"}', "entry: has no `sealed`"),
        ('{"sealed": {}}', "entry: has no `id`"),
        ('{"id": "ID", "sealed": {}, "sealed": {}}', 'entry: the key "sealed" stands twice'),
        ('{"id": "ID", "sealed": []}', "entry.sealed: is not an object"),
        ('{"id": "ID", "sealed": {"f": 1}}', r'entry.sealed\["f"\]: is not a string'),
        ('{"id": "ID", "sealed": {"f": "AA=="}}', r'entry.sealed\["f"\]: has 32 bytes'),
        ('{"id": "019792c85a0070008000000000000005", "sealed": {}}', "entry.id: is not a UUID"),
        ('{"id": "019792C8-5A00-7000-8000-000000000005", "sealed": {}}', "entry.id: is not a UUID"),
        ('{"id": 5, "sealed": {}}', "entry.id: is not a string"),
    ],
)
def test_openings_need_an_entry_with_commitments(entry, said):
    entry = entry.replace("ID", ID)
    receipt = of_one_entry(entry.encode(), {"f": Opening(bytes(32), b"")})
    with pytest.raises(ReceiptError, match=said):
        verify(receipt, KEYS)
    assert verify(replace(receipt, openings={}), KEYS).entry == entry.encode()
