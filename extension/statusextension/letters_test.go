// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

// fakeKeeper is a store with dead letters of webhook (running) and webhook/audit (not running).
type fakeKeeper struct {
	component.StartFunc
	component.ShutdownFunc
	lock         sync.Mutex
	letters      []deadletter.Letter
	running      map[string]bool
	requiresAuth bool
	failing      error

	replayed []byte
	result   deadletter.Replayed
	filters  []deadletter.Filter
	progress []deadletter.Progress
}

var _ deadletter.Keeper = (*fakeKeeper)(nil)

func newFakeKeeper() *fakeKeeper {
	at := time.Date(2026, 1, 31, 11, 0, 0, 0, time.UTC)
	return &fakeKeeper{
		running: map[string]bool{"webhook": true},
		letters: []deadletter.Letter{
			{Exporter: "webhook", Signal: "logs", ID: "e1", Name: "order_placed", Time: at, Reason: deadletter.ReasonRefused, Status: 400, Message: "no such field", Attempts: 1, FailedAt: at, Payload: []byte(`{"id":"e1"}`)},
			{Exporter: "webhook", Signal: "traces", ID: "e2", Name: "checkout", Reason: deadletter.ReasonExhausted, Status: 503, Attempts: 9, FailedAt: at.Add(time.Minute), Payload: []byte("\xff\x00"), Category: "span"},
			{Exporter: "webhook", Signal: "logs", ID: "e3", Reason: deadletter.ReasonEncoding, Message: "no name", FailedAt: at.Add(2 * time.Minute), OTLP: []byte(`{"resourceLogs":[]}`)},
			{Exporter: "webhook/audit", Signal: "logs", ID: "e4", Name: "login", Reason: deadletter.ReasonGone, Status: 410, Attempts: 1, FailedAt: at, Payload: []byte(`{}`)},
		},
		result: deadletter.Replayed{Outcome: deadletter.OutcomeDelivered},
	}
}

func (k *fakeKeeper) Put(component.ID, []deadletter.Letter) error { return nil }

func (k *fakeKeeper) Register(component.ID, string, deadletter.Replayer) func() { return func() {} }

func (k *fakeKeeper) MaxSize() int64 { return 1 << 30 }

func (k *fakeKeeper) RequiresAuth() bool { return k.requiresAuth }

func (k *fakeKeeper) Summaries() []deadletter.Summary {
	k.lock.Lock()
	defer k.lock.Unlock()
	var all []deadletter.Summary
	for i := range k.letters {
		l := &k.letters[i]
		at := slices.IndexFunc(all, func(s deadletter.Summary) bool { return s.Exporter == l.Exporter })
		if at < 0 {
			at = len(all)
			all = append(all, deadletter.Summary{Exporter: l.Exporter, Running: k.running[l.Exporter], Oldest: l.FailedAt, Reasons: map[deadletter.Reason]int{}})
		}
		all[at].Events++
		all[at].Bytes += 100
		all[at].Newest = l.FailedAt
		all[at].Reasons[l.Reason]++
	}
	return all
}

// selected returns the indexes of the letters that a filter selects, newest first.
func (k *fakeKeeper) selected(exporter string, which deadletter.Filter) []int {
	var found []int
	for i, l := range slices.Backward(k.letters) {
		if l.Exporter == exporter && (which.Reason == "" || which.Reason == l.Reason) && (which.Status == 0 || which.Status == l.Status) &&
			(which.ID == "" || which.ID == l.ID) && strings.Contains(l.Name, which.Name) && (which.Key == "" || which.Key == keyOf(i)) &&
			(which.Before.IsZero() || l.FailedAt.Before(which.Before)) && (which.Limit == 0 || len(found) < which.Limit) {
			found = append(found, i)
		}
	}
	return found
}

func keyOf(i int) deadletter.Key { return deadletter.Key(fmt.Sprintf("1-%d", i)) }

func (k *fakeKeeper) Find(_ context.Context, exporter string, which deadletter.Filter, visit func(deadletter.Key, *deadletter.Letter) bool) error {
	if k.failing != nil {
		return k.failing
	}
	for _, i := range k.selected(exporter, which) {
		if !visit(keyOf(i), &k.letters[i]) {
			break
		}
	}
	return nil
}

