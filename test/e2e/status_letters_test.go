// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// statusReplay is the progress of a replay.
type statusReplay struct {
	Exporter                                  string
	Running                                   bool
	Filter                                    struct{ Reason string }
	Begun, Ended                              *time.Time
	Total, Replayed, Delivered, Refused, Kept int
	PerSecond                                 float64  `json:"per_second"`
	Left                                      *float64 `json:"left_s"`
	Stopped                                   string
}

// statusLetter is a dead letter in a response of the status extension.
type statusLetter struct {
	Key, ID, Name, Reason string
	Status, Attempts      int
	Message, Payload      string
}

// gate lets a backend respond to one request at a time.
type gate chan struct{}

func (g gate) behavior(then behavior) behavior {
	return func(w http.ResponseWriter, r *http.Request, events []event, body []byte) bool {
		select {
		case <-g:
			return then(w, r, events, body)
		case <-r.Context().Done():
			return false
		}
	}
}

// replayProgress waits until the replay is as it should be.
func (p *instrumentedCollector) replayProgress(exporter, what string, is func(r statusReplay) bool) statusReplay {
	p.t.Helper()
	var progress statusReplay
	p.waitFor(what, func() bool {
		progress = statusReplay{}
		p.show(letters(exporter)+"/replay", &progress)
		return is(progress)
	})
	return progress
}

func hasEnded(r statusReplay) bool { return !r.Running }

func TestStatusFollowsAndStopsReplay(t *testing.T) {
	t.Parallel()
	const events = 350
	b := newBackend(t, refusing(http.StatusUnauthorized, "who are you?"))
	p := startInstrumentedWith(t, newDataFolders(t), withStatus(t, ""), []webhook{{"b", b.URL, "batching: array"}})
	newSDK(p).mustExport(t, records(0, events))
	p.settled("webhook/b", events)
	status, text := p.ask(http.MethodGet, letters("webhook/b")+"/replay", "")
	assert.Equal(t, http.StatusNotFound, status, text)

	open := make(gate)
	b.setBehavior(open.behavior(accepting))
	var progress statusReplay
	p.mustAsk(http.StatusAccepted, http.MethodPost, letters("webhook/b")+"/replay?reason=unauthorized", "", &progress)
	assert.True(t, progress.Running)
	assert.Equal(t, "unauthorized", progress.Filter.Reason)
	progress = p.replayProgress("webhook/b", "the total", func(r statusReplay) bool { return r.Total > 0 })
	assert.Equal(t, events, progress.Total)
	assert.Zero(t, progress.Replayed)
	status, text = p.ask(http.MethodPost, letters("webhook/b")+"/replay", "")
	assert.Equal(t, http.StatusConflict, status, text)

	open <- struct{}{}
	progress = p.replayProgress("webhook/b", "some progress", func(r statusReplay) bool { return r.Replayed > 0 })
	assert.True(t, progress.Running)
	assert.Nil(t, progress.Ended)
	assert.Equal(t, progress.Replayed, progress.Delivered)
	assert.Less(t, progress.Replayed, events)
	assert.Positive(t, progress.PerSecond)
	assert.NotNil(t, progress.Left)

	p.mustAsk(http.StatusOK, http.MethodDelete, letters("webhook/b")+"/replay", "", &progress)
	close(open)
	stopped := p.replayProgress("webhook/b", "the end of the stopped replay", hasEnded)
	assert.NotEmpty(t, stopped.Stopped)
	assert.NotNil(t, stopped.Ended)
	assert.Less(t, stopped.Delivered, events)
	different, again := b.tally()
	assert.Equal(t, stopped.Delivered, different)
	assert.Zero(t, again)
	left := events - stopped.Delivered
	assert.Equal(t, left, p.backends()["webhook/b"].DeadLetters.Events)

	p.mustAsk(http.StatusAccepted, http.MethodPost, letters("webhook/b")+"/replay", "", &progress)
	last := p.replayProgress("webhook/b", "the end of the replay", hasEnded)
	assert.Empty(t, last.Stopped)
	assert.Equal(t, []int{left, left, left}, []int{last.Total, last.Replayed, last.Delivered})
	assert.Empty(t, b.missing(events))
	_, again = b.tally()
	assert.Zero(t, again)

	after := p.backends()["webhook/b"]
	assert.Zero(t, after.DeadLetters.Events)
	assert.Equal(t, map[string]int{"dead_lettered/unauthorized": events}, after.Counts.reasons(), "a replay changes no outcome")
	assert.Equal(t, events, after.Counts.Replayed.Delivered)
	_, at := p.fate(eventID(events - 1))
	assert.Equal(t, "dead_lettered", at["webhook/b"].Outcome)
	assert.Equal(t, "delivered", at["webhook/b"].Replayed)
	var stores struct{ Replays []statusReplay }
	p.show("/v1/dead_letters", &stores)
	require.Len(t, stores.Replays, 1)
	assert.Equal(t, last.Ended, stores.Replays[0].Ended)
}

