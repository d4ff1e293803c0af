// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package outcome records the outcomes of events: it counts them, stores events that were given up as
// dead letters, and informs the operator in the log, by component status and in the status extension.
package outcome

import (
	"slices"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.uber.org/zap"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/attempt"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

// reasonTorn is the reason for a batch that could not be read from the queue's storage. How many
// events it held is unknown.
const reasonTorn deadletter.Reason = "torn"

// Recorder records the outcomes of one exporter of one signal. Its methods are safe for concurrent
// use between Start and Stop.
type Recorder struct {
	metrics *metrics
	feed    statusfeed.Feed // nil without a status extension
	closed  atomic.Bool     // true once the feed is closed; only the metrics count what comes then

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
	return &Recorder{metrics: metrics, exporter: set.ID, signal: signal, loss: newLossLog(set.Logger), malformed: newMalformedLog(set.Logger), onLoss: onLoss}, nil
}

// Start registers with the dead letter store. The store and the feed of the status extension may be
// nil.
func (r *Recorder) Start(feed statusfeed.Feed, store deadletter.Store, replayer deadletter.Replayer) {
	r.feed = feed
	if store != nil {
		r.store = store
		r.unregister = store.Register(r.exporter, r.signal, replayer)
	}
}

// Stop unregisters from the store, logs what is not logged yet, and closes the feed.
func (r *Recorder) Stop() {
	r.loss.close()
	r.malformed.Close()
	if r.unregister != nil {
		r.unregister()
		r.unregister = nil
	}
	if r.Reports() {
		r.closed.Store(true)
		r.feed.Close()
	}
}

// Accepted counts events that were passed to the exporter.
func (r *Recorder) Accepted(events int) {
	r.metrics.accepted(events)
	if r.Reports() && events > 0 {
		r.feed.Accepted(events)
	}
}

// Requested counts a request; status 0 means that it got no response.
func (r *Recorder) Requested(status int, took time.Duration, events int) {
	r.metrics.requested(status, took, events)
	if r.Reports() {
		r.feed.Requested(status, took, events)
	}
}

// Delivered counts the delivered events of an attempt.
func (r *Recorder) Delivered(result *attempt.Result) {
	r.metrics.settled(statusfeed.Delivered, "", result.Delivered)
	if r.Reports() && result.Delivered > 0 {
		r.feed.Delivered(result.Deliveries)
	}
}

// Skipped counts n events that were passed to the exporter, but that the backend should not get. The
// reason is one of a few fixed words. event returns the i-th of them; it is called only if the status
// extension gets reports.
func (r *Recorder) Skipped(reason string, n int, event func(i int) statusfeed.Event) {
	r.Accepted(n)
	r.settled(statusfeed.Skipped, reason, n, event)
}

// Reports reports whether a status extension gets reports.
func (r *Recorder) Reports() bool { return r.feed != nil && !r.closed.Load() }

// Returned counts events whose failure, for this cause, was returned to a waiting caller.
func (r *Recorder) Returned(events []batch.Event, cause attempt.Cause) {
	r.settled(statusfeed.Returned, "", len(events), func(i int) statusfeed.Event { return eventOf(&events[i], &cause) })
}

// Arrived gives the events of a batch that was accepted entries in the status extension.
func (r *Recorder) Arrived(b *batch.Batch) {
	if r.Reports() {
		b.Arrive(&batch.Arrival{Entry: r.feed.Enter(b), At: time.Now()})
	}
}

// Attempted reports the requests of an attempt.
func (r *Recorder) Attempted(result *attempt.Result) {
	if r.Reports() && len(result.Exchanges) > 0 {
		r.feed.Attempted(result.Exchanges, nil)
	}
}

// Pending reports events that are sent again.
func (r *Recorder) Pending(events []batch.Event, next, givesUp time.Time) {
	if r.Reports() {
		r.feed.Attempted(nil, &statusfeed.Pending{Events: events, Next: next, GivesUp: givesUp})
	}
}

// settled counts events with their final outcome, and reports them to the status extension.
func (r *Recorder) settled(outcome statusfeed.Outcome, reason string, n int, event func(i int) statusfeed.Event) {
	r.metrics.settled(outcome, reason, n)
	if r.Reports() && n > 0 {
		r.feed.Settled(outcome, reason, n, event)
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
	r.lost(statusfeed.Dropped, discarded, nil)
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
		Entry: event.Entry, ID: event.ID, Name: event.Name, Category: event.Category, Destination: event.Destination,
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
		r.lost(statusfeed.Dropped, letters, nil)
		return
	}
	for i := range letters {
		letters[i].Exporter, letters[i].Signal = r.exporter.String(), r.signal
	}
	err := r.store.Put(r.exporter, letters)
	switch {
	case err == nil:
		r.lost(statusfeed.DeadLettered, letters, nil)
	case len(letters) == 1:
		r.lost(statusfeed.Dropped, letters, err)
	default:
		// The store takes all of them or none; a single one may be the reason that it took none.
		for i := range letters {
			r.DeadLetter(letters[i : i+1])
		}
	}
}

// lost counts and logs dead letters, and passes dropped ones to onLoss. storeError says why the store
// did not take them.
func (r *Recorder) lost(outcome statusfeed.Outcome, letters []deadletter.Letter, storeError error) {
	if r.onLoss != nil && outcome == statusfeed.Dropped && len(letters) > 0 {
		r.onLoss(letters)
	}
	for len(letters) > 0 {
		first := &letters[0]
		n := slices.IndexFunc(letters, func(letter deadletter.Letter) bool { return letter.Reason != first.Reason })
		if n < 0 {
			n = len(letters)
		}
		same := letters[:n]
		r.settled(outcome, string(first.Reason), n, func(i int) statusfeed.Event { return eventOfLetter(&same[i]) })
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
	r.torn(storageError)
	r.loss.add(lossTopic{statusfeed.Dropped, reasonTorn}, 1, lossCause{storage: storageError})
}

// SetAside counts and logs a damaged queue file that was renamed, as one event: how many it held is
// unknown.
func (r *Recorder) SetAside(file, renamed, problem string) {
	r.torn(problem)
	r.loss.logger.Error("The queue file is damaged: it was renamed, and the exporter starts with a new queue",
		zap.Stringer("exporter", r.exporter), zap.String("signal", r.signal), zap.String("file", file), zap.String("new_name", renamed),
		zap.String("damage", problem), zap.String("what_to_do", "check the disk; delete the renamed file when you no longer need it"))
}

// torn counts what could not be read from the queue's storage.
func (r *Recorder) torn(problem string) {
	r.settled(statusfeed.Dropped, string(reasonTorn), 1, func(int) statusfeed.Event { return statusfeed.Event{Message: problem} })
}

// RefusalsReturned counts and logs refused events whose refusal was returned to the caller.
func (r *Recorder) RefusalsReturned(refused []attempt.RefusedEvent) {
	r.settled(statusfeed.Returned, "", len(refused), func(i int) statusfeed.Event {
		return eventOf(&refused[i].Event, &refused[i].Cause)
	})
	for i := range refused {
		r.loss.add(lossTopic{statusfeed.Returned, refused[i].Reason}, 1, lossCause{status: refused[i].Status})
	}
}

// Replayed counts the outcomes of replayed dead letters. Their events stay counted as dead_lettered.
func (r *Recorder) Replayed(letters []deadletter.Letter, results []deadletter.Replayed) {
	r.metrics.replayed(results)
	if !r.Reports() {
		return
	}
	replayed := make([]statusfeed.ReplayedLetter, 0, len(results))
	for i := range results {
		if outcome := results[i].Outcome; outcome != deadletter.OutcomeKept {
			replayed = append(replayed, statusfeed.ReplayedLetter{ID: letters[i].ID, Delivered: outcome == deadletter.OutcomeDelivered})
		}
	}
	if len(replayed) > 0 {
		r.feed.Replayed(replayed)
	}
}

// eventOf returns an event as it is reported.
func eventOf(event *batch.Event, cause *attempt.Cause) statusfeed.Event {
	reported := statusfeed.Event{
		Entry: event.Entry, ID: event.ID, Name: event.Name, Status: cause.Status, Message: cause.Message, Payload: event.Payload,
	}
	if event.Time != 0 {
		reported.Time = event.Time.AsTime()
	}
	return reported
}

func eventOfLetter(letter *deadletter.Letter) statusfeed.Event {
	return statusfeed.Event{
		Entry: letter.Entry, ID: letter.ID, Name: letter.Name, Time: letter.Time,
		Status: letter.Status, Message: letter.Message, Payload: letter.Payload,
	}
}
