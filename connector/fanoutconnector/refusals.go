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

// refusals logs what pipelines refuse without the caller being told, at most once a minute for each
// pipeline, in the order of the table. It does not repeat their errors, which may quote events.
type refusals []*throttle.Log[refused]

// refused is what a pipeline refused since its last line.
type refused struct {
	events int
	cause  cause // of the last of them
}

func newRefusals(logger *zap.Logger, pipelines []pipeline.ID) refusals {
	// A stack trace would always show the same place in the code.
	logger = logger.WithOptions(zap.AddStacktrace(zapcore.FatalLevel))
	logs := make(refusals, len(pipelines))
	for i, id := range pipelines {
		logs[i] = throttle.NewLog(func(r refused) {
			logger.Error("A pipeline refused events, and the caller was not told; they are lost to this pipeline",
				zap.Stringer("pipeline", id), zap.Int("events", r.events),
				zap.String("cause", r.cause.name), zap.String("what_to_do", r.cause.whatToDo))
		})
	}
	return logs
}

func (r refusals) add(at, events int, err error) {
	r[at].Add(func(pending *refused) {
		pending.events += events
		pending.cause = causeOf(err)
	})
}

// flush logs what is still pending.
func (r refusals) flush() {
	for _, log := range r {
		log.Flush()
	}
}

// cause is why a pipeline refuses events, in fixed words: the error itself may hold data of events.
type cause struct{ name, whatToDo string }

func causeOf(err error) cause {
	const listIt = "; or list the pipeline under sync, so that the caller sends again"
	switch {
	case errors.Is(err, exporterhelper.ErrQueueIsFull):
		return cause{"queue_full", "see why its backend is slow, or raise sending_queue::queue_size" + listIt}
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return cause{"timeout", "switch its exporter's sending_queue on, so that nobody waits for the backend" + listIt}
	case consumererror.IsPermanent(err):
		return cause{"permanent", "see what its processors and exporter log: they will not take these events"}
	default:
		return cause{"temporary", "see what its processors and exporter log; switch its exporter's sending_queue on" + listIt}
	}
}

// errorForCaller joins the errors of sync pipelines. Where one of them may pass, it leaves out those
// that will not: sending again is then worth it.
func errorForCaller(errs []error) error {
	var passing []error
	for _, err := range errs {
		if err != nil && !consumererror.IsPermanent(err) {
			passing = append(passing, err)
		}
	}
	if len(passing) > 0 {
		return errors.Join(passing...)
	}
	return errors.Join(errs...)
}
