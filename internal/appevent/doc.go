// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package appevent defines an application event: its fields, and where each of them lives in an
// OpenTelemetry log record or span event. Receivers write events with its attribute names;
// exporters read them through [Event].
package appevent
