// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool mdatagen metadata.yaml

// Package sentryexporter sends exceptions to Sentry as Issues, other records as its logs, and spans as its spans or
// transactions, in envelopes to the addresses that DSNs name.
//
// An event is encoded by encoder (logs) or spanEncoder (traces); the files issue.go, log.go, span.go and transaction.go write the
// items, frame.go the envelopes around them, answer.go reads what Sentry says.
package sentryexporter
