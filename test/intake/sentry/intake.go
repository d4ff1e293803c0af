// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryintake

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/test/intake/standin"
)

// Project is a project that the intake has.
type Project struct {
	// ID is the last segment of the DSN, and part of the path of requests.
	ID string
	// PublicKey is what requests authenticate with.
	PublicKey string
	// SecretKey is optional and deprecated. A request need not send it, but if it does, it has to be this one.
	SecretKey string
	// Path is what the DSN has before the id, such as "/sub/path".
	Path string
}

// dsn is the project's DSN at an intake with this URL.
func (p *Project) dsn(base string) string {
	keys := p.PublicKey
	if p.SecretKey != "" {
		keys += ":" + p.SecretKey
	}
	return strings.Replace(base, "://", "://"+keys+"@", 1) + p.Path + "/" + p.ID
}

// Intake is a stand-in for Sentry. Its methods may be called at any time, and from any goroutine.
type Intake struct {
	standin.Server[Request]
	t        testing.TB
	projects []Project

	// What follows is read and written within Do.
	now      func() time.Time
	answer   func(Envelope) Reply
	grace    time.Duration
	limits   rateLimits
	maxSizes map[string]int // lower limits of sizes, by type of item; that of the envelope under ""
	accepted []Envelope
	changed  chan struct{} // closed and replaced when something came
}

// Request is a request that came, whatever was answered.
type Request struct {
	// Method, URI and Header are as they came.
	Method, URI string
	Header      http.Header
	// Envelope is what it held, as far as it could be read.
	Envelope Envelope
	// Violations are the rules that it broke.
	Violations []Violation
	// Status is what was answered, 0 for a connection that was reset.
	Status int
}

// New starts an intake with these projects; without any, it has one with the id 42 and the key "examplepublickey". A rule
// that is broken fails the test. The intake ends with the test.
func New(t testing.TB, projects ...Project) *Intake {
	t.Helper()
	return start(t, false, projects)
}

// NewRecording starts an intake that keeps what rules are broken, for [Intake.Violations], and does not fail the test.
func NewRecording(t testing.TB, projects ...Project) *Intake {
	t.Helper()
	return start(t, true, projects)
}

func start(t testing.TB, recording bool, projects []Project) *Intake {
	if len(projects) == 0 {
		projects = []Project{{ID: "42", PublicKey: "examplepublickey"}}
	}
	in := &Intake{
		t: t, projects: slices.Clone(projects), now: time.Now,
		limits: rateLimits{}, maxSizes: map[string]int{}, changed: make(chan struct{}),
	}
	in.Start(t, "Sentry", recording, in)
	return in
}

// DSN is the DSN of the project with this id, or of the first one.
func (in *Intake) DSN(project ...string) string {
	if len(project) == 0 {
		return in.projects[0].dsn(in.URL())
	}
	for i := range in.projects {
		if in.projects[i].ID == project[0] {
			return in.projects[i].dsn(in.URL())
		}
	}
	in.t.Fatalf("the intake has no project %q", project[0])
	return ""
}

// Answer sets what answers envelopes from now on. It is called from several goroutines if several requests come at once. An
// envelope that breaks a rule, or that a rate limit or a lowered size forbids, is answered as Sentry would, without asking it.
func (in *Intake) Answer(answer func(Envelope) Reply) { in.Do(func() { in.answer = answer }) }

// Clock sets the clock that sent_at and rate limits are held against, which is time.Now at first.
func (in *Intake) Clock(now func() time.Time) { in.Do(func() { in.now = now }) }

// Grace sets for how long after a rate limit was answered a request is only refused for it, and no violation. It is 0 at
// first. With several requests in flight, one may leave while the answer to another is on its way.
func (in *Intake) Grace(d time.Duration) { in.Do(func() { in.grace = d }) }

// LimitEnvelope lowers the size in bytes, decompressed, from which on an envelope is answered 413, as the administrator of a
// self-hosted Sentry may. To go beyond it is no violation.
func (in *Intake) LimitEnvelope(size int) { in.LimitItem("", size) }

// LimitItem does the same for the payloads of a type of item.
func (in *Intake) LimitItem(itemType string, size int) {
	in.Do(func() { in.maxSizes[itemType] = size })
}

