// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"
	"google.golang.org/protobuf/encoding/protowire"
)

// changes collects what a queue changes.
type changes struct {
	mu      sync.Mutex
	state   QueueState
	stored  []uint64
	deleted []uint64
}

func (c *changes) add(_ context.Context, change QueueChange) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if change.State != nil {
		c.state = *change.State
	}
	c.stored, c.deleted = append(c.stored, change.Stored...), append(c.deleted, change.Deleted...)
}

// TestPersistentQueueStoresItsState pins the key and the fields of the queue's state, and that it is
// stored with each change, and read at the start.
func TestPersistentQueueStoresItsState(t *testing.T) {
	id := component.MustNewID("memory")
	s := &memoryStorage{values: map[string][]byte{}}
	sending, release := make(chan struct{}, 10), make(chan struct{})
	e := newExporter(t, zap.NewNop(), func(context.Context, plog.Logs) error {
		sending <- struct{}{}
		<-release
		return nil
	}, durable(id))
	first := &changes{}
	require.NoError(t, e.Start(t.Context(), WithQueueStorage(extensions{id: s}, id, QueueStorage{Open: same, Changed: first.add})))
	require.NoError(t, e.ConsumeLogs(t.Context(), records(3)))
	<-sending
	require.NoError(t, e.ConsumeLogs(t.Context(), records(4)))
	assert.EqualValues(t, 7, first.state.Events, "with what is being sent")
	assert.EqualValues(t, 2, first.state.Requests)
	assert.Positive(t, first.state.Bytes)
	assert.Equal(t, []uint64{0, 1}, first.stored)
	assert.Empty(t, first.deleted)

	// as another process would find it
	second := &changes{}
	client := queueClient{s, QueueStorage{Changed: second.add}}
	_, err := client.Get(t.Context(), stateKey)
	require.NoError(t, err)
	assert.Equal(t, first.state, second.state)

	close(release)
	<-sending
	require.NoError(t, e.Shutdown(t.Context()))
	assert.Equal(t, QueueState{}, first.state)
	assert.ElementsMatch(t, []uint64{0, 1}, first.deleted)
}

func TestStateCountsEvenIfItIsNotStored(t *testing.T) {
	failed := errors.New("disk full")
	s := &memoryStorage{values: map[string][]byte{}, fail: func([]*storage.Operation) error { return failed }}
	seen := &changes{}
	client := queueClient{s, QueueStorage{Changed: seen.add, NotStored: func(context.Context, []byte, error) bool { return false }}}
	state := protowire.AppendFixed64(protowire.AppendTag(nil, itemsSizeField, protowire.Fixed64Type), 5)
	require.ErrorIs(t, client.Batch(t.Context(), storage.SetOperation(stateKey, state), storage.SetOperation("7", []byte("x")), storage.DeleteOperation("6")), failed)
	assert.EqualValues(t, 5, seen.state.Events)
	assert.Empty(t, seen.stored)
	assert.Equal(t, []uint64{6}, seen.deleted)
}

func TestUnknownStateIsNoState(t *testing.T) {
	good := protowire.AppendFixed64(protowire.AppendTag(nil, bytesSizeField, protowire.Fixed64Type), 5)
	later := protowire.AppendVarint(protowire.AppendTag(good, 99, protowire.VarintType), 1)
	unpacked := protowire.AppendFixed64(protowire.AppendTag(later, dispatchedField, protowire.Fixed64Type), 5)
	state, ok := parseState(stateKey, unpacked)
	assert.True(t, ok)
	assert.Equal(t, QueueState{Bytes: 5, Requests: 1}, state)

	for n := 1; n < len(good); n++ {
		_, ok := parseState(stateKey, good[:n])
		assert.False(t, ok, "cut after %d bytes", n)
	}
	packed := protowire.AppendBytes(protowire.AppendTag(nil, dispatchedField, protowire.BytesType), make([]byte, 8))
	_, ok = parseState(stateKey, packed[:5])
	assert.False(t, ok)
	_, ok = parseState(stateKey, protowire.AppendTag(nil, 99, protowire.VarintType))
	assert.False(t, ok)
	_, ok = parseState("17", good)
	assert.False(t, ok)
	_, ok = parseState(stateKey, nil)
	assert.False(t, ok)
}
