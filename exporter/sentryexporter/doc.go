// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool mdatagen metadata.yaml

// Package sentryexporter sends exceptions to Sentry as Issues, other records as logs, and spans as
// spans or transactions. It sends envelopes to the projects that the DSNs name.
//
// An event passes through these files:
//
//	encode.go, encode_spans.go  the encoders decide what an event becomes
//	issue.go, log.go, span.go,  read it into an issue, a logItem or a spanItem, and write that
//	transaction.go              phase by phase
//	key.go                      what BuildRequests needs to know about a span, in delivery.Meta
//	requests.go, forest.go      BuildRequests puts the bytes into envelopes and transactions
//	response.go, limits.go      ClassifyResponse reads Sentry's response and its rate limits
//	upgrade.go                  adds keys to events without one
//
// Issues, logs, spans and transactions do not use each other. All use source.go, values.go and
// json.go; logs and spans also use typed.go.
package sentryexporter
