#!/bin/sh
# Install the Debian packages that are named, or all that the tests need; nothing if they are there.
# MediaWiki, Postfix and Exim are not installed: the tests unpack their packages into a private folder,
# or install them into a private root that is laid over this machine's (debian_root.py).
set -eu
wanted="${*:-php-cli php-sqlite3 php-mbstring php-intl php-xml php-curl libsisimai-perl chromium chromium-driver fonts-dejavu-core gcc libc6-dev}"
# npm fetches axe-core; whoever has it from elsewhere keeps it.
[ $# -gt 0 ] || command -v npm >/dev/null || wanted="$wanted npm"
missing=""
for package in $wanted; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
[ -z "$missing" ] && exit 0
if [ "$(id -u)" -ne 0 ]; then
    echo "Not installed, for that needs root:$missing" >&2
    echo "What needs them is left out, and says so; or: sudo apt-get install$missing" >&2
    exit 0
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -q
# shellcheck disable=SC2086
apt-get install -qy --no-install-recommends $missing
