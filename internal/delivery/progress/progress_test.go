// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package progress

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
)

// memory is a storage.Client in memory.
type memory struct {
	mu     sync.Mutex
	values map[string][]byte
	writes atomic.Int64 // of notes
	err    error
	closed bool
}

func newMemory() *memory { return &memory{values: map[string][]byte{}} }

func (m *memory) Batch(_ context.Context, ops ...*storage.Operation) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	for _, op := range ops {
		switch op.Type {
		case storage.Get:
			op.Value = m.values[op.Key]
		case storage.Set:
			m.values[op.Key] = op.Value
			if op.Key == "settled/0" || op.Key == "settled/1" {
				m.writes.Add(1)
			}
		case storage.Delete:
			delete(m.values, op.Key)
		}
	}
	return nil
}

func (m *memory) Get(ctx context.Context, key string) ([]byte, error) {
	op := storage.GetOperation(key)
	return op.Value, m.Batch(ctx, op)
}

func (m *memory) Set(ctx context.Context, key string, value []byte) error {
	return m.Batch(ctx, storage.SetOperation(key, value))
}

func (m *memory) Delete(ctx context.Context, key string) error {
	return m.Batch(ctx, storage.DeleteOperation(key))
}

func (m *memory) Close(context.Context) error {
	m.closed = true
	return nil
}

func (m *memory) keys() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Sorted(maps.Keys(m.values))
}

// newStored returns a client with a stored batch of events under the key 0.
func newStored(t *testing.T, names ...string) *memory {
	t.Helper()
	m := newMemory()
	var w batch.Writer
	for _, name := range names {
		w.End(append(w.Begin(batch.Meta{Name: name}), name...))
	}
	require.NoError(t, m.Set(t.Context(), "0", w.Take().Marshal()))
	return m
}

// read reads the stored batch with the key 0 as the queue does.
func read(t *testing.T, n *Notes, client storage.Client) *batch.Batch {
	t.Helper()
	return readKey(t, n, client, "0")
}

func readKey(t *testing.T, n *Notes, client storage.Client, key string) *batch.Batch {
	t.Helper()
	op := storage.GetOperation(key)
	require.NoError(t, client.Batch(t.Context(), storage.SetOperation("state", []byte("x")), op))
	stored, request, ok := n.Read(op.Value)
	require.True(t, ok)
	b, err := batch.UnmarshalStored(request, nil, stored)
	require.NoError(t, err)
	return b
}

func namesOf(b *batch.Batch) (names []string) {
	for _, e := range b.Unsettled() {
		names = append(names, e.Name)
	}
	return names
}

func TestRestartReadsUnsettledEvents(t *testing.T) {
	m := newStored(t, "a", "b", "c", "d")
	first := NewNotes()
	client := first.Open(m)
	events := read(t, first, client).Events()
	first.Settle([]batch.Event{events[1], events[3]}, false)
	require.NoError(t, client.Close(t.Context()))
	assert.True(t, m.closed)
	assert.Equal(t, []string{"0", "settled/0", "state"}, m.keys())

	second := NewNotes()
	client = second.Open(m)
	b := read(t, second, client)
	assert.Equal(t, []string{"a", "c"}, namesOf(b))
	pieces := b.Split(1, 1<<20)
	second.Settle(pieces[2].Events(), false)
	require.NoError(t, client.Close(t.Context()))

	third := NewNotes()
	client = third.Open(m)
	b = read(t, third, client)
	assert.Equal(t, []string{"a"}, namesOf(b))
	third.Settle(batch.Of(b.Unsettled()).Events(), false)
	require.NoError(t, client.Batch(t.Context(), storage.DeleteOperation("0")))
	require.NoError(t, client.Close(t.Context()))
	assert.Equal(t, []string{"state"}, m.keys(), "the notes go with the request")
}

func TestFullySettledBatchHasNothingToSend(t *testing.T) {
	m := newStored(t, "a", "b")
	first := NewNotes()
	client := first.Open(m)
	first.Settle(read(t, first, client).Events(), false)
	require.NoError(t, client.Close(t.Context()))

	second := NewNotes()
	client = second.Open(m)
	b := read(t, second, client)
	assert.Empty(t, b.Unsettled())
	assert.Equal(t, 2, b.Count(), "the queue accounts for the whole batch")
	require.NoError(t, client.Close(t.Context()))
}

func TestBatchInOneRequestNeedsNoNotes(t *testing.T) {
	m := newStored(t, "a", "b")
	n := NewNotes()
	client := n.Open(m)
	n.Settle(read(t, n, client).Events(), true)
	require.NoError(t, client.Close(t.Context()))
	assert.Zero(t, m.writes.Load())
}

func TestPartOfSplitBatchIsNoted(t *testing.T) {
	m := newStored(t, "a", "b")
	n := NewNotes()
	client := n.Open(m)
	n.Settle(read(t, n, client).Split(1, 1<<20)[0].Events(), true)
	require.NoError(t, client.Close(t.Context()))
	assert.EqualValues(t, 1, m.writes.Load())
}

func TestNotesAreWrittenOnceAPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newStored(t, "a", "b", "c", "d", "e")
		n := NewNotes()
		client := n.Open(m)
		events := read(t, n, client).Events()
		for i := range events[:4] {
			n.Settle(events[i:i+1], false)
			synctest.Wait()
		}
		assert.EqualValues(t, 1, m.writes.Load(), "the first is written at once")
		time.Sleep(minPause)
		synctest.Wait()
		assert.EqualValues(t, 2, m.writes.Load())
		require.NoError(t, client.Close(t.Context()))
		assert.EqualValues(t, 2, m.writes.Load())
	})
}

