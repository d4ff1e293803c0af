// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package fanoutconnector

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/pipeline"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// refusals tells the operator of what pipelines refuse and the caller is not told, at most once a minute for each pipeline. It
// does not repeat their errors, which may quote events.
type refusals struct {
	logger *zap.Logger
	now    func() time.Time

	mu         sync.Mutex
	ofPipeline []refused
}

// refused is what of a pipeline is yet untold.
type refused struct {
	id     pipeline.ID
	told   time.Time
	events int
	cause  cause // of the last of them
}

const refusalInterval = time.Minute

func newRefusals(logger *zap.Logger, pipelines []pipeline.ID) *refusals {
	// A stack trace would tell where in the code the caller is not told, which is always the same place.
	r := &refusals{logger: logger.WithOptions(zap.AddStacktrace(zapcore.FatalLevel)), now: time.Now}
	for _, id := range pipelines {
		r.ofPipeline = append(r.ofPipeline, refused{id: id})
	}
	return r
}

func (r *refusals) add(at, events int, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := &r.ofPipeline[at]
	p.events += events
	p.cause = causeOf(err)
	if now := r.now(); p.told.IsZero() || now.Sub(p.told) >= refusalInterval {
		p.told = now
		r.tell(p)
	}
}

// flush tells what is yet untold.
func (r *refusals) flush() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range r.ofPipeline {
		if r.ofPipeline[i].events > 0 {
			r.tell(&r.ofPipeline[i])
		}
	}
}

func (r *refusals) tell(p *refused) {
	r.logger.Error("A pipeline refused events, and the caller was not told; they are lost to this pipeline",
		zap.Stringer("pipeline", p.id), zap.Int("events", p.events),
		zap.String("cause", p.cause.name), zap.String("what_to_do", p.cause.whatToDo))
	p.events = 0
}

// cause is why a pipeline refuses events, in words of ours.
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
