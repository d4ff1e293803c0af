// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool mdatagen metadata.yaml

// Package deadletterextension keeps the events that exporters could not deliver as JSON lines on
// disk, and replays them to their exporter on request over HTTP.
package deadletterextension
