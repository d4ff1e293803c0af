// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// posters is the number of concurrent clients.
const posters = 8

func TestShutdownDeliversQueuedEvents(t *testing.T) {
	for _, tt := range []struct {
		name               string
		requests, together int
	}{
		{"sent a hundred events a request", 100, 100},
		{"sent one event a request", 10_000, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			single, array := newInbox(t, singleEvents), newInbox(t, arraysOfEvents)
			c := start(t, configure("",
				webhook{"single", single.URL, "batching: single, shutdown_timeout: 1m"},
				webhook{"array", array.URL, "batching: array, shutdown_timeout: 1m"}))
			client, url := newClient(t), c.eventURL()

			inParallel(tt.requests, func(i int) bool {
				r, err := client.post(url, linesType, lines(i*tt.together, tt.together))
				return assert.NoError(t, err) && assert.Equal(t, http.StatusAccepted, r.status, "%+v", r.body) &&
					assert.Equal(t, tt.together, r.body.Accepted)
			})
			t.Logf("%d events are yet to be delivered to one webhook, %d to the other",
				tt.requests*tt.together-single.count(), tt.requests*tt.together-array.count())
			client.http.CloseIdleConnections() // the collector waits five seconds for unused ones
			c.stop()

			assert.Equal(t, tt.requests*tt.together, single.count())
			assert.Equal(t, tt.requests*tt.together, array.count())
		})
	}
}

func TestShutdownDeliversEventsAcceptedMeanwhile(t *testing.T) {
	single, array := newInbox(t, singleEvents), newInbox(t, arraysOfEvents)
	c := start(t, configure("",
		webhook{"single", single.URL, "batching: single, shutdown_timeout: 1m"},
		webhook{"array", array.URL, "batching: array, shutdown_timeout: 1m"}))
	client, url := newClient(t), c.eventURL()

	var accepted sync.Map
	var count atomic.Int64
	inParallel(100_000, func(i int) bool {
		r, err := client.post(url, linesType, lines(i, 1))
		if err != nil || r.status != http.StatusAccepted {
			return false // it is stopping
		}
		accepted.Store(eventID(i), true)
		if count.Add(1) == 1000 {
			c.terminate()
		}
		return true
	})
	c.stop()

	require.GreaterOrEqual(t, count.Load(), int64(1000))
	t.Logf("%d events were accepted", count.Load())
	var lost error
	accepted.Range(func(id, _ any) bool {
		if !single.has(id.(string)) || !array.has(id.(string)) {
			lost = errors.Join(lost, fmt.Errorf("event %s did not arrive at both webhooks", id))
		}
		return true
	})
	require.NoError(t, lost)
}

// inParallel calls do with 0 to n-1 from several goroutines, each of which continues while do is
// true.
func inParallel(n int, do func(i int) bool) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range posters {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				if !do(i) {
					return
				}
			}
		})
	}
	wg.Wait()
}

// lines returns events as NDJSON.
func lines(first, count int) string {
	var b strings.Builder
	for i := first; i < first+count; i++ {
		fmt.Fprintf(&b, `{"id":%q,"name":"order_placed","user":{"id":"u1"},"properties":{"n":%d}}`+"\n", eventID(i), i)
	}
	return b.String()
}

func eventID(i int) string { return fmt.Sprintf("event-%05d", i) }
