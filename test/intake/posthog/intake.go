// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogintake

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/test/intake/standin"
)

// Key is the API key of the project that the intake has.
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

	// What follows is read and written within Do.
	answer    func(Request) Reply
	plans     map[string][]Result // by name of the event
	maxBody   int                 // 0 is PostHog's own
	resending bool
	taken     []Event
	events    map[string]Event // the first of each uuid
	isTaken   map[string]bool  // by uuid; true where the client was told
	merged    map[string]bool  // the distinct ids that others were merged into
	tries     map[string]*try  // of v1, by the id of the request
}

// try is a request of v1 that was seen before.
type try struct {
	attempt   int
	createdAt string
	owed      map[string]bool
}

// Request is a request that came, whatever was answered.
type Request struct {
	Protocol Protocol
	// URI and Header are as they came, and Body without its content encoding.
	URI    string
	Header http.Header
	Body   []byte
	// Historical is historical_migration.
	Historical bool
	// RequestID, Attempt and CreatedAt are those of v1.
	RequestID string
	Attempt   int
	CreatedAt string
	Events    []Event
	// Violations are the rules that it broke.
	Violations []Violation
	// Status is what was answered, 0 for a connection that was reset.
	Status int
}

// New starts an intake. A rule that is broken fails the test. The intake ends with the test.
func New(t testing.TB) *Intake {
	t.Helper()
	return start(t, false)
}

// NewRecording starts an intake that keeps what rules are broken, for [Intake.Violations], and does not fail the test.
func NewRecording(t testing.TB) *Intake {
	t.Helper()
	return start(t, true)
}

func start(t testing.TB, recording bool) *Intake {
	in := &Intake{
		plans: map[string][]Result{}, events: map[string]Event{}, isTaken: map[string]bool{}, merged: map[string]bool{}, tries: map[string]*try{},
	}
	in.Start(t, "PostHog", recording, in)
	return in
}

// Answer sets what answers requests from now on. It is called from several goroutines if several requests come at once. A request
// that breaks a rule, or that is larger than a lowered limit, is answered as PostHog would, without asking it.
func (in *Intake) Answer(answer func(Request) Reply) { in.Do(func() { in.answer = answer }) }

// Plan says what v1 answers for events of this name, one result a time that it sees one, and ok after that.
func (in *Intake) Plan(name string, results ...Result) {
	in.Do(func() { in.plans[name] = append(in.plans[name], results...) })
}

// LimitBody lowers the size in bytes from which on a request is answered 413. To go beyond it is no violation.
func (in *Intake) LimitBody(size int) { in.Do(func() { in.maxBody = size }) }

// AllowResending makes it no violation to send again what was taken, as a sender does that has crashed.
func (in *Intake) AllowResending() { in.Do(func() { in.resending = true }) }

// Events are those that were taken, in their order. One that was taken twice is there once: it is the same in PostHog.
func (in *Intake) Events() []Event { return standin.All(&in.Server, &in.taken) }

// ServeHTTP implements http.Handler.
func (in *Intake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v := read(r, time.Now())
	reply := in.Hold(r, in.decide(v))
	var success string
	in.Do(func() { success = in.settle(v, &reply) })
	reply.Write(w, success)
}

// decide says what is answered.
func (in *Intake) decide(v *visit) Reply {
	var answer func(Request) Reply
	var tooLarge bool
	in.Do(func() {
		in.compare(v)
		answer, tooLarge = in.answer, in.maxBody > 0 && len(v.request.Body) > in.maxBody
	})
	switch {
	case v.refusal != nil:
		return *v.refusal
	case tooLarge && v.request.Protocol == V1:
		return Error(http.StatusRequestEntityTooLarge, "payload_too_large")
	case tooLarge:
		return Failure(http.StatusRequestEntityTooLarge, "maximum event size exceeded: too large")
	case answer == nil:
		return Reply{}
	default:
		return answer(v.request)
	}
}

// compare holds a request against those that came before.
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
			v.broke(RuleSameEvent, e.UUID, "was %q and is now %q", first.key(), e.key())
		}
		if in.isTaken[e.UUID] && !in.resending {
			v.broke(RuleResent, e.UUID, "was taken before")
		}
	}
	if v.request.RequestID == "" || v.refusal != nil {
		return
	}
	before, ok := in.tries[v.request.RequestID]
	if !ok {
		in.tries[v.request.RequestID] = &try{attempt: v.request.Attempt, createdAt: v.request.CreatedAt}
		return
	}
	if v.request.Attempt <= before.attempt {
		v.broke(RuleAttempt, "PostHog-Attempt", "is %d, and was %d before", v.request.Attempt, before.attempt)
	}
	if v.request.CreatedAt != before.createdAt {
		v.broke(RuleCreatedAt, "created_at", "is %s, and was %s before", v.request.CreatedAt, before.createdAt)
	}
	for i := range v.request.Events {
		if !before.owed[v.request.Events[i].UUID] {
			v.broke(RuleRequestID, "PostHog-Request-Id", "is that of a request which %s was not owed of", v.request.Events[i].UUID)
		}
	}
	before.attempt = v.request.Attempt
}

// merge holds an event that makes two persons one against those before: one whom others were merged into is identified, and PostHog
// does not merge such a person into another.
func (in *Intake) merge(v *visit, e *Event) {
	name, other := e.mergedID()
	if name == "" {
		return
	}
	if in.merged[other] {
		v.broke(RulePerson, e.UUID, "has %s %q, which is identified and is not merged into %q", name, other, e.DistinctID)
	}
	in.merged[e.DistinctID] = true
}

// settle keeps the request and what was answered, and returns the body of an answer that all is well.
func (in *Intake) settle(v *visit, reply *Reply) string {
	v.request.Violations, v.request.Status = v.checker.Violations, reply.Seen()
	in.Note(v.request, v.checker.Violations, v.request.URI, v.request.Body)
	results := map[string]Result{}
	for i := range v.request.Events {
		results[v.request.Events[i].UUID] = in.result(&v.request, &v.request.Events[i], reply)
	}
	in.owe(&v.request, results)
	if v.request.Protocol != V1 {
		return `{"status":1}`
	}
	body, _ := json.Marshal(map[string]any{"results": results}) // it is always encoded
	return string(body)
}

// result is what becomes of an event.
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
	told, taken := in.isTaken[e.UUID]
	in.isTaken[e.UUID] = told || reply.Seen() != 0
	if !taken {
		in.taken = append(in.taken, *e)
	}
	return r
}

// owe notes what is owed of a request.
func (in *Intake) owe(request *Request, results map[string]Result) {
	t, ok := in.tries[request.RequestID]
	if !ok {
		return
	}
	t.owed = map[string]bool{}
	for _, id := range slices.Sorted(maps.Keys(results)) {
		t.owed[id] = results[id].Result == "retry" || request.Status == 0
	}
}
