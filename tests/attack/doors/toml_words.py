"""What breaks readers of TOML: numbers, depth, dates, escapes. Words for fuzzers."""

__all__ = ["TOML_WORDS"]

TOML_WORDS = (
    *(
        b"[" * 2000,
        b"{a=" * 2000,
        b"a." * 2000,
        b"9" * 5000,
        b"-1",
        b"0x7fffffffffffffffffff",
        b"1e999",
        b"nan",
    ),
    *(
        b"-inf",
        b"true",
        b'""',
        b"''",
        b"[]",
        b"{}",
        b"[[]]",
        b"9999-12-31T23:59:59-23:59",
        b"0001-01-01",
        b"1e5",
    ),
    *(
        rb'"\u0000"',
        rb'"\U0010ffff"',
        rb'"\u2028"',
        rb'"\u001b[2J"',
        rb'"\r\n"',
        b'"""',
        b"'''",
        b"\n",
        b"=",
        b"#",
    ),
    *(b"\xef\xbb\xbf", b"\x00", b"\x1b[2J", b"\xe2\x80\xae", b"\xff", b"\r", b"../../", b"/dev/zero", b"_"),
)
