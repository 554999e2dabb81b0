#!/bin/sh
# Installs what the tests need where it is missing; without the right to install, names the one line that does it and exits 2.
set -eu
missing=""
for tool in cc:build-essential gzip:gzip zstd:zstd cron:cron unshare:util-linux systemd-analyze:systemd npm:npm node:nodejs minisign:minisign openssl:openssl setpriv:util-linux; do
    command -v "${tool%%:*}" >/dev/null 2>&1 || missing="$missing ${tool##*:}"
done
command -v chromium-headless-shell >/dev/null 2>&1 || command -v chromium >/dev/null 2>&1 || missing="$missing chromium-headless-shell"
ls /usr/share/fonts/opentype/noto/NotoSansCJK* >/dev/null 2>&1 || missing="$missing fonts-noto-cjk"
ls /usr/lib/*/faketime/libfaketime.so.1 >/dev/null 2>&1 || missing="$missing libfaketime"
if [ -n "$missing" ]; then
    line="apt-get update && apt-get install -y$missing"
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
        sh -c "$line" >&2
    else
        echo "missing:$missing. Install with: sudo sh -c '$line'" >&2
        exit 2
    fi
fi
# Programs of npm, in a folder of their own: the validator of SARIF, a driver for the browser, a checker of accessibility.
node=${XDG_CACHE_HOME:-$HOME/.cache}/evenhand/node
wanted="@microsoft/sarif-multitool@5.7.0 playwright-core@1.65.1 axe-core@4.14.1"
if [ "$(cat "$node/installed" 2>/dev/null)" != "$wanted" ]; then
    mkdir -p "$node"
    # shellcheck disable=SC2086
    npm install --prefix "$node" --no-audit --no-fund $wanted >&2
    chmod u+x "$node/node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool"
    echo "$wanted" >"$node/installed"
fi
# The mail server of the tests. Unpacked, not installed: as a package it would start one for this machine.
parts="$(dirname "$0")/../target/parts"
if ! command -v chasquid >/dev/null 2>&1 && [ ! -x "$parts/usr/bin/chasquid" ]; then
    mkdir -p "$parts"
    if ! (cd "$parts" && apt-get download chasquid && dpkg -x chasquid_*.deb . && rm chasquid_*.deb) >&2; then
        echo "missing: chasquid. Put it into $parts with: apt-get update && cd $parts && apt-get download chasquid && dpkg -x chasquid_*.deb ." >&2
        exit 2
    fi
fi
if ! command -v cargo >/dev/null 2>&1; then
    echo "missing: a Rust toolchain. Install with: curl https://sh.rustup.rs -sSf | sh -s -- -y" >&2
    exit 2
fi
