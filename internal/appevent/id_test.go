// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package appevent

import (
	"math/rand/v2"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"github.com/zeebo/xxh3"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
)

func TestDerivedIDIsUUIDv8(t *testing.T) {
	e := only(t, manyRecords(t, 1))
	id, err := uuid.Parse(e.ID())
	require.NoError(t, err)
	assert.Equal(t, uuid.Version(8), id.Version())
	assert.Equal(t, uuid.RFC4122, id.Variant())
	// Backends deduplicate by this id: it must not change between releases.
	assert.Equal(t, "33c43e24-c742-843b-b8e8-3d3ea04a0cda", id.String())
}

func TestEqualContentHasEqualIDs(t *testing.T) {
	want := only(t, manyRecords(t, 1)).ID()

	t.Run("in any attribute order", func(t *testing.T) {
		ld := manyRecords(t, 1)
		record := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
		raw := record.Attributes().AsRaw()
		for range 20 {
			shuffle(t, record.Attributes(), raw)
			assert.Equal(t, want, only(t, ld).ID())
		}
	})
	t.Run("with another observed timestamp", func(t *testing.T) {
		ld := manyRecords(t, 1)
		ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).SetObservedTimestamp(99)
		assert.Equal(t, want, only(t, ld).ID())
	})
	t.Run("whether or not the name was promoted", func(t *testing.T) {
		ld := manyRecords(t, 1)
		record := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0)
		record.Attributes().PutStr(AttrEventName, record.EventName())
		assert.Equal(t, want, only(t, ld).ID())
		record.SetEventName("")
		assert.Equal(t, want, only(t, ld).ID())
	})
	t.Run("after a round trip through protobuf and JSON", func(t *testing.T) {
		ld := manyRecords(t, 1)
		b, err := (&plog.ProtoMarshaler{}).MarshalLogs(ld)
		require.NoError(t, err)
		ld, err = (&plog.ProtoUnmarshaler{}).UnmarshalLogs(b)
		require.NoError(t, err)
		b, err = (&plog.JSONMarshaler{}).MarshalLogs(ld)
		require.NoError(t, err)
		ld, err = (&plog.JSONUnmarshaler{}).UnmarshalLogs(b)
		require.NoError(t, err)
		assert.Equal(t, want, only(t, ld).ID())
	})
}

// shuffle writes raw into m in random order.
func shuffle(t *testing.T, m pcommon.Map, raw map[string]any) {
	m.Clear()
	for k, v := range raw {
		require.NoError(t, m.PutEmpty(k).FromRaw(v))
	}
}

