import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abac.audit.encoding import from_base64, to_base64


@given(st.binary(max_size=100))
def test_what_is_written_is_read(raw):
    assert from_base64(to_base64(raw)) == raw
    assert to_base64(raw) == base64.b64encode(raw).decode()


@pytest.mark.parametrize(
    "text", ["YQ", "YQ=", "YQ===", "YR==", " YQ==", "YQ==\n", "Y Q==", "YQ==YQ==", "-_-_", "é", "="]
)
def test_another_spelling_is_refused(text):
    with pytest.raises(ValueError, match="not base64 in its one spelling"):
        from_base64(text)


@given(st.text(st.sampled_from("AQgw/+="), max_size=9))
def test_two_texts_never_mean_the_same_bytes(text):
    try:
        raw = from_base64(text)
    except ValueError:
        return
    assert to_base64(raw) == text
