// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package outcome

import (
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
	"github.com/otelcol-fanout/otelcol-fanout/internal/throttle"
)

// lossLog logs events that were not delivered, at most once a minute for each outcome and reason. It
// never repeats the backend's message, which may quote an event.
type lossLog struct {
	logger *zap.Logger
	lines  *throttle.Logs[lossTopic, lossCause]
}

type lossTopic struct {
	outcome statusfeed.Outcome
	reason  deadletter.Reason
}

// lossCause holds details of a loss besides its reason. A line has those of its last event.
type lossCause struct {
	// status is that of the response, or 0 if there was none.
	status int
	// storage is the error of the queue's storage, deadLetter the error of the dead letter store.
	storage    string
	deadLetter error
}

func newLossLog(logger *zap.Logger) *lossLog {
	// A stack trace would always show the same place in the code.
	l := &lossLog{logger: logger.WithOptions(zap.AddStacktrace(zapcore.FatalLevel))}
	l.lines = throttle.NewLogs(l.write)
	return l
}

func (l *lossLog) add(topic lossTopic, events int, cause lossCause) {
	l.lines.Add(topic, events, func(pending *lossCause) { *pending = cause })
}

func (l *lossLog) close() { l.lines.Close() }

func (l *lossLog) write(topic lossTopic, lost throttle.Summary, cause lossCause) {
	fields := []zap.Field{zap.String("reason", string(topic.reason)), zap.String("what_to_do", whatToDo(topic))}
	if cause.storage != "" {
		fields = append(fields, zap.String("storage_error", cause.storage))
	}
	if cause.deadLetter != nil {
		fields = append(fields, zap.NamedError("dead_letter_error", cause.deadLetter),
			zap.String("why_not_kept", "the dead letter store did not take them; see dead_letter_error, and free disk space if its disk is full"))
	}
	if cause.status != 0 {
		fields = append(fields, zap.Int("status", cause.status))
	}
	fields = append(fields, lost.Fields("events")...)
	switch topic.outcome {
	case statusfeed.Dropped:
		l.logger.Error("Events were not delivered and are lost", fields...)
	case statusfeed.Returned:
		l.logger.Warn("Events were refused, and their callers got the error", fields...)
	default:
		l.logger.Warn("Events were not delivered and are kept as dead letters", fields...)
	}
}

// thenReplay ends a sentence about a remedy, if there are dead letters to replay afterwards.
func (t lossTopic) thenReplay() string {
	if t.outcome == statusfeed.DeadLettered {
		return ", then replay the dead letters"
	}
	return ""
}

// whatToDo returns the remedy, a sentence for the operator.
func whatToDo(topic lossTopic) string {
	switch topic.reason {
	case deadletter.ReasonUnauthorized:
		return "check the credentials of this exporter" + topic.thenReplay()
	case deadletter.ReasonRedirected:
		return "redirects are not followed: configure the URL that the backend redirects to as the endpoint"
	case deadletter.ReasonQueueFull:
		return "events arrive faster than the backend takes them: raise sending_queue::queue_size or max_in_flight"
	case deadletter.ReasonStorageFailed:
		return "the queue's storage failed, see storage_error: free disk space, raise its max_size, or make it writable" + topic.thenReplay()
	case reasonTorn:
		return "a batch could not be read from the queue's storage, see storage_error: check its disk for damage"
	case deadletter.ReasonExhausted:
		return "the backend failed until no retry was left, or did not respond to a request that is sent at most once: fix the backend" + topic.thenReplay()
	case deadletter.ReasonShutdown:
		return "the collector stopped before they were sent: raise shutdown_timeout, resume an exporter that is paused, or put the queue on disk with sending_queue::storage"
	case deadletter.ReasonRateLimited:
		return "the backend accepts no more events of this kind for now: raise the quota, or send less" + topic.thenReplay()
	case deadletter.ReasonGone:
		return "the endpoint is gone (410): configure another one, or restore it" + topic.thenReplay()
	case deadletter.ReasonBlocked:
		return "connecting to the address of the endpoint's host is not allowed: configure another host, or see block_private_networks"
	case deadletter.ReasonExpired:
		return "events wait longer than max_age: see why the backend is slow or fails, or raise max_age" + topic.thenReplay()
	case deadletter.ReasonTooLarge:
		return "the event alone exceeds the backend's size limit"
	case deadletter.ReasonEncoding, deadletter.ReasonRefused:
		return topic.whereTheMessageIs()
	default:
		return "" // a test checks that no reason gets here
	}
}

// whereTheMessageIs says where to read why the backend, or its encoding, refuses the events.
func (t lossTopic) whereTheMessageIs() string {
	switch t.outcome {
	case statusfeed.Dropped:
		return "set dead_letter to keep such events, with a message that says why"
	case statusfeed.Returned:
		return "the callers got a message that says why"
	default:
		return "see the messages of the dead letters"
	}
}
