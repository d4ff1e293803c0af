// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool mdatagen metadata.yaml

// Package posthogexporter sends application events to PostHog as product analytics: events, persons and groups, exceptions for
// its error tracking, and spans of language models.
//
// An event is encoded by encoder (logs) or spanEncoder (traces). capture.go writes what all events of PostHog's have in common,
// identity.go finds whom one is about, and person.go, page.go, exception.go and ai.go write the special ones. frame.go makes
// requests of the batch protocol and v1.go those of capture v1; answer.go and results.go read what PostHog says.
package posthogexporter
