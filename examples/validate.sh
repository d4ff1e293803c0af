#!/bin/sh
# Copyright The otelcol-fanout Authors
# SPDX-License-Identifier: Apache-2.0

# Checks configurations without starting anything and without secrets, for CI. The exit status is 1 if one
# of them has a mistake.
#
#   BINARY=bin/otelcol-fanout examples/validate.sh my.yaml other.yaml
set -u

# The variables that the configurations read. Values of the right form are enough.
export SENTRY_DSN="${SENTRY_DSN:-https://key@o0.ingest.sentry.io/0}"
export POSTHOG_API_KEY="${POSTHOG_API_KEY:-phc_placeholder_of_the_validation}"
export WEBHOOK_URL="${WEBHOOK_URL:-https://example.com/hook}"

failed=0
for configuration in "$@"; do
  if "${BINARY:-bin/otelcol-fanout}" validate --config "$configuration"; then
    echo "$configuration is valid"
  else
    failed=1
  fi
done
exit "$failed"
