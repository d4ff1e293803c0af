// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryintake

import (
	"context"
	"encoding/json"
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/test/intake/standin"
)

// waitFor limits WaitFor.
const waitFor = 30 * time.Second

// Envelopes returns the accepted envelopes in order. An envelope that breaks a rule is not accepted.
func (in *Intake) Envelopes() []Envelope { return standin.All(&in.Server, &in.accepted) }

// Events returns the accepted events. Here and below, numbers are json.Number, which keeps their
// text.
func (in *Intake) Events() []map[string]any { return in.Decoded("event") }

// Transactions returns the accepted transactions.
func (in *Intake) Transactions() []map[string]any { return in.Decoded("transaction") }

// Logs returns the accepted logs from their containers.
func (in *Intake) Logs() []map[string]any { return in.Decoded("log") }

// Spans returns the accepted spans of version 2 from their containers.
func (in *Intake) Spans() []map[string]any { return in.Decoded("span") }

// ClientReports returns the accepted client reports.
func (in *Intake) ClientReports() []map[string]any { return in.Decoded("client_report") }

// Decoded returns the payloads of the accepted items of a type, or the entries of its containers. It
// leaves out payloads that are not JSON objects, such as attachments.
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

// Raw returns the same as unchanged bytes, including payloads that are not JSON.
func (in *Intake) Raw(itemType string) [][]byte {
	var raw [][]byte
	for _, envelope := range in.Envelopes() {
		for _, item := range envelope.Of(itemType) {
			raw = append(raw, item.Entries()...)
		}
	}
	return raw
}

// Entries returns the unchanged entries of a container, or the payload of any other item.
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

// WaitFor waits until get returns at least n items, and returns them. It fails the test after half a
// minute. Call it from the test's own goroutine:
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
			in.t.Fatalf("the intake has %d items, not %d", len(things), n)
		}
	}
}
