// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool mdatagen metadata.yaml

// Package sentryexporter sends exceptions to Sentry as Issues, other records as its logs, and spans
// as its spans or transactions, in envelopes to the addresses that DSNs name.
//
// The way of an event:
//
//	encode.go    encoder (logs) and span.go's spanEncoder (traces) decide what an event becomes
//	             issue.go, log.go, span.go and transaction.go write its bytes
//	key.go       what the next stage needs to know of a span, which travels in delivery.Meta
//	requests.go  BuildRequests puts the bytes into envelopes, with traceheader.go and transaction.go
//	response.go  ClassifyResponse reads Sentry's answer, limits.go its rate limits
//	upgrade.go   reads the keys out of events that an earlier version has stored
package sentryexporter
