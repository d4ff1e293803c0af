// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	collectorclient "go.opentelemetry.io/collector/client"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-fanout/otelcol-fanout/internal/explain/entrypoint"
)

// usedReceivers returns the receivers of pipelines, but for connectors.
func (r *run) usedReceivers() map[component.ID]bool {
	used := map[component.ID]bool{}
	for _, p := range r.cfg.Service.Pipelines {
		for _, id := range p.Receivers {
			if _, ok := r.cfg.Receivers[id]; ok {
				used[id] = true
			}
		}
	}
	return used
}

func (r *run) takesEvents(id component.ID) bool {
	_, ok := r.set.Factories.Receivers[id.Type()].(entrypoint.Factory)
	return ok
}

// takesOTLP reports whether OTLP is for the receiver: those of type otlp, or any other if there are
// none.
func (r *run) takesOTLP(id component.ID) bool {
	const otlp = "otlp"
	for used := range r.usedReceivers() {
		if used.Type().String() == otlp {
			return id.Type().String() == otlp
		}
	}
	return true
}

// send passes the input to the pipelines of its receiver. As in an HTTP server, a component that
// panics does not end the process.
func (r *run) send(ctx context.Context, in *Input) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = r.withoutSecrets(fmt.Errorf("a component panicked: %v", p))
		}
	}()
	var id component.ID
	if err := id.UnmarshalText([]byte(in.Receiver)); err != nil {
		return InputError(err.Error())
	}
	e := r.entrances[id]
	if in.OTLP != nil {
		return r.sendOTLP(ctx, in, e)
	}
	return r.sendRequest(ctx, in, e.http)
}

// admit counts events of the input. Its error says that there are too many.
func (r *run) admit(n int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.admitted += n
	if most := r.set.MaxEvents; most > 0 && r.admitted > most {
		return InputError(fmt.Sprintf("the input has more than %d events; write fewer", most))
	}
	return nil
}

// sendRequest passes a request to a receiver.
func (r *run) sendRequest(ctx context.Context, in *Input, e *entrypoint.Entry) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://localhost"+cmp.Or(in.Path, e.Path), bytes.NewReader(in.Event))
	if err != nil {
		return InputError(fmt.Sprintf("%q is not a path; write one such as %s", in.Path, e.Path))
	}
	req.RemoteAddr = "127.0.0.1:0"
	for name, values := range in.Header {
		req.Header[http.CanonicalHeaderKey(name)] = values
	}
	if req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", contentType(in.Event))
	}
	if r.includesMetadata(in.Receiver) { // as the server of a receiver does
		req = req.WithContext(collectorclient.NewContext(ctx, collectorclient.Info{Metadata: collectorclient.NewMetadata(req.Header.Clone())}))
	}
	w := &response{header: http.Header{}, status: http.StatusOK}
	e.Handler.ServeHTTP(w, req)
	if err := r.admit(0); err != nil {
		return err
	}
	// An error with events in a pipeline comes from a backend, whose result tells it.
	if w.status/100 != 2 && len(r.entered()) == 0 {
		if isOTLP(in.Event) {
			return errOTLPAsEvent
		}
		return InputError(fmt.Sprintf("the receiver %s answers %d: %s", in.Receiver, w.status, w.problem()))
	}
	r.rejected = w.rejected()
	return nil
}

// includesMetadata reports whether a receiver passes the headers of requests to processors.
func (r *run) includesMetadata(receiver string) bool {
	return fmt.Sprint(r.set.Config.Get("receivers::"+receiver+"::include_metadata")) == "true"
}

// contentType returns the type of a body: a CloudEvent, several, lines of JSON, or else JSON.
func contentType(body []byte) string {
	decoder := json.NewDecoder(bytes.NewReader(body))
	var first json.RawMessage
	if decoder.Decode(&first) != nil {
		return "application/json" // the receiver says what is wrong
	}
	var rest json.RawMessage
	if decoder.Decode(&rest) == nil {
		return "application/x-ndjson"
	}
	type cloudEvent struct {
		SpecVersion string `json:"specversion"`
	}
	var one cloudEvent
	if json.Unmarshal(first, &one) == nil && one.SpecVersion != "" {
		return "application/cloudevents+json"
	}
	var several []cloudEvent
	if json.Unmarshal(first, &several) == nil && len(several) > 0 && several[0].SpecVersion != "" {
		return "application/cloudevents-batch+json"
	}
	return "application/json"
}

// response is the response of a receiver.
type response struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (w *response) Header() http.Header { return w.header }

// WriteHeader implements http.ResponseWriter.
func (w *response) WriteHeader(status int) { w.status = status }

// Write implements http.ResponseWriter.
func (w *response) Write(p []byte) (int, error) { return w.body.Write(p) }