func TestAnyDifferenceChangesTheID(t *testing.T) {
	change := func(f func(plog.ResourceLogs, plog.LogRecord)) plog.Logs {
		ld := manyRecords(t, 1)
		rl := ld.ResourceLogs().At(0)
		f(rl, rl.ScopeLogs().At(0).LogRecords().At(0))
		return ld
	}
	seen := map[string]string{only(t, manyRecords(t, 1)).ID(): "unchanged"}
	for name, f := range map[string]func(plog.ResourceLogs, plog.LogRecord){
		"time":          func(_ plog.ResourceLogs, r plog.LogRecord) { r.SetTimestamp(1) },
		"name":          func(_ plog.ResourceLogs, r plog.LogRecord) { r.SetEventName("x") },
		"trace id":      func(_ plog.ResourceLogs, r plog.LogRecord) { r.SetTraceID(pcommon.TraceID{1}) },
		"span id":       func(_ plog.ResourceLogs, r plog.LogRecord) { r.SetSpanID(pcommon.SpanID{1}) },
		"body":          func(_ plog.ResourceLogs, r plog.LogRecord) { r.Body().SetStr("x") },
		"empty body":    func(_ plog.ResourceLogs, r plog.LogRecord) { r.Body().SetStr("") },
		"resource":      func(rl plog.ResourceLogs, _ plog.LogRecord) { rl.Resource().Attributes().PutStr("a", "b") },
		"scope name":    func(rl plog.ResourceLogs, _ plog.LogRecord) { rl.ScopeLogs().At(0).Scope().SetName("s") },
		"scope version": func(rl plog.ResourceLogs, _ plog.LogRecord) { rl.ScopeLogs().At(0).Scope().SetVersion("s") },
		"scope attribute": func(rl plog.ResourceLogs, _ plog.LogRecord) {
			rl.ScopeLogs().At(0).Scope().Attributes().PutStr("a", "b")
		},
		"added attribute":   func(_ plog.ResourceLogs, r plog.LogRecord) { r.Attributes().PutStr("a", "b") },
		"moved boundary":    func(_ plog.ResourceLogs, r plog.LogRecord) { r.Attributes().PutStr("ab", "") },
		"int, not string":   func(_ plog.ResourceLogs, r plog.LogRecord) { r.Attributes().PutInt("gift", 1) },
		"false, not true":   func(_ plog.ResourceLogs, r plog.LogRecord) { r.Attributes().PutBool("gift", false) },
		"double, not int":   func(_ plog.ResourceLogs, r plog.LogRecord) { r.Attributes().PutDouble("order_id", 7) },
		"bytes, not string": func(_ plog.ResourceLogs, r plog.LogRecord) { r.Attributes().PutEmptyBytes("note").Append(1) },
		"null":              func(_ plog.ResourceLogs, r plog.LogRecord) { r.Attributes().PutEmpty("note") },
		"order in an array": func(_ plog.ResourceLogs, r plog.LogRecord) {
			s := r.Attributes().PutEmptySlice("items")
			s.AppendEmpty().SetStr("b")
			s.AppendEmpty().SetStr("a")
		},
		"inside a map": func(_ plog.ResourceLogs, r plog.LogRecord) {
			v, _ := r.Attributes().Get("shipping")
			v.Map().PutStr("city", "Oslo")
		},
		"two equal attributes are not none": func(_ plog.ResourceLogs, r plog.LogRecord) {
			r.Attributes().PutStr("twin", "x")
		},
	} {
		id := only(t, change(f)).ID()
		if other, ok := seen[id]; ok {
			t.Errorf("%s has the id of %s", name, other)
		}
		seen[id] = name
	}
}

func TestStampedIDsMatchDerivedIDs(t *testing.T) {
	ld := manyRecords(t, 2*idsPerBlock+1)
	ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(2).Attributes().PutStr(AttrID, "own")
	var want []string
	for e := range Logs(ld) {
		want = append(want, e.ID())
	}
	StampIDs(ld)
	var got []string
	for e := range Logs(ld) {
		got = append(got, e.UID)
	}
	assert.Equal(t, want, got)
	assert.Equal(t, "own", got[2])
}

func BenchmarkRead(b *testing.B) {
	ld := manyRecords(b, 1000)
	b.Run("event", func(b *testing.B) {
		b.ReportAllocs()
		n := 0
		for b.Loop() {
			for e := range Logs(ld) {
				for range e.Properties() {
					n++
				}
			}
		}
		perRecord(b, ld)
	})
	b.Run("event_and_id", func(b *testing.B) {
		b.ReportAllocs()
		buf := make([]byte, 0, 64)
		for b.Loop() {
			for e := range Logs(ld) {
				buf = e.AppendID(buf[:0])
			}
		}
		perRecord(b, ld)
	})
	b.Run("reference_plog_json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			_, _ = (&plog.JSONMarshaler{}).MarshalLogs(ld)
		}
		perRecord(b, ld)
	})
	b.Run("reference_copy", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			ld.CopyTo(plog.NewLogs())
		}
		perRecord(b, ld)
	})
}

func perRecord(b *testing.B, ld plog.Logs) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*ld.LogRecordCount()), "ns/record")
}

func TestSumOfDigestsIsAssociative(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 100 {
		a, b, c := randomDigest(r), randomDigest(r), randomDigest(r)
		assert.Equal(t, add(add(a, b), c), add(c, add(b, a)))
	}
}

func randomDigest(r *rand.Rand) xxh3.Uint128 { return xxh3.Uint128{Hi: r.Uint64(), Lo: r.Uint64()} }
