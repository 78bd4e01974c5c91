"""The doctor's round: what is looked at, in which order, and what is left out because of what was found.

Knows the order of mending: what others need comes first. Each part has an end of its own.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from pathlib import Path

from sidecar import __version__, config_files, host
from sidecar.configuration.configured import Config, WikiConfig
from sidecar.doctor import (
    clock,
    configuration,
    database,
    mail_server,
    program,
    secret_files,
    service,
    signs_of_life,
    sockets,
)
from sidecar.doctor.database import History
from sidecar.doctor.limit import TookTooLong, broken, within
from sidecar.doctor.patient import Patient
from sidecar.doctor.wikis import Examiner
from sidecar.domain.finding import Finding, State, about, unknown
from sidecar.domain.remedies import Kind
from sidecar.edges.kernel_clock import synchronised
from sidecar.wiki_opener import wiki_opener

__all__ = ["Round", "looked_at"]

PATIENCE = 120.0  # seconds for one part; each question in it has an end of its own, far before

Look = Callable[[], Iterable[Finding]]


class Round:
    """One of them. Nothing is changed by it."""

    def __init__(self, patient: Patient) -> None:
        self._patient = patient
        self.unfinished = False  #: a thread still waits for an answer that nobody wants any more

    def findings(self) -> Iterator[Finding]:
        """As they come; the first that is not well is to be mended first."""
        yield from looked_at("program", lambda: [program.version()])
        reading: list[configuration.Reading] = []
        yield from looked_at("configuration", lambda: self._read(reading))
        config = reading[0].config if reading else None
        if config is None:
            later = "everything else: it needs the configuration, which must be mended first"
            yield from about("doctor", [unknown(later, "then say `bounce-sidecar doctor` again")])
            return
        yield from looked_at("program", lambda: program.libraries(config))
        yield from looked_at("secrets", lambda: self._secrets(reading[0].secrets))
        if Kind.CLOCK not in config.tolerance.ignore:
            yield from looked_at("clock", lambda: [clock.kernel_finding(synchronised())])
        looked: list[History] = []
        if config.node.has_history:
            yield from looked_at("database", lambda: self._database(config, looked))
        history = looked[0] if looked else History([])
        yield from self._this_host(config, history)
        yield from self._wikis(config, history)
        if vitals := history.vitals:
            yield from looked_at("canary", lambda: signs_of_life.canary_findings(vitals, config.tolerance))
            yield from looked_at("status", lambda: signs_of_life.trouble_findings(vitals, config.tolerance))
        elif config.node.has_history:
            later = "the signs of life, the canary among them: the database must be mended first"
            yield from about("status", [unknown(later, "then say `bounce-sidecar doctor` again")])

    def _read(self, reading: list[configuration.Reading]) -> list[Finding]:
        reading.append(configuration.read(self._patient))
        return reading[0].findings

    def _secrets(self, files: Sequence[Path]) -> Iterator[Finding]:
        yield from secret_files.file_findings(self._patient, files)
        place = config_files.keys_place(self._patient.path, None).file
        yield from secret_files.key_findings(place, self._patient.clock())

    def _database(self, config: Config, looked: list[History]) -> list[Finding]:
        looked.append(database.history(self._patient, config))
        return looked[0].findings

    def _this_host(self, config: Config, history: History) -> Iterator[Finding]:
        patient, listen = self._patient, config.listen
        yield from looked_at("daemon", lambda: service.unit_findings(patient))
        if history.vitals:
            vitals, node = history.vitals, host.node_name(config)
            yield from looked_at("daemon", lambda: signs_of_life.node_findings(vitals, node, __version__))
        up = list(looked_at("sockets", lambda: sockets.listening(patient, listen)))
        yield from up
        if any(finding.state is not State.OK for finding in up):
            later = "who may connect, what is answered, and the mail server: not looked at"
            yield from about("sockets", [unknown(later, "start the daemon first, and ask again")])
        else:
            yield from looked_at("sockets", lambda: sockets.visitor_findings(patient, listen))
            yield from looked_at("sockets", lambda: sockets.answer_findings(listen, self._signed(config)))
            yield from looked_at("daemon", lambda: service.door_findings(listen))
            if listen.takes and config.wikis:
                yield from looked_at("mail server", lambda: mail_server.server_findings(patient, config))
        if config.node.notes_to:
            yield from looked_at("daemon", lambda: service.notes_findings(config.node.notes_to))
        if listen.takes:
            for domain in sorted(config.verp.domains):
                yield from looked_at("mail server", lambda domain=domain: mail_server.mx_findings(domain))  # type: ignore[misc]
        if history.vitals and listen.issues:
            yield from looked_at("mail", lambda: [signs_of_life.mail_findings(vitals)])

    def _signed(self, config: Config) -> str:
        """A return path by the keys and for the first wiki of the configuration; "" if there is no wiki."""
        if not config.wikis:
            return ""
        return config.verp.issue(config.wikis[0].id, 1, "doctor@bounces.invalid", self._patient.clock())

    def _wikis(self, config: Config, history: History) -> Iterator[Finding]:
        patient = self._patient
        wanted = [wiki for wiki in config.wikis if not patient.only or wiki.id in patient.only]
        if not config.node.acts or not wanted:
            return
        examiner = Examiner(
            wiki_opener(config, patient.clock),
            patient.clock,
            history.circuits,
            lambda wiki: config.policies[wiki].central,
            history.signed if config.listen.issues else {},
            login=patient.login,
        )
        yield from _as_they_come(examiner, wanted)
        self.unfinished |= examiner.unfinished


def _as_they_come(examiner: Examiner, wikis: list[WikiConfig]) -> Iterator[Finding]:
    with asyncio.Runner() as runner:
        stream: AsyncIterator[list[Finding]] = examiner.findings(wikis)
        while True:
            try:
                yield from runner.run(_next(stream))
            except StopAsyncIteration:
                return


async def _next(stream: AsyncIterator[list[Finding]]) -> list[Finding]:
    return await anext(stream)


def looked_at(subject: str, look: Look, patience: float = PATIENCE) -> list[Finding]:
    """What *look* finds about it; a check that breaks, or has no end, does not take the others with it."""
    try:
        with within(patience):
            return about(subject, look())
    except TookTooLong as error:
        return about(subject, [unknown(str(error), "ask again; `ss -xlp` and `ss -ltnp` show who listens")])
    except Exception as error:
        return about(subject, [broken(error)])
