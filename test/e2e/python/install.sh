#!/bin/sh
# Copyright The otelcol-fanout Authors
# SPDX-License-Identifier: Apache-2.0

# Installs the packages in requirements.txt into the folder .venv. It does nothing if they are installed.
set -eu
cd "$(dirname "$0")"

installed=.venv/.installed
if [ -e "$installed" ] && [ -z "$(find requirements.txt -newer "$installed")" ]; then
  exit 0
fi
if ! command -v python3 >/dev/null 2>&1; then
  echo 'the tests need Python 3 with venv and pip: install them' >&2
  exit 1
fi
python3 -m venv .venv
.venv/bin/pip install --quiet --disable-pip-version-check --requirement requirements.txt
touch "$installed"
