// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package progress notes on disk which events of a stored batch are settled. A queue on disk keeps a
// batch until all of it is settled; without the notes, a restart would send all of it again.
//
// [Notes] wraps the client of the queue's storage. The notes on the request with the key 17 are under
// the key settled/17, and are deleted with the request. What was settled since the last write, a few
// milliseconds ago, is repeated after a crash.
package progress

import (
	"context"
	"encoding/binary"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/zeebo/xxh3"
	"go.opentelemetry.io/collector/extension/xextension/storage"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
)

// A pause of four times as long as the write took, within these bounds, follows each write.
const (
	minPause = 2 * time.Millisecond
	maxPause = 10 * time.Millisecond
)

// keyPrefix begins the keys of notes. The keys of requests are numbers, and those of the queue's own
// state are words.
const keyPrefix = "settled/"

// A stored request begins with the version of its format. These begin values in memory: that of a
// request that was read, with its key, checksum and notes before it, and that of a request that is
// stored anew with its notes.
const (
	readEnvelope = 0xFF
	noteEnvelope = 0xFE
)

// sumSize is the size of the checksum of the request that begins notes on disk, which keeps notes that
// were left behind from applying to another request.
const sumSize = 8

// Notes notes the progress of one queue. Its methods are safe for concurrent use.
type Notes struct {
	client  storage.Client
	wake    chan struct{}
	stop    chan struct{}
	stopped sync.WaitGroup

	mu    sync.Mutex
	dirty map[*batch.Stored]struct{}
	// writing is held while notes are written or deleted, so that none is written after its request
	// was deleted.
	writing sync.Mutex
	read    map[uint64]*batch.Stored
	written map[uint64]bool
}

// NewNotes returns notes without a client: see Open.
func NewNotes() *Notes {
	return &Notes{
		wake: make(chan struct{}, 1), stop: make(chan struct{}), dirty: map[*batch.Stored]struct{}{},
		read: map[uint64]*batch.Stored{}, written: map[uint64]bool{},
	}
}

// Open returns the client that the queue has to use. Its Close writes the last notes.
func (n *Notes) Open(client storage.Client) storage.Client {
	n.client = client
	n.stopped.Go(n.run)
	return &notingClient{client, n}
}

// Settle notes that events are settled. If they are all that their attempt had, and no other event of
// their stored batches is left, nothing is written: the queue is about to delete the batches.
func (n *Notes) Settle(events []batch.Event, all bool) {
	var last *batch.Stored
	for i := range events {
		stored := events[i].Settle()
		if stored != last {
			n.mark(last, all)
			last = stored
		}
	}
	n.mark(last, all)
}

func (n *Notes) mark(stored *batch.Stored, all bool) {
	if stored == nil {
		return
	}
	n.mu.Lock()
	skip := all && !stored.Noted && stored.IsSettled()
	if !skip {
		stored.Noted = true
		n.dirty[stored] = struct{}{}
	}
	n.mu.Unlock()
	if skip {
		return
	}
	select {
	case n.wake <- struct{}{}:
	default:
	}
}

// run writes notes until they are closed.
func (n *Notes) run() {
	pause := time.NewTimer(0)
	defer pause.Stop()
	for {
		var took time.Duration
		select {
		case <-n.wake:
			begun := time.Now()
			n.write()
			took = time.Since(begun)
		case <-n.stop:
			return
		}
		pause.Reset(max(minPause, min(4*took, maxPause)))
		select {
		case <-pause.C:
		case <-n.stop:
			return
		}
	}
}

// write writes the notes that have changed. If the storage fails they are lost, and a restart sends
// more events again.
func (n *Notes) write() {
	n.writing.Lock()
	defer n.writing.Unlock()
	n.mu.Lock()
	dirty := n.dirty
	n.dirty = map[*batch.Stored]struct{}{}
	n.mu.Unlock()
	var ops []*storage.Operation
	for stored := range dirty {
		if n.read[stored.Index] == stored {
			ops = append(ops, storage.SetOperation(keyOf(stored.Index), notesOf(stored.Sum, stored.Settled())))
			n.written[stored.Index] = true
		}
	}
	if len(ops) > 0 {
		_ = n.client.Batch(context.Background(), ops...)
	}
}

func (n *Notes) close() {
	close(n.stop)
	n.stopped.Wait()
	n.write()
}

func keyOf(index uint64) string { return keyPrefix + strconv.FormatUint(index, 10) }

// ParseKey returns the key of the request whose notes are stored under a key, or false if the key is
// not one of notes. Notes have a bit for each event of the request, which is set if it is settled.
func ParseKey(key string) (index uint64, ok bool) {
	number, ok := strings.CutPrefix(key, keyPrefix)
	if !ok {
		return 0, false
	}
	index, err := strconv.ParseUint(number, 10, 64)
	return index, err == nil
}

// notesOf returns notes as they are stored.
func notesOf(sum uint64, settled []byte) []byte {
	return append(binary.LittleEndian.AppendUint64(make([]byte, 0, sumSize+len(settled)), sum), settled...)
}

