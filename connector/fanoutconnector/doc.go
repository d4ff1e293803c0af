// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool mdatagen metadata.yaml

// Package fanoutconnector says by a table which events go to which pipelines. What one pipeline refuses is kept from the
// others and, unless the pipeline is listed under sync, from the caller.
package fanoutconnector
