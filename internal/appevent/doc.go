// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package appevent says what an application event is: which fields it has, and where each of them lives in an
// OpenTelemetry log record or span event. Receivers write events by its names, exporters read events through
// its [Event].
package appevent
