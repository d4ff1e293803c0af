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

// idempotencyHeader identifies a request that a client may repeat
// (draft-ietf-httpapi-idempotency-key-header).
const idempotencyHeader = "Idempotency-Key"

// eventsHandler serves POST /v1/events and the paths for events of one kind.
type eventsHandler struct {
	*intake
	route eventjson.Route
}

// ServeHTTP decodes the events of a request, passes the valid ones to the pipeline and reports the
// others in the response.
func (h *eventsHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.route == eventjson.RouteEvents && asksPermission(r) {
		h.servePermission(w, r)
		return
	}
	if r.Method != http.MethodPost {
		writeProblem(w, methodNotAllowed())
		return
	}
	format, err := h.format(w, r)
	if err != nil {
		writeProblem(w, err)
		return
	}
	sub, err := h.read(r, format)
	if err != nil {
		writeProblem(w, err)
		return
	}
	h.submit(w, r, sub)
}

// bodyFormat is the format of a body.
type bodyFormat uint8

const (
	formatJSON bodyFormat = iota
	formatLines
	formatBeacon // JSON that a browser sends as text
	formatCloudEvent
	formatCloudEvents
	formatBinaryCloudEvent
)

const wantedTypes = "send application/json (an object or an array), application/x-ndjson (one event per line) or a CloudEvent"

func (h *eventsHandler) format(w http.ResponseWriter, r *http.Request) (bodyFormat, error) {
	mediaType, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	format, isCloudEvent := cloudEventFormat(r, mediaType)
	switch {
	case isCloudEvent && h.route != eventjson.RouteEvents:
		return 0, unsupportedMediaType("send CloudEvents to " + eventsPath)
	case isCloudEvent:
		return format, nil
	}
	switch mediaType {
	case "application/json":
		return formatJSON, nil
	case "application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines":
		return formatLines, nil
	case "text/plain":
		return formatBeacon, checkOrigin(w, r)
	case "":
		return 0, unsupportedMediaType("the content type is missing; " + wantedTypes)
	default:
		return 0, unsupportedMediaType(fmt.Sprintf("unsupported content type %.64q; %s", mediaType, wantedTypes))
	}
}

// checkOrigin accepts text only from allowed origins and from pages on the receiver's own host. Any
// page can make a browser post text without a preflight request, even to a collector on the user's
// own machine.
func checkOrigin(w http.ResponseWriter, r *http.Request) error {
	origin := r.Header.Get("Origin")
	if origin == "" {
		return unsupportedMediaType("content type text/plain is accepted only from browsers; " + wantedTypes)
	}
	if w.Header().Get("Access-Control-Allow-Origin") != "" { // the CORS handler has allowed the origin
		return nil
	}
	if page, err := url.Parse(origin); err == nil && page.Host != "" && strings.EqualFold(page.Host, r.Host) {
		return nil
	}
	return &problem{status: http.StatusForbidden, text: "this page's origin is not in cors::allowed_origins"}
}

// read authorizes the request and decodes its events.
func (h *eventsHandler) read(r *http.Request, format bodyFormat) (*submission, error) {
	query := r.URL.Query()
	sub := &submission{
		key:      r.Header.Get(idempotencyHeader),
		wantsIDs: query.Get("ids") == "1" || query.Get("ids") == "true",
		beacon:   format == formatBeacon,

		mayBeEmpty: format == formatCloudEvents,
	}
	if len(sub.key) > maxHeaderLength {
		return nil, &problem{status: http.StatusBadRequest, text: fmt.Sprintf("%s is longer than %d characters", idempotencyHeader, maxHeaderLength)}
	}
	key := h.keys.fromRequest(r, query)
	if key != "" {
		if err := h.authorize(r, sub, key); err != nil {
			return nil, err // before reading the body
		}
	}
	ws, err := h.readBody(r)
	defer h.release(ws)
	if err != nil {
		return nil, err
	}
	if key == "" {
		if err := h.authorize(r, sub, eventjson.WriteKey(ws.body.Bytes())); err != nil {
			return nil, err
		}
		admissionOf(r).Promote()
	}
	if sub.result, err = h.decode(r, ws, format); err != nil {
		return nil, bodyProblem(err)
	}
	if sub.key != "" {
		sub.body = bodyDigest(ws.body.Bytes())
	}
	return sub, nil
}

// authorize looks up the write key, if keys are configured, and sets what belongs to it.
func (h *eventsHandler) authorize(r *http.Request, sub *submission, text string) error {
	if !h.keys.required() {
		return nil
	}
	key, ok := h.keys.lookup(text)
	if !ok {
		h.countUnauthorized(r)
		return &problem{status: http.StatusUnauthorized, text: invalidCredentials}
	}
	sub.resource, sub.scope = key.resource, key.scope
	return nil
}

func (h *eventsHandler) decode(r *http.Request, ws *workspace, format bodyFormat) (eventjson.Result, error) {
	body, now := ws.body.Bytes(), h.now()
	ws.decoder.SetRoute(h.route)
	switch format {
	case formatLines:
		return ws.decoder.DecodeLines(body, now)
	case formatCloudEvent, formatCloudEvents:
		return ws.decoder.DecodeCloudEvents(body, format == formatCloudEvents, now)
	case formatBinaryCloudEvent:
		attributes, err := binaryAttributes(r.Header)
		if err != nil {
			return eventjson.Result{}, err
		}
		return ws.decoder.DecodeCloudEvent(attributes, r.Header.Get("Content-Type"), body, now)
	default:
		return ws.decoder.Decode(body, now)
	}
}
