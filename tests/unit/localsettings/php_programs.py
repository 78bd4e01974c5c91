"""Settings files made up at random, for the comparison with real PHP."""

from hypothesis import strategies as st

__all__ = ["programs"]

_NAMES = st.sampled_from(["wgA", "wgB", "wgC", "vD", "vE"])
_TEXTS = st.text(alphabet="ab \\'\"$\n{}[é1", max_size=8)
_SINGLE = _TEXTS.map(lambda text: "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'")
_DOUBLE = _TEXTS.map(
    lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$") + '"'
)
_VARIABLES = _NAMES.map(lambda name: f"${name}")
_LITERALS = st.one_of(
    st.integers(0, 2**64).map(str),
    st.integers(0, 600).map(lambda number: f"0{number:o}"),
    st.sampled_from(["true", "FALSE", "null", "1.5", "0x7f", "1_000", "[]", "array()", "M_PI", "time()"]),
    _SINGLE,
    _DOUBLE,
    _TEXTS.map(lambda text: f'"{text}"'),
    _TEXTS.map(lambda text: f"<<<EOT\n{text}\nEOT"),
    _TEXTS.map(lambda text: f"<<<'EOT'\n {text}\n EOT"),
    _VARIABLES,
    _NAMES.map(lambda name: f'"<{{${name}}}>"'),
)


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    signs = st.sampled_from([" . ", " + ", " - ", " * ", " / ", " % ", " ** ", " ?? ", " == ", " ? 1 : "])
    return st.one_of(
        st.tuples(inner, signs, inner).map("".join),
        inner.map(lambda value: f"( {value} )"),
        inner.map(lambda value: f"-{value}"),
        inner.map(lambda value: f"!{value}"),
        st.lists(inner, max_size=3).map(lambda values: f"[ {', '.join(values)} ]"),
        st.tuples(inner, inner).map(lambda pair: f"array( {pair[0]} => {pair[1]}, )"),
    )


_VALUES = st.recursive(_LITERALS, _larger, max_leaves=6)
_TARGETS = st.one_of(
    _VARIABLES,
    _NAMES.map(lambda name: f"$GLOBALS['{name}']"),
    _NAMES.map(lambda name: f"${name}[]"),
    st.tuples(_NAMES, _LITERALS).map(lambda pair: f"${pair[0]}[ {pair[1]} ]"),
)
_ASSIGNS = st.sampled_from([" = "] * 6 + [" .= ", " += ", " ??= ", " *= ", " = &$vE; //"])
_SIMPLE = st.one_of(
    st.tuples(_TARGETS, _ASSIGNS, _VALUES).map(lambda parts: "".join(parts) + ";"),
    st.tuples(_VARIABLES, _VARIABLES, _VALUES).map(lambda parts: f"{parts[0]} = {parts[1]} = {parts[2]};"),
    _VARIABLES.map(lambda variable: f"unset( {variable} );"),
    _VARIABLES.map(lambda variable: f"{variable}++;"),
    _VARIABLES.map(lambda variable: f"settype( {variable}, 'string' );"),
    _NAMES.map(lambda name: f"function () {{ global ${name}; ${name} = 'later'; }};"),
    st.tuples(_NAMES, _NAMES).map(lambda pair: f"[ '{pair[0]}' => &${pair[0]} ] = ${pair[1]};"),
    st.sampled_from(["# it's\r$wgA = 'after a lone CR';", "/* \" */ $wgB = 'b';", "?> it's <?php $vD = 2;"]),
    st.sampled_from(["# comment", "/* $wgA = 1; */", "?>text<?php", "wfLoadExtension( 'X' );", "{", "}"][:4]),
)


def _wrapped(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    several = st.lists(inner, max_size=3).map("\n".join)
    return st.one_of(
        several.map(lambda body: f"{{\n{body}\n}}"),
        st.tuples(_VALUES, several).map(lambda parts: f"if ( {parts[0]} ) {{\n{parts[1]}\n}}"),
        st.tuples(_VALUES, several, several).map(
            lambda parts: f"if ( {parts[0]} ):\n{parts[1]}\nelse:\n{parts[2]}\nendif;"
        ),
        st.tuples(_NAMES, several).map(lambda parts: f"foreach ( [ 1 ] as ${parts[0]} ) {{\n{parts[1]}\n}}"),
        st.tuples(_NAMES, several).map(
            lambda parts: f"foreach ( [ 1 ] as &${parts[0]} ) {{\n{parts[1]}\n}} ${parts[0]} = 2;"
        ),
        several.map(lambda body: f"switch ( 1 ) {{ case 1:\n{body}\nbreak; }}"),
    )


_STATEMENTS = st.recursive(_SIMPLE, _wrapped, max_leaves=6)
#: Files that PHP may run or refuse.
programs = st.lists(_STATEMENTS, min_size=1, max_size=12).map(
    lambda lines: "<?php\n" + "\n".join(lines) + "\n"
)