func (k *fakeKeeper) Get(exporter string, key deadletter.Key) (deadletter.Letter, error) {
	for _, i := range k.selected(exporter, deadletter.Filter{Key: key}) {
		return k.letters[i], nil
	}
	return deadletter.Letter{}, fmt.Errorf("%s: %w", exporter, deadletter.ErrUnknownLetter)
}

func (k *fakeKeeper) ReplayOne(_ context.Context, _ string, _ deadletter.Key, payload []byte) (deadletter.Replayed, error) {
	k.replayed = payload
	return k.result, k.failing
}

func (k *fakeKeeper) StartReplay(exporter string, which deadletter.Filter) (deadletter.Progress, error) {
	if k.failing != nil {
		return deadletter.Progress{}, k.failing
	}
	k.filters = append(k.filters, which)
	k.progress = []deadletter.Progress{{
		Exporter: exporter, Filter: which, Begun: time.Date(2026, 1, 31, 11, 59, 50, 0, time.UTC), Total: 100, Replayed: 20, Delivered: 18, Refused: 1, Kept: 1,
	}}
	return k.progress[0], nil
}

func (k *fakeKeeper) StopReplay(string) (deadletter.Progress, error) {
	if len(k.progress) == 0 {
		return deadletter.Progress{}, k.failing
	}
	last := k.progress[0] // as in the store, the replay ends a little later
	k.progress[0].Ended, k.progress[0].Stopped = last.Begun.Add(10*time.Second), "stopped on request"
	return last, k.failing
}

func (k *fakeKeeper) Replays() []deadletter.Progress { return k.progress }

func (k *fakeKeeper) Delete(exporter string, which deadletter.Filter) (int, error) {
	if k.failing != nil {
		return 0, k.failing
	}
	k.filters = append(k.filters, which)
	found := k.selected(exporter, which)
	for _, i := range found {
		k.letters = slices.Delete(k.letters, i, i+1)
	}
	return len(found), nil
}

func newLetters(t *testing.T, change ...func(*Config)) (*world, *fakeKeeper) {
	t.Helper()
	w, keeper := newWorld(t, change...), newFakeKeeper()
	w.api.letters = letters{keeper}
	return w, keeper
}

func TestDeadLettersAreSummarized(t *testing.T) {
	w, _ := newLetters(t)
	body := w.ask("GET", "/v1/dead_letters").json(200)
	assert.EqualValues(t, 1073741824, body["max_size"])
	assert.Equal(t, map[string]any{
		"exporter": "webhook", "running": true, "events": 3.0, "bytes": 300.0, "unreadable": 0.0,
		"oldest": "2026-01-31T11:00:00.000Z", "newest": "2026-01-31T11:02:00.000Z",
		"reasons": map[string]any{"refused": 1.0, "exhausted": 1.0, "encoding": 1.0},
	}, at(body, "exporters", 0))
	assert.Equal(t, false, at(body, "exporters", 1, "running"))
}

func TestDeadLettersAreListedNewestFirst(t *testing.T) {
	w, _ := newLetters(t)
	body := w.ask("GET", "/v1/dead_letters/webhook").json(200)
	assert.EqualValues(t, 3, body["events"])
	assert.Equal(t, "e3", at(body, "dead_letters", 0, "id"))
	assert.Nil(t, at(body, "dead_letters", 2, "payload"))
	assert.Equal(t, map[string]any{
		"key": "1-0", "exporter": "webhook", "id": "e1", "name": "order_placed", "signal": "logs", "time": "2026-01-31T11:00:00.000Z",
		"reason": "refused", "status": 400.0, "message": "no such field", "attempts": 1.0, "failed_at": "2026-01-31T11:00:00.000Z", "bytes": 11.0,
	}, at(body, "dead_letters", 2))

	body = w.ask("GET", "/v1/dead_letters/webhook?payload=true").json(200)
	assert.Equal(t, `{"id":"e1"}`, at(body, "dead_letters", 2, "payload"))
	assert.Equal(t, "/wA=", at(body, "dead_letters", 1, "payload_base64"))
	assert.Equal(t, map[string]any{"resourceLogs": []any{}}, at(body, "dead_letters", 0, "otlp"))
}

