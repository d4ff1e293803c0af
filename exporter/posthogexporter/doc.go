// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool mdatagen metadata.yaml

// Package posthogexporter sends application events to PostHog as product analytics: events, persons
// and groups, exceptions for its error tracking, and spans of language models.
//
// The way of an event:
//
//	encode.go, span.go    a log record or a span becomes one or several PostHog events
//	event.go              what is known of one such event, on its way through the phases:
//	identity.go             which event it is and whom it is about
//	properties.go           its attributes and other fields
//	context.go              its user, session, groups, address and trace
//	close.go                its profile, and the properties of its resource
//	requests.go, v1.go    encoded events become requests of the batch protocol or of capture v1
//	response.go           a response of either becomes outcomes
//
// Each kind of event has its part of the phases in a file: person.go, group.go, page.go,
// exception.go and ai.go. These know nothing of each other. upgrade.go completes events that an
// earlier version has encoded.
package posthogexporter
