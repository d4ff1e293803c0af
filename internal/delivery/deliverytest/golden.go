// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deliverytest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// Golden reads each testdata/<name>/input.json, OTLP JSON, and compares the result of text with the
// file named want beside it, such as want.http. With update, the package's -update flag, it writes
// that file instead. Each case is a subtest.
func Golden[Data Signal](t *testing.T, want string, update bool, text func(t *testing.T, name string, input Data) string) {
	t.Helper()
	inputs, err := filepath.Glob("testdata/*/input.json")
	require.NoError(t, err)
	require.NotEmpty(t, inputs)
	for _, input := range inputs {
		dir := filepath.Dir(input)
		t.Run(filepath.Base(dir), func(t *testing.T) {
			raw, err := os.ReadFile(input)
			require.NoError(t, err)
			got := text(t, filepath.Base(dir), unmarshal[Data](t, raw))
			file := filepath.Join(dir, want)
			if update {
				require.NoError(t, os.WriteFile(file, []byte(got), 0o600))
			}
			wanted, err := os.ReadFile(file)
			require.NoError(t, err, "go test with -update writes it")
			assert.Equal(t, string(wanted), got)
		})
	}
}

func unmarshal[Data Signal](t *testing.T, raw []byte) (input Data) {
	t.Helper()
	var err error
	switch to := any(&input).(type) {
	case *plog.Logs:
		*to, err = (&plog.JSONUnmarshaler{}).UnmarshalLogs(raw)
	case *ptrace.Traces:
		*to, err = (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(raw)
	}
	require.NoError(t, err)
	return input
}
