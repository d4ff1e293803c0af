// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageexporter

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/deliverytest"
	moengageintake "github.com/otelcol-fanout/otelcol-fanout/test/intake/moengage"
)

func observed() (*zap.Logger, *observer.ObservedLogs) {
	core, logs := observer.New(zapcore.InfoLevel)
	return zap.New(core), logs
}

// inOrder checks that this many events arrived, and that each arrived for the first time before all
// later events of its user. An event may arrive twice, when a response was lost.
func inOrder(t *testing.T, in *moengageintake.Intake, events int) {
	t.Helper()
	last := map[string]string{}
	seen := map[string]bool{}
	for _, thing := range in.Taken().Order {
		if seen[thing.What] || !strings.HasPrefix(thing.What, "e") {
			continue
		}
		seen[thing.What] = true
		if last[thing.Customer] >= thing.What {
			assert.Fail(t, "out of order", "%s came after %s of %s", thing.What, last[thing.Customer], thing.Customer)
			return
		}
		last[thing.Customer] = thing.What
	}
	assert.Len(t, seen, events)
}

// TestEachUsersEventsArriveInOrder sends many events of a few users, in requests of any size, to an
// intake that fails at random.
func TestEachUsersEventsArriveInOrder(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 7))
			in := moengageintake.New(t)
			in.ReplyWith(unreliable(seed))
			cfg := testConfig(in)
			cfg.Delivery.RetryConfig.MaxElapsedTime = 0
			cfg.ClientConfig.Timeout = 10 * time.Second
			cfg.Mode = []Mode{ModeBulk, ModeSingle}[seed%2]
			cfg.Verify = []float64{0, 0.05}[seed/2%2]
			cfg.Delivery.MaxInFlight = []int{1, 8}[seed/4%2]
			cfg.Delivery.QueueConfig.Get().Batch.Get().MinSize = 1 + random.Int64N(200)
			cfg.RateLimits = RateLimitsConfig{}
			e := start(t, cfg)
			const total = 400
			users := 1 + random.IntN(40)
			for sent := 0; sent < total; {
				n := min(1+random.IntN(200), total-sent)
				ld := mixed(random, sent, n, users)
				pad(ld)
				require.NoError(t, e.Consume(t.Context(), ld))
				sent += n
			}
			settle(e)
			assert.NotContains(t, fmt.Sprint(e.Outcomes()), "dead_lettered")
			inOrder(t, in, total)
		})
	}
}

// settle waits until every event has an outcome, however slow the machine is. If the exporter
// hangs, the timeout of go test ends the test.
func settle(e *deliverytest.Exporter[plog.Logs]) {
	for !e.Balanced() {
		time.Sleep(time.Millisecond)
	}
}

// mixed makes n events of users, with identify events and merges in between.
func mixed(random *rand.Rand, from, n, users int) plog.Logs {
	ld := plog.NewLogs()
	for i := range n {
		user := fmt.Sprintf("user-%d", random.IntN(users))
		r := record(ld, "order_placed", user, fmt.Sprintf("e%06d", from+i))
		switch random.IntN(20) {
		case 0:
			record(ld, "", user, "x").Attributes().PutStr("fanout.type", "identify")
		case 1:
			alias := record(ld, "", user, "x")
			alias.Attributes().PutStr("fanout.type", "alias")
			alias.Attributes().PutStr("fanout.previous_id", fmt.Sprintf("user-%d-before", random.IntN(users)))
		case 2:
			r.Attributes().PutStr("device.id", "d-1")
		}
	}
	return ld
}

// pad makes events so large that a batch, and even one user's events, take several requests.
func pad(ld plog.Logs) {
	for _, r := range ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().All() {
		for i := range 4 {
			r.Attributes().PutStr(fmt.Sprint("padding_", i), strings.Repeat("x", maxValue))
		}
	}
}

// unreliable fails one request in four in some way. An intake takes events before it responds.
func unreliable(seed uint64) func(moengageintake.Request) moengageintake.Reply {
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(seed, 99))
	return func(moengageintake.Request) moengageintake.Reply {
		mu.Lock()
		defer mu.Unlock()
		switch random.IntN(32) {
		case 0:
			return moengageintake.Reset()
		case 1:
			return moengageintake.Reply{Reset: true, Taken: true}
		case 2, 3:
			return moengageintake.RateLimited()
		case 4, 5, 6:
			return moengageintake.Fail(500, "Server Error", "oops")
		case 7:
			return moengageintake.Reply{Status: 502, Taken: true}
		}
		return moengageintake.Reply{}
	}
}

