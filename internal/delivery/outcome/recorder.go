// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package outcome records the outcomes of events: it counts them, stores events that were given up as
// dead letters, and informs the operator in the log and by component status.
package outcome

import (
	"slices"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.uber.org/zap"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/attempt"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
)

// reasonTorn is the reason for a batch that could not be read from the queue's storage. How many
// events it held is unknown.
const reasonTorn deadletter.Reason = "torn"

// Recorder records the outcomes of one exporter of one signal. Its methods are safe for concurrent
// use between Start and Stop.
type Recorder struct {
	*Metrics

	exporter component.ID
	signal   string
	loss     *lossLog
	// malformed logs fields that cannot be read.
	malformed *malformedLog
	// onLoss is called with events that are lost for good; it may be nil.
	onLoss func([]deadletter.Letter)

	store      deadletter.Store // nil without one
	unregister func()
}

// NewRecorder returns the recorder of an exporter of a signal, logs or traces. onLoss is called with
// events that are lost for good and counted as dropped; it must not keep them, and may be nil.
func NewRecorder(set exporter.Settings, signal string, onLoss func([]deadletter.Letter)) (*Recorder, error) {
	metrics, err := newMetrics(set.TelemetrySettings, set.ID)
	if err != nil {
		return nil, err
	}
	return &Recorder{Metrics: metrics, exporter: set.ID, signal: signal, loss: newLossLog(set.Logger), malformed: newMalformedLog(set.Logger), onLoss: onLoss}, nil
}

// Start registers with the dead letter store, which may be nil.
func (r *Recorder) Start(store deadletter.Store, replayer deadletter.Replayer) {
	if store != nil {
		r.store = store
		r.unregister = store.Register(r.exporter, r.signal, replayer)
	}
}

// Stop unregisters from the store, and logs what is not logged yet.
func (r *Recorder) Stop() {
	r.loss.close()
	r.malformed.Close()
	if r.unregister != nil {
		r.unregister()
		r.unregister = nil
	}
}

// Refused records events that are not sent again: as dead letters, or as dropped if their cause says
// Discard.
func (r *Recorder) Refused(refused []attempt.RefusedEvent, attempts int) {
	letters := make([]deadletter.Letter, 0, len(refused))
	var discarded []deadletter.Letter
	for i := range refused {
		letter := newLetter(&refused[i].Event, &refused[i].Cause, attempts)
		if refused[i].Discard {
			discarded = append(discarded, letter)
		} else {
			letters = append(letters, letter)
		}
	}
	r.DeadLetter(letters)
	r.lost(dropped, discarded, nil)
}

// GivenUp records events that were not delivered, all for one cause.
func (r *Recorder) GivenUp(events []batch.Event, cause attempt.Cause, attempts int) {
	letters := make([]deadletter.Letter, 0, len(events))
	for i := range events {
		letters = append(letters, newLetter(&events[i], &cause, attempts))
	}
	r.DeadLetter(letters)
}

func newLetter(event *batch.Event, cause *attempt.Cause, attempts int) deadletter.Letter {
	letter := deadletter.Letter{
		ID: event.ID, Name: event.Name, Category: event.Category, Destination: event.Destination,
		Payload: event.Payload, Reason: cause.Reason, Status: cause.Status, Message: cause.Message, Attempts: attempts, FailedAt: time.Now(),
	}
	if event.Time != 0 {
		letter.Time = event.Time.AsTime()
	}
	return letter
}

// DeadLetter puts dead letters into the store. Without a store, or if it does not take them, their
// events are dropped.
func (r *Recorder) DeadLetter(letters []deadletter.Letter) {
	if len(letters) == 0 {
		return
	}
	if r.store == nil {
		r.lost(dropped, letters, nil)
		return
	}
	for i := range letters {
		letters[i].Exporter, letters[i].Signal = r.exporter.String(), r.signal
	}
	err := r.store.Put(r.exporter, letters)
	switch {
	case err == nil:
		r.lost(deadLettered, letters, nil)
	case len(letters) == 1:
		r.lost(dropped, letters, err)
	default:
		// The store takes all of them or none; a single one may be the reason that it took none.
		for i := range letters {
			r.DeadLetter(letters[i : i+1])
		}
	}
}

// lost counts and logs dead letters, and passes dropped ones to onLoss. storeError says why the store
// did not take them.
func (r *Recorder) lost(outcome string, letters []deadletter.Letter, storeError error) {
	if r.onLoss != nil && outcome == dropped && len(letters) > 0 {
		r.onLoss(letters)
	}
	for len(letters) > 0 {
		first := &letters[0]
		n := slices.IndexFunc(letters, func(letter deadletter.Letter) bool { return letter.Reason != first.Reason })
		if n < 0 {
			n = len(letters)
		}
		r.count(outcome, string(first.Reason), n)
		cause := lossCause{status: first.Status, deadLetter: storeError}
		if first.Reason == deadletter.ReasonStorageFailed {
			cause.storage = first.Message
		}
		r.loss.add(lossTopic{outcome, first.Reason}, n, cause)
		letters = letters[n:]
	}
}

// Corrupt counts a batch that the queue's storage could not return, as one event. There is no dead
// letter, since the batch's content is unknown.
func (r *Recorder) Corrupt(storageError string) {
	r.count(dropped, string(reasonTorn), 1)
	r.loss.add(lossTopic{dropped, reasonTorn}, 1, lossCause{storage: storageError})
}

// SetAside counts and logs a damaged queue file that was renamed, as one event: how many it held is
// unknown.
func (r *Recorder) SetAside(file, renamed, problem string) {
	r.count(dropped, string(reasonTorn), 1)
	r.loss.logger.Error("The queue file is damaged: it was renamed, and the exporter starts with a new queue",
		zap.Stringer("exporter", r.exporter), zap.String("signal", r.signal), zap.String("file", file), zap.String("new_name", renamed),
		zap.String("damage", problem), zap.String("what_to_do", "check the disk; delete the renamed file when you no longer need it"))
}

// RefusalsReturned counts and logs refused events whose refusal was returned to the caller.
func (r *Recorder) RefusalsReturned(causes []attempt.Cause) {
	r.Returned(len(causes))
	for i := range causes {
		r.loss.add(lossTopic{returned, causes[i].Reason}, 1, lossCause{status: causes[i].Status})
	}
}
