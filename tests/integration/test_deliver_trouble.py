"""Whatever goes wrong at the pipe door is exit code 75 and one line of words; no mail is half handed over."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.doors import eventually
from tests.integration.pipe import MAIL, End, Started, hand_over, installed, start
from tests.support.places import missing

BIG = b"A: b\n\n" + b"x" * 1_000_000
#: What a sidecar says, step by step.
TALK = ["220 x LMTP", "250-x\r\n250 PIPELINING", "250 2.1.0 OK", "250 2.1.5 OK", "354 Go", "250 2.0.0 Taken"]
AS_NOBODY = ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
STEPS = ["greeting", "LHLO", "MAIL", "RCPT", "DATA", "mail"]


class Peer:
    """Says its lines, one to each deliver_command and one to the mail; then is silent or hangs up."""

    def __init__(self, path: Path, lines: list[str], *, hangs: bool) -> None:
        self.path, self.connected = path, asyncio.Event()
        self._lines, self._hangs, self._over = lines, hangs, asyncio.Event()

    async def __aenter__(self) -> "Peer":
        self._server = await asyncio.start_unix_server(self._talk, str(self.path))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._over.set()
        self._server.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connected.set()
        for step, line in enumerate(self._lines):
            if step == len(TALK) - 1:
                await reader.readuntil(b"\r\n.\r\n")
            elif step:
                await reader.readline()
            writer.write(line.encode() + b"\r\n")
        if self._hangs:
            await self._over.wait()
        writer.close()


@pytest.fixture
async def hanging(deliver_command: list[str], lmtp_path: Path) -> AsyncIterator[Started]:
    """The program, waiting for a sidecar that says nothing."""
    async with Peer(lmtp_path, [], hangs=True) as peer:
        started = start(deliver_command, "one@b.example")
        await asyncio.wait_for(peer.connected.wait(), 10)
        yield started


def kept(end: End, words: str) -> None:
    assert end.code == 75
    assert end.words.startswith("bounce-sidecar-deliver: ")
    assert words in end.words
    assert end.words.count("\n") == 1
    assert end.words.endswith("\n")
    assert "@" not in end.words


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--help"], "usage: "),
        (["--nonsense", "one@b.example"], "usage: "),
        (["-r", "one@b.example"], "usage: "),
        (["one@b.example", "--socket"], "usage: "),
        (["one@b.example", "two@b.example"], "more than one recipient"),
        (["--deadline", "0", "one@b.example"], "more than 0"),
        (["--deadline", "soon", "one@b.example"], "more than 0"),
        (["--deadline", "9" * 400, "one@b.example"], "more than 0"),
        ([], "no recipient"),
        (["one"], "no recipient"),
        (["one@b.example\n"], "control character"),
        (["--socket", "relative", "one@b.example"], "--socket wants"),
        (["--socket", "192.0.2.1:24", "one@b.example"], "--socket wants"),
        (["--socket", "127.0.0.1:99999", "one@b.example"], "unforeseen trouble: OverflowError"),
        (
            ["--socket", "/nowhere/lmtp.sock", "one@b.example"],
            "No such file or directory (does the sidecar run?)",
        ),
        (["--socket", "/" + "x" * 200, "one@b.example"], "path too long"),
    ],
)
async def test_a_wrong_command_line_keeps_the_mail(deliver_command, arguments: list[str], words: str) -> None:
    kept(await hand_over(deliver_command, *arguments), words)


async def test_a_socket_on_which_nobody_listens_keeps_the_mail(deliver_command, lmtp_path) -> None:
    with socket.socket(socket.AF_UNIX) as killed:
        killed.bind(str(lmtp_path))
    kept(await hand_over(deliver_command, "one@b.example"), "Connection refused (does the sidecar run?)")


async def test_a_socket_that_is_forbidden_keeps_the_mail(short_folder: Path) -> None:
    """As an account of no group of the sidecar's."""
    if os.getuid() != 0 or not os.access("/usr/bin/python3", os.X_OK):
        missing("root, and a Python that everybody may start")
    program = installed(short_folder)
    (short_folder / "python3").unlink()
    inner = short_folder / "inner"
    inner.mkdir(mode=0o700)
    end = await hand_over([*AS_NOBODY, *program], "--socket", str(inner / "lmtp.sock"), "one@b.example")
    kept(end, "Permission denied (may uid 65534 with gid 65534 enter?)")


