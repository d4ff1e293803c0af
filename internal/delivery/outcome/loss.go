// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package outcome

import (
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/throttle"
)

// lossLog tells the operator of events that were not delivered, at most once a minute for each
// outcome and reason. It never repeats what the backend said, which may quote the event.
type lossLog struct {
	logger *zap.Logger
	lines  *throttle.Logs[lossTopic, loss]
}

type lossTopic struct {
	outcome string
	reason  deadletter.Reason
}

// loss is events of one topic.
type loss struct {
	events int
	cause  lossCause // of the last of them
}

// lossCause is what is known of a loss besides its reason.
type lossCause struct {
	status int
	// storage is the error of the queue's storage, and deadLetter that of the dead letter store.
	storage    string
	deadLetter error
}

func newLossLog(logger *zap.Logger) *lossLog {
	// A stack trace would tell where in the code events are lost, which is always the same place.
	l := &lossLog{logger: logger.WithOptions(zap.AddStacktrace(zapcore.FatalLevel))}
	l.lines = throttle.NewLogs(l.write)
	return l
}

func (l *lossLog) add(topic lossTopic, events int, cause lossCause) {
	l.lines.Add(topic, func(pending *loss) {
		pending.events += events
		pending.cause = cause
	})
}

func (l *lossLog) flush() { l.lines.Flush() }

func (l *lossLog) write(topic lossTopic, lost loss) {
	c := lost.cause
	fields := []zap.Field{
		zap.String("reason", string(topic.reason)), zap.String("what_to_do", whatToDo(topic)),
		zap.Int("status", c.status), zap.Int("events", lost.events), zap.NamedError("dead_letter_error", c.deadLetter),
	}
	if c.storage != "" {
		fields = append(fields, zap.String("storage_error", c.storage))
	}
	if c.deadLetter != nil {
		fields = append(fields, zap.String("why_not_kept", "the dead letter store did not take them: see dead_letter_error, and free its disk if that is full"))
	}
	switch topic.outcome {
	case dropped:
		l.logger.Error("Events were not delivered and are lost", fields...)
	case returned:
		l.logger.Warn("Events were refused, and their callers were told", fields...)
	default:
		l.logger.Warn("Events were not delivered and are kept as dead letters", fields...)
	}
}

// thenReplay ends a sentence on what can be mended, where there is something to replay afterwards.
func (t lossTopic) thenReplay() string {
	if t.outcome == deadLettered {
		return ", then replay the dead letters"
	}
	return ""
}

// whatToDo is a sentence for the operator.
func whatToDo(topic lossTopic) string {
	switch topic.reason {
	case deadletter.ReasonUnauthorized:
		return "check the credentials of this exporter" + topic.thenReplay()
	case deadletter.ReasonRedirected:
		return "redirects are not followed: write the URL that the backend redirects to as the endpoint"
	case deadletter.ReasonQueueFull:
		return "the backend is slower than the events come: raise sending_queue::queue_size or max_in_flight"
	case deadletter.ReasonStorageFailed:
		return "the storage of the queue failed, as storage_error says: free its disk, raise its max_size, or see that it can be written to" + topic.thenReplay()
	case reasonTorn:
		return "a batch could not be read from the storage of the queue, as storage_error says: see whether its disk is damaged"
	case deadletter.ReasonExhausted:
		return "the backend failed until no retry was left, or did not answer a request that is sent at most once: see to it" + topic.thenReplay()
	case deadletter.ReasonShutdown:
		return "the collector stopped first: raise shutdown_timeout, or put the queue on disk with sending_queue::storage"
	case deadletter.ReasonRateLimited:
		return "the backend takes no more of this kind for now: raise the quota, or send less" + topic.thenReplay()
	case deadletter.ReasonGone:
		return "the endpoint is gone (410): write another one, or have it brought back" + topic.thenReplay()
	case deadletter.ReasonBlocked:
		return "the endpoint's host leads to an address that is not connected to: write another host, or see block_private_networks"
	case deadletter.ReasonTooLarge:
		return "the event alone is larger than the backend takes"
	}
	switch topic.outcome {
	case dropped:
		return "set dead_letter to keep such events, and what the backend said of them"
	case returned:
		return "the callers have what the backend said"
	default:
		return "see the dead letters for what the backend said"
	}
}
