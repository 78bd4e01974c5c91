"""Real PHP, to say what a settings file sets: what our reader says is compared with that.

Knows how to ask it about many files at once. Does not know our reader.
"""

import base64
import json
import struct
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

__all__ = ["FATAL", "Php"]

#: What the file set, or that PHP did not run it.
FATAL = object()

SCRIPT = r"""<?php
error_reporting( 0 );
function wfLoadExtension( ...$all ) {}
function wfLoadExtensions( ...$all ) {}
function wfLoadSkin( ...$all ) {}
define( 'MEDIAWIKI', true );
function told_( $v ) {
    if ( is_string( $v ) ) { return [ 's', base64_encode( $v ) ]; }
    if ( is_float( $v ) ) { return [ 'f', base64_encode( pack( 'E', $v ) ) ]; }
    if ( is_array( $v ) ) {
        return [ 'a', array_map( fn ( $k ) => [ told_( $k ), told_( $v[$k] ) ], array_keys( $v ) ) ];
    }
    return [ 'v', $v ];
}
$files_ = array_slice( $argv, 1 );
foreach ( $files_ as $file_ ) {
    foreach ( array_keys( $GLOBALS ) as $name_ ) {
        if ( preg_match( '/^(wg|v)/', $name_ ) ) { unset( $GLOBALS[$name_] ); }
    }
    $result_ = [];
    ob_start();
    try { include $file_; } catch ( \Throwable $error_ ) { $result_ = null; }
    ob_end_clean();
    if ( $result_ !== null ) {
        foreach ( $GLOBALS as $name_ => $value_ ) {
            if ( preg_match( '/^(wg|v)/', $name_ ) ) {
                $result_[] = [ base64_encode( $name_ ), told_( $value_ ) ];
            }
        }
    }
    echo json_encode( $result_ ), "\n";
}
"""


class Php:
    """The PHP of this machine."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._script = folder / "say.php"
        self._script.write_text(SCRIPT)

    def run(self, sources: Sequence[bytes]) -> list[Any]:
        """What each file sets, by the variable's name; FATAL if PHP ends with an error."""
        files = []
        for number, source in enumerate(sources):
            files.append(self._folder / f"{number}.php")
            files[-1].write_bytes(source)
        found: list[Any] = []
        while len(found) < len(files):
            command = ["php", "-n", str(self._script), *map(str, files[len(found) :])]
            said = subprocess.run(command, capture_output=True, timeout=60).stdout
            found += [
                _variables(json.loads(line)) for line in said.splitlines() if line.startswith((b"[", b"n"))
            ]
            if len(found) < len(files):  # what cannot even be compiled ends it all
                found.append(FATAL)
        return found


def _variables(told: Any) -> Any:
    if told is None:
        return FATAL
    return {base64.b64decode(name): _value(value) for name, value in told}


def _value(told: Any) -> Any:
    kind, inner = told
    if kind == "s":
        return base64.b64decode(inner)
    if kind == "f":
        return struct.unpack(">d", base64.b64decode(inner))[0]
    if kind == "a":
        return {_value(key): _value(value) for key, value in inner}
    return inner
