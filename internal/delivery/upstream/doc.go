// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package upstream is the one place that relies on the collector's insides, where it has no public
// API. Each file says what it relies on, and what API would replace it; its test fails when the
// collector changes that.
package upstream
