#!/bin/sh
# Copyright The otelcol-fanout Authors
# SPDX-License-Identifier: Apache-2.0

# Installs what the tests with Node.js need: the packages in package-lock.json, and Node.js itself if
# apt-get can install it. It does nothing if everything is installed.
set -eu
cd "$(dirname "$0")"

installed=node_modules/.installed

has() { command -v "$1" >/dev/null 2>&1; }

# The SDK requires these versions, according to engines in its package.json.
node_is_new_enough() {
  has node && node -e '
    const [major, minor] = process.versions.node.split(".").map(Number);
    const enough = (major === 18 && minor >= 19) || (major === 20 && minor >= 6) || major > 20;
    process.exit(enough ? 0 : 1);'
}

# Shows a command's output only if it fails.
quietly() {
  printed=$("$@" 2>&1 </dev/null) || {
    status=$?
    printf '%s\n' "$printed" >&2
    return "$status"
  }
}

install_node() {
  quietly apt-get update &&
    quietly env DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends nodejs npm
}

if node_is_new_enough && [ -e "$installed" ] && [ -z "$(find package-lock.json -newer "$installed")" ]; then
  exit 0
fi
if ! { has node && has npm; } && has apt-get && [ "$(id -u)" = 0 ]; then
  install_node || true
fi
if ! node_is_new_enough || ! has npm; then
  echo 'the tests need Node.js (18.19, 20.6 or newer) and npm: install them' >&2
  exit 1
fi
npm ci --no-audit --no-fund --loglevel=error
touch "$installed"
