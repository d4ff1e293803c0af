#!/bin/sh
# Copyright The otelcol-fanout Authors
# SPDX-License-Identifier: Apache-2.0

# Installs what the test of the OpenTelemetry SDK for Node.js needs: the packages that package-lock.json names and,
# where apt-get can do it, Node.js itself. It does nothing, and says nothing, when all of it is there.
set -eu
cd "$(dirname "$0")"

installed=node_modules/.installed

has() { command -v "$1" >/dev/null 2>&1; }

# The SDK runs on these versions; its package.json says so under engines.
node_is_new_enough() {
  has node && node -e '
    const [major, minor] = process.versions.node.split(".").map(Number);
    const enough = (major === 18 && minor >= 19) || (major === 20 && minor >= 6) || major > 20;
    process.exit(enough ? 0 : 1);'
}

# Shows what a command printed only when it failed.
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
  echo 'the test of the Node SDK needs Node.js (18.19, 20.6 or newer) and npm: install them' >&2
  exit 1
fi
npm ci --no-audit --no-fund --loglevel=error
touch "$installed"