// ServeHTTP implements http.Handler.
func (in *Intake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began, maxSize := time.Now(), maxEnvelope
	var now func() time.Time
	in.Do(func() {
		now = in.now
		if size, lowered := in.maxSizes[""]; lowered {
			maxSize = size
		}
	})
	v := in.read(r, began, now(), maxSize)
	reply := in.Hold(r, in.decide(v))
	in.Do(func() { in.note(v, &reply) })
	reply.Write(w, success(v.envelope.EventID()))
}

// visit is a request while it is looked at.
type visit struct {
	request  *http.Request
	began    time.Time // by the real clock
	project  *Project
	envelope Envelope
	checker  standin.Checker
	refusal  *Reply // what is to be answered instead of asking the test
}

// refuse notes what is answered, unless something went wrong before.
func (v *visit) refuse(status int, cause string) {
	if v.refusal == nil {
		v.refusal = &Reply{Status: status, Body: detail(cause)}
	}
}

// broke notes a rule that is broken, and that the request is refused for it.
func (v *visit) broke(status int, rule Rule, where, format string, args ...any) {
	v.checker.Violate(rule, where, format, args...)
	v.refuse(status, v.checker.Violations[len(v.checker.Violations)-1].Error())
}

// read takes a request apart and holds it against the rules that do not depend on others.
func (in *Intake) read(r *http.Request, began, now time.Time, maxSize int) *visit {
	v := &visit{request: r, began: began}
	v.envelope.Request, v.envelope.Arrived = r.Header.Clone(), now
	in.checkURL(v)
	in.checkAuth(v)
	body, ok := v.body(maxSize)
	if !ok {
		return v
	}
	envelope, err := ParseEnvelope(body)
	envelope.Project, envelope.Key = v.envelope.Project, v.envelope.Key
	envelope.Request, envelope.Arrived = v.envelope.Request, now
	v.envelope = envelope
	if violation := (*Violation)(nil); errors.As(err, &violation) {
		v.broke(http.StatusBadRequest, violation.Rule, violation.Where, "%s", violation.Message)
		return v
	}
	v.checkDSN()
	for _, violation := range Check(envelope) {
		status := http.StatusBadRequest
		if violation.Rule == RuleItemSize || violation.Rule == RuleEnvelopeSize {
			status = http.StatusRequestEntityTooLarge
		}
		v.broke(status, violation.Rule, violation.Where, "%s", violation.Message)
	}
	return v
}

// decide says what is answered.
func (in *Intake) decide(v *visit) Reply {
	var answer func(Envelope) Reply
	in.Do(func() {
		in.checkSizes(v)
		in.checkLimits(v)
		answer = in.answer
	})
	switch {
	case v.refusal != nil:
		return *v.refusal
	case answer == nil:
		return Reply{}
	default:
		return answer(v.envelope)
	}
}

// checkSizes refuses items that are larger than the limits that the test lowered.
func (in *Intake) checkSizes(v *visit) {
	for _, item := range v.envelope.Items {
		if size, ok := in.maxSizes[item.Type]; ok && len(item.Payload) > size {
			v.refuse(http.StatusRequestEntityTooLarge, item.Type+" too large")
		}
	}
}

// checkLimits refuses what a rate limit forbids. That it was sent is a violation, unless it was under way when the limit was
// answered.
func (in *Intake) checkLimits(v *visit) {
	if v.refusal != nil || v.project == nil {
		return
	}
	limit, ok := in.limits.forbids(v.project, v.envelope.Items, v.envelope.Arrived)
	if !ok {
		return
	}
	if v.began.Sub(limit.answered) > in.grace {
		v.checker.Violate(RuleRateLimit, "envelope", "has something of the category %q, which is limited for another %v",
			limit.category, limit.until.Sub(v.envelope.Arrived))
	}
	reply := RateLimited(limit.header(v.envelope.Arrived))
	v.refusal = &reply
}

// note keeps the request, and what was answered. A rate limit counts from now on, which is before the client knows of it.
func (in *Intake) note(v *visit, reply *Reply) {
	if reply.Takes() {
		in.accepted = append(in.accepted, v.envelope)
	}
	if v.project != nil && v.refusal == nil {
		in.limits.learn(v.project, reply, in.now())
	}
	in.Note(Request{
		Method: v.request.Method, URI: v.request.RequestURI, Header: v.request.Header.Clone(),
		Envelope: v.envelope, Violations: v.checker.Violations, Status: reply.Seen(),
	}, v.checker.Violations, v.request.Method+" "+v.request.RequestURI, v.envelope.Raw)
	close(in.changed)
	in.changed = make(chan struct{})
}
