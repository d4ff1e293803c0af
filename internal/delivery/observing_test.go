// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/deliverytest"
)

// observingBackend wants to know all that a backend can.
type observingBackend struct {
	lineBackend
	discard         bool // what is refused
	withoutResponse atomic.Int32

	mu       sync.Mutex
	lost     []string
	prepared []int
}

func (b *observingBackend) onLoss(letters []deadletter.Letter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range letters {
		b.lost = append(b.lost, letters[i].Name+":"+string(letters[i].Reason))
	}
}

func (b *observingBackend) NewEncoder() Encoder { return observingEncoder{b: b} }

func (b *observingBackend) newTracesEncoder() (TracesEncoder, error) {
	return observingSpanEncoder{b: b}, nil
}

func (b *observingBackend) BuildRequests(events []Event) ([]Request, []Refusal) {
	requests, refusals := b.lineBackend.BuildRequests(events)
	for i := range requests {
		requests[i].OnNoResponse = func() { b.withoutResponse.Add(1) }
	}
	for i := range refusals {
		refusals[i].Discard = b.discard
	}
	return requests, refusals
}

func (b *observingBackend) ClassifyResponse(req *Request, response *Response) Classification {
	classification := ClassifyStatus(req, response)
	if b.discard && classification.Kind == Refused {
		classification.Kind = Discarded
	}
	return classification
}

func (b *observingBackend) note(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.prepared = append(b.prepared, n)
}

type observingEncoder struct {
	lineEncoder
	b *observingBackend
}

func (enc observingEncoder) Prepare(ld plog.Logs) { enc.b.note(ld.LogRecordCount()) }

type observingSpanEncoder struct {
	spanEncoder
	b *observingBackend
}

func (enc observingSpanEncoder) Prepare(td ptrace.Traces) { enc.b.note(td.SpanCount()) }

func (enc observingSpanEncoder) EncodeSpan(w *Writer, source *appevent.Source, span ptrace.Span) error {
	w.Skip("part")
	return enc.spanEncoder.EncodeSpan(w, source, span)
}

func newObserving(t *testing.T, s *server, configure func(*Config), discard bool) (*observingBackend, deliverytest.Setup) {
	t.Helper()
	cfg := NewDefaultConfig(100)
	deliverytest.Hasten(&cfg.QueueConfig, &cfg.RetryConfig)
	configure(&cfg)
	b := &observingBackend{lineBackend: lineBackend{url: s.URL, most: 100}, discard: discard}
	client := confighttp.NewDefaultClientConfig()
	client.Timeout = 10 * time.Second
	return b, deliverytest.Setup{Factory: newFactory(&cfg, client, b, Options{NewTracesEncoder: b.newTracesEncoder, OnLoss: b.onLoss}), Config: &cfg}
}

func withLetters(cfg *Config) { cfg.DeadLetter = deliverytest.DeadLetterID() }

func TestOnLossGetsDroppedEvents(t *testing.T) {
	s := newServer(t)
	s.always(http.StatusForbidden)
	b, setup := newObserving(t, s, func(*Config) {}, false)
	e := setup.StartLogs(t)
	e.Send(records("a", "huge", "unencodable"))
	assert.ElementsMatch(t, []string{"a:unauthorized", "huge:too_large", "unencodable:encoding"}, b.lost)
	assert.Equal(t, map[string]int64{"dropped/unauthorized": 1, "dropped/too_large": 1, "dropped/encoding": 1}, e.Outcomes())
}

func TestOnLossDoesNotGetDeadLetters(t *testing.T) {
	s := newServer(t)
	s.always(http.StatusForbidden)
	b, setup := newObserving(t, s, withLetters, false)
	e := setup.StartLogs(t)
	e.Send(records("a", "huge"))
	assert.Empty(t, b.lost)
	assert.ElementsMatch(t, []string{"a:unauthorized", "huge:too_large"}, e.Letters.Reasons())
}

func TestDiscardedEventsAreCountedAsDropped(t *testing.T) {
	s := newServer(t)
	s.always(http.StatusForbidden)
	b, setup := newObserving(t, s, withLetters, true)
	e := setup.StartLogs(t)
	e.Send(records("a", "huge"))
	assert.Empty(t, e.Letters.All())
	assert.ElementsMatch(t, []string{"a:unauthorized", "huge:too_large"}, b.lost)
	assert.Equal(t, map[string]int64{"dropped/unauthorized": 1, "dropped/too_large": 1}, e.Outcomes())
}

func TestOnNoResponseIsCalled(t *testing.T) {
	s := newServer(t)
	b, setup := newObserving(t, s, func(cfg *Config) { cfg.RetryConfig.Enabled = false }, false)
	s.Close()
	e := setup.StartLogs(t)
	e.Send(records("a"))
	assert.EqualValues(t, 1, b.withoutResponse.Load())
	e.Send(records("nowhere"))
	assert.EqualValues(t, 2, b.withoutResponse.Load())
}

func TestPrepareGetsTheNextPdata(t *testing.T) {
	s := newServer(t)
	b, setup := newObserving(t, s, withLetters, false)
	logs, traces := setup.StartLogs(t), setup.StartTraces(t)
	logs.Send(records("a", "b"))
	traces.Send(spansNamed("c"))
	assert.Equal(t, []int{2, 1}, b.prepared)

	logs.Send(records("unencodable"))
	logs.Letters.Replay(t.Context())
	assert.Equal(t, []int{2, 1, 1, 1}, b.prepared, "a replay too")
}

func TestSkippedPartIsCounted(t *testing.T) {
	s := newServer(t)
	_, setup := newObserving(t, s, withLetters, false)
	e := setup.StartTraces(t)
	e.Send(spansNamed("a", "private", "unencodable"))
	assert.Equal(t, map[string]int64{"delivered": 1, "skipped/part": 2, "skipped/private": 1, "dead_lettered/encoding": 1}, e.Outcomes())
	assert.EqualValues(t, 5, e.Accepted())
}
