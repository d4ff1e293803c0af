// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool mdatagen metadata.yaml

// Package eventreceiver receives application events as JSON over HTTP, from applications without an
// OpenTelemetry SDK. Each event becomes a log record.
package eventreceiver
