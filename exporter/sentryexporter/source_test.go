// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

//go:build unix

package sentryexporter

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// resourceWith returns two records of a resource. One becomes an Issue, the other a log.
func resourceWith(change func(resource pcommon.Map, scope pcommon.InstrumentationScope)) plog.Logs {
	ld := plog.NewLogs()
	record(ld, "7d9f3c1e-5a2b-4c3d-8e4f-0123456789ab").Attributes().PutStr("exception.type", "Boom")
	record(ld, "7d9f3c1e-5a2b-4c3d-8e4f-0123456789ac")
	rl := ld.ResourceLogs().At(0)
	change(rl.Resource().Attributes(), rl.ScopeLogs().At(0).Scope())
	return ld
}

// encodeLogs encodes a batch as delivery does.
func encodeLogs(t *testing.T, enc *encoder, w *delivery.Writer, ld plog.Logs) {
	t.Helper()
	enc.Prepare(ld)
	for e := range appevent.Logs(ld) {
		require.NoError(t, enc.Encode(w, e))
	}
	enc.Reset()
}

// encoded returns the payloads of a batch.
func encoded(t *testing.T, enc *encoder, ld plog.Logs) []string {
	t.Helper()
	var w delivery.Writer
	encodeLogs(t, enc, &w, ld)
	var payloads []string
	for _, e := range w.Take().Events() {
		payloads = append(payloads, string(e.Payload))
	}
	return payloads
}

func TestSourcesAreCachedByResourceAndScope(t *testing.T) {
	b := benchBackend(func(*Config) {})
	caching := newEncoder(b)
	for name, change := range map[string]func(resource pcommon.Map, scope pcommon.InstrumentationScope){
		"no more attributes":      func(pcommon.Map, pcommon.InstrumentationScope) {},
		"another service":         func(r pcommon.Map, _ pcommon.InstrumentationScope) { r.PutStr("service.name", "till") },
		"another scope":           func(_ pcommon.Map, s pcommon.InstrumentationScope) { s.SetName("payments") },
		"another scope's version": func(_ pcommon.Map, s pcommon.InstrumentationScope) { s.SetVersion("2") },
		"a number":                func(r pcommon.Map, _ pcommon.InstrumentationScope) { r.PutInt("shard", 1) },
		"its digits":              func(r pcommon.Map, _ pcommon.InstrumentationScope) { r.PutStr("shard", "1") },
		"a double":                func(r pcommon.Map, _ pcommon.InstrumentationScope) { r.PutDouble("shard", 1) },
		"bytes":                   func(r pcommon.Map, _ pcommon.InstrumentationScope) { r.PutEmptyBytes("shard").FromRaw([]byte("1")) },
		"their base64":            func(r pcommon.Map, _ pcommon.InstrumentationScope) { r.PutStr("shard", "MQ==") },
		"a map":                   func(r pcommon.Map, _ pcommon.InstrumentationScope) { r.PutEmptyMap("shard").PutInt("n", 1) },
		"its JSON":                func(r pcommon.Map, _ pcommon.InstrumentationScope) { r.PutStr("shard", `{"n":1}`) },
		"two attributes": func(r pcommon.Map, _ pcommon.InstrumentationScope) {
			r.PutStr("shard", "1")
			r.PutStr("zone", "2")
		},
	} {
		t.Run(name, func(t *testing.T) {
			want := encoded(t, newEncoder(b), resourceWith(change))
			assert.Equal(t, want, encoded(t, caching, resourceWith(change)))
			known := len(caching.sources.known)
			assert.Equal(t, want, encoded(t, caching, resourceWith(change)), "the cached source is the same")
			assert.Len(t, caching.sources.known, known)
		})
	}
	assert.Len(t, caching.sources.known, 12)
	assert.Nil(t, caching.sources.lastOf, "no pdata is kept")
}

func TestSourceCacheIsBounded(t *testing.T) {
	enc := newEncoder(benchBackend(func(*Config) {}))
	for i := range 3 * maxSources {
		encoded(t, enc, resourceWith(func(r pcommon.Map, _ pcommon.InstrumentationScope) { r.PutInt("process.pid", int64(i)) }))
		require.LessOrEqual(t, len(enc.sources.known), maxSources)
	}
	enc.sources.forget()
	encoded(t, enc, resourceWith(func(r pcommon.Map, _ pcommon.InstrumentationScope) {
		r.PutStr("process.command_line", strings.Repeat("-v ", maxSourceContent))
	}))
	assert.Empty(t, enc.sources.known)
	assert.Zero(t, cap(enc.sources.content))
}

