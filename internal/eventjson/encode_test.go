// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventjson

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

// encodeOne encodes the event of one record that set has filled.
func encodeOne(t *testing.T, set func(plog.ScopeLogs, plog.LogRecord)) string {
	t.Helper()
	ld := plog.NewLogs()
	sl := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty()
	record := sl.LogRecords().AppendEmpty()
	record.SetEventName("x")
	record.Attributes().PutStr(appevent.AttrID, "e1")
	set(sl, record)
	var enc Encoder
	for e := range appevent.Logs(ld) {
		return string(enc.Append(nil, e))
	}
	return ""
}

func TestMeaninglessValuesAreOmitted(t *testing.T) {
	for name, tt := range map[string]struct {
		set  func(plog.ScopeLogs, plog.LogRecord)
		want string
	}{
		"reserved attributes of the scope": {
			func(sl plog.ScopeLogs, _ plog.LogRecord) {
				sl.Scope().Attributes().PutStr("fanout.secret", "v")
				sl.Scope().Attributes().PutInt("a", 1)
			},
			`{"id":"e1","name":"x","scope":{"attributes":{"a":1}}}`,
		},
		"a time after 2262": {
			func(_ plog.ScopeLogs, r plog.LogRecord) { r.SetTimestamp(math.MaxInt64 + 1) }, `{"id":"e1","name":"x"}`,
		},
		"group keys that are not strings": {
			func(_ plog.ScopeLogs, r plog.LogRecord) {
				m := r.Attributes().PutEmptyMap(appevent.AttrGroups)
				m.PutEmptyMap("company")
				m.PutStr("team", "t1")
			},
			`{"id":"e1","name":"x","groups":{"team":"t1"}}`,
		},
		"destinations that are not bools": {
			func(_ plog.ScopeLogs, r plog.LogRecord) {
				r.Attributes().PutEmptyMap(appevent.AttrDestinations).PutStr("sentry", "no")
			},
			`{"id":"e1","name":"x"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := encodeOne(t, tt.set)
			assert.Equal(t, tt.want, got)
			result, err := NewDecoder(1).Decode([]byte(got), received)
			require.NoError(t, err)
			assert.Empty(t, result.Rejected)
		})
	}
}

func TestValueTypesAreBounded(t *testing.T) {
	got := encodeOne(t, func(_ plog.ScopeLogs, r plog.LogRecord) {
		for _, name := range []string{strings.Repeat("n", 100_000), "short"} {
			items := r.Attributes().PutEmptySlice(name)
			for range 3000 {
				items.AppendEmpty().SetEmptyBytes()
			}
		}
	})
	assert.Less(t, len(got), 200_000)
	result, err := NewDecoder(1).Decode([]byte(got), received)
	require.NoError(t, err)
	assert.Empty(t, result.Rejected)
}
