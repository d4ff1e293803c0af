// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package backends

import (
	"math"
	"slices"
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

// entry remembers one event at one backend. Times are nanoseconds since 1970, 0 if they are
// unknown.
type entry struct {
	// number identifies the entry, change the last change of it.
	number, change uint64

	id, name                string
	time, received, changed int64

	outcome  outcomeCode
	signal   uint8 // an index of backend.signals
	retrying bool
	replayed replayed
	status   uint16
	attempts uint32
	place    int32 // in the ring
	reason   string
	message  string
	// tries are the first attempt and the last two.
	tries [3]try
	// next is when the next attempt is due, givesUp when the last one is over.
	next, givesUp int64
	payload       *payload // nil if it is not kept; see [ring.keepPayload]
}

// reset reuses the entry, whose payload must be gone, for another event. Fields that are read only after
// they are set keep their values, and texts that are empty already are not written: writing pointers
// costs more during garbage collection.
func (e *entry) reset(number uint64, place int32, now int64) {
	e.number, e.place, e.received = number, place, now
	e.outcome, e.retrying, e.replayed, e.status, e.attempts = 0, false, notReplayed, 0, 0
	e.next, e.givesUp = 0, 0
	for _, text := range [...]*string{&e.reason, &e.message, &e.tries[0].message, &e.tries[1].message, &e.tries[2].message} {
		if *text != "" {
			*text = ""
		}
	}
}

// try is an attempt.
type try struct {
	begun   int64
	took    uint32 // microseconds
	status  uint16
	message string
}

// outcomeCode is an index of outcomes; 0 means that there is none yet.
type outcomeCode uint8

var outcomes = [...]statusfeed.Outcome{"", statusfeed.Delivered, statusfeed.Skipped, statusfeed.DeadLettered, statusfeed.Dropped, statusfeed.Returned}

func codeOf(outcome statusfeed.Outcome) outcomeCode {
	return outcomeCode(max(slices.Index(outcomes[:], outcome), 0)) //nolint:gosec // below 6
}

// replayed says what became of a dead letter that was replayed.
type replayed uint8

const (
	notReplayed replayed = iota
	replayDelivered
	replayRefused
)

func (r replayed) String() string { return [...]string{"", "delivered", "refused"}[r] }

// attempted adds an attempt. What follows it is not known yet.
func (e *entry) attempted(t try) {
	i := min(int(e.attempts), len(e.tries)-1)
	if int(e.attempts) >= len(e.tries) {
		e.tries[i-1] = e.tries[i]
	}
	e.tries[i] = t
	e.attempts++
	e.status, e.message = t.status, t.message
	e.next, e.givesUp = 0, 0
	e.fit()
}

// pending notes that the event is sent again.
func (e *entry) pending(next, givesUp int64) { e.retrying, e.next, e.givesUp = true, next, givesUp }

// settled sets the outcome.
func (e *entry) settled(outcome outcomeCode, reason string, status int, message string) {
	e.outcome, e.reason, e.message = outcome, reason, message
	if status != 0 {
		e.status = storedStatus(status)
	}
	e.retrying, e.next, e.givesUp = false, 0, 0
	e.fit()
}

// fit shortens the messages of earlier attempts if all messages together are too long.
func (e *entry) fit() {
	if e.message == "" && e.tries[0].message == "" && e.tries[1].message == "" && e.tries[2].message == "" {
		return
	}
	for i := range e.tries {
		if e.sizeOfMessages() <= maxMessages {
			return
		}
		if message := e.tries[i].message; message != e.message {
			e.tries[i].message = cut(message, shortMessage)
		}
	}
}

// sizeOfMessages counts the messages that are equal once: they share memory.
func (e *entry) sizeOfMessages() int {
	size := len(e.message)
	for i := range e.tries {
		message := e.tries[i].message
		if message != e.message && !slices.ContainsFunc(e.tries[:i], func(t try) bool { return t.message == message }) {
			size += len(message)
		}
	}
	return size
}

// isUndelivered reports whether the event was not delivered, or failed at least once and is sent again.
func (e *entry) isUndelivered() bool {
	if e.outcome == 0 {
		return e.retrying
	}
	return isFailure(outcomes[e.outcome])
}

// isFailure reports whether an outcome is one of events that were not delivered, but should have been.
func isFailure(outcome statusfeed.Outcome) bool {
	return outcome != statusfeed.Delivered && outcome != statusfeed.Skipped
}

// ownTexts copies the id and the name, which share memory with those of other events.
func (e *entry) ownTexts() {
	own := string(append(append(make([]byte, 0, maxID+maxName), e.id...), e.name...))
	e.id, e.name = own[:len(e.id)], own[len(e.id):]
}

// progress says how far the event is.
func (e *entry) progress(paused bool) Progress {
	switch {
	case e.outcome != 0:
		return ""
	case paused:
		return Held
	case e.retrying:
		return Retrying
	}
	return Waiting
}

// outcomeOrProgress returns the outcome, or the progress without one.
func (e *entry) outcomeOrProgress(paused bool) string {
	if e.outcome != 0 {
		return string(outcomes[e.outcome])
	}
	return string(e.progress(paused))
}

// lastTry returns the last attempt, or nil.
func (e *entry) lastTry() *try {
	if e.attempts == 0 {
		return nil
	}
	return &e.tries[min(int(e.attempts), len(e.tries))-1]
}

// event returns what the entry says, without the backend and the signal.
func (e *entry) event(paused bool) Event {
	event := Event{
		Entry: e.number, ID: e.id, Name: e.name,
		Time: timeOf(e.time), Received: timeOf(e.received), Changed: timeOf(e.changed),
		Outcome: outcomes[e.outcome], Progress: e.progress(paused), Reason: e.reason, Status: int(e.status),
		Attempts: int(e.attempts), NextAttempt: timeOf(e.next), GivesUp: timeOf(e.givesUp),
		Replayed: e.replayed.String(), Message: e.message, stored: e.payload,
	}
	if event.Progress == Held { // nothing is sent until the backend is resumed
		event.NextAttempt, event.GivesUp = time.Time{}, time.Time{}
	}
	if last := e.lastTry(); last != nil {
		event.Duration = last.duration()
		event.Tries = make([]Try, 0, len(e.tries))
		for i := range min(int(e.attempts), len(e.tries)) {
			t := &e.tries[i]
			event.Tries = append(event.Tries, Try{Time: timeOf(t.begun), Status: int(t.status), Duration: t.duration(), Message: t.message})
		}
	}
	return event
}

// newTry returns an attempt without a message.
func newTry(x *statusfeed.Exchange) try {
	took := min(max(x.Took.Microseconds(), 0), math.MaxUint32)
	return try{begun: nanos(x.Begun), took: uint32(took), status: storedStatus(x.Status)}
}

func (t *try) duration() time.Duration { return time.Duration(t.took) * time.Microsecond }

// storedStatus returns an HTTP status as an entry has it. One that does not fit becomes the nearest that
// does.
func storedStatus(status int) uint16 { return uint16(min(max(status, 0), math.MaxUint16)) }

// nanos and timeOf convert times; the zero time is 0.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func timeOf(nanos int64) time.Time {
	if nanos == 0 {
		return time.Time{}
	}
	return time.Unix(0, nanos).UTC()
}