func TestIssueAttributesAreReleasedAfterTheBatch(t *testing.T) {
	enc := newEncoder(benchBackend(func(*Config) {}))
	ld := resourceWith(func(pcommon.Map, pcommon.InstrumentationScope) {})
	attributes := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Attributes()
	attributes.PutStr("order", "7")
	encoded(t, enc, ld)
	kept := enc.issues.attributes[:cap(enc.issues.attributes)]
	assert.NotEmpty(t, kept)
	assert.Equal(t, make([]attribute, len(kept)), kept)

	for i := range 2 * maxKept {
		attributes.PutInt(fmt.Sprintf("made.up.%d", i), 1)
	}
	encoded(t, enc, ld)
	assert.Zero(t, cap(enc.issues.attributes))
}

func TestRecordAttributesWinOverResource(t *testing.T) {
	enc := newEncoder(benchBackend(func(*Config) {}))
	ld := resourceWith(func(r pcommon.Map, _ pcommon.InstrumentationScope) {
		r.PutStr("zone", "a")
		r.PutEmptyMap("host").PutStr("arch", "amd64")
		r.PutStr("host.arch", "arm64") // the same name once more
	})
	log := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(1)
	with := func() string { return encoded(t, enc, ld)[1] }
	assert.Contains(t, with(), `"zone":{"value":"a","type":"string"}`)
	assert.Equal(t, 1, strings.Count(with(), `"host.arch":{`))

	log.Attributes().PutStr("zone", "b")
	assert.Contains(t, with(), `"zone":{"value":"b","type":"string"}`)
	assert.Equal(t, 1, strings.Count(with(), `"zone":{`))
	assert.Contains(t, with(), `"host.arch":{"value":"amd64","type":"string"}`, "all others are sent")
}

func TestSourcesAreForgottenWithTheirNames(t *testing.T) {
	enc := newEncoder(benchBackend(func(*Config) {}))
	zone := func(r pcommon.Map, _ pcommon.InstrumentationScope) { r.PutStr("zone", "a") }
	encoded(t, enc, resourceWith(zone))
	many := resourceWith(zone)
	for i := range maxNames + 1 {
		many.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(1).Attributes().PutInt(fmt.Sprintf("made.up.%d", i), 1)
	}
	encoded(t, enc, many)

	again := resourceWith(zone)
	again.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(1).Attributes().PutStr("zone", "b")
	assert.Equal(t, 1, strings.Count(encoded(t, enc, again)[1], `"zone":{`))
}

func TestTrimmedRecordsDoNotTrimCachedSources(t *testing.T) {
	long := strings.Repeat("x", 2*longValue)
	ld := resourceWith(func(pcommon.Map, pcommon.InstrumentationScope) {})
	log := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(1)
	log.Attributes().PutStr("note", strings.Repeat("x", minEventBytes))
	enc := newEncoder(benchBackend(func(cfg *Config) { cfg.MaxEventBytes = minEventBytes }))
	require.Contains(t, encoded(t, enc, ld)[1], attrTrimmed)

	for _, payload := range encoded(t, enc, resourceWith(func(r pcommon.Map, _ pcommon.InstrumentationScope) { r.PutStr("note", long) })) {
		assert.Contains(t, payload, `"`+long+`"`)
	}
}

func TestTimesAreSecondsWithMicroseconds(t *testing.T) {
	for at, want := range map[pcommon.Timestamp]string{
		0: "0.000000", 999: "0.000000", 1_000: "0.000001", 999_999_999: "0.999999", 1_000_000_000: "1.000000", 1_000_001_000: "1.000001",
		1_700_000_000_123_456_789: "1700000000.123456", 1<<64 - 1: "18446744073.709551",
	} {
		assert.Equal(t, "["+want, string(appendSeconds([]byte{'['}, at)))
	}
	for micros := uint64(999_999_000_000_000); micros < 10_001_000_000_000_000; micros += 99_999_999_997 { // from 2001 to 2286, and beyond
		want := fmt.Sprintf("%d.%06d", micros/1e6, micros%1e6)
		require.Equal(t, want, string(appendSeconds(nil, pcommon.Timestamp(micros*1e3))))
	}
}