func TestDeadLettersAreFiltered(t *testing.T) {
	w, _ := newLetters(t)
	for query, want := range map[string][]string{
		"reason=refused":                     {"e1"},
		"status=503":                         {"e2"},
		"id=e3":                              {"e3"},
		"name=check":                         {"e2"},
		"before=2026-01-31T11:01:00Z":        {"e1"},
		"limit=2":                            {"e3", "e2"},
		"reason=gone":                        {},
		"reason=exhausted&status=503":        {"e2"},
		"before=2026-01-31T12:01:00%2B01:00": {"e1"},
	} {
		body := w.ask("GET", "/v1/dead_letters/webhook?"+query).json(200)
		got := []string{}
		for _, l := range body["dead_letters"].([]any) {
			got = append(got, at(l, "id").(string))
		}
		assert.Equal(t, want, got, query)
	}
}

func TestInvalidFiltersOfDeadLettersAreRefused(t *testing.T) {
	w, keeper := newLetters(t)
	for query, want := range map[string]string{
		"reson=refused":              `unknown parameter "reson"; valid parameters: reason, status, id, name, before, limit`,
		"reason=refuse":              `reason: "refuse" is not a reason; valid are encoding, refused`,
		"reason=":                    "reason: is empty",
		"reason=refused&reason=gone": "reason: is given 2 times; give it once",
		"status=abc":                 "status: must be a number from 100 to 599",
		"before=yesterday":           "before: must be a time such as 2026-01-31T12:00:00Z",
		"limit=0":                    "limit: must be a number from 1",
		"limit=99999999999999999999": "limit: must be a number from 1",
		"reason=%zz":                 "malformed query",
	} {
		for _, method := range []string{"GET", "DELETE"} {
			w.ask(method, "/v1/dead_letters/webhook?"+query).fails(400, want)
		}
		w.ask("POST", "/v1/dead_letters/webhook/replay?"+query).fails(400, want)
	}
	w.ask("GET", "/v1/dead_letters/webhook?limit=1001").fails(400, "limit: must be a number from 1 to 1000")
	assert.Empty(t, keeper.filters, "nothing was replayed or deleted")
}

func TestExportersOfDeadLettersAreFoundByLiteralAndEncodedIDs(t *testing.T) {
	w, _ := newLetters(t)
	assert.Equal(t, "webhook", w.ask("GET", "/v1/dead_letters/webhook").json(200)["exporter"])
	assert.Equal(t, "webhook/audit", w.ask("GET", "/v1/dead_letters/webhook%2Faudit").json(200)["exporter"])
	w.ask("GET", "/v1/dead_letters/webhook/audit").fails(400, "write a slash in an exporter's id as %2F")
	assert.Equal(t, "e4", w.ask("GET", "/v1/dead_letters/webhook%2Faudit/1-3").json(200)["id"])
	assert.Equal(t, "e4", w.ask("GET", "/v1/dead_letters/webhook/audit/1-3").json(200)["id"])
	w.ask("GET", "/v1/dead_letters/nobody").fails(404, `exporter "nobody" is not running and has no dead letters`)
	w.ask("GET", "/v1/dead_letters/nobody/else").fails(404, `exporter "nobody/else" is not running and has no dead letters`)
	newWorld(t).ask("GET", "/v1/dead_letters/webhook").fails(404, "a dead_letter extension is needed")
}

func TestOneDeadLetterIsShownWithItsPayload(t *testing.T) {
	w, _ := newLetters(t)
	assert.Equal(t, `{"id":"e1"}`, w.ask("GET", "/v1/dead_letters/webhook/1-0").json(200)["payload"])
	w.ask("GET", "/v1/dead_letters/webhook/9-9").fails(404, "there is no dead letter with this key")
}

func TestAnswersOfDeadLettersAreHidden(t *testing.T) {
	w, keeper := newLetters(t, func(cfg *Config) { cfg.Answers = false })
	keeper.result = deadletter.Replayed{Outcome: deadletter.OutcomeRefused, Letters: []deadletter.Letter{{Status: 400, Message: "no such field"}}}
	for _, got := range []*answer{
		w.ask("GET", "/v1/dead_letters/webhook"), w.ask("GET", "/v1/dead_letters/webhook/1-0"), w.ask("POST", "/v1/dead_letters/webhook/1-0/replay"),
	} {
		assert.Equal(t, 200, got.status)
		assert.NotContains(t, got.text, "no such field")
	}
}

