#!/bin/sh
# The Debian package of this checkout, built with Debian's tools into the folder $1. Wants what deploy/debian/control
# names under Build-Depends, and a way for pip to fetch libraries by name.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$1"
there=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 022
mkdir "$work/tree"
tar -C "$here" --exclude=__pycache__ -cf - CHANGELOG.md LICENSE README.md pyproject.toml deploy docs sidecar \
    wiki_adapter fixtures/bounces fixtures/scenarios | tar -C "$work/tree" -xf - --no-same-owner
mv "$work/tree/deploy/debian" "$work/tree/debian"
cd "$work/tree"
dpkg-buildpackage --build=binary --no-sign
mv "$work"/*.deb "$work"/*.buildinfo "$work"/*.changes "$there"
