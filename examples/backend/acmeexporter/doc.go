// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool mdatagen metadata.yaml

// Package acmeexporter sends application events to Acme, a product analytics vendor that does not exist. It is the worked
// example of docs/adding-a-backend.md, and is not in the otelcol-fanout binary.
package acmeexporter
