// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"errors"
	"fmt"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/attempt"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/outcome"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/progress"
	"github.com/otelcol-fanout/otelcol-fanout/internal/queuefile"
)

// queueLoss records events that the queue does not take, or that its storage cannot return.
type queueLoss struct {
	recorder *outcome.Recorder
	storage  *component.ID // nil if the queue is in memory
	complete func(*batch.Event)
}

// shed gives up events that the queue had no room for, or that its storage could not take.
func (l *queueLoss) shed(b *batch.Batch, err error) {
	cause := attempt.Cause{Reason: deadletter.ReasonQueueFull, Message: err.Error()}
	switch {
	case errors.Is(err, exporterhelper.ErrQueueIsFull):
		cause.Message = "the queue is full"
	case l.storage != nil:
		cause = attempt.Cause{Reason: deadletter.ReasonStorageFailed, Message: l.inStorage(err)}
	}
	l.recorder.GivenUp(b.Unsettled(), cause, 0)
}

// notStored handles a request that the queue's storage did not take, and reports whether it is
// settled. The call that offered it sheds it; a request that an earlier run left is shed here.
func (l *queueLoss) notStored(ctx context.Context, stored []byte, err error) bool {
	if r, ok := offered(ctx); ok {
		r.notStored = err
		return true
	}
	notes, request := progress.SplitNotes(stored)
	b, corrupt := batch.UnmarshalStored(request, l.complete, batch.NewStored(0, 0, notes))
	if corrupt != nil {
		return false
	}
	l.shed(b, err)
	return true
}

// corrupt counts a stored batch that cannot be read.
func (l *queueLoss) corrupt(err error) { l.recorder.Corrupt(l.inStorage(err)) }

// setAside counts a damaged file of the queue, which is at path now.
func (l *queueLoss) setAside(damaged *queuefile.DamagedError, path string) {
	l.recorder.SetAside(damaged.File, path, damaged.Problem)
}

// inStorage describes an error of the queue's storage, with the storage's ID.
func (l *queueLoss) inStorage(err error) string {
	return fmt.Sprintf("%s: %s", l.storage, err)
}
