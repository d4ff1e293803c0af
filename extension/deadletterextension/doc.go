// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool mdatagen metadata.yaml

// Package deadletterextension keeps the events that exporters could not deliver, as lines of JSON on disk, and hands
// them back to their exporter when it is asked to over HTTP.
package deadletterextension
