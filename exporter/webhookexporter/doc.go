// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool mdatagen metadata.yaml

// Package webhookexporter sends application events to a webhook as JSON over HTTP: one request an event, or
// arrays of events.
package webhookexporter
