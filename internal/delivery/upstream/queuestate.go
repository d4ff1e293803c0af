// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package upstream

import (
	"strconv"

	"go.opentelemetry.io/collector/extension/xextension/storage"
	"google.golang.org/protobuf/encoding/protowire"
)

// QueueState counts what exporterhelper's persistent queue holds, including what is being sent.
type QueueState struct{ Events, Bytes, Requests int64 }

// QueueChange is a change of what a persistent queue holds.
type QueueChange struct {
	// State is the queue's new state; nil if it is the same.
	State *QueueState
	// Stored and Deleted are the keys of requests that were stored and deleted.
	Stored, Deleted []uint64
}

// stateKey is the key under which the queue stores its state, a PersistentMetadata
// (exporterhelper/internal/queue/meta.proto), with each change. These are its fields.
const (
	stateKey = "qmv0"

	itemsSizeField  protowire.Number = 1
	bytesSizeField  protowire.Number = 2
	readIndexField  protowire.Number = 3
	writeIndexField protowire.Number = 4
	dispatchedField protowire.Number = 5
)

// changeOf returns what operations change; err is the storage's error. The queue goes on with its state
// even if that was not stored, and without a request that could not be deleted.
func changeOf(ops []*storage.Operation, err error) (change QueueChange) {
	for _, op := range ops {
		if state, ok := parseState(op.Key, op.Value); ok && op.Type == storage.Set {
			change.State = &state
			continue
		}
		key, notNumber := strconv.ParseUint(op.Key, 10, 64)
		switch {
		case notNumber != nil:
		case op.Type == storage.Set && err == nil:
			change.Stored = append(change.Stored, key)
		case op.Type == storage.Delete:
			change.Deleted = append(change.Deleted, key)
		}
	}
	return change
}

// parseState parses the value under a key, and returns false if that is not the queue's state.
func parseState(key string, value []byte) (state QueueState, ok bool) {
	if key != stateKey || len(value) == 0 {
		return QueueState{}, false
	}
	for len(value) > 0 {
		field, kind, n := protowire.ConsumeTag(value)
		if n < 0 {
			return QueueState{}, false
		}
		value = value[n:]
		switch kind {
		case protowire.Fixed64Type:
			number, n := protowire.ConsumeFixed64(value)
			if n < 0 {
				return QueueState{}, false
			}
			value = value[n:]
			state.set(field, int64(number)) //nolint:gosec // sizes and numbers of requests
		case protowire.BytesType:
			packed, n := protowire.ConsumeBytes(value)
			if n < 0 {
				return QueueState{}, false
			}
			value = value[n:]
			if field == dispatchedField {
				state.Requests += int64(len(packed) / 8)
			}
		default:
			n := protowire.ConsumeFieldValue(field, kind, value)
			if n < 0 {
				return QueueState{}, false
			}
			value = value[n:]
		}
	}
	return state, true
}

func (s *QueueState) set(field protowire.Number, value int64) {
	switch field {
	case itemsSizeField:
		s.Events = value
	case bytesSizeField:
		s.Bytes = value
	case readIndexField:
		s.Requests -= value
	case writeIndexField:
		s.Requests += value
	case dispatchedField: // not packed
		s.Requests++
	}
}
