// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageexporter

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	moengageintake "github.com/otelcol-fanout/otelcol-fanout/test/intake/moengage"
)

// withoutKeys returns the events as dead letters and earlier versions hold them.
func withoutKeys(events []delivery.Event) []delivery.Event {
	old := make([]delivery.Event, len(events))
	for i := range events {
		old[i] = events[i]
		old[i].Key = ""
	}
	return old
}

func TestCompletedEventsMakeTheSameRequests(t *testing.T) {
	for name, ld := range map[string]plog.Logs{
		"one user": numbered(200, 1), "many users": mixed(rand.New(rand.NewPCG(1, 2)), 0, 300, 5), "odd records": odd(),
	} {
		t.Run(name, func(t *testing.T) {
			b := newTestBackend(t, validConfig())
			events := encodeAll(t, b, ld)
			completed := withoutKeys(events)
			for i := range completed {
				completeMeta(&completed[i])
			}
			require.Equal(t, events, completed)
			want, _ := b.BuildRequests(events)
			got, _ := b.BuildRequests(completed)
			require.Len(t, got, len(want))
			for i := range want {
				assert.Equal(t, string(want[i].AppendBody(nil)), string(got[i].AppendBody(nil)))
				assert.Equal(t, want[i].URL, got[i].URL)
				assert.Equal(t, want[i].Partition, got[i].Partition)
			}
		})
	}
}

func TestReplayedDeadLettersShareAnElement(t *testing.T) {
	in := moengageintake.New(t)
	failFirst(in, 4, moengageintake.BadRequest("no"))
	e := start(t, testConfig(in))
	e.Send(events("a", "b"))
	require.Len(t, e.Letters.All(), 2)
	failFirst(in, 0, moengageintake.Reply{})
	e.Letters.Replay(t.Context())
	requests := in.Requests()
	body := string(requests[len(requests)-1].Body)
	assert.Equal(t, []string{"id-a", "id-b"}, ids(in), "in one request")
	assert.Regexp(t, `^\{"type":"transition","elements":\[\{[^\[]*"actions":\[\{"action":"a",.*\},\{"action":"b",.*\}\]\}\]\}$`, body)
}

// FuzzCompleteMeta checks that neither completeMeta nor BuildRequests fails on any payload and key:
// dead letters may be edited, and a disk may be damaged.
func FuzzCompleteMeta(f *testing.F) {
	f.Add([]byte(`{"type":"event","customer_id":"u1","actions":[{"action":"a"}]}`), "45")
	for _, payload := range []string{actionsOpen, actionsOpen + actionsClose, actionsClose, "", "x", `,"actions":`, actionsClose + actionsOpen} {
		for _, key := range []string{"", "0", "12", "-1", "99999999999999999999", "1000000", "x"} {
			f.Add([]byte(payload), key)
		}
	}
	f.Fuzz(func(t *testing.T, payload []byte, key string) {
		b := newTestBackend(t, validConfig())
		for _, category := range append(categories[:], "", "another") {
			meta := delivery.Meta{Destination: "u1", Category: category}
			events := []delivery.Event{{Meta: meta, Payload: payload}, {Meta: meta, Payload: payload}, {Meta: meta, Payload: payload}}
			events[0].Key, events[1].Key = key, key
			for i := range events {
				completeMeta(&events[i])
			}
			requests, refusals := b.BuildRequests(events)
			built := len(refusals)
			for i := range requests {
				built += len(requests[i].Events)
				assert.Len(t, requests[i].AppendBody(nil), requests[i].Size())
			}
			assert.Equal(t, len(events), built)
		}
	})
}
