"""Envelopes: what goes in comes out, and nowhere else."""

import base64
import os
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatproject.lib.crypto import SEALED, CryptoError, DataKey, Keyring, is_sealed

KEY = DataKey.generate()
json = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text() | st.floats(allow_nan=False, width=32),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
).filter(lambda value: value not in (float("inf"), float("-inf")) and "inf" not in repr(value))


def line(name: str) -> str:
    return f"{name}:{base64.b64encode(os.urandom(32)).decode()}"


@settings(max_examples=100, deadline=None)
@given(json, st.text())
def test_what_goes_in_comes_out(value: Any, context: str) -> None:
    envelope = KEY.seal(value, context)

    assert is_sealed(envelope)
    assert KEY.open(envelope, context) == value


@settings(max_examples=100, deadline=None)
@given(st.text(min_size=1), st.text(), st.text())
def test_an_envelope_that_was_moved_stays_shut(value: str, context: str, other: str) -> None:
    envelope = KEY.seal(value, context)
    if other != context:
        with pytest.raises(CryptoError):
            KEY.open(envelope, other)
    with pytest.raises(CryptoError):
        DataKey.generate().open(envelope, context)
    with pytest.raises(CryptoError):
        DataKey(KEY.id, os.urandom(32)).open(envelope, context)


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_an_envelope_that_was_changed_stays_shut(data: st.DataObject) -> None:
    key_id, body = KEY.seal("secret", "here")[SEALED].split(".")
    raw = bytearray(base64.b64decode(body))
    position = data.draw(st.integers(0, len(raw) - 1))
    raw[position] ^= data.draw(st.integers(1, 255))
    with pytest.raises(CryptoError):
        KEY.open({SEALED: f"{key_id}.{base64.b64encode(raw).decode()}"}, "here")
    with pytest.raises(CryptoError):
        KEY.open({SEALED: f"{key_id}.{base64.b64encode(raw[:position]).decode()}"}, "here")


def test_the_same_value_never_looks_the_same() -> None:
    assert KEY.seal("yes", "c") != KEY.seal("yes", "c")
    assert "yes" not in str(KEY.seal("yes", "c"))


def test_keys_rotate() -> None:
    old, new = line("k1"), line("k2")
    wrapped = Keyring([old]).wrap(KEY, "conversation")
    rotated = Keyring([new, old])

    assert rotated.unwrap(wrapped, "conversation") == KEY
    again = rotated.wrap(rotated.unwrap(wrapped, "conversation"), "conversation")
    assert again.startswith("k2:")
    assert Keyring([new]).unwrap(again, "conversation") == KEY
    with pytest.raises(CryptoError, match="no key named k1"):
        Keyring([new]).unwrap(wrapped, "conversation")


def test_a_wrapped_key_belongs_to_its_conversation() -> None:
    ring = Keyring([line("k1")])
    with pytest.raises(CryptoError):
        ring.unwrap(ring.wrap(KEY, "one"), "another")


def test_derived_ciphers_differ_by_purpose() -> None:
    ring = Keyring([line("k1")])
    sealed = ring.derive("hints").encrypt(bytes(12), b"text", None)
    assert ring.derive("hints", "k1").decrypt(bytes(12), sealed, None) == b"text"
    assert ring.derive("other").encrypt(bytes(12), b"text", None) != sealed
    with pytest.raises(CryptoError):
        ring.derive("hints", "k9")


@pytest.mark.parametrize(
    "lines", [[], [" "], ["nonsense"], [":AAAA"], ["k1:AAAA"], ["k1:!!!"], [line("k1")[2:]], ["k1:" + "é" * 44]]
)
def test_malformed_keys_are_refused(lines: list[str]) -> None:
    with pytest.raises(CryptoError):
        Keyring(lines)


def test_a_fingerprint_tells_bodies_apart_and_needs_the_key() -> None:
    assert KEY.fingerprint({"a": 1, "b": 2}) == KEY.fingerprint({"b": 2, "a": 1})
    assert KEY.fingerprint(["Hi", None]) != KEY.fingerprint(["Hi"])
    assert DataKey.generate().fingerprint("Hi") != KEY.fingerprint("Hi")
