// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventreceiver

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumertest"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

// ask sends a request to a handler without a network.
func ask(t testing.TB, h http.Handler, target, contentType, body string, headers ...string) reply {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, target, strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	recorder := httptest.NewRecorder()
	h.ServeHTTP(recorder, r)
	got := reply{status: recorder.Code, header: recorder.Header()}
	assert.NoError(t, json.Unmarshal(recorder.Body.Bytes(), &got.responseBody), "%s", recorder.Body)
	return got
}

func namesIn(sink *consumertest.LogsSink) []string {
	var names []string
	for _, ld := range sink.AllLogs() {
		for e := range appevent.Logs(ld) {
			names = append(names, e.Name)
		}
	}
	return names
}

func dedupConf(more map[string]any) map[string]any {
	conf := map[string]any{"deduplication": map[string]any{"window": "10m"}}
	maps.Copy(conf, more)
	return conf
}

func TestRepeatedEventReachesThePipelineOnce(t *testing.T) {
	sink := new(consumertest.LogsSink)
	h := newHandler(t, dedupConf(nil), sink)
	first := ask(t, h, "/v1/events?ids=1", jsonType, `[{"id":"1","name":"a"},{"id":"2","name":"b"},{"name":"timed","timestamp":5},{"nope":1}]`)
	assert.Equal(t, http.StatusAccepted, first.status)
	again := ask(t, h, "/v1/events?ids=1", jsonType, `[{"id":"1","name":"a"},{"id":"2","name":"b"},{"name":"timed","timestamp":5},{"nope":1}]`)
	assert.Equal(t, first.responseBody, again.responseBody, "the response is the same")
	assert.Equal(t, first.status, again.status)

	more := ask(t, h, "/v1/events", jsonType, `{"events":[{"id":"2","name":"b"},{"id":"3","name":"c"},{"id":"3","name":"c"},{"name":"click"},{"name":"click"}]}`)
	assert.Equal(t, 5, more.Accepted)
	assert.Equal(t, []string{"a", "b", "timed", "c", "click", "click"}, namesIn(sink))
}

func TestWithoutWindowNothingIsRemembered(t *testing.T) {
	sink := new(consumertest.LogsSink)
	h := newHandler(t, nil, sink)
	for range 2 {
		assert.Equal(t, http.StatusAccepted, ask(t, h, "/v1/events", jsonType, `{"id":"1","name":"a"}`, "Idempotency-Key", "k").status)
	}
	assert.Equal(t, []string{"a", "a"}, namesIn(sink))
}

func TestRefusedEventsMayBeSentAgain(t *testing.T) {
	sink := new(consumertest.LogsSink)
	refuses := true
	next, err := consumer.NewLogs(func(ctx context.Context, ld plog.Logs) error {
		if refuses {
			return errors.New("data refused due to high memory usage")
		}
		return sink.ConsumeLogs(ctx, ld)
	})
	require.NoError(t, err)
	h := newHandler(t, dedupConf(nil), next)
	const body = `[{"id":"1","name":"a"},{"name":"click"}]`
	refused := ask(t, h, "/v1/events", jsonType, body, "Idempotency-Key", "k")
	assert.Equal(t, http.StatusServiceUnavailable, refused.status)
	refuses = false
	for range 2 {
		assert.Equal(t, 2, ask(t, h, "/v1/events", jsonType, body, "Idempotency-Key", "k").Accepted)
	}
	assert.Equal(t, []string{"a", "click"}, namesIn(sink))
}

func TestIdempotencyKey(t *testing.T) {
	sink := new(consumertest.LogsSink)
	h := newHandler(t, dedupConf(nil), sink)
	const body = `[{"name":"click"},{"nope":1},{"name":"click"}]`
	first := ask(t, h, "/v1/events?ids=1", jsonType, body, "Idempotency-Key", "k")
	again := ask(t, h, "/v1/events?ids=1", jsonType, body, "Idempotency-Key", "k")
	assert.Equal(t, http.StatusAccepted, again.status)
	assert.Equal(t, first.responseBody, again.responseBody, "generated ids are the same as well")
	assert.Equal(t, 2, sink.LogRecordCount())

	another := ask(t, h, "/v1/events", jsonType, `{"name":"click"}`, "Idempotency-Key", "k")
	assert.Equal(t, http.StatusUnprocessableEntity, another.status)
	assert.Contains(t, another.Error, "another body")
	assert.Equal(t, http.StatusBadRequest, ask(t, h, "/v1/events", jsonType, body, "Idempotency-Key", strings.Repeat("k", maxHeaderLength+1)).status)
	assert.Equal(t, http.StatusAccepted, ask(t, h, "/v1/events", jsonType, body, "Idempotency-Key", strings.Repeat("k", maxHeaderLength)).status)
	assert.Equal(t, 4, sink.LogRecordCount())
}

