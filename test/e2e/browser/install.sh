#!/bin/sh
# Copyright The otelcol-fanout Authors
# SPDX-License-Identifier: Apache-2.0

# Installs Chromium if apt-get can. It does nothing if a browser is installed.
set -eu

if command -v chromium >/dev/null 2>&1; then
  exit 0
fi
if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
  printed=$( (apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends chromium) 2>&1 </dev/null) ||
    printf '%s\n' "$printed" >&2
fi
if ! command -v chromium >/dev/null 2>&1; then
  echo 'the test of browsers needs chromium: install it' >&2
  exit 1
fi
