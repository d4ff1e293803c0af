// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package queuefile

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/pprofile"
	"go.opentelemetry.io/collector/pdata/ptrace"
	"go.opentelemetry.io/collector/pdata/xpdata/request"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/progress"
)

const (
	// stateKey is the key of the queue's own state; the keys of requests are numbers.
	stateKey = "qmv0"
	// maxStateSize and maxGap are limits that no queue reaches.
	maxStateSize = 16 << 20
	maxGap       = 1 << 40
)

// Check returns a [DamagedError] if the file must not be opened as a database, or if the state of the
// queue in it cannot be read: the queue would start anew, and forget what it holds.
func (f *File) Check() error {
	return f.walk(func(key []byte, v value) error {
		if string(key) != stateKey {
			return nil
		}
		_, err := readState(v)
		return err
	})
}

func (f *File) walk(visit visitor) error {
	err := walk(f.content, f.size, visit)
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &DamagedError{File: f.path, Problem: err.Error()}
}

// Contents describes the content of a queue.
type Contents struct {
	// Requests is the number of stored requests, and Bytes their size.
	Requests int
	Bytes    int64
	// Events is the number of events that a collector would send. A request that cannot be read
	// counts as one, as in the metrics.
	Events int
}

// Contents checks the file, and counts what a queue of the given signal holds in it.
func (f *File) Contents(ctx context.Context, signal string) (Contents, error) {
	state, settled := state{}, map[uint64]int{}
	err := f.walk(func(key []byte, v value) (err error) {
		if string(key) == stateKey {
			state, err = readState(v)
			return err
		}
		if index, ok := progress.ParseKey(string(key)); ok {
			settled[index], err = countSettled(v)
		}
		return err
	})
	if err != nil {
		return Contents{}, err
	}
	var c Contents
	err = f.walk(func(key []byte, v value) error {
		index, err := strconv.ParseUint(string(key), 10, 64)
		if err != nil || v.size == 0 || !state.holds(index) {
			return ctx.Err()
		}
		data, err := v.read()
		if err != nil {
			return err
		}
		c.Requests++
		c.Bytes += int64(len(data))
		if events, err := countEvents(data, signal); err != nil {
			c.Events++
		} else {
			c.Events += max(events-settled[index], 0)
		}
		return ctx.Err()
	})
	return c, err
}

// countSettled returns the number of settled events in notes.
func countSettled(v value) (n int, err error) {
	data, err := v.read()
	return progress.CountSettled(data), err
}

// state is the state of exporterhelper's persistent queue, a protobuf message: requests from read up to
// write wait, and those of sending are being sent.
type state struct {
	known       bool
	read, write uint64
	sending     map[uint64]bool
}

// holds reports whether the queue still has the request; one without state may have any.
func (s *state) holds(index uint64) bool {
	return !s.known || index >= s.read && index < s.write || s.sending[index]
}

// The fields of the state; all are 8 bytes, and the last one is a list.
const (
	readField    = 3
	writeField   = 4
	sendingField = 5
)

func readState(v value) (state, error) {
	if v.size == 0 {
		return state{}, nil // the queue takes it for none
	}
	if v.size > maxStateSize {
		return state{}, fmt.Errorf("the state of the queue has %d bytes", v.size)
	}
	data, err := v.read()
	if err != nil {
		return state{}, err
	}
	s := state{known: true, sending: map[uint64]bool{}}
	for len(data) > 0 {
		field, kind, n := protowire.ConsumeTag(data)
		if n < 0 {
			return state{}, errState
		}
		size := protowire.ConsumeFieldValue(field, kind, data[n:])
		if size < 0 || !s.set(field, kind, data[n:n+size]) {
			return state{}, errState
		}
		data = data[n+size:]
	}
	if s.read > s.write || s.write-s.read > maxGap {
		return state{}, fmt.Errorf("the queue would read request %d after writing %d", s.read, s.write)
	}
	return s, nil
}

var errState = errors.New("the state of the queue cannot be read")

// set sets a field, and reports whether it could be read.
func (s *state) set(field protowire.Number, kind protowire.Type, data []byte) bool {
	switch {
	case field == sendingField && kind == protowire.BytesType:
		list, _ := protowire.ConsumeBytes(data)
		for ; len(list) >= 8; list = list[8:] {
			index, _ := protowire.ConsumeFixed64(list)
			s.sending[index] = true
		}
		return len(list) == 0
	case field > sendingField:
		return true
	case kind != protowire.Fixed64Type:
		return false
	}
	number, _ := protowire.ConsumeFixed64(data)
	switch field {
	case readField:
		s.read = number
	case writeField:
		s.write = number
	case sendingField:
		s.sending[number] = true
	}
	return true
}

// countEvents returns the number of events in a stored request: of this project's exporters, or of
// any other exporter.
func countEvents(data []byte, signal string) (int, error) {
	if batch.IsStored(data) {
		b, err := batch.Unmarshal(data, nil)
		if err != nil {
			return 0, err
		}
		return b.Count(), nil
	}
	switch signal {
	case "logs":
		return countIn(data, request.UnmarshalLogs, (&plog.ProtoUnmarshaler{}).UnmarshalLogs, plog.Logs.LogRecordCount)
	case "traces":
		return countIn(data, request.UnmarshalTraces, (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces, ptrace.Traces.SpanCount)
	case "metrics":
		return countIn(data, request.UnmarshalMetrics, (&pmetric.ProtoUnmarshaler{}).UnmarshalMetrics, pmetric.Metrics.DataPointCount)
	case "profiles":
		return countIn(data, request.UnmarshalProfiles, (&pprofile.ProtoUnmarshaler{}).UnmarshalProfiles, pprofile.Profiles.SampleCount)
	}
	return 0, fmt.Errorf("the signal %q is unknown", signal)
}

// countIn counts in a request in either format of exporterhelper.
func countIn[T any](data []byte, unmarshal func([]byte) (context.Context, T, error), unmarshalOlder func([]byte) (T, error), count func(T) int) (int, error) {
	_, content, err := unmarshal(data)
	if errors.Is(err, request.ErrInvalidFormat) {
		content, err = unmarshalOlder(data)
	}
	if err != nil {
		return 0, err
	}
	return count(content), nil
}
