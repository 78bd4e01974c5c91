"""What is said over a stream arrives whole and in order, however the octets are cut."""

import io

import pytest

from sidecar.processes.frames import Frames, frame_from, framed

SAID = [b"one", b"", b"three" * 1000, b"\0\0\0\1", b"last"]


@pytest.mark.parametrize("step", [1, 3, 100, 10**6])
def test_frames_arrive_whole_and_in_order(step: int) -> None:
    octets, frames = b"".join(map(framed, SAID)), Frames()
    cut = [octets[at : at + step] for at in range(0, len(octets), step)]
    assert [what for piece in cut for what in frames.feed(piece)] == SAID


def test_a_frame_that_is_not_complete_is_waited_for() -> None:
    frames, octets = Frames(), framed(b"what is told")
    assert list(frames.feed(octets[:-1])) == []
    assert list(frames.feed(octets[-1:])) == [b"what is told"]


def test_a_stream_gives_one_frame_after_the_other_and_none_at_its_end() -> None:
    stream = io.BytesIO(framed(b"one") + framed(b"two"))
    assert [frame_from(stream) for _ in range(3)] == [b"one", b"two", b""]
