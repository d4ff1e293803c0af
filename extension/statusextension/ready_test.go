// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"

	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

func TestReadySaysWhyNot(t *testing.T) {
	w := newWorld(t)
	reasons := func() any { return w.ask("GET", "/v1/ready").json(503)["reasons"] }

	w.api.pipelines.set(phaseStarting)
	assert.Equal(t, []any{"the pipelines are starting"}, reasons())
	w.api.pipelines.set(phaseRunning)
	assert.Equal(t, map[string]any{"ready": true}, w.ask("GET", "/v1/ready").json(200))

	logs := componentstatus.NewInstanceID(component.MustNewID("kafka"), component.KindReceiver)
	traces := componentstatus.NewInstanceID(component.MustNewID("kafka"), component.KindReceiver)
	exporter := componentstatus.NewInstanceID(component.MustNewID("webhook"), component.KindExporter)
	secret := errors.New("dial kafka://user:hunter2@broker")
	w.api.pipelines.note(exporter, componentstatus.StatusPermanentError)
	w.api.pipelines.note(logs, componentstatus.NewRecoverableErrorEvent(secret).Status())
	w.api.pipelines.note(traces, componentstatus.StatusOK)
	assert.Equal(t, []any{"receiver kafka has an error that may pass; the log says which"}, reasons())
	w.api.pipelines.note(traces, componentstatus.NewPermanentErrorEvent(secret).Status())
	assert.Equal(t, []any{"receiver kafka has a permanent error; the log says which", "receiver kafka has an error that may pass; the log says which"}, reasons())
	w.api.pipelines.note(logs, componentstatus.StatusOK)
	w.api.pipelines.note(traces, componentstatus.StatusOK)

	e := w.add("webhook")
	e.queue.Store(&statusfeed.Queue{Size: 950, Capacity: 1000, Sizer: "bytes"})
	w.ask("GET", "/v1/ready").json(200)
	e.queue.Store(&statusfeed.Queue{Size: 960, Capacity: 1000, Sizer: "bytes"})
	assert.Equal(t, []any{"the queue of webhook is full to 96 %"}, reasons())

	w.api.pipelines.set(phaseStopping)
	assert.Equal(t, "the collector is stopping", at(reasons(), 0))
}