func TestMergeStaysBetweenBothUsersEvents(t *testing.T) {
	in := moengageintake.New(t)
	cfg := testConfig(in)
	e := start(t, cfg)
	ld := plog.NewLogs()
	for i := range 3 {
		record(ld, "a", "anon", fmt.Sprintf("e-anon-%d", i))
		record(ld, "b", "u1001", fmt.Sprintf("e-user-%d", i))
		record(ld, "c", "other", fmt.Sprintf("e-other-%d", i))
		if i == 1 {
			alias := record(ld, "", "u1001", "x")
			alias.Attributes().PutStr("fanout.type", "alias")
			alias.Attributes().PutStr("fanout.previous_id", "anon")
		}
	}
	e.Send(ld)
	var order []string
	for _, thing := range in.Taken().Order {
		if thing.Customer != "other" {
			order = append(order, thing.What)
		}
	}
	assert.Equal(t, []string{"e-anon-0", "e-user-0", "e-anon-1", "e-user-1", "merge", "merge", "e-anon-2", "e-user-2"}, order)
	assert.Len(t, in.Requests(), 4)
}

// TestPartitionsKeepEachUsersOrder checks for many batches that a user's events are in one
// partition, in their order.
func TestPartitionsKeepEachUsersOrder(t *testing.T) {
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 1))
		cfg := validConfig()
		cfg.Mode = []Mode{ModeBulk, ModeSingle}[seed%2]
		cfg.Verify = []float64{0, 0.1, 1}[seed%3]
		cfg.RateLimits.Events = random.IntN(3000)
		b := newTestBackend(t, cfg)
		encoded := encodeAll(t, b, mixed(random, 0, 300, 1+random.IntN(50)))
		requests, refusals := b.BuildRequests(encoded)
		require.Empty(t, refusals)
		checkRequests(t, b, encoded, requests)
	}
}

// checkRequests checks requests against what BuildRequests promises.
func checkRequests(t *testing.T, b *backend, events []delivery.Event, requests []delivery.Request) {
	t.Helper()
	partition, place, at := map[string]int{}, map[*byte]int{}, map[string]int{}
	for i := range events {
		place[&events[i].Payload[0]] = i
	}
	seen := 0
	for i := range requests {
		req := &requests[i]
		require.NotEmpty(t, req.Events)
		require.NotZero(t, req.Partition)
		body := req.AppendBody(nil)
		assert.LessOrEqual(t, len(body), maxBody)
		assert.Equal(t, len(body), req.Size())
		if req.Body != nil {
			assert.Zero(t, cap(req.Body)-len(req.Body), "its size is known before it is built")
		}
		_, violations := moengageintake.Check(routeOf(b, req), body, b.now())
		require.Empty(t, violations, "%s", body)
		for j := range req.Events {
			seen++
			n := place[&req.Events[j].Payload[0]]
			for customer := range strings.SplitSeq(req.Events[j].Destination, mergeSeparator) {
				if last, ok := at[customer]; ok {
					require.Less(t, last, n, "in order")
					require.Equal(t, partition[customer], req.Partition, "in one partition")
				}
				at[customer], partition[customer] = n, req.Partition
			}
		}
		for k, limit := range b.maxWeights {
			if n := kind(k).weigh(req); limit > 0 {
				require.LessOrEqual(t, n, limit)
			}
		}
	}
	assert.Equal(t, len(events), seen, "every event is in one request")
}

func routeOf(b *backend, req *delivery.Request) moengageintake.Route {
	return map[string]moengageintake.Route{
		b.routes.event: moengageintake.RouteEvent, b.routes.user: moengageintake.RouteUser, b.routes.device: moengageintake.RouteDevice,
		b.routes.merge: moengageintake.RouteMerge, b.routes.bulk: moengageintake.RouteBulk,
	}[req.URL]
}

func TestSharedRequestsAreFull(t *testing.T) {
	b := newTestBackend(t, validConfig())
	requests, _ := b.BuildRequests(encodeAll(t, b, numbered(1000, 1000)))
	sizes := make([]int, len(requests))
	for i := range requests {
		sizes[i] = requests[i].Size()
	}
	for _, size := range sizes[:len(sizes)-1] {
		assert.Greater(t, size, maxBody-300)
	}
	partitions := map[int]bool{}
	for i := range requests {
		partitions[requests[i].Partition] = true
	}
	assert.Len(t, partitions, len(requests), "requests without a common user are sent concurrently")
	one, _ := b.BuildRequests(encodeAll(t, b, numbered(1000, 1)))
	assert.Less(t, one[0].Size()/len(one[0].Events), requests[0].Size()/len(requests[0].Events), "actions of one user share an element")
	assert.False(t, slices.ContainsFunc(one, func(r delivery.Request) bool { return r.Partition != one[0].Partition }))
}