func TestIDsAreScopedToAWriteKey(t *testing.T) {
	sink := new(consumertest.LogsSink)
	h := newHandler(t, dedupConf(map[string]any{"keys": []any{map[string]any{"key": "k1"}, map[string]any{"key": "k2"}}}), sink)
	for _, key := range []string{"k1", "k2", "k1"} {
		assert.Equal(t, 1, ask(t, h, "/v1/events", jsonType, `{"id":"1","name":"`+key+`"}`, "X-Write-Key", key).Accepted)
	}
	assert.Equal(t, []string{"k1", "k2"}, namesIn(sink))
}

func TestConcurrentRepeatsAreAcceptedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := new(consumertest.LogsSink)
		var failures atomic.Int32
		failures.Store(3)
		next, err := consumer.NewLogs(func(ctx context.Context, ld plog.Logs) error {
			time.Sleep(time.Second)
			if failures.Add(-1) >= 0 {
				return errors.New("sending queue is full")
			}
			return sink.ConsumeLogs(ctx, ld)
		})
		require.NoError(t, err)
		d := newDeduplicator(DeduplicationConfig{Window: time.Minute, MaxIDs: 1000})
		in := &intake{next: next, dedup: d}
		statuses := map[bool]int{}
		var mu sync.Mutex
		var wg sync.WaitGroup
		for i := range 20 {
			wg.Go(func() {
				ids := []dedupID{{id: d.digest('e', "", "same")}, {id: d.digest('e', "", "own"+strconv.Itoa(i%3))}}
				if i%2 == 0 {
					ids[0], ids[1] = ids[1], ids[0] // in another order, to provoke a deadlock
				}
				c, err := d.claim(t.Context(), ids)
				require.NoError(t, err)
				fresh := 0
				for _, duplicate := range c.duplicate {
					if !duplicate {
						fresh++
					}
				}
				if fresh > 0 {
					err = in.next.ConsumeLogs(t.Context(), logsOf(fresh))
				}
				c.settle(err == nil)
				mu.Lock()
				defer mu.Unlock()
				statuses[err == nil]++
			})
		}
		wg.Wait()
		assert.Equal(t, map[bool]int{true: 17, false: 3}, statuses)
		assert.Equal(t, 4, sink.LogRecordCount())
	})
}

func logsOf(n int) plog.Logs {
	ld := plog.NewLogs()
	records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
	for range n {
		records.AppendEmpty()
	}
	return ld
}

func TestWaitingForARepeatEndsWithTheRequest(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	next, err := consumer.NewLogs(func(context.Context, plog.Logs) error {
		close(entered)
		<-leave
		return nil
	})
	require.NoError(t, err)
	h := newHandler(t, dedupConf(nil), next)
	var wg sync.WaitGroup
	wg.Go(func() { assert.Equal(t, 1, ask(t, h, "/v1/events", jsonType, `{"id":"1","name":"a"}`).Accepted) })
	<-entered
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/v1/events", strings.NewReader(`{"id":"1","name":"a"}`))
	r.Header.Set("Content-Type", jsonType)
	recorder := httptest.NewRecorder()
	h.ServeHTTP(recorder, r)
	assert.Equal(t, http.StatusServiceUnavailable, recorder.Code)
	assert.NotEmpty(t, recorder.Header().Get("Retry-After"))
	close(leave)
	wg.Wait()
}

func TestIDsExpire(t *testing.T) {
	at := time.Unix(1700000000, 0)
	d := newDeduplicator(DeduplicationConfig{Window: time.Minute, MaxIDs: 3})
	d.now = func() time.Time { return at }
	seen := func(id string) bool {
		c, err := d.claim(t.Context(), []dedupID{{id: d.digest('e', "", id)}})
		require.NoError(t, err)
		c.settle(true)
		return c.duplicate[0]
	}
	assert.False(t, seen("a"))
	at = at.Add(time.Minute - 1)
	assert.True(t, seen("a"), "within the window")
	at = at.Add(1)
	assert.False(t, seen("a"), "at its end")

	for _, id := range []string{"b", "c", "d"} {
		assert.False(t, seen(id))
	}
	assert.True(t, seen("b"))
	assert.False(t, seen("a"), "the oldest is forgotten first")
	for i := range 10_000 {
		seen(strconv.Itoa(i))
	}
	assert.LessOrEqual(t, len(d.entries), 3)
	assert.LessOrEqual(t, cap(d.accepted.items), 16, "memory is bounded")
}
