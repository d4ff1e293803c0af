// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package upstream is the only place that relies on internals of the collector, where it has no
// public API. Each file says what it relies on, and which API would replace it; a test fails if the
// collector changes that.
package upstream
