// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogintake

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/test/intake/standin"
)

// tolerance is the maximum difference between a request's own time and its arrival.
const tolerance = 10 * time.Second

// historicalAge is the minimum age of historical data.
const historicalAge = 48 * time.Hour

// visit is a request that is being checked.
type visit struct {
	request Request
	arrived time.Time
	checker standin.Checker
	refusal *Reply // the response, if the test does not decide it
}

// broke records a violation, and refuses the request.
func (v *visit) broke(rule Rule, where, format string, args ...any) {
	v.checker.Violate(rule, where, format, args...)
	v.refuse()
}

// refuse sets the response to the first violation, if any, unless it is already set.
func (v *visit) refuse() {
	if v.refusal != nil || len(v.checker.Violations) == 0 {
		return
	}
	first := &v.checker.Violations[0]
	status, tag := statusOf(first.Rule)
	reply := Failure(status, first.Error())
	if v.request.Protocol == V1 {
		reply = Error(status, tag)
	}
	v.refusal = &reply
}

// statusOf returns PostHog's response to a request that breaks the rule (posthog:
// rust/capture/src/api.rs and v1/error.rs).
func statusOf(rule Rule) (status int, tag string) {
	switch rule {
	case RulePath:
		return http.StatusNotFound, "not_found"
	case RuleMethod:
		return http.StatusMethodNotAllowed, "method_not_allowed"
	case RuleContentType:
		return http.StatusUnsupportedMediaType, "unsupported_content_type"
	case RuleEncoding:
		return http.StatusUnsupportedMediaType, "unsupported_encoding"
	case RuleKey:
		return http.StatusUnauthorized, "invalid_api_token"
	case RuleBodySize, RuleEventSize:
		return http.StatusRequestEntityTooLarge, "payload_too_large"
	case RuleSDKInfo, RuleAttempt, RuleRequestID, RuleRequestTimestamp, RuleUserAgent:
		return http.StatusBadRequest, "missing_required_headers"
	case RuleDuplicateUUID:
		return http.StatusBadRequest, "duplicate_event_uuid"
	case RuleEmpty:
		return http.StatusBadRequest, "empty_batch"
	case RuleCreatedAt:
		return http.StatusBadRequest, "invalid_batch"
	case RuleUUID:
		return http.StatusBadRequest, "missing_event_uuid"
	default:
		return http.StatusBadRequest, "request_parsing_error"
	}
}

// read reads a request, and checks the rules that do not depend on earlier requests.
func read(r *http.Request, arrived time.Time) *visit {
	v := &visit{arrived: arrived}
	v.request.URI, v.request.Header = r.RequestURI, r.Header.Clone()
	v.checkURL(r)
	v.checkHeaders()
	body, ok := v.body(r)
	v.request.Body = body
	if ok {
		v.checkBody()
	}
	v.refuse()
	return v
}

func (v *visit) checkURL(r *http.Request) {
	if r.Method != http.MethodPost {
		v.checker.Violate(RuleMethod, "request", "is %s, not POST", r.Method)
	}
	switch r.URL.Path {
	case "/batch", "/batch/":
		v.request.Protocol = Batch
	case "/i/v1/analytics/events":
		v.request.Protocol = V1
	default:
		v.checker.Violate(RulePath, "request", "goes to %q", r.URL.Path)
	}
	if r.URL.RawQuery != "" {
		v.checker.Violate(RuleURLSecret, "request", "has a query")
	}
}

func (v *visit) checkHeaders() {
	header := v.request.Header
	if got := header.Values("Content-Type"); len(got) != 1 || got[0] != "application/json" {
		v.checker.Violate(RuleContentType, "Content-Type", "is %q, not application/json", got)
	}
	if header.Get("User-Agent") == "" || strings.HasPrefix(header.Get("User-Agent"), "Go-http-client") {
		v.checker.Violate(RuleUserAgent, "User-Agent", "is %q, which does not name the client", header.Get("User-Agent"))
	}
	if v.request.Protocol != V1 {
		return
	}
	if header.Get("Authorization") != "Bearer "+Key {
		v.checker.Violate(RuleKey, "Authorization", "is not Bearer and the project's key")
	}
	name, version, ok := strings.Cut(header.Get("PostHog-Sdk-Info"), "/")
	if !ok || name == "" || version == "" || strings.ContainsAny(version, "/ ") {
		v.checker.Violate(RuleSDKInfo, "PostHog-Sdk-Info", "is %q, not <name>/<version>", header.Get("PostHog-Sdk-Info"))
	}
	attempt, err := strconv.Atoi(header.Get("PostHog-Attempt"))
	if err != nil || attempt < 1 {
		v.checker.Violate(RuleAttempt, "PostHog-Attempt", "is %q, not a number of 1 or more", header.Get("PostHog-Attempt"))
	}
	v.request.Attempt, v.request.RequestID = attempt, header.Get("PostHog-Request-Id")
	if !uuidPattern.MatchString(v.request.RequestID) {
		v.checker.Violate(RuleRequestID, "PostHog-Request-Id", "is %q, not a UUID", v.request.RequestID)
	}
	v.checkNow(RuleRequestTimestamp, "PostHog-Request-Timestamp", header.Get("PostHog-Request-Timestamp"))
}

