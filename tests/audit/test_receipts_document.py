"""`docs/receipts.md`: its example is ours, and a verifier that follows its ten steps, without our code, agrees."""

import base64
import hashlib
import json
import re
import uuid
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from abac.audit.receipt import read, verify
from tests.audit.example import KEY, made

DOCUMENT = (Path(__file__).parents[2] / "docs" / "receipts.md").read_text()


def block(language):
    return re.findall(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def follows_the_steps(text, vkey):
    """Verify a receipt as the document says, step by step, and return the values disclosed."""
    name, key_id, key = vkey.split("+", 2)  # 1
    key = base64.b64decode(key)
    assert key[0] == 1
    assert key_id == sha256(name.encode(), b"\n", key)[:4].hex()
    receipt = json.loads(text)  # 2
    assert receipt["format"] == "abac/receipt/1"
    signed, _, lines = receipt["checkpoint"].rpartition("\n\n")  # 3
    signed += "\n"
    for line in lines.splitlines():  # 4
        dash, signer, signature = line.split(" ")
        raw = base64.b64decode(signature)
        if (dash, signer, raw[:4].hex()) == ("—", name, key_id):
            Ed25519PublicKey.from_public_bytes(key[1:]).verify(raw[4:], signed.encode())  # 5
            break
    else:
        raise AssertionError("not signed by the key")
    _, size, root, *_ = signed.splitlines()  # 6
    entry = receipt["entry"].encode()
    r = sha256(b"\x00", entry)  # 7
    fn, sn = receipt["index"], int(size) - 1  # 8
    assert 0 <= fn <= sn
    for p in map(base64.b64decode, receipt["proof"]):
        assert sn > 0
        if fn % 2 == 1 or fn == sn:
            r = sha256(b"\x01", p, r)
            while fn % 2 == 0 and fn > 0:
                fn, sn = fn // 2, sn // 2
        else:
            r = sha256(b"\x01", r, p)
        fn, sn = fn // 2, sn // 2
    assert sn == 0  # 9
    assert r == base64.b64decode(root)
    disclosed = {}
    for field, opening in receipt.get("openings", {}).items():  # 10
        said = json.loads(entry)
        salt, value = base64.b64decode(opening["salt"]), opening["value"].encode()
        parts = (b"abac/commitment/1", uuid.UUID(said["id"]).bytes, field.encode(), salt, value)
        sized = (part for each in parts for part in (len(each).to_bytes(4, "big"), each))
        assert sha256(*sized) == base64.b64decode(said["sealed"][field])
        disclosed[field] = value
    return disclosed


def test_the_example_is_what_we_make():
    assert block("json") == [made().to_text()]
    assert KEY.verifying.text() in DOCUMENT


def test_a_verifier_that_follows_the_ten_steps_agrees_with_ours():
    (text,) = block("json")
    ours = verify(read(text), [KEY.verifying])
    assert follows_the_steps(text, KEY.verifying.text()) == ours.disclosed
    for index in range(9):
        assert follows_the_steps(made(index).to_text(), KEY.verifying.text())


@pytest.mark.parametrize(
    ("old", "new"),
    [("DENY", "PERMIT"), ('"index": 5', '"index": 4'), ('\\"US\\"', '\\"GB\\"'), ("\\n9\\n", "\\n8\\n")],
)
def test_a_verifier_that_follows_the_ten_steps_refuses_what_was_changed(old, new):
    (text,) = block("json")
    assert old in text
    with pytest.raises((AssertionError, InvalidSignature)):
        follows_the_steps(text.replace(old, new, 1), KEY.verifying.text())


def test_the_values_that_the_document_works_out_are_right():
    (text,) = block("json")
    said = json.loads(text)
    leaf, first = sha256(b"\x00", said["entry"].encode()), base64.b64decode(said["proof"][0])
    worked = [
        leaf.hex(),
        sha256(b"\x01", first, leaf).hex(),
        base64.b64decode(said["checkpoint"].split("\n")[2]).hex(),
    ]
    assert re.findall(r"`([0-9a-f]{64})`", DOCUMENT) == worked


def test_the_steps_are_ten():
    assert re.findall(r"^(\d+)\. ", DOCUMENT, re.MULTILINE) == [str(n) for n in range(1, 11)]