@pytest.mark.slow
@pytest.mark.parametrize("step", range(6), ids=STEPS)
@pytest.mark.parametrize(
    "said", ["421 4.3.0 Later", "451 Later", "554 Never", "552 5.3.4 Too big", "503 5.5.1 x"]
)
async def test_what_is_no_word_about_the_recipient_keeps_the_mail(
    deliver_command, lmtp_path, step, said
) -> None:
    async with Peer(lmtp_path, [*TALK[:step], said], hangs=True):
        end = await hand_over(deliver_command, "--refuse", "one@b.example")
    kept(end, f"the sidecar said ({STEPS[step]}): {said}\n")


@pytest.mark.parametrize("step", [1, 2, 4], ids=["LHLO", "MAIL", "DATA"])
async def test_a_refusal_of_something_else_keeps_the_mail(deliver_command, lmtp_path, step) -> None:
    async with Peer(lmtp_path, [*TALK[:step], "550 5.7.1 No"], hangs=True):
        kept(await hand_over(deliver_command, "--refuse", "one@b.example"), "5.7.1")


@pytest.mark.slow
@pytest.mark.parametrize("step", range(6), ids=STEPS)
@pytest.mark.parametrize(
    "said", ["HTTP/1.1 200 OK", "", "25", "2500", "650 x", "250" + "x" * 9000, "250-\r\n" * 999]
)
async def test_garbage_keeps_the_mail(deliver_command, lmtp_path, step, said) -> None:
    async with Peer(lmtp_path, [*TALK[:step], said], hangs=True):
        kept(
            await hand_over(deliver_command, "one@b.example"),
            "speaks no LMTP, while waiting for the sidecar's reply",
        )


@pytest.mark.parametrize("step", range(6), ids=STEPS)
@pytest.mark.parametrize("mail", [MAIL, BIG], ids=["small", "big"])
async def test_a_sidecar_that_hangs_up_keeps_the_mail(deliver_command, lmtp_path, step, mail) -> None:
    async with Peer(lmtp_path, TALK[:step], hangs=False):
        kept(await hand_over(deliver_command, "one@b.example", mail=mail), "")


@pytest.mark.parametrize("step", range(6), ids=STEPS)
async def test_a_sidecar_that_hangs_keeps_the_mail(deliver_command, lmtp_path, step) -> None:
    async with Peer(lmtp_path, TALK[:step], hangs=True):
        end = await hand_over(deliver_command, "--deadline", "0.3", "one@b.example", mail=BIG)
    kept(end, "no end within 0.3 s, while ")


async def test_an_address_in_a_reply_is_not_passed_on(deliver_command, lmtp_path) -> None:
    async with Peer(lmtp_path, [*TALK[:3], "550 5.1.1 <one@b.example> unknown"], hangs=True):
        kept(await hand_over(deliver_command, "one@b.example"), "the sidecar said (RCPT): 550\n")


async def test_an_input_that_does_not_end_keeps_the_mail(deliver_command, serve_lmtp, intake) -> None:
    server = await serve_lmtp()
    started = start(deliver_command, "--deadline", "0.3", "one@b.example")
    assert started.process.stdin is not None
    started.process.stdin.write(MAIL)
    started.process.stdin.flush()
    await asyncio.to_thread(started.process.wait, 10)
    kept(await started.end(None), "no end within 0.3 s, while reading standard input")
    await eventually(lambda: not server._sessions, "the session is over")
    assert intake.asked == []