// checkNow checks that a time is close to the request's arrival.
func (v *visit) checkNow(rule Rule, where, written string) {
	at, err := time.Parse(time.RFC3339Nano, written)
	if err != nil || !strings.HasSuffix(written, "Z") {
		v.checker.Violate(rule, where, "is %q, not RFC 3339 in UTC", written)
		return
	}
	if off := v.arrived.Sub(at).Abs(); off > tolerance {
		v.checker.Violate(rule, where, "is %v away from the request's arrival", off)
	}
}

// body reads and decompresses the body.
func (v *visit) body(r *http.Request) ([]byte, bool) {
	raw, err := io.ReadAll(r.Body)
	if err != nil {
		v.checker.Violate(RuleBody, "body", "cannot be read: %v", err)
		return nil, false
	}
	limit := maxBatchBody
	if v.request.Protocol == V1 {
		limit = maxV1Body
	}
	body, err := decompress(v.request.Header.Values("Content-Encoding"), v.request.Protocol, raw, int64(limit))
	if err != nil {
		v.checker.Violate(RuleEncoding, "Content-Encoding", "%v", err)
		return nil, false
	}
	if len(body) >= limit {
		v.checker.Violate(RuleBodySize, "body", "has %d bytes or more", limit)
	}
	return body, true
}

func decompress(encodings []string, protocol Protocol, raw []byte, limit int64) ([]byte, error) {
	if len(encodings) == 0 {
		return raw, nil
	}
	if len(encodings) > 1 || protocol != V1 && encodings[0] != "gzip" {
		return nil, fmt.Errorf("%q is not accepted by PostHog", encodings)
	}
	return standin.Decompress(encodings[0], raw, limit)
}

// checkBody checks the body and its events.
func (v *visit) checkBody() {
	body, ok := v.checker.DecodeObject(v.request.Body, RuleBody, "body")
	if !ok {
		return
	}
	v.checkHead(body)
	body.Require("batch")
	v.checkEvents(body)
}

// checkHead checks the members other than the batch.
func (v *visit) checkHead(body object) {
	if historical, ok := standin.Member[bool](body, "historical_migration", "a boolean"); ok {
		v.request.Historical = historical
		if !historical {
			body.Breaks(RuleHistorical, "historical_migration", "is false; leave it out")
		}
	}
	if v.request.Protocol == V1 {
		body.Only(RuleUnknownField, "created_at", "historical_migration", "capture_internal", "batch")
		v.request.CreatedAt, _ = body.Text("created_at")
		if at, err := time.Parse(time.RFC3339Nano, v.request.CreatedAt); err != nil || at.Sub(v.arrived) > tolerance {
			body.Breaks(RuleCreatedAt, "created_at", "is %q, not an RFC 3339 time before the request's arrival", v.request.CreatedAt)
		}
		return
	}
	body.Only(RuleUnknownField, "api_key", "historical_migration", "sent_at", "batch")
	if key, _ := body.Text("api_key"); key != Key {
		body.Breaks(RuleKey, "api_key", "is not the project's key")
	}
	if sentAt, ok := body.Text("sent_at"); ok {
		v.checkNow(RuleSentAt, "sent_at", sentAt)
	}
}

func (v *visit) checkEvents(body object) {
	events, _ := body.Objects("batch", RuleEvent)
	if batch, ok := body.Members["batch"].([]any); ok && len(batch) == 0 {
		body.Breaks(RuleEmpty, "batch", "is empty")
	}
	var raw struct {
		Batch []json.RawMessage `json:"batch"`
	}
	_ = json.Unmarshal(v.request.Body, &raw) // the body is valid JSON
	seen := map[string]bool{}
	for i, o := range events {
		e := checkEvent(o, v.request.Protocol)
		if len(events) == len(raw.Batch) { // otherwise one is not an object
			e.Raw = raw.Batch[i]
		}
		if len(e.Raw) > maxEvent {
			o.Violate(RuleEventSize, o.Where, "has %d bytes; the limit is %d", len(e.Raw), maxEvent)
		}
		if seen[e.UUID] {
			o.Breaks(RuleDuplicateUUID, "uuid", "is also the uuid of an earlier event")
		}
		seen[e.UUID] = true
		if at, err := time.Parse(time.RFC3339Nano, e.Timestamp); v.request.Historical && err == nil && v.arrived.Sub(at) < historicalAge {
			o.Breaks(RuleHistorical, "timestamp", "is %s, but historical_migration is for events older than 48 hours", e.Timestamp)
		}
		v.request.Events = append(v.request.Events, e)
	}
}
