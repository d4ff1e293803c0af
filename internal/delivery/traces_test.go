// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/deliverytest"
)

func newSpanEncoder() (TracesEncoder, error) { return spanEncoder{}, nil }

// spanEncoder writes names of spans, one a line.
type spanEncoder struct{}

func (spanEncoder) EncodeSpan(w *Writer, source *appevent.Source, span ptrace.Span) error {
	if span.Name() == "unencodable" {
		return errors.New("it has no bytes")
	}
	if span.Name() == "private" {
		return Skip("private")
	}
	w.End(append(w.Begin(Meta{Name: span.Name(), Category: "span"}), source.ServiceName+"/"+span.Name()...))
	return nil
}

func (spanEncoder) Prepare(ptrace.Traces) {}
func (spanEncoder) Reset()                {}

func spansNamed(names ...string) ptrace.Traces {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr("service.name", "shop")
	ss := rs.ScopeSpans().AppendEmpty()
	for _, name := range names {
		ss.Spans().AppendEmpty().SetName(name)
	}
	return td
}

func TestTracesAreDelivered(t *testing.T) {
	s := newServer(t)
	cfg := NewDefaultConfig(10)
	cfg.DeadLetter = deliverytest.DeadLetterID()
	cfg.Dispatch = DispatchSync
	backend := &lineBackend{url: s.URL, most: 10}
	e := deliverytest.Setup{Factory: newFactory(&cfg, confighttp.NewDefaultClientConfig(), backend, Options{NewTracesEncoder: newSpanEncoder}), Config: &cfg}.StartTraces(t)

	s.refusing("shop/bad")
	require.Error(t, e.Consume(t.Context(), spansNamed("a", "private", "bad", "unencodable", "b")))
	assert.Equal(t, []string{"shop/a", "shop/b"}, s.takenOnce())
	assert.Equal(t, []string{"bad:refused", "unencodable:encoding"}, e.Letters.Reasons())
	assert.Equal(t, map[string]int64{
		"delivered": 2, "skipped/private": 1, "dead_lettered/refused": 1, "dead_lettered/encoding": 1,
	}, e.Outcomes())

	s.always(http.StatusOK)
	letters := e.Letters.All()
	for i, replayed := range e.Letters.Replay(t.Context()) {
		if letters[i].Name == "bad" {
			assert.Equal(t, deadletter.OutcomeDelivered, replayed.Outcome)
		} else {
			assert.Equal(t, deadletter.OutcomeRefused, replayed.Outcome)
			assert.Contains(t, string(replayed.Letters[0].OTLP), `"unencodable"`)
			assert.Equal(t, "traces", letters[i].Signal)
		}
	}
}
