// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deliverytest

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componentstatus"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.uber.org/zap/zaptest/observer"
)

// patience is how long a test waits for the outcomes of events.
const patience = time.Minute

// equipment holds everything that surrounds an exporter, whatever its signal.
type equipment struct {
	// Letters is the dead letter store.
	Letters *Letters
	// Logs holds what the exporter logged, from debug on. It may log an event's outcome after
	// counting it: stop the exporter before looking for that.
	Logs *observer.ObservedLogs
	// Status has what the exporter reported to the status extension.
	Status *Status

	t                   testing.TB
	host                *host
	telemetry           *componenttest.Telemetry
	storage             component.Component // nil without one
	credentials, values []string
}

// host has extensions, and records component statuses.
type host struct {
	extensions map[component.ID]component.Component

	mu       sync.Mutex
	statuses []string
}

// GetExtensions implements component.Host.
func (h *host) GetExtensions() map[component.ID]component.Component { return h.extensions }

// Report implements componentstatus.Reporter.
func (h *host) Report(event *componentstatus.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	text := event.Status().String()
	if event.Err() != nil {
		text += ": " + event.Err().Error()
	}
	h.statuses = append(h.statuses, text)
}

// Statuses returns the component statuses that the exporter reported, each with its error, if any,
// after a colon.
func (e *equipment) Statuses() []string {
	e.host.mu.Lock()
	defer e.host.mu.Unlock()
	return slices.Clone(e.host.statuses)
}

// Settle waits until each event has an outcome.
func (e *equipment) Settle() {
	e.t.Helper()
	e.WaitFor("each event to have an outcome", e.Balanced)
}

// WaitFor waits until isTrue returns true. After a minute it fails the test, and reports the counts
// of events.
func (e *equipment) WaitFor(what string, isTrue func() bool) {
	e.t.Helper()
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	for deadline := time.Now().Add(patience); !isTrue(); <-poll.C {
		if time.Now().After(deadline) {
			require.FailNow(e.t, "gave up waiting for "+what, "%d accepted, %v", e.Accepted(), e.Outcomes())
		}
	}
}

// Balanced reports whether each accepted event has an outcome, according to the metrics.
func (e *equipment) Balanced() bool {
	accepted, outcomes := e.books()
	for _, events := range outcomes {
		accepted -= events
	}
	return accepted == 0
}

// Accepted returns how many events were passed to the exporter, according to the metrics.
func (e *equipment) Accepted() int64 {
	accepted, _ := e.books()
	return accepted
}

// Outcomes returns the number of events by outcome, according to the metrics. A key is an outcome,
// such as delivered, followed by its reason, if any, as in dead_lettered/refused.
func (e *equipment) Outcomes() map[string]int64 {
	_, outcomes := e.books()
	return outcomes
}

func (e *equipment) books() (accepted int64, outcomes map[string]int64) {
	outcomes = map[string]int64{}
	for _, metric := range e.metrics() {
		switch metric.Name {
		case "otelcol_fanout_accepted_events_total":
			for _, point := range metric.Data.(metricdata.Sum[int64]).DataPoints {
				accepted += point.Value
			}
		case "otelcol_fanout_events_total":
			for _, point := range metric.Data.(metricdata.Sum[int64]).DataPoints {
				outcome, _ := point.Attributes.Value("outcome")
				reason, _ := point.Attributes.Value("reason")
				outcomes[strings.TrimSuffix(outcome.AsString()+"/"+reason.AsString(), "/")] += point.Value
			}
		}
	}
	return accepted, outcomes
}

func (e *equipment) metrics() []metricdata.Metrics {
	e.t.Helper()
	var all metricdata.ResourceMetrics
	require.NoError(e.t, e.telemetry.Reader.Collect(context.Background(), &all))
	var metrics []metricdata.Metrics
	for _, scope := range all.ScopeMetrics {
		metrics = append(metrics, scope.Metrics...)
	}
	return metrics
}

// reportsAll checks that the reports to the status extension agree with the metrics. A queue in memory
// leaves no event without an outcome.
func (e *equipment) reportsAll() {
	e.t.Helper()
	if !assert.NotNil(e.t, e.Status.Exporter(), "the exporter does not register with the status extension") {
		return
	}
	assert.Equal(e.t, e.Accepted(), e.Status.Accepted(), "accepted events, as reported")
	assert.Equal(e.t, e.Outcomes(), e.Status.Outcomes(), "outcomes, as reported")
	if e.storage != nil {
		return
	}
	entries := e.Status.Entries()
	for i := range entries {
		assert.NotEmpty(e.t, entries[i].Outcome, "the outcome of %s", entries[i].ID)
	}
	if queue := e.Status.Exporter().Queue; queue != nil {
		left := queue()
		assert.Zero(e.t, left.Events, "events in the queue")
		assert.Zero(e.t, left.Bytes, "bytes in the queue")
		assert.Zero(e.t, left.Size, "the size of the queue")
		assert.Zero(e.t, left.Oldest, "the oldest event in the queue")
	}
}

// keepsSecrets checks that no output of the exporter holds a secret.
func (e *equipment) keepsSecrets() {
	e.t.Helper()
	logs := e.Logs.All()
	for i := range logs {
		entry := &logs[i]
		e.keepsToItself("the log", fmt.Sprint(entry.Message, entry.ContextMap()), e.credentials, e.values)
	}
	for _, status := range e.Statuses() {
		e.keepsToItself("the component status", status, e.credentials, e.values)
	}
	metrics, err := json.Marshal(e.metrics())
	require.NoError(e.t, err)
	e.keepsToItself("the metrics", string(metrics), e.credentials, e.values)
	for _, span := range e.telemetry.SpanRecorder.Ended() {
		e.keepsToItself("a span", fmt.Sprint(span.Name(), span.Attributes(), span.Events(), span.Status()), e.credentials, e.values)
	}
	e.keepsToItself("the status", e.Status.Texts(), e.credentials)
	letters := e.Letters.All()
	for i := range letters {
		e.keepsToItself("a dead letter", string(letters[i].AppendLine(nil)), e.credentials)
	}
}

func (e *equipment) keepsToItself(place, text string, secrets ...[]string) {
	e.t.Helper()
	for _, secret := range slices.Concat(secrets...) {
		if strings.Contains(text, secret) {
			assert.Fail(e.t, fmt.Sprintf("%s holds %q, which is for the backend alone", place, secret), text)
		}
	}
}