func TestOneDeadLetterIsReplayed(t *testing.T) {
	w, keeper := newLetters(t)
	assert.Equal(t, map[string]any{"outcome": "delivered"}, w.ask("POST", "/v1/dead_letters/webhook/1-0/replay").json(200))
	assert.Nil(t, keeper.replayed, "the payload is not edited")

	keeper.result = deadletter.Replayed{Outcome: deadletter.OutcomeRefused, Letters: []deadletter.Letter{{Status: 422, Message: "still wrong"}}}
	got := w.ask("POST", "/v1/dead_letters/webhook/1-0/replay", `{"payload":"{\"id\":\"e1\",\"n\":1}"}`).json(200)
	assert.Equal(t, map[string]any{"outcome": "refused", "status": 422.0, "message": "still wrong"}, got)
	assert.Equal(t, `{"id":"e1","n":1}`, string(keeper.replayed))

	keeper.result = deadletter.Replayed{Outcome: deadletter.OutcomeKept, Letters: []deadletter.Letter{{Status: 422, Message: "of the former attempt"}}}
	got = w.ask("POST", "/v1/dead_letters/webhook/1-0/replay").json(200)
	assert.Equal(t, "kept", got["outcome"])
	assert.NotContains(t, got, "status")
	assert.Contains(t, got["message"], "the backend does not accept it now")

	entries := w.log.FilterMessage("Replayed a dead letter on request").All()
	require.Len(t, entries, 3)
	assert.Equal(t, "192.0.2.1:1234", entries[1].ContextMap()["peer"])
	assert.Equal(t, true, entries[1].ContextMap()["edited"])
}

func TestInvalidEditsAreRefused(t *testing.T) {
	w, keeper := newLetters(t)
	large := strings.Repeat("x", deadletter.MaxEditedPayload+1)
	for name, tt := range map[string]struct {
		body   string
		status int
		want   string
	}{
		"not JSON":              {"payload", 400, `the body must be {"payload": "..."}`},
		"another member":        {`{"payload":"x","reason":"refused"}`, 400, `the body must be {"payload": "..."}`},
		"no string":             {`{"payload":{"id":"e1"}}`, 400, `the body must be {"payload": "..."}`},
		"no payload":            {`{}`, 400, `the body must be {"payload": "..."}`},
		"null":                  {`null`, 400, `the body must be {"payload": "..."}`},
		"two values":            {`{"payload":"x"}{"payload":"y"}`, 400, `the body must be {"payload": "..."}`},
		"empty":                 {`{"payload":""}`, 400, "payload: is empty"},
		"larger than 16 MiB":    {`{"payload":"` + large + `"}`, 413, "payload: is larger than 16777216 bytes"},
		"a body without an end": {strings.Repeat(" ", 2*deadletter.MaxEditedPayload+1), 413, "the body is larger than 33554432 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			w.ask("POST", "/v1/dead_letters/webhook/1-0/replay", tt.body).fails(tt.status, tt.want)
			assert.Nil(t, keeper.replayed)
		})
	}
}

func TestErrorsOfDeadLettersHaveTheirStatus(t *testing.T) {
	w, keeper := newLetters(t)
	for err, status := range map[error]int{
		deadletter.ErrPaused: 409, deadletter.ErrBusy: 409, deadletter.ErrNotRunning: 503, deadletter.ErrUnknownLetter: 404, deadletter.ErrInvalidPayload: 400,
	} {
		keeper.failing = fmt.Errorf("webhook: %w", err)
		w.ask("POST", "/v1/dead_letters/webhook/1-0/replay").fails(status, err.Error())
	}
	keeper.failing = deadletter.ErrBusy
	w.ask("POST", "/v1/dead_letters/webhook/replay").fails(409, "a replay or deletion of its dead letters is running")
	w.ask("DELETE", "/v1/dead_letters/webhook").fails(409, "a replay or deletion of its dead letters is running")
}

