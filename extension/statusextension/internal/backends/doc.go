// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package backends remembers what exporters and fanout connectors report: the state of each
// backend, its counts, and its last events. [Registry] takes the reports, and answers questions
// about them.
//
// An exporter reports to a feed. The feeds of one id, one for each signal, share a backend, whose
// mutex a report locks once for a whole batch. A report passes through these files:
//
//	feed.go                   takes it
//	ring.go, entry.go         remember events; text.go and payload.go bound their memory
//	chunk.go                  puts off the work on events that are delivered, until somebody asks
//	counts.go, series.go      count events
//	responsetime.go, state.go follow the requests
//
// And these answer questions:
//
//	snapshot.go, waiting.go   on backends
//	find.go, subscription.go  on events; redact.go hides the secrets of their payloads
//	pause.go                  pauses and resumes, and remembers it
package backends
