// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package privacyprocessor

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/processor/processortest"

	"github.com/otelcol-fanout/otelcol-fanout/processor/privacyprocessor/internal/metadata"
)

// allPresets has a rule for each preset but user_id.
func allPresets(action Action) *Config {
	cfg := createDefaultConfig().(*Config)
	cfg.HashKey = "0123456789abcdef0123456789abcdef"
	for _, preset := range []Preset{PresetEmail, PresetIPAddress, PresetCard, PresetPhone, PresetToken} {
		cfg.Rules = append(cfg.Rules, Rule{Preset: preset, Action: action})
	}
	return cfg
}

// records returns records of ten attributes, in which no rule matches, or one for each.
func records(n int, personal bool) plog.Logs {
	logs := plog.NewLogs()
	sl := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty()
	for i := range n {
		r := sl.LogRecords().AppendEmpty()
		r.SetEventName("order_placed")
		r.Body().SetStr("the order was placed")
		a := r.Attributes()
		a.PutStr("log.record.uid", fmt.Sprintf("0192f0c0-5cb4-7000-8000-%012d", i))
		a.PutStr("user.id", "u4711")
		a.PutStr("session.id", "s-8f14e45fceea167a")
		a.PutStr("url.path", "/shop/cart/checkout")
		a.PutStr("http.request.method", "POST")
		a.PutInt("http.response.status_code", 200)
		a.PutDouble("total", 12.5)
		a.PutBool("gift", true)
		a.PutStr("currency", "EUR")
		a.PutStr("plan", "professional")
		if personal {
			a.PutStr("note", "ada@example.com")
		}
	}
	return logs
}

func BenchmarkLogs(b *testing.B) {
	const n = 1000
	for _, tt := range []struct {
		name     string
		personal bool
	}{{"nothing_to_find", false}, {"one_email", true}} {
		b.Run(tt.name, func(b *testing.B) {
			p, err := newPrivacy(processortest.NewNopSettings(metadata.Type), allPresets(ActionHash))
			require.NoError(b, err)
			logs := records(n, tt.personal)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.logs(b.Context(), logs); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/event")
		})
	}
	b.Run("reference_copy", func(b *testing.B) {
		logs := records(n, false)
		b.ReportAllocs()
		for b.Loop() {
			logs.CopyTo(plog.NewLogs())
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/event")
	})
}
