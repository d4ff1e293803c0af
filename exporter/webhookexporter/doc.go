// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool mdatagen metadata.yaml

// Package webhookexporter sends application events to a webhook, in the form that its receiver expects: event JSON, Standard Webhooks,
// CloudEvents, OTLP, messages of services, or what a template makes of them; signed where it wants to know who it was.
package webhookexporter
