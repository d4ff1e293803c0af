#!/bin/bash
# Copyright The otelcol-fanout Authors
# SPDX-License-Identifier: Apache-2.0

# Regenerates the texts of testdata with the installed runtimes: generate.sh [language...]. README.md
# lists the versions used. The programs run in /tmp/shop, so that paths are the same on all machines.
set -euo pipefail
cd "$(dirname "$0")"
here=$PWD
shop=/tmp/shop

java_() {
  cp "$here"/java/src/*.java . && javac -d . ./*.java && java -cp . com.acme.shop.Shop "$here/java"
}

python_() {
  cp "$here/python/src/shop.py" .
  python3.11 shop.py "$here/python"
  python3.13 shop.py "$here/python" _3.13 plain,multiline_expression,task_group
  python3.8 shop.py "$here/python" _3.8 plain,context,syntax_error
}

javascript_() {
  cp "$here"/javascript/src/* .
  npm install --no-audit --no-fund --silent express@4 @opentelemetry/api@1 @opentelemetry/sdk-trace-base@2
  node shop.js "$here/javascript"
  node uncaught.js 2>"$here/javascript/uncaught.txt" || true
  for browser in chromium firefox; do
    node browser.js "$browser" "$here/javascript"
  done
}

go_() {
  mkdir cart && cp "$here/go/src/cart.go" cart/ && cp "$here/go/src/main.go" .
  sed 's/^module .*/module shop/' "$(cd "$here" && go env GOMOD)" >go.mod
  cp "$(dirname "$(cd "$here" && go env GOMOD)")/go.sum" .
  go build -mod=mod -o shop . && ./shop "$here/go"
}

dotnet_() {
  cp "$here/dotnet/src/Shop.cs" . && mcs -debug Shop.cs && mono --debug Shop.exe "$here/dotnet"
}

php_() {
  cp "$here"/php/src/*.php . && php shop.php "$here/php"
  php -d display_errors=stderr -d html_errors=0 uncaught.php 2>"$here/php/uncaught.txt" || true
}

ruby_() {
  cp "$here/ruby/src/shop.rb" . && ruby shop.rb "$here/ruby"
}

rust_() {
  mkdir src && cp "$here/rust/src/shop.rs" src/ && rustc -g src/shop.rs -o shop
  for how in panic thread; do
    RUST_BACKTRACE=1 ./shop $how 2>"$here/rust/$how.txt" || true
  done
  ./shop backtrace >"$here/rust/backtrace.txt"
  RUST_BACKTRACE=full ./shop panic 2>"$here/rust/panic_full.txt" || true
  rustc -O src/shop.rs -o shop
  RUST_BACKTRACE=1 ./shop panic 2>"$here/rust/panic_without_symbols.txt" || true
}

elixir_() {
  cp "$here"/elixir/src/* . && elixir shop.exs "$here/elixir"
  erlc shop.erl && erl -noshell -run shop main "$here/elixir" -s init stop
}

for language in "${@:-java python javascript go dotnet php ruby rust elixir}"; do
  for one in $language; do
    rm -rf "$shop" && mkdir -p "$shop"
    (cd "$shop" && "${one}_")
  done
done
rm -rf "$shop"
