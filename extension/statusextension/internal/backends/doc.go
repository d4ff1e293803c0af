// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package backends remembers what exporters and fanout connectors report: the state of each
// backend, its counts, and its last events. [Registry] takes the reports, and answers questions
// about them.
//
// An exporter reports to a [feed]. The feeds of one id, one for each signal, share a [backend],
// whose mutex a report locks once for a whole batch.
package backends
