// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventreceiver

import (
	"bytes"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/receiver/receiverhelper"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/eventjson"
)

// dataFormat is the format that the receiver's own spans name.
const dataFormat = "json"

// eventsHandler serves POST /v1/events.
type eventsHandler struct {
	next   consumer.Logs
	report *receiverhelper.ObsReport
	// workspaces are *workspace: what a request needs and the next one can use again.
	workspaces sync.Pool
}

type workspace struct {
	body    bytes.Buffer
	decoder *eventjson.Decoder
}

// answerTime is how long the client may take to read an answer that the pipeline took its time for.
const answerTime = 30 * time.Second

// keptBody is the size up to which the memory of a request's body is kept for the next one.
const keptBody = 1 << 20

func newEventsHandler(maxEvents int, next consumer.Logs, report *receiverhelper.ObsReport) *eventsHandler {
	return &eventsHandler{
		next:   next,
		report: report,
		workspaces: sync.Pool{New: func() any {
			return &workspace{decoder: eventjson.NewDecoder(maxEvents)}
		}},
	}
}

// ServeHTTP reads the events of a request, hands those that are sound to the pipeline, and tells of the others.
func (h *eventsHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		writeProblem(w, http.StatusMethodNotAllowed, "send events with POST")
		return
	}
	form, err := bodyForm(r.Header.Get("Content-Type"))
	if err != nil {
		writeProblem(w, http.StatusUnsupportedMediaType, err.Error())
		return
	}
	result, err := h.read(r, form)
	if err != nil {
		writeProblem(w, readStatus(err), err.Error())
		return
	}
	if result.Accepted == 0 {
		writeAnswer(w, http.StatusBadRequest, result)
		return
	}
	// A pipeline that waits for its backend takes its time. An answer that is late is better than none, after which the
	// client would send again what was delivered.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{}) // without it, the limit stays
	err = h.consume(r, result)
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerTime))
	if err != nil {
		writeRefusal(w, err)
		return
	}
	writeAnswer(w, http.StatusAccepted, result)
}

// form is how a body holds its events.
type form uint8

const (
	formJSON form = iota
	formLines
)

func bodyForm(contentType string) (form, error) {
	mediaType, _, _ := mime.ParseMediaType(contentType)
	switch mediaType {
	case "application/json":
		return formJSON, nil
	case "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines":
		return formLines, nil
	case "":
		return 0, errors.New("the content type is missing; send content-type: application/json (an object or an array) or application/x-ndjson (one event a line)")
	default:
		return 0, fmt.Errorf("content type %.64q is not taken; send application/json (an object or an array) or application/x-ndjson (one event a line)", mediaType)
	}
}

func (h *eventsHandler) read(r *http.Request, form form) (eventjson.Result, error) {
	ws := h.workspaces.Get().(*workspace)
	defer h.release(ws)
	if _, err := ws.body.ReadFrom(r.Body); err != nil {
		return eventjson.Result{}, fmt.Errorf("reading the body: %w", err)
	}
	decode := ws.decoder.Decode
	if form == formLines {
		decode = ws.decoder.DecodeLines
	}
	result, err := decode(ws.body.Bytes(), time.Now())
	if err != nil {
		return eventjson.Result{}, err
	}
	appevent.StampIDs(result.Logs)
	return result, nil
}

func (h *eventsHandler) release(ws *workspace) {
	if ws.body.Cap() > keptBody {
		ws.body = bytes.Buffer{}
	}
	ws.body.Reset()
	h.workspaces.Put(ws)
}

func (h *eventsHandler) consume(r *http.Request, result eventjson.Result) error {
	ctx := h.report.StartLogsOp(r.Context())
	err := h.next.ConsumeLogs(ctx, result.Logs)
	h.report.EndLogsOp(ctx, dataFormat, result.Accepted, err)
	return err
}

// readStatus is the status for a body that could not be read.
func readStatus(err error) int {
	_, tooLarge := errors.AsType[*http.MaxBytesError](err)
	_, tooMany := errors.AsType[*eventjson.TooManyError](err)
	if tooLarge || tooMany {
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusBadRequest
}

// writeRefusal answers for a pipeline that did not take the events: try again later, or not at all.
func writeRefusal(w http.ResponseWriter, err error) {
	if consumererror.IsPermanent(err) {
		writeProblem(w, http.StatusBadRequest, "the pipeline refused the events: "+err.Error())
		return
	}
	w.Header().Set("Retry-After", retryAfter())
	writeProblem(w, http.StatusServiceUnavailable, "the pipeline cannot take the events now, send them again later: "+err.Error())
}

// refuse answers for what confighttp does not let through: credentials and encodings.
func refuse(w http.ResponseWriter, _ *http.Request, message string, status int) {
	switch {
	case status == http.StatusUnauthorized:
		message = "the credentials are missing or wrong"
	case strings.HasPrefix(message, "unsupported Content-Encoding"):
		status = http.StatusUnsupportedMediaType
		message = "the content encoding is not taken; send gzip, or none"
	case strings.Contains(message, "exceeds max request body size"):
		status = http.StatusRequestEntityTooLarge
	default:
		message = "reading the body: " + message
	}
	writeProblem(w, status, message)
}

// plainEncodings writes the content encoding as confighttp knows it. Its name does not depend on case, and identity is none
// (RFC 9110, section 8.4).
func plainEncodings(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if encoding := r.Header.Get("Content-Encoding"); encoding != "" {
			r.Header.Set("Content-Encoding", strings.TrimSuffix(strings.ToLower(encoding), "identity"))
		}
		next.ServeHTTP(w, r)
	})
}

func notFound(w http.ResponseWriter, _ *http.Request) {
	writeProblem(w, http.StatusNotFound, "there is nothing here; events go to "+eventsPath)
}