// settledIn returns the settled events of stored notes, or none if they are those of another request.
func settledIn(notes []byte, sum uint64) []byte {
	if len(notes) < sumSize || binary.LittleEndian.Uint64(notes) != sum {
		return nil
	}
	return notes[sumSize:]
}

// CountSettled returns the number of settled events in stored notes.
func CountSettled(notes []byte) (n int) {
	for _, b := range notes[min(len(notes), sumSize):] {
		n += bits.OnesCount8(b)
	}
	return n
}

// WithNotes returns the value under which to store a request anew, with the notes of the stored batch
// that it was read from; stored may be nil.
func WithNotes(request []byte, stored *batch.Stored) []byte {
	if stored == nil {
		return request
	}
	settled := stored.Settled()
	value := append(make([]byte, 0, 1+binary.MaxVarintLen64+len(settled)+len(request)), noteEnvelope)
	value = binary.AppendUvarint(value, uint64(len(settled)))
	return append(append(value, settled...), request...)
}

// SplitNotes is the inverse of [WithNotes]. It returns no notes for any other value.
func SplitNotes(value []byte) (settled, request []byte) {
	if len(value) == 0 || value[0] != noteEnvelope {
		return nil, value
	}
	size, n := binary.Uvarint(value[1:])
	value = value[1+n:]
	return value[:size], value[size:]
}

// Read splits the value of a request, as the queue read it, into the stored batch with its notes and
// the request itself. It returns false if the value was not read by Open's client.
func (n *Notes) Read(value []byte) (stored *batch.Stored, request []byte, ok bool) {
	if len(value) == 0 || value[0] != readEnvelope {
		return nil, value, false
	}
	index, length := binary.Uvarint(value[1:])
	value = value[1+length:]
	sum := binary.LittleEndian.Uint64(value)
	size, length := binary.Uvarint(value[sumSize:])
	value = value[sumSize+length:]
	stored = batch.NewStored(index, sum, value[:size])
	n.writing.Lock()
	defer n.writing.Unlock()
	if _, ok := n.read[index]; ok { // it is not deleted yet
		n.read[index] = stored
	}
	return stored, value[size:], true
}

// notingClient is the client of a queue that reads, writes and deletes notes with requests.
type notingClient struct {
	storage.Client

	notes *Notes
}

// Batch implements storage.Client.
func (c *notingClient) Batch(ctx context.Context, ops ...*storage.Operation) error {
	var reads []*storage.Operation // each request, followed by its notes
	var deleted []uint64
	all := slices.Clone(ops)
	for i, op := range ops {
		index, err := strconv.ParseUint(op.Key, 10, 64)
		switch {
		case err != nil:
		case op.Type == storage.Get:
			notes := storage.GetOperation(keyOf(index))
			reads = append(reads, op, notes)
			all = append(all, notes)
		case op.Type == storage.Delete:
			deleted = append(deleted, index)
		case op.Type == storage.Set:
			settled, request := SplitNotes(op.Value)
			all[i] = storage.SetOperation(op.Key, request)
			if len(settled) > 0 {
				all = append(all, storage.SetOperation(keyOf(index), notesOf(xxh3.Hash(request), settled)))
			}
		}
	}
	if len(deleted) > 0 {
		return c.notes.deleting(ctx, all, deleted)
	}
	if err := c.Client.Batch(ctx, all...); err != nil {
		return err
	}
	for i := 0; i < len(reads); i += 2 {
		c.notes.wrap(reads[i], reads[i+1])
	}
	return nil
}

// wrap adds its key, its checksum and its notes to the value of a request that was read.
func (n *Notes) wrap(request, notes *storage.Operation) {
	if request.Value == nil {
		return
	}
	index, _ := strconv.ParseUint(request.Key, 10, 64) // it was parsed before
	sum := xxh3.Hash(request.Value)
	settled := settledIn(notes.Value, sum)
	value := append(make([]byte, 0, 1+sumSize+2*binary.MaxVarintLen64+len(settled)+len(request.Value)), readEnvelope)
	value = binary.AppendUvarint(value, index)
	value = binary.LittleEndian.AppendUint64(value, sum)
	value = binary.AppendUvarint(value, uint64(len(settled)))
	request.Value = append(append(value, settled...), request.Value...)
	n.writing.Lock()
	defer n.writing.Unlock()
	n.read[index] = nil
	if len(notes.Value) > 0 {
		n.written[index] = true
	}
}

// deleting executes operations that delete requests, and deletes their notes too.
func (n *Notes) deleting(ctx context.Context, ops []*storage.Operation, deleted []uint64) error {
	n.writing.Lock()
	defer n.writing.Unlock()
	all := ops
	for _, index := range deleted {
		delete(n.read, index)
		if n.written[index] {
			all = append(slices.Clip(all), storage.DeleteOperation(keyOf(index)))
		}
	}
	err := n.client.Batch(ctx, all...)
	if err == nil {
		for _, index := range deleted {
			delete(n.written, index)
		}
	}
	return err
}

// Close implements storage.Client.
func (c *notingClient) Close(ctx context.Context) error {
	c.notes.close()
	return c.Client.Close(ctx)
}