func TestNotesOfDeletedRequestAreNotWritten(t *testing.T) {
	m := newStored(t, "a", "b")
	n := NewNotes()
	client := n.Open(m)
	events := read(t, n, client).Events()
	require.NoError(t, client.Batch(t.Context(), storage.DeleteOperation("0")))
	n.Settle(events[:1], false)
	require.NoError(t, client.Close(t.Context()))
	assert.Equal(t, []string{"state"}, m.keys())
}

func TestFailingStorageIsNotReported(t *testing.T) {
	m := newStored(t, "a", "b")
	n := NewNotes()
	client := n.Open(m)
	events := read(t, n, client).Events()
	m.err = errors.New("disk full")
	n.Settle(events[:1], false)
	require.ErrorIs(t, client.Batch(t.Context(), storage.GetOperation("0")), m.err)
	require.ErrorIs(t, client.Batch(t.Context(), storage.DeleteOperation("0")), m.err)
	require.NoError(t, client.Close(t.Context()))
}

func TestOtherValuesAreLeftAlone(t *testing.T) {
	m := newMemory()
	n := NewNotes()
	client := n.Open(m)
	missing := storage.GetOperation("7")
	require.NoError(t, client.Batch(t.Context(), missing))
	assert.Nil(t, missing.Value)
	for _, value := range []string{"", "\x02x"} {
		_, rest, ok := n.Read([]byte(value))
		assert.False(t, ok)
		assert.Equal(t, value, string(rest))
	}
	n.Settle(batch.Of([]batch.Event{{}}).Events(), false)
	require.NoError(t, client.Close(t.Context()))
	assert.Empty(t, m.keys())
}

func TestNotesOfAnotherRequestAreIgnored(t *testing.T) {
	for _, left := range [][]byte{{3}, {1, 2, 3, 4, 5, 6, 7, 8, 3}} {
		m := newStored(t, "new1", "new2")
		m.values["settled/0"] = left
		n := NewNotes()
		client := n.Open(m)
		assert.Equal(t, []string{"new1", "new2"}, namesOf(read(t, n, client)))
		require.NoError(t, client.Batch(t.Context(), storage.DeleteOperation("0")))
		require.NoError(t, client.Close(t.Context()))
		assert.Equal(t, []string{"state"}, m.keys(), "they are deleted with the request")
	}
}

func TestSettledBatchInPendingRequestIsNoted(t *testing.T) {
	m := newStored(t, "a0", "a1")
	var w batch.Writer
	w.End(append(w.Begin(batch.Meta{Name: "b0"}), "b0"...))
	require.NoError(t, m.Set(t.Context(), "1", w.Take().Marshal()))
	n := NewNotes()
	client := n.Open(m)
	merged := readKey(t, n, client, "0")
	merged.Append(readKey(t, n, client, "1"))
	events := merged.Events()
	n.Settle(events[1:2], false) // a1, in a request with b0
	n.write()
	n.Settle(events[:1], true) // a0, alone in its request
	require.NoError(t, client.Close(t.Context()))

	second := NewNotes()
	client = second.Open(m)
	assert.Empty(t, namesOf(readKey(t, second, client, "0")))
	require.NoError(t, client.Close(t.Context()))
}

// TestNotesMoveWithRequest does what the queue does at start with a request that was being sent.
func TestNotesMoveWithRequest(t *testing.T) {
	m := newStored(t, "a", "b")
	first := NewNotes()
	client := first.Open(m)
	first.Settle(read(t, first, client).Events()[:1], false)
	require.NoError(t, client.Close(t.Context()))

	second := NewNotes()
	client = second.Open(m)
	op := storage.GetOperation("0")
	require.NoError(t, client.Batch(t.Context(), op))
	require.NoError(t, client.Batch(t.Context(), storage.DeleteOperation("0")))
	stored, request, ok := second.Read(op.Value)
	require.True(t, ok)
	b, err := batch.UnmarshalStored(request, nil, stored)
	require.NoError(t, err)
	value := WithNotes(b.Marshal(), b.Stored())
	require.NoError(t, client.Batch(t.Context(), storage.SetOperation("1", value)))
	assert.Equal(t, []string{"1", "settled/1", "state"}, m.keys())
	assert.Equal(t, 1, CountSettled(m.values["settled/1"]))
	moved := readKey(t, second, client, "1")
	assert.Equal(t, []string{"b"}, namesOf(moved))
	require.NoError(t, client.Batch(t.Context(), storage.DeleteOperation("1")))
	require.NoError(t, client.Close(t.Context()))
	assert.Equal(t, []string{"state"}, m.keys())
	assert.Empty(t, second.read)

	settled, request := SplitNotes(value)
	assert.Equal(t, []byte{1}, settled)
	assert.Equal(t, b.Marshal(), request)
}

func TestEnvelopeOfNotesIsNeverStored(t *testing.T) {
	m := newStored(t, "a")
	n := NewNotes()
	client := n.Open(m)
	request := m.values["0"]
	value := WithNotes(request, batch.NewStored(0, 0, nil))
	require.NotEqual(t, request, value)
	require.NoError(t, client.Batch(t.Context(), storage.SetOperation("1", value)))
	assert.Equal(t, request, m.values["1"])
	require.NoError(t, client.Close(t.Context()))
}
