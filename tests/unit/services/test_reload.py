"""What may change while it runs is taken over as a whole, or not at all; every problem is told."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import structlog

from sidecar.configuration.configured import Config, FarmConfig, NodeConfig
from sidecar.domain.classify import RuleBook
from sidecar.domain.policy import Mode, Policy, Streak
from sidecar.domain.trouble import Tolerance
from sidecar.edges import rule_files
from sidecar.host import load_config
from sidecar.orders import orders_of, reader
from sidecar.services.reload import Orders, Reload
from sidecar.telemetry import Metrics
from tests.support.practice import ADDRESS, KEY, WIKI, configured

from .house import DAY, T0

GOOD = """
[[rule]]
id = "gizmo"
category = "user-unknown"
text = '\\bfrobnicated the gizmo\\b'
samples = ["5.0.0 | 550 5.0.0 zzyzx frobnicated the gizmo"]
"""
BAD = GOOD.replace('"user-unknown"', '"user-unkown"')
OTHER_WIKI = """
[[wikis]]
id = "dewiki"
api = "https://de.example.org/w/api.php"
account = "BounceBot@sidecar"
password_file = "bot.password"
"""


class Ear:
    """A service manager."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def reloading(self) -> None:
        self.heard.append("reloading")

    def reloaded(self, status: str) -> None:
        self.heard.append(status)


class Desk:
    """A configured folder, and who uses what is read of it."""

    def __init__(self, folder: Path) -> None:
        self.path = configured(folder)
        (folder / "rules.d").mkdir()
        self.rules = folder / "rules.d" / "own.toml"
        self.metrics, self.ear = Metrics(), Ear()
        config = load_config(self.path)
        self.used = [orders_of(config)]
        load = reader(lambda: load_config(self.path), config)
        self.reload = Reload(self.used[0], load, self.used.append, self.ear, self.metrics)

    def write(self, old: str, new: str) -> None:
        text = self.path.read_text()
        assert old in text
        self.path.write_text(text.replace(old, new))

    async def round(self) -> tuple[bool, list[tuple[str, object]]]:
        """Whether it is in force now, and what was said about it."""
        with structlog.testing.capture_logs() as lines:
            taken = await self.reload.round()
        return taken, [(line["event"], line.get("why")) for line in lines]

    def counted(self, result: str) -> float | None:
        return self.metrics.registry.get_sample_value("bounce_sidecar_reloads_total", {"result": result})


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    desk = Desk(tmp_path)
    yield desk
    desk.reload.close()


def ids(book: RuleBook) -> list[str]:
    return [rule.id for rule in book.rules]


async def test_all_of_it_is_read_again(desk: Desk, tmp_path: Path) -> None:
    desk.rules.write_text(GOOD)
    desk.write('mode = "enforce"', 'mode = "shadow"\nhard_bounces = 7')
    desk.write('domain = "bounces.example.org"', 'domain = "bounces.example.org"\naccept_days = 3')
    desk.write("delay_minutes = 0", "delay_minutes = 30")
    desk.path.write_text(desk.path.read_text() + OTHER_WIKI + '[log]\nlevel = "debug"\n')
    (tmp_path / "verp.keys").write_text(f"another key of thirty-two octets or more\n{KEY}\n")
    assert await desk.round() == (True, [("reloaded", None)])
    before, after = desk.used
    assert ids(after.rules) == ["gizmo", *ids(before.rules)]
    assert after.wikis.policies["dewiki"] == Policy(Streak(7), Mode.SHADOW)
    assert (after.verp.accept, after.limits.delay) == (3 * DAY, timedelta(minutes=30))
    assert after.log_level == "debug"
    path = after.verp.issue("dewiki", 7, ADDRESS, T0)
    assert after.verp.recognise(path, T0).wiki == "dewiki"
    assert (
        after.verp.recognise(before.verp.issue(WIKI, 7, ADDRESS, T0), T0).key_id
        != after.verp.recognise(path, T0).key_id
    )
    assert desk.reload.orders == after
    assert desk.ear.heard == ["reloading", ""]
    assert (desk.counted("loaded"), desk.counted("refused")) == (1, 0)
    assert desk.metrics.registry.get_sample_value("bounce_sidecar_reload_good") == 1


async def test_whether_accounts_are_central_is_read_again(desk: Desk) -> None:
    desk.write("[[wikis]]\n", "[[wikis]]\ncentral = true\n")
    assert await desk.round() == (True, [("reloaded", None)])
    assert [orders.wikis.policies[WIKI].central for orders in desk.used] == [False, True]


async def test_what_is_wrong_changes_nothing_and_all_of_it_is_told(desk: Desk, tmp_path: Path) -> None:
    desk.rules.write_text(BAD)
    desk.write('mode = "enforce"', 'mode = "on"')
    (tmp_path / "verp.keys").write_text("short\n")
    (tmp_path / "bot.password").chmod(0o644)
    taken, said = await desk.round()
    assert not taken
    assert {event for event, _ in said} == {"reload refused"}
    whys = [str(why) for _, why in said]
    for words in (
        "[policy] mode = 'on': should be 'shadow' or 'enforce'",
        "a key of 5 octets is too short",
        "others may read or write this file",
        f"{desk.rules}: rule gizmo: ",
    ):
        assert [why for why in whys if words in why], words
    assert len(desk.used) == 1
    assert desk.ear.heard == ["reloading", f"reload refused, all is as before; problems: {len(whys)}"]
    assert (desk.counted("loaded"), desk.counted("refused")) == (0, 1)
    assert desk.metrics.registry.get_sample_value("bounce_sidecar_reload_good") == 0


