// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool mdatagen metadata.yaml

// Package posthogexporter sends application events to PostHog as product analytics: events, persons and groups, exceptions for
// its error tracking, and spans of language models.
//
// The way of an event:
//
//	encode.go, span.go        a log record or a span becomes one event of PostHog's, or several
//	capture.go                the fields that all events have; identity.go finds the distinct id, uuid.go makes the uuid
//	source.go                 the properties that all events of one resource have, encoded once
//	person.go, page.go, exception.go, frames.go, ai.go, content.go    the special events
//	requests.go, v1.go        encoded events become requests of the batch protocol or of capture v1; tries.go numbers their retries
//	response.go, results.go   a response of either becomes outcomes; quota.go knows what a billing limit is for
//
// upgrade.go completes events that an earlier version has encoded.
package posthogexporter
