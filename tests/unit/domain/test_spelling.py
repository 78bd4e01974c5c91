"""What a return path is made of says the same as the standard library, which takes longer."""

import base64
import hmac
import pickle

from hypothesis import example, given
from hypothesis import strategies as st

from sidecar.domain.digits import base32, base36
from sidecar.domain.mac import BLOCK, Mac


@given(key=st.binary(max_size=3 * BLOCK), message=st.binary())
@example(key=b"k" * BLOCK, message=b"")
@example(key=b"k" * (BLOCK + 1), message=b"a")
def test_a_mac_is_hmac_s_whatever_the_key_s_length(key: bytes, message: bytes) -> None:
    mac = Mac(key)
    assert mac.digest(message) == mac.digest(message) == hmac.digest(key, message, "sha256")


def test_a_mac_that_was_used_can_be_handed_to_another_process() -> None:
    mac = Mac(b"k" * 32)
    said = mac.digest(b"a")
    assert pickle.loads(pickle.dumps(mac)).digest(b"a") == said


@given(st.integers(0, 36**7))
@example(0)
@example(35)
@example(36)
@example(36**2 - 1)
@example(36**2)
def test_a_number_in_base_36_is_read_as_itself(number: int) -> None:
    assert int(base36(number), 36) == number
    assert base36(number) == "0" or not base36(number).startswith("0")


@given(st.integers(1, 4).flatmap(lambda groups: st.binary(min_size=5 * groups, max_size=5 * groups)))
def test_octets_in_base_32_are_the_standard_library_s(octets: bytes) -> None:
    assert base32(octets) == base64.b32encode(octets).decode().lower()
