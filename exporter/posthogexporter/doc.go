// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool mdatagen metadata.yaml

// Package posthogexporter sends application events to PostHog as product analytics: events, persons
// and groups, exceptions for its error tracking, and spans of language models.
//
// An event passes through these files:
//
//	encode.go, span.go       turn a log record or a span into one or more PostHog events
//	event.go                 holds the state of one such event during the phases:
//	identity.go                which event it is and whom it is about
//	properties.go              its attributes and other fields
//	context.go                 its user, session, groups, address and trace
//	close.go                   its person profile and the properties of its source
//	requests.go, v1.go       turn encoded events into requests of the batch protocol or of capture v1
//	response.go, results.go  turn a response into outcomes
//
// person.go, group.go, page.go, exception.go and ai.go each hold the parts of the phases that are
// specific to one kind of event, and do not depend on each other. For ai.go, generation.go reads a span
// by the table in dialects.go, and messages.go and indexed.go turn its prompts and outputs into messages.
// upgrade.go completes dead letters, and events encoded by earlier versions.
package posthogexporter
