"""The scripts for mail servers: what stands in them, and what is refused rather than written."""

import subprocess
from dataclasses import replace
from pathlib import PurePath

import pytest

from sidecar.mta import exim, postfix
from sidecar.mta.script import comment, written
from sidecar.mta.site import Door, Site, Unsuitable, WhenDown
from tests.unit.mta.sites import SITE

EXIM_SITE = replace(SITE, mta_group="Debian-exim")
SCRIPTS = {
    **{f"postfix-{door}": postfix.script(SITE, door) for door in Door},
    **{f"exim-{door}": exim.script(EXIM_SITE, door) for door in Door},
    **{f"unsplit-{door}": exim.script(EXIM_SITE, door, split=False) for door in Door},
}


def problems(site: Site, door: Door = Door.LMTP, *, of: object = postfix) -> list[str]:
    with pytest.raises(Unsuitable) as unsuitable:
        (postfix if of is postfix else exim).script(site, door)
    return unsuitable.value.problems


@pytest.mark.parametrize("name", SCRIPTS)
def test_every_script_is_shell_and_says_where_it_comes_from(name: str) -> None:
    text = SCRIPTS[name]
    assert subprocess.run(["sh", "-n"], input=text, text=True, capture_output=True).stderr == ""
    kind, _, door = name.partition("-")
    option = " --unsplit" if kind == "unsplit" else ""
    program = "postfix" if kind == "postfix" else "exim"
    first = f"`mta {program} --door {door}{option}`"
    assert first in " ".join(text[:400].replace("\n# ", " ").split())
    assert text.splitlines()[0] == "#!/bin/sh"
    assert all(line == line.rstrip() for line in text.splitlines())


@pytest.mark.parametrize("name", SCRIPTS)
def test_all_domains_of_the_site_are_in_it_and_only_they(name: str) -> None:
    site = replace(
        SITE if name.startswith("postfix") else EXIM_SITE, domains=("a.example", "xn--nxa.example")
    )
    door = Door(name.rpartition("-")[2])
    made = postfix.script(site, door) if name.startswith("postfix") else exim.script(site, door)
    assert "a.example" in made
    assert "xn--nxa.example" in made
    assert "bounces.example.org" not in made


def test_the_socket_is_named_as_the_chroot_sees_it() -> None:
    assert "bounce-sidecar:unix:bounce-sidecar/lmtp.sock" in SCRIPTS["postfix-lmtp"]
    assert "{ unix:bounce-sidecar/policy.sock, timeout=3s," in SCRIPTS["postfix-lmtp"]


@pytest.mark.parametrize(
    ("when_down", "in_postfix", "in_exim"),
    [
        (WhenDown.DEFER, "default_action = DEFER 4.3.0", "{2s}{}{action=DEFER}}"),
        (WhenDown.ACCEPT, "default_action = DUNNO }", "{2s}{}{action=DUNNO}}"),
        (WhenDown.ACCEPT, "default_action = DUNNO }", r"{\N^(action=DUNNO\b|$)\N}"),
    ],
)
def test_when_down_decides_what_silence_means(when_down: WhenDown, in_postfix: str, in_exim: str) -> None:
    assert in_postfix in postfix.script(replace(SITE, when_down=when_down), Door.LMTP)
    assert in_exim in exim.script(replace(EXIM_SITE, when_down=when_down), Door.LMTP)


def test_no_door_lets_a_shell_or_a_mail_server_touch_the_recipient() -> None:
    assert "--sender ${sender} -- ${recipient}'" in SCRIPTS["postfix-pipe"]
    assert "/hand-over ${sender} ${recipient}'" in SCRIPTS["postfix-http"]
    for name in ("postfix-http", "exim-http", "unsplit-http"):
        assert '--url-query "recipient=$RECIPIENT"' in SCRIPTS[name]
        assert "|| exit 75" in SCRIPTS[name]
        assert "--fail " in SCRIPTS[name]
    for name in ("exim-pipe", "exim-http"):
        transport = SCRIPTS[name].partition("driver = pipe")[2].partition("END-OF-FILE")[0]
        assert "local_part" not in transport
        for safety in ("temp_errors = *", "timeout_defer", "freeze_signal"):
            assert f"\n  {safety}\n" in transport


