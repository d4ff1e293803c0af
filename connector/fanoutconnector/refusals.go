// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package fanoutconnector

import (
	"context"
	"errors"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/pipeline"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/otelcol-fanout/otelcol-fanout/internal/throttle"
)

// refusals logs the events that pipelines refuse and whose caller gets no error, at most once a
// minute per pipeline. It has one log per pipeline, in the order of the table. It does not log the
// errors themselves, because they may quote events.
type refusals []*throttle.Log[cause]

func newRefusals(logger *zap.Logger, pipelines []pipeline.ID) refusals {
	// A stack trace would always show the same code.
	logger = logger.WithOptions(zap.AddStacktrace(zapcore.FatalLevel))
	logs := make(refusals, len(pipelines))
	for i, id := range pipelines {
		logs[i] = throttle.NewLog(func(refused throttle.Summary, latest cause) {
			logger.Error("A pipeline refused events and the caller got no error; this pipeline has lost them",
				append([]zap.Field{zap.String("cause", latest.name), zap.String("what_to_do", latest.whatToDo), zap.Stringer("pipeline", id)},
					refused.Fields("events")...)...)
		})
	}
	return logs
}

func (r refusals) add(at, events int, err error) {
	r[at].Add(events, func(latest *cause) { *latest = causeOf(err) })
}

// close logs the refusals that are not logged yet.
func (r refusals) close() {
	for _, log := range r {
		log.Close()
	}
}

// cause says why a pipeline refuses events, in fixed words, because the error may quote events.
type cause struct{ name, whatToDo string }

func causeOf(err error) cause {
	const orSync = "; or list the pipeline under sync, so that the caller retries"
	switch {
	case errors.Is(err, exporterhelper.ErrQueueIsFull):
		return cause{"queue_full", "find out why its backend is slow, or raise sending_queue::queue_size" + orSync}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return cause{"timeout", "enable sending_queue in its exporter, so that no caller waits for the backend" + orSync}
	case consumererror.IsPermanent(err):
		return cause{"permanent", "see what its processors and exporter log: they will never accept these events"}
	default:
		return cause{"temporary", "see what its processors and exporter log; enable sending_queue in its exporter" + orSync}
	}
}

// joinErrors joins the errors of sync pipelines. If any of them is temporary, the caller must retry:
// temporary errors come first, and only the text of permanent ones is added.
func joinErrors(errs []error) error {
	var temporary, permanent []error
	for _, err := range errs {
		switch {
		case err == nil:
		case consumererror.IsPermanent(err):
			permanent = append(permanent, err)
		default:
			temporary = append(temporary, err)
		}
	}
	if len(temporary) == 0 {
		return errors.Join(permanent...)
	}
	for _, err := range permanent {
		temporary = append(temporary, errors.New(err.Error()))
	}
	return errors.Join(temporary...)
}
