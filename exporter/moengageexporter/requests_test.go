// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageexporter

import (
	"bytes"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

func encodeAll(t testing.TB, b *backend, ld plog.Logs) []delivery.Event {
	t.Helper()
	enc := newEncoder(b)
	var w delivery.Writer
	for e := range appevent.Logs(ld) {
		_ = enc.Encode(&w, e)
	}
	enc.Reset()
	return w.Take().Events()
}

// ofSizes returns events of one user each, with payloads of these sizes.
func ofSizes(sizes ...int) []delivery.Event {
	var all []delivery.Event
	for i, size := range sizes {
		all = append(all, delivery.Event{
			Meta:    delivery.Meta{Category: categories[kindUser], Destination: fmt.Sprint("user-", i)},
			Payload: bytes.Repeat([]byte("1"), size),
		})
	}
	return all
}

func TestRequestsAreFilledToTheByte(t *testing.T) {
	b := newTestBackend(t, validConfig())
	counts := func(events []delivery.Event) (counts []int) {
		requests, refusals := b.BuildRequests(events)
		assert.Empty(t, refusals)
		for i := range requests {
			assert.LessOrEqual(t, requests[i].Size(), maxBody)
			counts = append(counts, len(requests[i].Events))
		}
		return counts
	}
	half := maxObject / 2
	rest := maxObject - half - len(",")
	assert.Equal(t, []int{2, 1}, counts(ofSizes(half, rest, 1)))
	assert.Equal(t, []int{1, 2}, counts(ofSizes(half+1, rest, 1)))
	assert.Equal(t, []int{1, 1}, counts(ofSizes(maxObject, maxObject)))

	events := ofSizes(1, maxObject+1, 1)
	requests, refusals := b.BuildRequests(events)
	require.Len(t, requests, 1)
	assert.Len(t, requests[0].Events, 2)
	require.Len(t, refusals, 1)
	assert.Equal(t, deadletter.ReasonTooLarge, refusals[0].Reason)
	assert.Equal(t, "the event has 99966 bytes, but MoEngage accepts at most 99965", refusals[0].Message)
	assert.Len(t, events[1].Payload, maxObject+1, "its argument is unchanged")

	requests, refusals = b.BuildRequests(ofSizes(maxObject + 1))
	assert.Empty(t, requests)
	assert.Len(t, refusals, 1)
}

// An edited dead letter may contain anything.
func TestForeignPayloadIsSentUnchanged(t *testing.T) {
	b := newTestBackend(t, validConfig())
	requests, _ := b.BuildRequests([]delivery.Event{
		{Meta: delivery.Meta{Destination: "u1"}, Payload: []byte(`{"a":1}`)},
		{Meta: delivery.Meta{Destination: "u1", Category: "event"}, Payload: []byte(`{"b":[{}]}`)},
	})
	require.Len(t, requests, 1)
	assert.Equal(t, `{"type":"transition","elements":[{"a":1},{"b":[{}]}]}`, string(requests[0].AppendBody(nil)))
}

// TestNoMinuteExceedsTheRateLimit sends as fast as possible for ten minutes of fake time.
func TestNoMinuteExceedsTheRateLimit(t *testing.T) {
	for name, limits := range map[string]RateLimitsConfig{
		"the defaults": {Events: 30_000, Users: 10_000, Devices: 10_000, Merges: 1_000},
		"lower ones":   {Events: 100, Users: 30, Devices: 7, Merges: 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := validConfig()
				cfg.RateLimits = limits
				b := newTestBackend(t, cfg)
				begun := time.Now()
				var sent []sentAt
				for time.Since(begun) < 10*time.Minute {
					for k := range numKinds {
						req := &delivery.Request{Events: make([]delivery.Event, b.maxWeights[k])}
						for i := range req.Events {
							req.Events[i].Category = categories[k]
						}
						require.NoError(t, b.pace(t.Context(), req))
						sent = append(sent, sentAt{time.Now(), k, b.maxWeights[k]})
					}
				}
				checkMinutes(t, sent, limits.perMinute())
			})
		})
	}
}

type sentAt struct {
	at time.Time
	k  kind
	n  int
}

// checkMinutes checks that no 60 seconds exceed the limits, and that the kind that slows down the
// others is sent at nearly its limit.
func checkMinutes(t *testing.T, sent []sentAt, limits weights) {
	t.Helper()
	var most weights
	for from := range sent {
		var total weights
		for _, s := range sent[from:] {
			if s.at.Sub(sent[from].at) >= time.Minute {
				break
			}
			total[s.k] += s.n
		}
		for k, n := range total {
			most[k] = max(most[k], n)
		}
	}
	share := 0.0
	for k, n := range most {
		assert.LessOrEqual(t, n, limits[k], categories[k])
		share = max(share, float64(n)/float64(limits[k]))
	}
	assert.Greater(t, share, 0.9, "%v", most)
}

func TestWithoutRateLimitNothingWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cfg := validConfig()
		cfg.RateLimits = RateLimitsConfig{}
		b := newTestBackend(t, cfg)
		begun := time.Now()
		for range 100 {
			require.NoError(t, b.pace(t.Context(), &delivery.Request{Events: make([]delivery.Event, 1000)}))
		}
		assert.Equal(t, begun, time.Now())
	})
}
