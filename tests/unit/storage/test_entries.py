"""A packed notice is handed to another process without its raw mail, and is not taken for an empty one."""

import pickle
from dataclasses import replace

import pytest

from .rows import notice


def test_packed_it_is_handed_over_with_all_that_is_booked() -> None:
    whole = notice()
    light = pickle.loads(pickle.dumps(whole.pack()))
    assert (light.fingerprint, light.packed) == (whole.fingerprint, whole.packed)
    facts = ("return_path", "received", "kind", "aside", "domain", "null_sender", "wiki", "user_id")
    assert [getattr(light, fact) for fact in facts] == [getattr(whole, fact) for fact in facts]
    assert len(pickle.dumps(replace(whole, raw=b"x" * 100_000).pack())) < 10_000


def test_what_was_let_go_is_missed_and_not_empty() -> None:
    light = pickle.loads(pickle.dumps(notice().pack()))
    with pytest.raises(AttributeError, match="raw"):
        replace(light, kind="bounce")


def test_until_it_is_packed_it_is_whole() -> None:
    assert pickle.loads(pickle.dumps(notice())) == notice()