// answer is the part of a response that says what was wrong.
type answer struct {
	Error    string `json:"error"`
	Rejected []struct {
		Index int    `json:"index"`
		Error string `json:"error"`
	} `json:"rejected"`
}

func (w *response) answer() answer {
	var a answer
	_ = json.Unmarshal(w.body.Bytes(), &a) // another body says nothing about single events
	return a
}

// rejected returns why the receiver did not accept single events.
func (w *response) rejected() []string {
	rejected := w.answer().Rejected
	texts := make([]string, 0, len(rejected))
	for _, r := range rejected {
		texts = append(texts, fmt.Sprintf("event %d: %s", r.Index+1, r.Error))
	}
	return texts
}

func (w *response) problem() string {
	texts := w.rejected()
	if a := w.answer(); a.Error != "" {
		texts = append([]string{a.Error}, texts...)
	}
	if len(texts) > 0 {
		return strings.Join(texts, "; ")
	}
	return strings.Join(strings.Fields(w.body.String()), " ")
}

// sendOTLP passes on OTLP JSON.
func (r *run) sendOTLP(ctx context.Context, in *Input, e *entrance) error {
	decoder := json.NewDecoder(bytes.NewReader(in.OTLP))
	for n := 0; ; n++ {
		var value json.RawMessage
		switch err := decoder.Decode(&value); {
		case errors.Is(err, io.EOF) && n > 0 && len(r.entered()) == 0:
			return InputError("the OTLP has no log record, span or metric")
		case errors.Is(err, io.EOF) && n > 0:
			return nil
		case errors.Is(err, io.EOF):
			return errNotOTLP
		case err != nil:
			return InputError(fmt.Sprintf("the OTLP is not JSON: %v", err))
		}
		if err := r.passOTLP(ctx, e, in.Receiver, value); err != nil {
			return err
		}
	}
}

// errNotOTLP says what OTLP JSON is.
const errNotOTLP = InputError("this is not OTLP JSON; write an object with resourceLogs, resourceSpans or resourceMetrics, or use --event (in a case: event) for other JSON")

// errOTLPAsEvent says where OTLP JSON belongs.
const errOTLPAsEvent = InputError("this is OTLP JSON, not an event; use --otlp for it (in a case: otlp)")

// isOTLP reports whether a body is OTLP JSON.
func isOTLP(body []byte) bool {
	var members map[string]json.RawMessage
	if json.NewDecoder(bytes.NewReader(body)).Decode(&members) != nil {
		return false
	}
	return hasMember(members, "resourceLogs", "resource_logs", "resourceSpans", "resource_spans", "resourceMetrics", "resource_metrics")
}

func hasMember(members map[string]json.RawMessage, names ...string) bool {
	return slices.ContainsFunc(names, func(name string) bool { _, ok := members[name]; return ok })
}

// passOTLP passes on one object. Errors of the pipelines are in the results of the backends.
func (r *run) passOTLP(ctx context.Context, e *entrance, receiver string, otlp []byte) error {
	var members map[string]json.RawMessage
	if json.Unmarshal(otlp, &members) != nil {
		return errNotOTLP
	}
	noPipeline := func(signal string) error {
		return InputError(fmt.Sprintf("the receiver %s is in no pipeline of %s", receiver, signal))
	}
	switch {
	case hasMember(members, "resourceLogs", "resource_logs"):
		ld, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(otlp)
		if err != nil {
			return InputError(fmt.Sprintf("the OTLP cannot be read: %v", err))
		}
		if e.logs == nil {
			return noPipeline("logs")
		}
		if err := r.admit(ld.LogRecordCount()); err != nil {
			return err
		}
		_ = e.logs.ConsumeLogs(ctx, ld)
	case hasMember(members, "resourceSpans", "resource_spans"):
		td, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(otlp)
		if err != nil {
			return InputError(fmt.Sprintf("the OTLP cannot be read: %v", err))
		}
		if e.traces == nil {
			return noPipeline("traces")
		}
		if err := r.admit(td.SpanCount()); err != nil {
			return err
		}
		_ = e.traces.ConsumeTraces(ctx, td)
	case hasMember(members, "resourceMetrics", "resource_metrics"):
		md, err := (&pmetric.JSONUnmarshaler{}).UnmarshalMetrics(otlp)
		if err != nil {
			return InputError(fmt.Sprintf("the OTLP cannot be read: %v", err))
		}
		if e.metrics == nil {
			return noPipeline("metrics")
		}
		if err := r.admit(md.MetricCount()); err != nil {
			return err
		}
		_ = e.metrics.ConsumeMetrics(ctx, md)
	default:
		return errNotOTLP
	}
	return nil
}