func TestReplayIsFollowedToItsEnd(t *testing.T) {
	w, keeper := newLetters(t)
	w.ask("GET", "/v1/dead_letters/webhook/replay").fails(404, "no dead letters of webhook have been replayed")
	w.ask("DELETE", "/v1/dead_letters/webhook/replay").fails(404, "no dead letters of webhook have been replayed")

	want := map[string]any{
		"exporter": "webhook", "running": true, "filter": map[string]any{"reason": "refused", "limit": 100.0}, "begun": "2026-01-31T11:59:50.000Z",
		"total": 100.0, "replayed": 20.0, "delivered": 18.0, "refused": 1.0, "kept": 1.0, "unreadable": 0.0, "per_second": 2.0, "left_s": 40.0,
	}
	assert.Equal(t, want, w.ask("POST", "/v1/dead_letters/webhook/replay?reason=refused&limit=100").json(202))
	assert.Equal(t, want, w.ask("GET", "/v1/dead_letters/webhook/replay").json(200))
	assert.Equal(t, want, at(w.ask("GET", "/v1/dead_letters").json(200), "replays", 0))
	assert.Equal(t, []deadletter.Filter{{Reason: "refused", Limit: 100}}, keeper.filters)

	assert.Equal(t, want, w.ask("DELETE", "/v1/dead_letters/webhook/replay").json(200))
	got := w.ask("DELETE", "/v1/dead_letters/webhook/replay").json(200)
	assert.Equal(t, false, got["running"])
	assert.Equal(t, "stopped on request", got["stopped"])
	assert.NotContains(t, got, "left_s")
	assert.Equal(t, 1, w.log.FilterMessage("Stopped a replay of dead letters on request").Len(), "the second request stopped nothing")
}

func TestDeadLettersAreDeleted(t *testing.T) {
	w, keeper := newLetters(t)
	assert.Equal(t, map[string]any{"deleted": 1.0}, w.ask("DELETE", "/v1/dead_letters/webhook/1-0").json(200))
	w.ask("DELETE", "/v1/dead_letters/webhook/7-7").fails(404, "there is no dead letter with this key")
	assert.Equal(t, map[string]any{"deleted": 2.0}, w.ask("DELETE", "/v1/dead_letters/webhook").json(200))
	assert.Len(t, keeper.letters, 1, "other exporters keep theirs")
	assert.Equal(t, "192.0.2.1:1234", w.log.FilterMessage("Deleted dead letters on request").All()[0].ContextMap()["peer"])
}

// TestFiltersInBodiesAreRefused: a program that sends the filter in the body would select everything.
func TestFiltersInBodiesAreRefused(t *testing.T) {
	w, keeper := newLetters(t)
	w.ask("POST", "/v1/dead_letters/webhook/replay", `{"reason":"refused"}`).fails(400, "write filters as query parameters")
	w.ask("DELETE", "/v1/dead_letters/webhook", `{"reason":"refused"}`).fails(400, "write filters as query parameters")
	w.ask("DELETE", "/v1/dead_letters/webhook/1-0", `x`).fails(400, "write filters as query parameters")
	assert.Empty(t, keeper.filters)
}

func TestIncompleteListIsAborted(t *testing.T) {
	w, keeper := newLetters(t)
	keeper.failing = fmt.Errorf("disk: %w", deadletter.ErrUnknownExporter)
	w.ask("GET", "/v1/dead_letters/webhook").fails(404, "no exporter with this id")
	assert.PanicsWithValue(t, http.ErrAbortHandler, func() { _ = w.api.endLetters(nil, []byte(",\n"), keeper.failing, nil) })
}

func TestHostileDeadLettersAreValidJSONWithinBounds(t *testing.T) {
	w, keeper := newLetters(t)
	hostile := strings.Repeat("\x00\u202e\"<script>\n\xff\U0001F600", 100_000)
	keeper.letters = []deadletter.Letter{{Exporter: "webhook", Signal: "logs", ID: hostile, Name: hostile, Message: hostile, Category: hostile, Destination: hostile, Reason: "refused", Payload: []byte("{}")}}
	got := w.ask("GET", "/v1/dead_letters/webhook")
	assert.True(t, json.Valid([]byte(got.text)))
	letter := at(got.json(200), "dead_letters", 0)
	assert.LessOrEqual(t, len(at(letter, "name").(string)), 128)
	assert.LessOrEqual(t, len(at(letter, "message").(string)), 2048)
	assert.True(t, strings.HasSuffix(at(letter, "name").(string), "…"))
	assert.Less(t, len(got.text), 32_000)
}
