// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageintake

import (
	"encoding/base64"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/test/intake/standin"
)

// The intake's credentials.
const (
	Workspace = "DAO6UGZ73D9RTK8B5W96TPYN"
	Key       = "data-api-key-of-the-tests"
)

// Intake is a stand-in for MoEngage. Its methods may be called at any time, and from any goroutine.
type Intake struct {
	standin.Server[Request]

	// The following fields are used within Do.
	workspace      string
	now            func() time.Time
	replyTo        func(Request) Reply
	maxBody        int
	compression    bool
	limits         Limits
	sent           []sent
	eventNames     map[string]bool
	userAttributes map[string]bool
}

// Limits are the intake's limits per minute; 0 is unlimited.
type Limits struct{ Events, Users, Devices, Merges int }

// sent counts what arrived at one time.
type sent struct {
	at   time.Time
	much Limits
}

// Request is a received request, whatever the response.
type Request struct {
	// URI and Header are as received.
	URI    string
	Header http.Header
	// Route is its purpose, Body and Content its contents.
	Route   Route
	Body    []byte
	Content Content
	// At is when it arrived, by the intake's clock.
	At time.Time
	// Violations are the rules it broke.
	Violations []Violation
	// Status is the response status, 0 for no response. Taken reports whether it was accepted.
	Status int
	Taken  bool
}

// New starts an intake that ends with the test. A broken rule fails the test.
func New(t testing.TB) *Intake {
	t.Helper()
	return start(t, false)
}

// NewRecording starts an intake that records broken rules for [Intake.Violations] instead of
// failing the test.
func NewRecording(t testing.TB) *Intake {
	t.Helper()
	return start(t, true)
}

func start(t testing.TB, recording bool) *Intake {
	in := &Intake{
		workspace: Workspace, now: time.Now, maxBody: maxBody, eventNames: map[string]bool{}, userAttributes: map[string]bool{},
	}
	in.Start(t, "MoEngage", recording, in)
	return in
}

// ServeWorkspace sets the intake's workspace; default Workspace.
func (in *Intake) ServeWorkspace(id string) { in.Do(func() { in.workspace = id }) }

// ReplyWith sets the function that replies to requests from now on. A request that breaks a rule or
// exceeds a limit gets MoEngage's response instead.
func (in *Intake) ReplyWith(replyTo func(Request) Reply) { in.Do(func() { in.replyTo = replyTo }) }

// Clock sets the clock for times and limits; default time.Now.
func (in *Intake) Clock(now func() time.Time) { in.Do(func() { in.now = now }) }

// Limit sets the intake's limits per 60 seconds. Requests beyond them get 429, which is not a
// violation.
func (in *Intake) Limit(limits Limits) { in.Do(func() { in.limits = limits }) }

// LimitBody lowers the maximum body size. Larger bodies get 413, which is then not a violation.
func (in *Intake) LimitBody(size int) { in.Do(func() { in.maxBody = size }) }

// AllowCompression allows compressed requests, which MoEngage does not document.
func (in *Intake) AllowCompression() { in.Do(func() { in.compression = true }) }

// Taken returns the accepted content so far, in order.
func (in *Intake) Taken() Content {
	var all Content
	requests := in.Requests()
	for i := range requests {
		if !requests[i].Taken {
			continue
		}
		content := &requests[i].Content
		all.Actions = append(all.Actions, content.Actions...)
		all.Users = append(all.Users, content.Users...)
		all.Devices = append(all.Devices, content.Devices...)
		all.Merges = append(all.Merges, content.Merges...)
		all.Order = append(all.Order, content.Order...)
	}
	return all
}

// Actions returns the accepted actions so far, in order.
func (in *Intake) Actions() []Action { return in.Taken().Actions }

// ServeHTTP implements http.Handler.
func (in *Intake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	v := &visit{Intake: in, request: Request{URI: r.RequestURI, Header: r.Header.Clone()}}
	reply := in.Hold(r, v.look(r)) // already recorded, so that hanging requests count
	reply.Write(w, success)
}

// visit is a request being checked.
type visit struct {
	*Intake
	request Request
	refusal *Reply
}

// refuse sets the response, unless an earlier check failed.
func (v *visit) refuse(reply Reply) {
	if v.refusal == nil {
		v.refusal = &reply
	}
}

func (v *visit) broke(reply Reply, rule Rule, message string) {
	v.request.Violations = append(v.request.Violations, Violation{Rule: rule, Where: "request", Message: message})
	v.refuse(reply)
}

