// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

// subscriber is a webhook that gets every write, with its own settings.
type subscriber struct {
	*backend

	name        string
	maxInFlight int
	timeout     time.Duration
	schedule    []time.Duration // the waits before another attempt
	content     string

	sent journal
}

func newSubscriber(t *testing.T, s *subscriber, behave behavior) *subscriber {
	t.Helper()
	s.backend = newBackend(t, s.sent.of(behave))
	return s
}

// branch sends each event alone, so that each has its own attempt times.
func (s *subscriber) branch() branch {
	waits := strings.ReplaceAll(strings.Trim(fmt.Sprint(s.schedule), "[]"), " ", ", ")
	return branch{"logs/" + s.name, "webhook/" + s.name, fmt.Sprintf(
		"endpoint: %q, max_in_flight: %d, timeout: %s, retry_schedule: [%s], content: %s, dead_letter: dead_letter, sending_queue: {batch: {min_size: 1, max_size: 1}}",
		s.URL, s.maxInFlight, s.timeout, waits, s.content)}
}

// failing responds with 503 a number of times to each event, and then accepts it.
func failing(times int) behavior {
	var mu sync.Mutex
	failed := map[string]int{}
	return func(w http.ResponseWriter, r *http.Request, events []event, body []byte) bool {
		mu.Lock()
		failed[events[0].id()]++
		fails := failed[events[0].id()] <= times
		mu.Unlock()
		if fails {
			return refusing(http.StatusServiceUnavailable, "busy")(w, r, events, body)
		}
		return accepting(w, r, events, body)
	}
}

func TestScenarioDispatcherReachesSubscribersWithoutBlocking(t *testing.T) {
	t.Parallel()
	const events = 8
	const second, ms = time.Second, time.Millisecond
	release := make(chan struct{})
	releaseOnce := sync.OnceFunc(func() { close(release) })
	healthy := newSubscriber(t, &subscriber{name: "healthy", maxInFlight: 4, timeout: 60 * second, content: "full"}, accepting)
	slow := newSubscriber(t, &subscriber{name: "slow", maxInFlight: 2, timeout: 60 * second, content: "summary"}, held(release))
	flaky := newSubscriber(t, &subscriber{name: "flaky", maxInFlight: 3, timeout: 60 * second, content: "full", schedule: []time.Duration{20 * ms, 60 * ms}}, failing(2))
	dead := newSubscriber(t, &subscriber{name: "dead", maxInFlight: 1, timeout: 60 * second, content: "summary", schedule: []time.Duration{10 * ms, 20 * ms, 30 * ms}},
		refusing(http.StatusServiceUnavailable, "out of order"))
	mute := newSubscriber(t, &subscriber{name: "mute", maxInFlight: 8, timeout: 2 * second, content: "full", schedule: []time.Duration{15 * ms}}, hanging)
	all := []*subscriber{healthy, slow, flaky, dead, mute}
	var branches []branch
	var pipelines []string
	for _, s := range all {
		branches, pipelines = append(branches, s.branch()), append(pipelines, s.branch().pipeline)
	}
	t.Cleanup(releaseOnce)
	p := startFanout(t, newDataFolders(t), "default_pipelines: ["+strings.Join(pipelines, ", ")+"]", branches...)

	// The slow one does not respond until every write has its response.
	client := newClient(t)
	for i := range events {
		client.mustAccept(t, p.eventURL(), linesType, lines(i, 1), 1)
	}
	p.waitFor("requests at the slow one", func() bool { return slow.sent.most() == slow.maxInFlight })
	for s, want := range map[*subscriber]string{healthy: "delivered/", flaky: "delivered/", dead: "dead_lettered/exhausted", mute: "dead_lettered/exhausted"} {
		assert.Equal(t, map[string]int{want: events}, p.settled("webhook/"+s.name, events).reasons, s.name)
	}
	assert.Empty(t, p.eventCounts("webhook/slow").outcomes, "outcomes at the slow one so far")
	releaseOnce()
	assert.Equal(t, map[string]int{"delivered/": events}, p.settled("webhook/slow", events).reasons)

	for s, attempts := range map[*subscriber]int{healthy: 1, slow: 1, flaky: 3, dead: 4, mute: 2} {
		assertAttempts(t, s, events, attempts)
		assertContent(t, s)
	}
	for _, s := range []*subscriber{healthy, slow, flaky, dead} { // the server notices late that a client has disconnected
		assert.LessOrEqual(t, s.sent.most(), s.maxInFlight, "requests at a time to the %s one", s.name)
	}
	for _, s := range []*subscriber{dead, mute} {
		deadLetters := p.newest("webhook/"+s.name, 2*events)
		assert.Len(t, deadLetters, events, s.name)
		for _, l := range deadLetters {
			assert.Equal(t, len(s.schedule)+1, l.Attempts, s.name)
		}
	}
}

// assertAttempts checks how often each event was sent, and that no attempt was early.
func assertAttempts(t *testing.T, s *subscriber, events, attempts int) {
	t.Helper()
	const earliest = 0.9 // of a wait, which varies by a tenth
	byID := s.sent.byID()
	assert.Len(t, byID, events, s.name)
	for id, at := range byID {
		if !assert.Len(t, at, attempts, "%s at the %s one", id, s.name) {
			continue
		}
		for i, wait := range s.schedule[:attempts-1] {
			assert.GreaterOrEqual(t, at[i+1].Sub(at[i]), time.Duration(earliest*float64(wait)), "wait %d at the %s one", i, s.name)
		}
	}
}

func assertContent(t *testing.T, s *subscriber) {
	t.Helper()
	for _, e := range s.sent.written() {
		if s.content == "full" {
			assert.NotEmpty(t, e.events[0]["properties"], s.name)
		} else {
			assert.NotContains(t, e.events[0], "properties", s.name)
		}
		assert.Equal(t, "order_placed", e.events[0].name())
	}
}
