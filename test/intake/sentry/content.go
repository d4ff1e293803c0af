// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryintake

import (
	"context"
	"encoding/json"
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/test/intake/standin"
)

// waitFor is how long WaitFor waits.
const waitFor = 30 * time.Second

// Envelopes are those that were accepted, in the order in which they were. What breaks a rule is not.
func (in *Intake) Envelopes() []Envelope { return standin.All(&in.Server, &in.accepted) }

// Events are the events that were accepted. As in all that follows, numbers are json.Number: what was written.
func (in *Intake) Events() []map[string]any { return in.Decoded("event") }

// Transactions are the transactions that were accepted.
func (in *Intake) Transactions() []map[string]any { return in.Decoded("transaction") }

// Logs are the logs that were accepted, out of their containers.
func (in *Intake) Logs() []map[string]any { return in.Decoded("log") }

// Spans are the spans of version 2 that were accepted, out of their containers.
func (in *Intake) Spans() []map[string]any { return in.Decoded("span") }

// ClientReports are the client reports that were accepted.
func (in *Intake) ClientReports() []map[string]any { return in.Decoded("client_report") }

// Decoded are the payloads of the accepted items of a type, or the entries of its containers. Those that are not JSON
// objects, such as attachments, are left out.
func (in *Intake) Decoded(itemType string) []map[string]any {
	var decoded []map[string]any
	for _, raw := range in.Raw(itemType) {
		value, violation := standin.Decode(raw, RulePayload, itemType)
		if members, ok := value.(map[string]any); ok && violation == nil {
			decoded = append(decoded, members)
		}
	}
	return decoded
}

// Raw are the same as they were written.
func (in *Intake) Raw(itemType string) [][]byte {
	var raw [][]byte
	for _, envelope := range in.Envelopes() {
		for _, item := range envelope.Of(itemType) {
			raw = append(raw, item.Entries()...)
		}
	}
	return raw
}

// Entries are the entries of a container as they were written, or the payload of what is none.
func (i *Item) Entries() [][]byte {
	if itemKinds[i.Type].contentType == "" {
		return [][]byte{i.Payload}
	}
	var container struct {
		Items []json.RawMessage `json:"items"`
	}
	if err := json.Unmarshal(i.Payload, &container); err != nil {
		return nil
	}
	entries := make([][]byte, len(container.Items))
	for n, entry := range container.Items {
		entries[n] = entry
	}
	return entries
}

// WaitFor waits until there are n or more of something, and returns them. It fails the test if they do not come within half
// a minute. It is for the test's own goroutine:
//
//	events := sentryintake.WaitFor(in, 2, in.Events)
func WaitFor[T any](in *Intake, n int, get func() []T) []T {
	in.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), waitFor)
	defer cancel()
	for {
		var changed <-chan struct{}
		in.Do(func() { changed = in.changed })
		things := get()
		if len(things) >= n {
			return things
		}
		select {
		case <-changed:
		case <-ctx.Done():
			in.t.Fatalf("%d came to the intake, not %d", len(things), n)
		}
	}
}