// look checks and records a request, and returns the reply.
func (v *visit) look(r *http.Request) Reply {
	body, _ := io.ReadAll(r.Body) // a truncated body is not JSON
	var replyTo func(Request) Reply
	v.Do(func() {
		v.request.At = v.now()
		v.checkRequest(r)
		v.readBody(r, body)
		v.checkLimits()
		v.checkWorkspace()
		replyTo = v.replyTo
	})
	var reply Reply
	switch {
	case v.refusal != nil:
		reply = *v.refusal
	case replyTo != nil:
		reply = replyTo(v.request)
	}
	v.Do(func() { v.note(&reply) })
	return reply
}

// checkRequest checks the method, the URL and the headers.
func (v *visit) checkRequest(r *http.Request) {
	if r.Method != http.MethodPost {
		v.broke(Fail(http.StatusMethodNotAllowed, "Method Not Allowed", "POST"), RuleMethod, "is a "+r.Method)
	}
	route, workspace := routeOf(r)
	v.request.Route = route
	if route == "" {
		v.broke(Fail(http.StatusNotFound, "Not Found", "no such route"), RulePath, "goes to "+r.RequestURI)
	}
	if got := r.Header.Get("Content-Type"); got != "application/json" {
		v.broke(BadRequest("content type"), RuleHeaders, "has the Content-Type "+got)
	}
	credentials, isBasic := strings.CutPrefix(r.Header.Get("Authorization"), "Basic ")
	decoded, err := base64.StdEncoding.DecodeString(credentials)
	user, key, hasKey := strings.Cut(string(decoded), ":")
	switch {
	case !isBasic || err != nil || !hasKey:
		v.broke(Unauthorized(), RuleHeaders, "has no Authorization that is Basic")
	case r.Header.Get("MOE-APPKEY") != user || workspace != user && route != "":
		v.broke(Unauthorized(), RuleHeaders, "has another workspace in its Authorization than in MOE-APPKEY or its URL")
	case user != v.workspace || key != Key:
		v.refuse(Unauthorized()) // the user's mistake
	}
}

// routeOf returns a URL's route and workspace.
func routeOf(r *http.Request) (route Route, workspace string) {
	path, ok := strings.CutPrefix(r.URL.Path, "/v1/")
	kind, workspace, found := strings.Cut(path, "/")
	query := r.URL.Query()
	switch {
	case !ok || !found || strings.Contains(workspace, "/"):
		return "", ""
	case path == "customer/merge" && len(query) == 1 && query.Get("app_id") != "":
		return RouteMerge, query.Get("app_id")
	case len(query) > 0 || workspace == "merge":
		return "", ""
	}
	switch route := Route(kind); route {
	case RouteEvent, RouteUser, RouteDevice, RouteBulk:
		return route, workspace
	default:
		return "", ""
	}
}

// readBody checks the body against the rules.
func (v *visit) readBody(r *http.Request, body []byte) {
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" {
		if !v.compression {
			v.broke(BadRequest("encoding"), RuleEncoding, "has the Content-Encoding "+encoding)
			return
		}
		var err error
		if body, err = standin.Decompress(encoding, body, maxBody+1); err != nil {
			v.broke(BadRequest("encoding"), RuleEncoding, err.Error())
			return
		}
	}
	v.request.Body = body
	content, violations := Check(v.request.Route, body, v.request.At)
	v.request.Content = content
	v.request.Violations = append(v.request.Violations, violations...)
	switch {
	case len(body) > v.maxBody:
		v.refuse(TooLarge())
	case len(violations) > 0:
		v.refuse(BadRequest(violations[0].Error()))
	}
}

// checkWorkspace counts names and attributes that a workspace has limits for.
func (v *visit) checkWorkspace() {
	if v.refusal != nil {
		return
	}
	for i := range v.request.Content.Actions {
		v.eventNames[v.request.Content.Actions[i].Name] = true
	}
	for i := range v.request.Content.Users {
		for name := range v.request.Content.Users[i].Attributes {
			if !slices.Contains(own[:], name) {
				v.userAttributes[name] = true
			}
		}
	}
	if len(v.eventNames) > maxEventNames {
		v.broke(BadRequest("names"), RuleEventNames, "has one event name too many")
	}
	if len(v.userAttributes) > maxUserAttributes {
		v.broke(BadRequest("attributes"), RuleUserAttributes, "has one attribute of users too many")
	}
}

// own are MoEngage's own user attributes (api: user/create-update-user).
var own = [...]string{
	"name", "first_name", "last_name", "email", "mobile", "age", "gender", "source", "created_time", "last_seen", "transactions",
	"revenue", "moe_unsubscribe",
}

// note records the request and the response.
func (v *visit) note(reply *Reply) {
	v.request.Status, v.request.Taken = reply.Seen(), reply.Takes()
	v.Note(v.request, v.request.Violations, v.request.URI, v.request.Body)
}
