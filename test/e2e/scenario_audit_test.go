// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// An audit trail: a webhook that accepts signed events, and callers that wait for its response or
// do not.
const (
	toAudit      = "default_pipelines: [logs/audit], sync: [logs/audit]"
	onDisk       = "sending_queue: {storage: file_storage, batch: {flush_timeout: 20ms}}"
	tryAgainSoon = "retry_on_failure: {initial_interval: 20ms, max_interval: 50ms}"
	giveUp       = "retry_on_failure: {enabled: false}"
)

// newAudit returns the webhook. It checks each request against the rules of Standard Webhooks.
func newAudit(t *testing.T, behave behavior) *backend {
	t.Helper()
	verifier, err := standardwebhooks.NewWebhook(webhookSecret)
	require.NoError(t, err)
	b := newBackend(t, behave)
	b.open = func(header http.Header, body []byte) []byte {
		assert.NoError(t, verifier.Verify(body, header), "the signature")
		var message struct {
			Type, Timestamp string
			Data            json.RawMessage
		}
		assert.NoError(t, json.Unmarshal(body, &message))
		var e event
		assert.NoError(t, unmarshal(message.Data, &e))
		assert.Equal(t, e.id(), header.Get("webhook-id"))
		assert.Equal(t, e.name(), message.Type)
		assert.Equal(t, text(e["timestamp"]), message.Timestamp)
		return message.Data
	}
	return b
}

func auditBranch(b *backend, settings string) branch {
	return branch{"logs/audit", "webhook/audit", fmt.Sprintf(
		"endpoint: %q, format: standard, signing: {scheme: standard, secrets: [%q]}, dead_letter: dead_letter, %s", b.URL, webhookSecret, settings)}
}

func TestScenarioAuditSyncCallerGetsBackendError(t *testing.T) {
	t.Parallel()
	const events = 3
	for _, dispatch := range []string{"dispatch: sync", "dispatch: auto"} {
		t.Run(dispatch+" without storage", func(t *testing.T) {
			t.Parallel()
			var sent journal
			b := newAudit(t, sent.of(refusing(http.StatusBadRequest, "the trail is closed")))
			p := startFanout(t, newDataFolders(t), toAudit, auditBranch(b, giveUp+", "+dispatch))
			caller := newSDK(p)

			status, said, err := caller.post(recordsWithoutID(0, events))
			require.NoError(t, err)
			assert.Equal(t, http.StatusBadRequest, status, said)
			b.setBehavior(sent.of(refusing(http.StatusServiceUnavailable, "busy")))
			status, said, err = caller.post(recordsWithoutID(0, events))
			require.NoError(t, err)
			assert.Equal(t, http.StatusServiceUnavailable, status, said)
			b.setBehavior(sent.of(accepting))
			caller.mustExport(t, recordsWithoutID(0, events))

			assert.Len(t, b.numbers(), events, "delivered before the response")
			assert.Equal(t, map[string]int{"returned": 2 * events, "delivered": events}, p.settled("webhook/audit", 3*events).outcomes)
			assert.Empty(t, p.deadLetterSummaries(), "dead letters of events returned to the caller")
			assert.Zero(t, p.counted("otelcol_fanout_kept_refusals_total"), "refusals hidden from the caller")
			assertIDAndTimeAreKept(t, &sent, events)
		})
	}
}

func TestScenarioAuditAsyncCallerDoesNotWait(t *testing.T) {
	t.Parallel()
	const events = 3
	for _, tt := range []struct {
		name, settings string
		durable        bool
	}{
		{"async", "dispatch: async", false},
		{"async with storage", "dispatch: async, " + onDisk, true},
		{"auto with storage", "dispatch: auto, " + onDisk, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			var sent journal
			b, s := newAudit(t, sent.of(refusing(http.StatusServiceUnavailable, "busy"))), newDataFolders(t)
			audit := auditBranch(b, tryAgainSoon+", "+tt.settings)
			p := startFanout(t, s, toAudit, audit)
			newSDK(p).mustExport(t, recordsWithoutID(0, events))
			p.waitFor("a second attempt at each", func() bool { return len(sent.sentAgain()) == events })
			assert.Empty(t, p.eventCounts("webhook/audit").outcomes, "outcomes while the backend was busy")

			if tt.durable {
				p.kill()
				p = startFanout(t, s, toAudit, audit)
			}
			b.setBehavior(sent.of(accepting))
			p.waitFor("the events", func() bool { return len(b.numbers()) >= events })
			p.stop()
			different, again := b.tally()
			assert.Equal(t, []int{events, 0}, []int{different, again}, "events, and repeated ones")
			assert.Empty(t, s.text(t), "dead letters")
			assertIDAndTimeAreKept(t, &sent, events)
		})
	}
}

// sentAgain returns the ids of events that were sent more than once.
func (j *journal) sentAgain() []string {
	var ids []string
	for id, times := range j.byID() {
		if len(times) > 1 {
			ids = append(ids, id)
		}
	}
	return ids
}

// assertIDAndTimeAreKept checks that each repeated event kept its id and time.
func assertIDAndTimeAreKept(t *testing.T, sent *journal, events int) {
	t.Helper()
	assert.Len(t, sent.sentAgain(), events, "events that were sent more than once under one id")
	ids := map[int]string{}
	for _, e := range sent.written() {
		require.Len(t, e.events, 1)
		n, id := numberOf(e.events[0]), e.events[0].id()
		assert.Contains(t, []string{"", id}, ids[n], "the ids of event %d", n)
		ids[n] = id
		happened := time.Unix(1_800_000_000, int64(n)).UTC().Format(time.RFC3339Nano)
		assert.Equal(t, happened, e.events[0]["timestamp"], "the time of event %d", n)
	}
	assert.Len(t, ids, events)
}

func TestScenarioAuditMissingStorageStopsStart(t *testing.T) {
	t.Parallel()
	for _, dispatch := range []string{"async", "auto"} {
		t.Run(dispatch, func(t *testing.T) {
			t.Parallel()
			audit := branch{"logs/audit", "webhook/audit", fmt.Sprintf("endpoint: %q, dispatch: %s, %s", aURL, dispatch, onDisk)}
			configuration := throughFanout(t, toAudit, audit)(configure(""))
			assertOneError(t, run(t, nil, "--config", writeConfig(t, configuration)),
				"exporters::webhook/audit", "sending_queue::storage", `"file_storage"`, "service::extensions")
		})
	}
}
