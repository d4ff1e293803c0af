// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool mdatagen metadata.yaml

// Package otlprepairextension is server middleware that repairs single bad values in OTLP JSON, so
// that they do not cost the other events of the request.
package otlprepairextension
