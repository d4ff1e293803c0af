// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogintake

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/test/intake/standin"
)

// Key is the API key of the intake's project.
const Key = "phc_examplekeyofaproject"

// Protocol is one of PostHog's capture APIs.
type Protocol string

// The protocols.
const (
	Batch Protocol = "batch"
	V1    Protocol = "v1"
)

// Intake is a stand-in for PostHog. Its methods may be called at any time, and from any goroutine.
type Intake struct {
	standin.Server[Request]

	// The fields below are read and written within Do.
	replyTo   func(Request) Reply
	plans     map[string][]Result // by name of the event
	maxBody   int                 // 0 means PostHog's limit
	resending bool
	taken     []Event
	events    map[string]Event     // the first event of each uuid
	confirmed map[string]bool      // taken events by uuid; false if the client did not get the response
	merged    map[string]bool      // distinct ids that others were merged into
	attempts  map[string]*attempts // of v1, by request id
}

// attempts records the attempts of a v1 request so far.
type attempts struct {
	last      int // the highest PostHog-Attempt
	createdAt string
	pending   map[string]bool // uuids that the next attempt may have
}

// Request is a received request, whatever the response was.
type Request struct {
	Protocol Protocol
	// URI and Header are unchanged. Body has no content encoding.
	URI    string
	Header http.Header
	Body   []byte
	// Historical is historical_migration.
	Historical bool
	// RequestID, Attempt and CreatedAt are set in v1 only.
	RequestID string
	Attempt   int
	CreatedAt string
	Events    []Event
	// Violations are the rules that the request broke.
	Violations []Violation
	// Status is the status of the response, or 0 if the connection was reset.
	Status int
}

// New starts an intake, which stops with the test. A broken rule fails the test.
func New(t testing.TB) *Intake {
	t.Helper()
	return start(t, false)
}

// NewRecording starts an intake that only records broken rules, for [Intake.Violations].
func NewRecording(t testing.TB) *Intake {
	t.Helper()
	return start(t, true)
}

func start(t testing.TB, recording bool) *Intake {
	in := &Intake{
		plans: map[string][]Result{}, events: map[string]Event{}, confirmed: map[string]bool{}, merged: map[string]bool{}, attempts: map[string]*attempts{},
	}
	in.Start(t, "PostHog", recording, in)
	return in
}

// ReplyWith sets the function that responds to later requests. Concurrent requests call it
// concurrently. It is not called for a request that breaks a rule or exceeds a lowered limit: the
// intake responds like PostHog.
func (in *Intake) ReplyWith(replyTo func(Request) Reply) { in.Do(func() { in.replyTo = replyTo }) }

// Plan sets v1's next results for events with this name, in order. Later ones get ok.
func (in *Intake) Plan(name string, results ...Result) {
	in.Do(func() { in.plans[name] = append(in.plans[name], results...) })
}

// LimitBody lowers the size limit of bodies, in bytes. A larger body gets 413, and is not a
// violation.
func (in *Intake) LimitBody(size int) { in.Do(func() { in.maxBody = size }) }

// AllowResending allows accepted events to be sent again, as a sender does after a crash.
func (in *Intake) AllowResending() { in.Do(func() { in.resending = true }) }

// Events returns the accepted events in order. One that was accepted twice appears once, as in
// PostHog.
func (in *Intake) Events() []Event { return standin.All(&in.Server, &in.taken) }

// ServeHTTP implements http.Handler.
func (in *Intake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v := read(r, time.Now())
	reply := in.Hold(r, in.decide(v))
	var success string
	in.Do(func() { success = in.settle(v, &reply) })
	reply.Write(w, success)
}

// decide returns the response to a request.
func (in *Intake) decide(v *visit) Reply {
	var replyTo func(Request) Reply
	var tooLarge bool
	in.Do(func() {
		in.compare(v)
		replyTo, tooLarge = in.replyTo, in.maxBody > 0 && len(v.request.Body) > in.maxBody
	})
	switch {
	case v.refusal != nil:
		return *v.refusal
	case tooLarge && v.request.Protocol == V1:
		return Error(http.StatusRequestEntityTooLarge, "payload_too_large")
	case tooLarge:
		return Failure(http.StatusRequestEntityTooLarge, "maximum event size exceeded: too large")
	case replyTo == nil:
		return Reply{}
	default:
		return replyTo(v.request)
	}
}