def test_the_token_is_read_when_a_bounce_comes_and_stands_in_no_script() -> None:
    assert "token=$(cat /etc/bounce-sidecar/http.token) || exit 75" in SCRIPTS["postfix-http"]


def test_an_address_of_ipv6_stands_in_brackets() -> None:
    assert "http://[::1]:8025/bounces" in postfix.script(replace(SITE, http=("::1", 8025)), Door.HTTP)


def test_sockets_outside_the_chroot_are_refused_with_the_settings_to_change() -> None:
    outside = PurePath("/run/bounce-sidecar")
    site = replace(SITE, lmtp=outside / "lmtp.sock", policy=outside / "policy.sock", mta_group="")
    found = problems(site)
    assert len(found) == 3
    for name, problem in zip(("policy", "lmtp"), found, strict=False):
        assert problem.startswith(f"[sockets] {name}: ")
        assert 'mta_directory = "/var/spool/postfix/bounce-sidecar"' in problem
    assert 'set mta_group = "postfix"' in found[2]


def test_the_pipe_needs_only_the_policy_socket_in_the_chroot() -> None:
    site = replace(SITE, lmtp=PurePath("/run/bounce-sidecar/lmtp.sock"))
    assert "--socket /run/bounce-sidecar/lmtp.sock" in postfix.script(site, Door.PIPE)


@pytest.mark.parametrize("folder", ["/var/spool/postfix", "/var/spool/postfix/private"])
def test_postfixs_own_folders_are_left_alone(folder: str) -> None:
    (problem,) = problems(replace(SITE, lmtp=PurePath(folder) / "lmtp.sock"))
    assert "is Postfix's own folder" in problem


def test_another_queue_directory_is_taken_as_it_is() -> None:
    folder = PurePath("/srv/postfix/q")
    site = replace(SITE, lmtp=folder / "s/l.sock", policy=folder / "s/p.sock")
    assert "unix:s/l.sock" in postfix.script(site, Door.LMTP, folder)


@pytest.mark.parametrize(
    "path",
    [
        "/run/a b/l.sock",
        "/run/$(x)/l.sock",
        "/run/{x}/l.sock",
        "/run/x'y/l.sock",
        "/run/a\nb/l",
        "l.sock",
        "/run/ü/l",
    ],
)
@pytest.mark.parametrize("of", [postfix, exim])
def test_a_path_that_some_program_would_read_otherwise_is_refused(path: str, of: object) -> None:
    site = replace(SITE if of is postfix else EXIM_SITE, lmtp=PurePath(path))
    assert problems(site, of=of)[0].startswith("[sockets] lmtp: ")


@pytest.mark.parametrize("domain", ["a b", "x}{", "a;rm", "a'b", "*", "a..b", ""])
def test_a_domain_that_is_none_is_refused(domain: str) -> None:
    assert problems(replace(SITE, domains=(domain,)))[0].startswith("[verp] domain: ")


@pytest.mark.parametrize(
    ("changes", "words"),
    [({"http": None}, "set [http] listen"), ({"token_file": None}, "set [http] token_file")],
)
def test_the_http_door_needs_a_listener_and_a_token(changes: dict[str, None], words: str) -> None:
    (problem,) = problems(replace(SITE, **changes), Door.HTTP)
    assert words in problem


def test_exim_needs_a_group_and_a_path_with_room() -> None:
    assert 'mta_group = "Debian-exim"' in problems(replace(SITE, mta_group=""), of=exim)[0]
    long = PurePath("/run") / ("x" * 70) / "policy.sock"
    assert "too long for Exim" in problems(replace(EXIM_SITE, policy=long), of=exim)[0]


def test_a_configuration_s_name_cannot_leave_the_comment() -> None:
    site = replace(SITE, configuration="/etc/x\nrm -rf /")
    assert not [line for line in postfix.script(site, Door.LMTP).splitlines() if line.startswith("rm")]


def test_a_comment_is_wrapped_and_parted() -> None:
    assert comment("one\n   two\n\nthree") == "# one two\n#\n# three"


def test_what_is_written_arrives_byte_by_byte(tmp_path: object) -> None:
    path = f"{tmp_path}/a file"
    content = "$x `y` \\ 'z' \"\n"
    subprocess.run(["sh", "-e"], input=written(path, content, "600"), text=True, check=True)
    with open(path) as file:
        assert file.read() == content
