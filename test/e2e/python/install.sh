#!/bin/sh
# Copyright The otelcol-fanout Authors
# SPDX-License-Identifier: Apache-2.0

# Installs the packages in requirements.txt into the folder .venv, and Python itself if apt-get can
# install it. It does nothing if everything is installed.
set -eu
cd "$(dirname "$0")"

installed=.venv/.installed
if [ -e "$installed" ] && [ -z "$(find requirements.txt -newer "$installed")" ]; then
  exit 0
fi

has_python() { python3 -c 'import ensurepip, venv' >/dev/null 2>&1; }

if ! has_python && command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
  printed=$( (apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends python3 python3-venv) 2>&1 </dev/null) ||
    printf '%s\n' "$printed" >&2
fi
if ! has_python; then
  echo 'the tests need Python 3 with venv and pip: install them' >&2
  exit 1
fi
python3 -m venv .venv
.venv/bin/pip install --quiet --disable-pip-version-check --requirement requirements.txt
touch "$installed"
