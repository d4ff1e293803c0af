// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if behavior := os.Getenv(fakeCollectorVariable); behavior != "" {
		os.Exit(fakeCollector(behavior))
	}
	goleak.VerifyTestMain(m)
}
