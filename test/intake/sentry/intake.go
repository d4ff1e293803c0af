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

// Project is a project of the intake.
type Project struct {
	// ID is the last segment of the DSN, and part of the request path.
	ID string
	// PublicKey authenticates requests.
	PublicKey string
	// SecretKey is optional and deprecated. A request may omit it.
	SecretKey string
	// Path is the part of the DSN's path before the id, such as "/sub/path".
	Path string
}

// dsn returns the project's DSN at an intake with this URL.
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

	// The fields below are read and written within Do.
	now      func() time.Time
	replyTo  func(Envelope) Reply
	grace    time.Duration
	limits   rateLimits
	maxSizes map[string]int // lowered size limits by type of item; "" is the envelope
	accepted []Envelope
	changed  chan struct{} // closed and replaced after each request
}

// Request is a received request, whatever the response was.
type Request struct {
	// Method, URI and Header are unchanged.
	Method, URI string
	Header      http.Header
	// Envelope is the content, as far as it could be read.
	Envelope Envelope
	// Violations are the rules that the request broke.
	Violations []Violation
	// Status is the status of the response, or 0 if the connection was reset.
	Status int
}

// New starts an intake with the projects, which stops with the test. A broken rule fails the test.
// Without projects, it has one with the id 42 and the key "examplepublickey".
func New(t testing.TB, projects ...Project) *Intake {
	t.Helper()
	return start(t, false, projects)
}

// NewRecording starts an intake that only records broken rules, for [Intake.Violations].
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

// DSN returns the DSN of the project with this id, or of the first project.
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

// ReplyWith sets the function that responds to later envelopes. Concurrent requests call it
// concurrently. It is not called for an envelope that breaks a rule, or exceeds a rate limit or a
// lowered size limit: the intake responds like Sentry.
func (in *Intake) ReplyWith(replyTo func(Envelope) Reply) { in.Do(func() { in.replyTo = replyTo }) }

// Clock sets the clock for sent_at and rate limits. The default is time.Now.
func (in *Intake) Clock(now func() time.Time) { in.Do(func() { in.now = now }) }

// Grace sets how long after announcing a rate limit the intake refuses requests without a violation.
// The default is 0. With several requests in flight, the sender may start one before it gets the
// response to another.
func (in *Intake) Grace(d time.Duration) { in.Do(func() { in.grace = d }) }

// LimitEnvelope lowers the size limit of envelopes, in decompressed bytes, as a self-hosted Sentry
// can. A larger envelope gets 413, and is not a violation.
func (in *Intake) LimitEnvelope(size int) { in.LimitItem("", size) }

// LimitItem lowers the size limit for the payloads of a type of item in the same way.
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

// visit is a request that is being checked.
type visit struct {
	request  *http.Request
	began    time.Time // by the real clock
	project  *Project
	envelope Envelope
	checker  standin.Checker
	refusal  *Reply // the response, if the test does not decide it
}

// refuse sets the response, unless it is already set.
func (v *visit) refuse(status int, cause string) {
	if v.refusal == nil {
		v.refusal = &Reply{Status: status, Body: detail(cause)}
	}
}

// broke records a violation, and refuses the request.
func (v *visit) broke(status int, rule Rule, where, format string, args ...any) {
	v.checker.Violate(rule, where, format, args...)
	v.refuse(status, v.checker.Violations[len(v.checker.Violations)-1].Error())
}

// read reads a request, and checks the rules that do not depend on earlier requests.
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

// decide returns the response to a request.
func (in *Intake) decide(v *visit) Reply {
	var replyTo func(Envelope) Reply
	in.Do(func() {
		in.checkSizes(v)
		in.checkLimits(v)
		replyTo = in.replyTo
	})
	switch {
	case v.refusal != nil:
		return *v.refusal
	case replyTo == nil:
		return Reply{}
	default:
		return replyTo(v.envelope)
	}
}

// checkSizes refuses items beyond the limits that the test lowered.
func (in *Intake) checkSizes(v *visit) {
	for _, item := range v.envelope.Items {
		if size, ok := in.maxSizes[item.Type]; ok && len(item.Payload) > size {
			v.refuse(http.StatusRequestEntityTooLarge, item.Type+" too large")
		}
	}
}

// checkLimits refuses a rate-limited envelope. Sending it is a violation, unless it was in flight
// when the limit was announced.
func (in *Intake) checkLimits(v *visit) {
	if v.refusal != nil || v.project == nil {
		return
	}
	limit, ok := in.limits.forbids(v.project, v.envelope.Items, v.envelope.Arrived)
	if !ok {
		return
	}
	if v.began.Sub(limit.announced) > in.grace {
		v.checker.Violate(RuleRateLimit, "envelope", "has data of the category %q, which is limited for another %v",
			limit.category, limit.until.Sub(v.envelope.Arrived))
	}
	reply := RateLimited(limit.header(v.envelope.Arrived))
	v.refusal = &reply
}

// note records the request and its response. A rate limit starts now, before the client gets the
// response.
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