func TestStatusReplaysEditedDeadLetter(t *testing.T) {
	t.Parallel()
	b := newBackend(t, func(w http.ResponseWriter, r *http.Request, events []event, body []byte) bool {
		if properties, _ := events[0]["properties"].(map[string]any); properties["total"] == json.Number("-1") {
			return refusing(http.StatusBadRequest, "the total is negative")(w, r, events, body)
		}
		return accepting(w, r, events, body)
	})
	unauthorized := newBackend(t, refusing(http.StatusUnauthorized, "who are you?"))
	p := startInstrumentedWith(t, newDataFolders(t), withStatus(t, ""), []webhook{{"b", b.URL, "batching: single"}, {"c", unauthorized.URL, ""}})
	p.post(`{"id": "order-1", "name": "order_placed", "properties": {"total": -1}}`, `{"id": "order-2", "name": "order_placed", "properties": {"total": 5}}`)
	p.settled("webhook/b", 2)
	p.settled("webhook/c", 2)

	path := letters("webhook/b")
	find := func() []statusLetter {
		var list struct {
			DeadLetters []statusLetter `json:"dead_letters"`
		}
		p.show(path+"?reason=refused&status=400&name=ORDER", &list)
		return list.DeadLetters
	}
	list := find()
	require.Len(t, list, 1)
	assert.Equal(t, "order-1", list[0].ID)
	assert.Contains(t, list[0].Message, "the total is negative")
	assert.Empty(t, list[0].Payload)
	one := path + "/" + list[0].Key
	var original statusLetter
	p.show(one, &original)
	assert.Contains(t, original.Payload, `"total":-1`)

	// As it is, it is refused again, and stays. So does one that is edited badly.
	edit := func(payload string) string {
		text, err := json.Marshal(map[string]string{"payload": payload})
		require.NoError(t, err)
		return string(text)
	}
	var result struct {
		Outcome string
		Status  int
		Message string
	}
	p.mustAsk(http.StatusOK, http.MethodPost, one+"/replay", edit(original.Payload), &result)
	assert.Equal(t, "refused", result.Outcome)
	assert.Equal(t, http.StatusBadRequest, result.Status)
	assert.Contains(t, result.Message, "the total is negative")
	requested := b.requested()
	status, text := p.ask(http.MethodPost, one+"/replay", edit(`{"id": "order-1", `))
	assert.Equal(t, http.StatusBadRequest, status, text)
	assert.Contains(t, text, "JSON")
	assert.Equal(t, requested, b.requested(), "requests with an invalid payload")
	require.Len(t, find(), 1, "the dead letter stays")

	// While the edited one is under way, the original stays.
	release, behave := make(chan struct{}), b.behave
	b.setBehavior(func(w http.ResponseWriter, r *http.Request, events []event, body []byte) bool {
		<-release
		return behave(w, r, events, body)
	})
	replayed := make(chan string)
	edited := edit(replace(t, original.Payload, `"total":-1`, `"total":1`))
	go func() {
		_, text := p.ask(http.MethodPost, one+"/replay", edited)
		replayed <- text
	}()
	p.waitFor("the edited event at the backend", func() bool { return b.requested() > requested })
	var during statusLetter
	p.show(one, &during)
	assert.Equal(t, original.Payload, during.Payload)
	close(release)
	assert.Contains(t, <-replayed, `"outcome":"delivered"`)
	assert.Empty(t, find())
	status, text = p.ask(http.MethodGet, one, "")
	assert.Equal(t, http.StatusNotFound, status, text)
	different, again := b.tally()
	assert.Equal(t, []int{2, 0}, []int{different, again})
	for _, e := range b.taken() {
		if e.id() == "order-1" {
			assert.Equal(t, json.Number("1"), e["properties"].(map[string]any)["total"])
		}
	}

	// Deletion by reason leaves the others.
	var got struct{ Deleted int }
	p.mustAsk(http.StatusOK, http.MethodDelete, letters("webhook/c")+"?reason=refused", "", &got)
	assert.Zero(t, got.Deleted)
	assert.Equal(t, 2, p.backends()["webhook/c"].DeadLetters.Events)
	p.mustAsk(http.StatusOK, http.MethodDelete, letters("webhook/c")+"?reason=unauthorized&limit=1", "", &got)
	assert.Equal(t, 1, got.Deleted)
	p.mustAsk(http.StatusOK, http.MethodDelete, letters("webhook/c")+"?reason=unauthorized", "", &got)
	assert.Equal(t, 1, got.Deleted)
	assert.Zero(t, p.backends()["webhook/c"].DeadLetters.Events)
	p.waitForLog("Deleted dead letters on request")
}
