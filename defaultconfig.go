// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package otelcolfanout holds the files that the module ships in addition to its code.
package otelcolfanout

import _ "embed"

// DefaultConfig is config.yaml, which the binary runs when it is started without --config.
//
//go:embed config.yaml
var DefaultConfig string
