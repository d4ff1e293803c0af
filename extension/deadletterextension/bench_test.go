// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

// benchLetters returns dead letters of about 500 bytes per line.
func benchLetters(n int) []deadletter.Letter {
	letters := make([]deadletter.Letter, n)
	for i := range letters {
		letters[i] = letterOf("0192d1c0-0000-7000-8000-000000000000", deadletter.ReasonRefused)
		letters[i].Payload = []byte(`{"type":"order_placed","data":{"order_id":7,"items":[{"sku":"a","n":1},{"sku":"b","n":2}],"note":"` +
			string(bytes.Repeat([]byte("x"), 150)) + `"}}`)
	}
	return letters
}

// BenchmarkPut compares a put with the lower bound: writing the same bytes to a file.
func BenchmarkPut(b *testing.B) {
	for name, n := range map[string]int{"1": 1, "100": 100} {
		letters := benchLetters(n)
		text, count, err := appendLines(nil, audit.String(), letters, noon)
		require.NoError(b, err)
		b.Run("put/"+name, func(b *testing.B) {
			s := openTestStore(b, b.TempDir(), func(cfg *Config) { cfg.MaxSize = 64 << 20 })
			b.SetBytes(count.bytes)
			b.ReportAllocs()
			for b.Loop() {
				if err := s.put(audit, letters); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/letter")
		})
		b.Run("write/"+name, func(b *testing.B) {
			file, err := os.Create(filepath.Join(b.TempDir(), "file"))
			require.NoError(b, err)
			defer file.Close()
			b.SetBytes(count.bytes)
			b.ReportAllocs()
			var written int64
			for b.Loop() {
				if _, err := file.Write(text); err != nil {
					b.Fatal(err)
				}
				// Keep the disk from filling up.
				if written += count.bytes; written > 64<<20 {
					written = 0
					require.NoError(b, file.Truncate(0))
					_, err := file.Seek(0, 0)
					require.NoError(b, err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/letter")
		})
	}
}

// BenchmarkScan compares the scan at a start with parsing each line.
func BenchmarkScan(b *testing.B) {
	text, count, err := appendLines(nil, audit.String(), benchLetters(1000), noon)
	require.NoError(b, err)
	b.Run("scan", func(b *testing.B) {
		b.SetBytes(count.bytes)
		b.ReportAllocs()
		for b.Loop() {
			if got, _, err := scan(bytes.NewReader(text), nil); err != nil || got.events != 1000 {
				b.Fatal(got, err)
			}
		}
	})
	b.Run("parse", func(b *testing.B) {
		b.SetBytes(count.bytes)
		b.ReportAllocs()
		for b.Loop() {
			for line := range bytes.Lines(text) {
				if _, err := deadletter.ParseLine(line); err != nil {
					b.Fatal(err)
				}
			}
		}
	})
}

// BenchmarkReplay measures a replay without the backend's share.
func BenchmarkReplay(b *testing.B) {
	const n = 10_000
	s := openTestStore(b, b.TempDir())
	letters := benchLetters(n)
	defer s.register(audit.String(), "logs", discard{})()
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		require.NoError(b, s.put(audit, letters))
		b.StartTimer()
		if got, err := s.folder(audit.String()).replay(context.Background(), deadletter.Filter{}); err != nil || got.Delivered != n {
			b.Fatal(got, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/letter")
}

type discard struct{}

func (discard) Paused() bool { return false }

func (discard) Replay(_ context.Context, letters []deadletter.Letter) []deadletter.Replayed {
	outcomes := make([]deadletter.Replayed, len(letters))
	for i := range outcomes {
		outcomes[i].Outcome = deadletter.OutcomeDelivered
	}
	return outcomes
}
