// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

//go:generate go tool mdatagen metadata.yaml

// Package memoryguardextension is server middleware that refuses requests before they are decoded
// while memory is short, in a way that makes clients send them again.
package memoryguardextension
