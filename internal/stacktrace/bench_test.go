// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package stacktrace

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
)

// javaOf50 returns a trace of 50 frames, half of them the application's.
func javaOf50() string {
	var b strings.Builder
	b.WriteString("java.lang.IllegalStateException: cart 4711 not filled\n")
	for i := range 25 {
		fmt.Fprintf(&b, "\tat com.acme.shop.checkout.CartService.addItem%d(CartService.java:%d)\n", i, 40+i)
		fmt.Fprintf(&b, "\tat org.springframework.web.servlet.FrameworkServlet.doGet%d(FrameworkServlet.java:%d)\n", i, 800+i)
	}
	return b.String()
}

func BenchmarkParse(b *testing.B) {
	b.Run("java_50_frames", func(b *testing.B) {
		text := javaOf50()
		benchmark(b, sample{language: Java, typ: "java.lang.IllegalStateException", message: "cart 4711 not filled", text: text})
		var p Parser
		require.Len(b, p.Parse(Java, "", "", text).Exceptions[0].Frames, 50)
	})
	b.Run("java_50_frames_sniffed", func(b *testing.B) { benchmark(b, sample{text: javaOf50()}) })
	b.Run("java_50_frames_rules", func(b *testing.B) {
		s := sample{language: Java, text: javaOf50()}
		p := Parser{Rules: Rules{Include: []string{"com.acme.pay", "com.acme.cart"}, Exclude: []string{"com.acme.generated", "com.acme.vendored"}}}
		b.ReportAllocs()
		for b.Loop() {
			p.Parse(s.language, s.typ, s.message, s.text)
		}
	})
	for _, path := range []string{
		"java/caused_by", "python/context", "python/nested_group", "javascript/express", "javascript/firefox_map", "javascript/written_driver_error", "javascript/written_safari_kinds", "go/http_handler", "dotnet/written_inner",
		"dotnet/written_unity", "dotnet/written_demystifier",
		"php/previous", "php/written_opentelemetry", "ruby/cause", "rust/panic", "elixir/task", "elixir/erlang_multiline_message",
		"java/written_anr_threads", "python/written_jupyter", "ruby/written_labels",
		"go/written_cockroach_secondary", "rust/written_error_stack", "rust/written_color_eyre_colors", "swift/written_apple_report",
	} {
		b.Run(path, func(b *testing.B) { benchmark(b, readSample(b, "testdata/"+path+".txt")) })
	}
	b.Run("reference_plog_json_9_attributes", func(b *testing.B) {
		logs := record()
		b.ReportAllocs()
		for b.Loop() {
			_, _ = (&plog.JSONMarshaler{}).MarshalLogs(logs)
		}
	})
}

func benchmark(b *testing.B, s sample) {
	b.Helper()
	var p Parser
	b.ReportAllocs()
	b.SetBytes(int64(len(s.text)))
	frames := 0
	for b.Loop() {
		stack := p.Parse(s.language, s.typ, s.message, s.text)
		frames = 0
		for i := range stack.Exceptions {
			frames += len(stack.Exceptions[i].Frames)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*max(frames, 1)), "ns/frame")
}

// record returns a log record with 9 attributes, for comparison.
func record() plog.Logs {
	logs := plog.NewLogs()
	r := logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	r.SetEventName("order_placed")
	r.SetTimestamp(1_700_000_000_000_000_000)
	for i := range 6 {
		r.Attributes().PutStr(fmt.Sprintf("attribute.%d", i), "a value of usual length")
	}
	r.Attributes().PutInt("quantity", 3)
	r.Attributes().PutDouble("total", 12.5)
	r.Attributes().PutBool("gift", true)
	return logs
}
