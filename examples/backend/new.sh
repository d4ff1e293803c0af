#!/bin/sh
# Copyright The otelcol-fanout Authors
# SPDX-License-Identifier: Apache-2.0

# Copies the example exporter to exporter/NAMEexporter, and renames everything in it:
#
#   examples/backend/new.sh beacon
set -eu
cd "$(dirname "$0")/../.."

name=${1:-}
case $name in
  "" | [!a-z]* | *[!a-z0-9]*)
    echo "NAME: \"$name\" is not a name for a Go package; write lower-case letters and digits, such as NAME=beacon" >&2
    exit 1
    ;;
esac
folder=exporter/${name}exporter
if [ -e "$folder" ]; then
  echo "$folder exists; choose another NAME, or remove it" >&2
  exit 1
fi

title=$(printf %s "$name" | cut -c1 | tr '[:lower:]' '[:upper:]')$(printf %s "$name" | cut -c2-)
upper=$(printf %s "$name" | tr '[:lower:]' '[:upper:]')

cp -R examples/backend/acmeexporter "$folder"
mv "$folder/acme_test.go" "$folder/${name}_test.go"
find "$folder" -type f -exec perl -pi -e "
  s|examples/backend/acmeexporter|$folder|g;
  s|\\.\\./\\.\\./\\.\\./|../../|g if \$ARGV =~ /\\.md\$/;
  s/acme/$name/g; s/Acme/$title/g; s/ACME/$upper/g" {} +
gofmt -w "$folder"
echo "$folder is a copy for $title; docs/adding-a-backend.md says what to change in it"
