// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool mdatagen metadata.yaml

// Package acmeexporter sends application events to Acme, a fictitious product analytics vendor. It
// is the worked example of docs/adding-a-backend.md and not part of the otelcol-fanout binary.
package acmeexporter
