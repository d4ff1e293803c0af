// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/internal/explain/inuse"
)

const (
	explainPath = "/v1/explain"
	// maxExplainedBytes is the size of the event, and maxAroundBytes that of the rest of the body.
	maxExplainedBytes = 1 << 20
	maxAroundBytes    = 64 << 10
)

// explainJSON is the body of POST /v1/explain.
type explainJSON struct {
	Event    json.RawMessage   `json:"event"`
	OTLP     json.RawMessage   `json:"otlp"`
	Receiver string            `json:"receiver"`
	Path     string            `json:"path"`
	Headers  map[string]string `json:"headers"`
}

// explained is the result of a run in JSON, or its error.
type explained struct {
	result []byte
	err    error
}

// showExplained responds with what the running configuration would send for an event.
func (a *api) showExplained(w http.ResponseWriter, r *http.Request, _ arguments) error {
	if _, err := query(r); err != nil {
		return err
	}
	if a.explain == nil {
		return apiErrorf(http.StatusNotImplemented, "this collector does not give its configuration to the status extension, so it cannot explain events; use the command explain")
	}
	if mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || mediaType != "application/json" {
		return apiErrorf(http.StatusUnsupportedMediaType, "the body must be JSON; write the header Content-Type: application/json")
	}
	release, ok := a.explaining.take()
	if !ok {
		w.Header().Set("Retry-After", "1")
		return apiErrorf(http.StatusTooManyRequests, "another event is being explained, and only one is at a time; try again in a second")
	}
	ctx, cancel := context.WithTimeout(r.Context(), a.pace.explain)
	defer cancel()
	defer context.AfterFunc(a.closing, cancel)()
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(a.pace.explain)) // a slow client must not keep others out
	in, err := readInput(w, r)
	if err != nil {
		release()
		return err
	}
	hold(w)
	end := make(chan explained, 1)
	go func() {
		defer release()
		end <- a.runExplain(ctx, in)
	}()
	got, err := a.awaitResult(ctx, end)
	_ = control.SetWriteDeadline(time.Now().Add(a.pace.write))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(got)
	return nil
}

// readInput reads the event.
func readInput(w http.ResponseWriter, r *http.Request) (inuse.Input, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxExplainedBytes+maxAroundBytes))
	if err != nil {
		return inuse.Input{}, readError(err)
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	var asked explainJSON
	if err := decoder.Decode(&asked); err != nil {
		return inuse.Input{}, badRequest(`the body must be {"event": ...} with an event or an array of events, or {"otlp": ...} with OTLP JSON, and may have receiver, path and headers: %s`, shorten(err.Error()))
	}
	in := inuse.Input{Event: asked.Event, OTLP: asked.OTLP, Receiver: asked.Receiver, Path: asked.Path, Header: http.Header{}}
	for name, value := range asked.Headers {
		in.Header.Set(name, value)
	}
	switch {
	case decoder.More():
		err = badRequest("the body must be one JSON object; write several events as an array in event")
	case in.Event != nil && in.OTLP != nil:
		err = badRequest("event and otlp exclude each other; write one of them")
	case in.Event == nil && in.OTLP == nil:
		err = badRequest(`event: is missing; write an event such as {"event":{"name":"order_placed","user":{"id":"u1"}}}, or OTLP JSON as otlp`)
	case len(in.Event) > maxExplainedBytes || len(in.OTLP) > maxExplainedBytes:
		err = apiErrorf(http.StatusRequestEntityTooLarge, "the event is larger than %d bytes", maxExplainedBytes)
	}
	return in, err
}

// runExplain explains an event. As in a handler, a panic does not end the process.
func (a *api) runExplain(ctx context.Context, in inuse.Input) (end explained) {
	defer func() {
		if p := recover(); p != nil {
			end = explained{err: errors.New("explaining the event panicked")}
		}
	}()
	result, err := a.explain(ctx, in)
	return explained{result, err}
}

// awaitResult returns the result of runExplain, or the error response. A run that takes too long may end
// after it.
func (a *api) awaitResult(ctx context.Context, end <-chan explained) ([]byte, error) {
	var got explained
	select {
	case got = <-end:
	case <-ctx.Done():
		got.err = ctx.Err()
	}
	mistake, isMistake := errors.AsType[inuse.InputError](got.err)
	switch {
	case isMistake:
		return nil, badRequest("%s", mistake)
	case got.err != nil && a.closing.Err() != nil:
		return nil, apiErrorf(http.StatusServiceUnavailable, "the collector is stopping")
	case got.err != nil && ctx.Err() != nil:
		return nil, apiErrorf(http.StatusGatewayTimeout, "explaining the event takes longer than %s; use the command explain, which has no limit", a.pace.explain)
	case got.err != nil:
		return nil, fmt.Errorf("the configuration in use cannot be explained: %w", got.err)
	}
	return got.result, nil
}

// awaitExplained waits, when the extension stops, for the end of a run whose request has ended. It gives
// up after the time that explaining may take.
func (a *api) awaitExplained(ctx context.Context) {
	select {
	case a.explaining <- struct{}{}: // it is never freed: no other run may begin
	case <-ctx.Done():
	case <-time.After(a.pace.explain):
	}
}
