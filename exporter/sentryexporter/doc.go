// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool mdatagen metadata.yaml

// Package sentryexporter sends exceptions to Sentry as Issues, other records as its logs, and spans
// as its spans or transactions, in envelopes to the addresses that DSNs name.
//
// The way of an event:
//
//	encode.go, encode_spans.go  the encoders decide what an event becomes
//	issue.go, log.go, span.go,  make an issue, a logItem or a spanItem of it, which then passes
//	transaction.go              through the phases that write its bytes, in order
//	key.go                      what the next stage needs to know of a span, in delivery.Meta
//	requests.go, forest.go      BuildRequests puts the bytes into envelopes and transactions
//	response.go, limits.go      ClassifyResponse reads Sentry's answer and its rate limits
//	upgrade.go                  reads the keys out of events that an earlier version has stored
//
// The kinds of items know nothing of each other. All use source.go, values.go and json.go; logs
// and spans use typed.go too.
package sentryexporter