// compare checks a request against earlier ones.
func (in *Intake) compare(v *visit) {
	for i := range v.request.Events {
		e := &v.request.Events[i]
		first, ok := in.events[e.UUID]
		if !ok {
			in.events[e.UUID] = *e
			in.merge(v, e)
			continue
		}
		if first.key() != e.key() {
			v.broke(RuleSameEvent, e.UUID, "was %q before, and is now %q", first.key(), e.key())
		}
		if in.confirmed[e.UUID] && !in.resending {
			v.broke(RuleResent, e.UUID, "was already accepted")
		}
	}
	if v.request.RequestID == "" || v.refusal != nil {
		return
	}
	before, ok := in.attempts[v.request.RequestID]
	if !ok {
		in.attempts[v.request.RequestID] = &attempts{last: v.request.Attempt, createdAt: v.request.CreatedAt}
		return
	}
	if v.request.Attempt <= before.last {
		v.broke(RuleAttempt, "PostHog-Attempt", "is %d, but was already %d", v.request.Attempt, before.last)
	}
	if v.request.CreatedAt != before.createdAt {
		v.broke(RuleCreatedAt, "created_at", "is %s, but was %s in the first attempt", v.request.CreatedAt, before.createdAt)
	}
	for i := range v.request.Events {
		if !before.pending[v.request.Events[i].UUID] {
			v.broke(RuleRequestID, "PostHog-Request-Id", "is the id of an earlier request, in which %s is not pending", v.request.Events[i].UUID)
		}
	}
	before.last = v.request.Attempt
}

// merge checks an event that merges two persons. A person that others were merged into is
// identified, and PostHog does not merge it into another one.
func (in *Intake) merge(v *visit, e *Event) {
	name, other := e.mergedID()
	if name == "" {
		return
	}
	if in.merged[other] {
		v.broke(RulePerson, e.UUID, "has %s %q, an identified person, which PostHog does not merge into %q", name, other, e.DistinctID)
	}
	in.merged[e.DistinctID] = true
}

// settle records the request and its response, and returns the body of a successful response.
func (in *Intake) settle(v *visit, reply *Reply) string {
	v.request.Violations, v.request.Status = v.checker.Violations, reply.Seen()
	in.Note(v.request, v.checker.Violations, v.request.URI, v.request.Body)
	results := map[string]Result{}
	for i := range v.request.Events {
		results[v.request.Events[i].UUID] = in.result(&v.request, &v.request.Events[i], reply)
	}
	in.setPending(&v.request, results)
	if v.request.Protocol != V1 {
		return `{"status":1}`
	}
	body, _ := json.Marshal(map[string]any{"results": results}) // cannot fail
	return string(body)
}

// result returns the result of an event, and records it if it is accepted.
func (in *Intake) result(request *Request, e *Event, reply *Reply) Result {
	if !reply.Takes() {
		return Result{Result: "retry", Details: DetailsNotPersisted}
	}
	r := Result{Result: "ok"}
	if planned := in.plans[e.Name]; request.Protocol == V1 && len(planned) > 0 {
		r, in.plans[e.Name] = planned[0], planned[1:]
	}
	if r.Result == "" {
		r.Result = "ok"
	}
	if r.Result != "ok" && r.Result != "warning" {
		return r
	}
	confirmed, taken := in.confirmed[e.UUID]
	in.confirmed[e.UUID] = confirmed || reply.Seen() != 0
	if !taken {
		in.taken = append(in.taken, *e)
	}
	return r
}

// setPending records which events the next attempt of a request may have.
func (in *Intake) setPending(request *Request, results map[string]Result) {
	soFar, ok := in.attempts[request.RequestID]
	if !ok {
		return
	}
	soFar.pending = map[string]bool{}
	for id, result := range results {
		soFar.pending[id] = result.Result == "retry" || request.Status == 0
	}
}
