// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package outcome records what became of events: it counts them, keeps those that were given up as
// dead letters, and tells the operator, in the log and as component status.
package outcome

import (
	"slices"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/attempt"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
)

// reasonTorn is of a batch in the storage of the queue that could not be read. Nobody knows how
// many events it held.
const reasonTorn deadletter.Reason = "torn"

// Recorder records the outcomes of one exporter of one signal. Its methods are safe for concurrent
// use between Start and Stop.
type Recorder struct {
	*Metrics

	exporter component.ID
	signal   string
	loss     *lossLog
	// onLoss is told of dead letters that nobody keeps; it may be nil.
	onLoss func([]deadletter.Letter)

	store      deadletter.Store // nil without one
	unregister func()
}

// NewRecorder returns the recorder of an exporter of a signal, which is logs or traces. onLoss is
// called with what is lost for good, counted as dropped, and must not keep it; it may be nil.
func NewRecorder(set exporter.Settings, signal string, onLoss func([]deadletter.Letter)) (*Recorder, error) {
	metrics, err := newMetrics(set.TelemetrySettings, set.ID)
	if err != nil {
		return nil, err
	}
	return &Recorder{Metrics: metrics, exporter: set.ID, signal: signal, loss: newLossLog(set.Logger), onLoss: onLoss}, nil
}

// Start registers with the dead letter store, which may be nil.
func (r *Recorder) Start(store deadletter.Store, replayer deadletter.Replayer) {
	if store != nil {
		r.store = store
		r.unregister = store.Register(r.exporter, r.signal, replayer)
	}
}

// Stop leaves the store, and logs what is not logged yet.
func (r *Recorder) Stop() {
	r.loss.flush()
	if r.unregister != nil {
		r.unregister()
		r.unregister = nil
	}
}

// Refused is the end of events that are not sent again: dead letters, but for those to discard.
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

// GivenUp is the end of events that were not delivered, all for one cause.
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

// DeadLetter puts letters into the store. Without one, or when it does not take them, their events
// are dropped.
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
		// The store takes all of them or none, and one may be what it does not take.
		for i := range letters {
			r.DeadLetter(letters[i : i+1])
		}
	}
}

// lost counts letters and tells the operator, and the backend of those that are gone. storeError is
// why the store did not take them.
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

// Corrupt counts a batch that the storage of the queue could not give back as one event. It has no
// letter, since nobody knows what it held.
func (r *Recorder) Corrupt(storageError string) {
	r.count(dropped, string(reasonTorn), 1)
	r.loss.add(lossTopic{dropped, reasonTorn}, 1, lossCause{storage: storageError})
}

// LogReturned tells the operator of events that were refused, which only their callers have been
// told.
func (r *Recorder) LogReturned(refused []attempt.RefusedEvent) {
	for i := range refused {
		r.loss.add(lossTopic{returned, refused[i].Reason}, 1, lossCause{status: refused[i].Status})
	}
}