async def test_an_empty_input_keeps_the_mail(deliver_command, serve_lmtp, intake) -> None:
    server = await serve_lmtp()
    kept(await hand_over(deliver_command, "one@b.example", mail=b""), "no mail on standard input")
    await eventually(lambda: not server._sessions, "the session is over")
    assert intake.asked == []


@pytest.mark.parametrize("closed", ["<&-", "<&- 2>&-", "<&- >&- 2>&-"])
async def test_a_closed_input_keeps_the_mail(deliver_command, serve_lmtp, intake, closed) -> None:
    await serve_lmtp()
    end = await hand_over(["/bin/sh", "-c", f'exec "$@" {closed}', "sh", *deliver_command], "one@b.example")
    assert end.code == 75
    assert intake.asked == []


async def test_closed_outputs_change_nothing(deliver_command, serve_lmtp, intake) -> None:
    await serve_lmtp()
    silent = ["/bin/sh", "-c", 'exec "$@" >&- 2>&-', "sh", *deliver_command]
    assert (await hand_over(silent, "one@b.example")).code == 0
    assert (await hand_over(silent, "nobody@b.example")).code == 75
    assert [received.raw for received in intake.finished] == [MAIL.replace(b"\n", b"\r\n")]


@pytest.mark.slow
async def test_nobody_reads_its_words_and_it_ends_all_the_same(deliver_command) -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    while True:
        try:
            os.write(writer, b"x" * 65536)
        except BlockingIOError:
            break
    os.set_blocking(writer, True)
    process = await asyncio.create_subprocess_exec(
        *deliver_command, stdin=asyncio.subprocess.DEVNULL, stderr=writer
    )
    assert await asyncio.wait_for(process.wait(), 10) == 75
    os.close(reader)
    os.close(writer)


@pytest.mark.parametrize("number", ["TERM", "INT", "HUP", "QUIT", "USR1", "USR2", "ALRM"])
async def test_a_signal_keeps_the_mail(hanging: Started, number: str) -> None:
    os.killpg(hanging.process.pid, getattr(signal, f"SIG{number}"))
    kept(await hanging.end(None), ", while ")


async def test_a_caller_s_signal_mask_does_not_stop_the_deadline(deliver_command, lmtp_path) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGALRM})
    try:
        async with Peer(lmtp_path, [], hangs=True):
            kept(
                await hand_over(deliver_command, "--deadline", "0.3", "one@b.example"), "no end within 0.3 s"
            )
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})


@pytest.mark.parametrize(
    "python", ["exit 1", "exit 127", "kill -s KILL $$", "kill -s SEGV $$", "no-such-deliver_command"]
)
async def test_a_python_that_dies_keeps_the_mail(tmp_path: Path, python: str) -> None:
    command = installed(tmp_path)
    (tmp_path / "python3").unlink()
    (tmp_path / "python3").write_text(f"#!/bin/sh\n{python}\n")
    (tmp_path / "python3").chmod(0o755)
    assert (await hand_over(command, "one@b.example")).code == 75


async def test_an_account_that_may_start_nothing_more_keeps_the_mail(short_folder: Path) -> None:
    """As when mail comes faster than it is taken: the shell itself ends with 2."""
    if os.getuid() != 0:
        missing("root")
    end = await hand_over(
        [*AS_NOBODY, "/usr/bin/prlimit", "--nproc=0", *installed(short_folder)], "one@b.example"
    )
    assert end.code == 75
    assert "fork" in end.words.lower()


@pytest.mark.parametrize("kilobytes", [4_000, 8_000, 12_000, 16_000, 20_000])
async def test_too_little_memory_keeps_the_mail(tmp_path, serve_lmtp, lmtp_path, intake, kilobytes) -> None:
    await serve_lmtp()
    limited = ["/bin/sh", "-c", f'ulimit -v {kilobytes}; exec "$@"', "sh", *installed(tmp_path)]
    end = await hand_over(limited, "--socket", str(lmtp_path), "one@b.example", mail=BIG)
    assert end.code == 75 or (end.code == 0 and intake.finished)
