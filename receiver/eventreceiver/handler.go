// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventreceiver

import (
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/otelcol-fanout/otelcol-fanout/internal/eventjson"
)

// idempotencyHeader holds what a client calls a request that it may send again (draft-ietf-httpapi-idempotency-key-header).
const idempotencyHeader = "Idempotency-Key"

// eventsHandler serves POST /v1/events and the paths for single kinds of events.
type eventsHandler struct {
	*intake
	route eventjson.Route
}

// ServeHTTP reads the events of a request, hands those that are sound to the pipeline, and tells of the others.
func (h *eventsHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		writeProblem(w, wrongMethod())
		return
	}
	form, err := h.form(w, r)
	if err != nil {
		writeProblem(w, err)
		return
	}
	sub, err := h.read(r, form)
	if err != nil {
		writeProblem(w, err)
		return
	}
	h.take(w, r, sub)
}

// form is how a body holds its events.
type form uint8

const (
	formJSON form = iota
	formLines
	formBeacon // JSON that a browser calls text
	formCloudEvent
	formCloudEvents
	formBinaryCloudEvent
)

const wantedTypes = "send application/json (an object or an array), application/x-ndjson (one event a line) or a CloudEvent"

func (h *eventsHandler) form(w http.ResponseWriter, r *http.Request) (form, error) {
	mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	form, isCloudEvent := cloudForm(r, mediaType)
	switch {
	case isCloudEvent && h.route != eventjson.RouteEvents:
		return 0, unsupported("CloudEvents are taken at " + eventsPath + " only")
	case isCloudEvent:
		return form, nil
	}
	switch mediaType {
	case "application/json":
		return formJSON, nil
	case "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines":
		return formLines, nil
	case "text/plain":
		return formBeacon, fromKnownPage(w, r)
	case "":
		return 0, unsupported("the content type is missing; " + wantedTypes)
	default:
		return 0, unsupported(fmt.Sprintf("content type %.64q is not taken; %s", mediaType, wantedTypes))
	}
}

// fromKnownPage lets a browser's text through where its page may send it. Any page at all may make a browser post text
// without asking first, to a collector on its user's own machine too.
func fromKnownPage(w http.ResponseWriter, r *http.Request) error {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return unsupported("content type text/plain is taken from browsers only; " + wantedTypes)
	}
	if w.Header().Get("Access-Control-Allow-Origin") != "" { // the CORS handler knows the origin
		return nil
	}
	if page, err := url.Parse(origin); err == nil && page.Host != "" && strings.EqualFold(page.Host, r.Host) {
		return nil
	}
	return &problem{status: http.StatusForbidden, text: "this page's origin is not among cors::allowed_origins"}
}

// read reads the events of a request whose sender may send them.
func (h *eventsHandler) read(r *http.Request, form form) (*submission, error) {
	query := r.URL.Query()
	sub := &submission{
		key:      r.Header.Get(idempotencyHeader),
		wantsIDs: query.Get("ids") == "1" || query.Get("ids") == "true",
		beacon:   form == formBeacon,
	}
	if len(sub.key) > longHeader {
		return nil, &problem{status: http.StatusBadRequest, text: fmt.Sprintf("%s is longer than %d characters", idempotencyHeader, longHeader)}
	}
	key := h.keys.given(r, query)
	if key != "" {
		if err := h.admit(r, sub, key); err != nil {
			return nil, err // before the body is read
		}
	}
	ws, err := h.readBody(r)
	defer h.release(ws)
	if err != nil {
		return nil, err
	}
	if key == "" {
		if err := h.admit(r, sub, eventjson.WriteKey(ws.body.Bytes())); err != nil {
			return nil, err
		}
	}
	if sub.result, err = h.decode(r, ws, form); err != nil {
		return nil, unreadable(err)
	}
	if sub.key != "" {
		sub.body = bodyDigest(ws.body.Bytes())
	}
	return sub, nil
}

// admit gives the events what belongs to their write key, where one is needed.
func (h *eventsHandler) admit(r *http.Request, sub *submission, text string) error {
	if !h.keys.needed() {
		return nil
	}
	key, ok := h.keys.find(text)
	if !ok {
		h.unauthorized(r)
		return &problem{status: http.StatusUnauthorized, text: wrongCredentials}
	}
	sub.resource, sub.scope = key.resource, key.scope
	return nil
}

func (h *eventsHandler) decode(r *http.Request, ws *workspace, form form) (eventjson.Result, error) {
	body, now := ws.body.Bytes(), h.now()
	ws.decoder.Expect(h.route)
	switch form {
	case formLines:
		return ws.decoder.DecodeLines(body, now)
	case formCloudEvent, formCloudEvents:
		return ws.decoder.DecodeCloudEvents(body, form == formCloudEvents, now)
	case formBinaryCloudEvent:
		attributes, err := cloudAttributes(r.Header)
		if err != nil {
			return eventjson.Result{}, err
		}
		return ws.decoder.DecodeCloudEvent(attributes, r.Header.Get("Content-Type"), body, now)
	default:
		return ws.decoder.Decode(body, now)
	}
}
