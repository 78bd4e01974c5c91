"""Rooms on a host that gives no more threads (pthread_create(3): EAGAIN)."""

import threading

import pytest

from sidecar.threads import NoThread, Room


async def test_what_was_refused_for_want_of_a_thread_is_not_done_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    room, done = Room("test"), []

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as host:
        host.setattr(threading.Thread, "start", refuse)
        with pytest.raises(NoThread):
            await room.run(lambda: done.append("refused"))
    await room.run(lambda: done.append("taken"))
    room.close()
    assert done == ["taken"]