@pytest.mark.parametrize(
    ("content", "words"),
    [(BAD.encode(), "rule gizmo: "), (b"[[rule", "is not TOML"), (b"\xff", "cannot be read: not UTF-8")],
)
async def test_a_bad_rule_file_is_refused_with_its_reason(desk: Desk, content: bytes, words: str) -> None:
    desk.rules.write_bytes(content)
    taken, said = await desk.round()
    assert not taken
    assert all(event == "reload refused" and f"{desk.rules}" in str(why) for event, why in said)
    assert words in str(said[0][1])
    assert len(desk.used) == 1


async def test_rule_files_are_tried_in_the_order_of_their_names_and_others_are_left_alone(desk: Desk) -> None:
    folder = desk.rules.parent
    (folder / "20-late.toml").write_text(GOOD.replace('"gizmo"', '"late"'))
    (folder / "10-early.toml").write_text(
        GOOD.replace('"gizmo"', '"early"').replace("frobnicated", "defenestrated")
    )
    (folder / "20-late.toml.bak").write_text("no TOML at all")
    assert await desk.reload.round()
    assert ids(desk.used[-1].rules)[:2] == ["early", "late"]


def test_a_folder_that_is_not_there_is_no_rules_of_ones_own(tmp_path: Path) -> None:
    assert rule_files.load(tmp_path / "nowhere") == rule_files.built_in()


async def test_what_only_a_restart_changes_is_named_until_it_is_as_before(desk: Desk) -> None:
    desk.write("history.db", "other.db")
    desk.path.write_text(
        'contact = "ops@example.org"\n' + desk.path.read_text() + '[metrics]\nlisten = "127.0.0.1:9"\n'
    )
    desk.write("[sockets]", '[sockets]\nverp = "other.sock"')
    for _ in range(2):
        with structlog.testing.capture_logs() as lines:
            assert await desk.reload.round()
        [warning] = [line for line in lines if line["event"] == "restart needed"]
        assert (warning["log_level"], warning["settings"]) == (
            "warning",
            "contact, [sockets], [storage], [metrics]",
        )
    desk.write("other.db", "history.db")
    desk.write('contact = "ops@example.org"\n', "")
    desk.write('listen = "127.0.0.1:9"', "")
    desk.write('verp = "other.sock"', "")
    assert await desk.round() == (True, [("reloaded", None)])


async def test_the_bell_is_heard_and_a_bad_file_does_not_end_the_listening(desk: Desk) -> None:
    listening = asyncio.create_task(desk.reload.run())
    desk.rules.write_text(BAD)
    desk.reload.ring()
    async with asyncio.timeout(10):
        while not desk.counted("refused"):
            await asyncio.sleep(0)
        desk.rules.write_text(GOOD)
        desk.reload.ring()
        while not desk.counted("loaded"):
            await asyncio.sleep(0)
    assert ids(desk.used[-1].rules)[0] == "gizmo"
    listening.cancel()


async def test_what_cannot_be_handed_on_leaves_the_orders_as_they_were(tmp_path: Path) -> None:
    desk = Desk(tmp_path)

    def use(_: Orders) -> None:
        raise RuntimeError("a wiki's adapter is not installed")

    reload = Reload(desk.used[0], lambda: desk.used[0], use, desk.ear, desk.metrics)
    with pytest.raises(RuntimeError):
        await reload.round()
    assert reload.orders == desk.used[0]
    assert desk.ear.heard[-1].startswith("reload refused")
    reload.close()


def test_the_configuration_says_which_settings_wait_for_a_restart(tmp_path: Path) -> None:
    """Each field of the configuration either changes at a reload, or is named as one that does not."""
    config = load_config(configured(tmp_path))
    changing = {"verp", "wikis", "policies", "brake", "rules_directory", "log_level", "farm"}
    nothing = {"when_down"}  # only `mta` asks for it
    orders = orders_of(config)
    for name in set(Config.__dataclass_fields__) - changing - nothing:
        other = orders_of(replace(config, **{name: _other(getattr(config, name))}))
        assert other.fixed != orders.fixed, name


def test_of_a_farm_the_wikis_change_at_a_reload_and_where_they_are_from_waits_for_a_restart(
    tmp_path: Path,
) -> None:
    config = load_config(configured(tmp_path))
    before = FarmConfig("https://m.example.org/w/api.php", DAY, "/x.json", frozenset(), ())
    fixed = orders_of(replace(config, farm=before)).fixed
    same = replace(before, wikis=frozenset({"enwiki"}), notes=("dewiki: why",))
    assert orders_of(replace(config, farm=same)).fixed == fixed
    for other in (
        {"sitematrix": "https://n.example.org/w/api.php"},
        {"refresh": 2 * DAY},
        {"cache": "/y.json"},
    ):
        assert orders_of(replace(config, farm=replace(before, **other))).fixed != fixed  # type: ignore[arg-type]


def _other(value: object) -> object:
    if isinstance(value, str):
        return value + "x"
    if isinstance(value, timedelta):
        return value + DAY
    if isinstance(value, NodeConfig):
        return replace(value, acts=False)
    if isinstance(value, Tolerance):
        return replace(value, silence_mails=1)
    return "another" if value is None else replace(value, max_mail_bytes=1)  # type: ignore[call-arg,type-var]
