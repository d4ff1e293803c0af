// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/pipeline"
)

// Result says what a configuration would send. Its JSON form is the output of explain --json, which
// docs/testing-a-configuration.md documents.
type Result struct {
	// Receiver is the receiver that got the input, and Events are those that it passed on.
	Receiver string  `json:"receiver"`
	Events   []Event `json:"events"`
	// Rejected says for each event that the receiver did not accept what is wrong with it.
	Rejected []string `json:"rejected,omitempty"`
	// Routes are those of fanout connectors that events took, and Unrouted the events without one.
	Routes   []Route    `json:"routes,omitempty"`
	Unrouted []Unrouted `json:"unrouted,omitempty"`
	// Pipelines are those that events reached, in the order in which they did.
	Pipelines []Pipeline `json:"pipelines"`
	// Backends are all exporters of pipelines, sorted by ID.
	Backends []Backend `json:"backends"`
}

// Event is a log record, a span or a metric.
type Event struct {
	// Signal is logs, traces or metrics.
	Signal string `json:"signal"`
	// ID is that of the event, which it may get from its content, or of the span. Metrics have none.
	ID string `json:"id,omitempty"`
	// Name is empty for a plain log record.
	Name string `json:"name,omitempty"`
}

// Route says how many events a route sent to a pipeline.
type Route struct {
	Connector string `json:"connector"`
	// Route is its first name or pattern, or default_pipelines.
	Route    string `json:"route"`
	Pipeline string `json:"pipeline"`
	Events   int64  `json:"events"`
}

// Unrouted says how many events went to no pipeline.
type Unrouted struct {
	Connector string `json:"connector"`
	Signal    string `json:"signal"`
	// Reason is no_route, no_pipelines, disabled or destinations.
	Reason string `json:"reason"`
	Events int64  `json:"events"`
}

// Pipeline says what passed through a pipeline.
type Pipeline struct {
	ID         string      `json:"id"`
	Events     []Event     `json:"events"`
	Processors []Processor `json:"processors,omitempty"`
	Exporters  []string    `json:"exporters"`
	// Passed is how many events left the last processor.
	Passed int `json:"passed"`
}

// Processor says what a processor did with the events of a pipeline.
type Processor struct {
	ID string `json:"id"`
	// Dropped are the events that it did not pass on.
	Dropped []Event `json:"dropped,omitempty"`
	// Waits is true if it held events back for more than two seconds. What it passed on when it
	// stopped is in the result.
	Waits bool `json:"waits,omitempty"`
	// Error is its error.
	Error string `json:"error,omitempty"`
}

// Backend says what an exporter would send.
type Backend struct {
	ID string `json:"id"`
	// Pipelines are those of the exporter.
	Pipelines []string `json:"pipelines"`
	// Events are the events that reached the exporter, and Delivered how many of them it would send.
	Events    []Event `json:"events"`
	Delivered int     `json:"delivered"`
	// Requests are the requests that it would send. Exporters of other distributions have the OTLP JSON
	// that they would get, without method, URL and headers.
	Requests []Request `json:"requests,omitempty"`
	// Skipped are the events that the exporter leaves out, by reason.
	Skipped []Skipped `json:"skipped,omitempty"`
	// Refused are the events that cannot be sent.
	Refused []Refused `json:"refused,omitempty"`
	// Why says why no event reached the exporter.
	Why string `json:"why,omitempty"`
	// Error is the exporter's error, if it has no request and no refused event.
	Error string `json:"error,omitempty"`
}

// Skipped says how many events an exporter leaves out.
type Skipped struct {
	// Reason is a word of the exporter, such as plain_log.
	Reason string `json:"reason"`
	Events int64  `json:"events"`
}

// Refused is an event that cannot be sent.
type Refused struct {
	Event
	// Reason is that of the dead letter, such as encoding or too_large.
	Reason  string `json:"reason"`
	Message string `json:"message"`
}

// Request is a request, without its secrets.
type Request struct {
	// Signal is set for OTLP JSON only.
	Signal string `json:"signal,omitempty"`
	Method string `json:"method,omitempty"`
	URL    string `json:"url,omitempty"`
	// Headers are those of the exporter. The HTTP client adds Host, Content-Length and
	// Accept-Encoding.
	Headers http.Header `json:"headers,omitempty"`
	// Auth is the extension that adds credentials to the request.
	Auth string `json:"auth,omitempty"`
	// Body is the body before compression. BodyBase64 has it instead if it is not UTF-8.
	Body       string `json:"body,omitempty"`
	BodyBase64 string `json:"body_base64,omitempty"`
	// Curl is the request as a command, with environment variables in the place of secrets.
	Curl string `json:"curl,omitempty"`
}

// result returns the result of a run that has stopped.
func (r *run) result(in *Input) *Result {
	b := &resultBuilder{run: r, redactor: newRedactor(r.secrets)}
	res := &Result{
		Receiver: in.Receiver, Events: b.events(r.entered()),
		Routes: r.routes(), Unrouted: r.unrouted(), Pipelines: []Pipeline{}, Backends: []Backend{},
	}
	for _, text := range r.rejected {
		res.Rejected = append(res.Rejected, b.redactor.redact(text))
	}
	for _, t := range r.reached() {
		res.Pipelines = append(res.Pipelines, b.pipeline(t))
	}
	for _, id := range r.usedExporters() {
		res.Backends = append(res.Backends, b.backend(id))
	}
	return res
}

// entered returns the events that a receiver passed to the pipelines, each once.
func (r *run) entered() []Event {
	events := []Event{}
	seen := map[Event]bool{}
	for _, t := range r.tracks {
		if !r.isFirst(t.id) {
			continue
		}
		for _, e := range t.stages[0].events() {
			if !seen[e] {
				seen[e] = true
				events = append(events, e)
			}
		}
	}
	return events
}

// isFirst reports whether a receiver, and not only a connector, feeds a pipeline.
func (r *run) isFirst(id pipeline.ID) bool {
	return slices.ContainsFunc(r.cfg.Service.Pipelines[id].Receivers, func(id component.ID) bool {
		_, ok := r.cfg.Receivers[id]
		return ok
	})
}

// reached returns the tracks that events reached: those that a receiver feeds, then those behind a
// connector, and so on.
func (r *run) reached() []*track {
	depths := map[pipeline.ID]int{}
	var measure func(id pipeline.ID, depth int)
	measure = func(id pipeline.ID, depth int) {
		if old, ok := depths[id]; ok && old <= depth {
			return
		}
		depths[id] = depth
		for _, exporter := range r.cfg.Service.Pipelines[id].Exporters {
			for next, p := range r.cfg.Service.Pipelines {
				if _, isConnector := r.cfg.Connectors[exporter]; isConnector && slices.Contains(p.Receivers, exporter) {
					measure(next, depth+1)
				}
			}
		}
	}
	var found []*track
	for _, t := range r.tracks {
		if r.isFirst(t.id) {
			measure(t.id, 0)
		}
		if len(t.stages[0].events()) > 0 {
			found = append(found, t)
		}
	}
	slices.SortStableFunc(found, func(a, b *track) int { return cmp.Compare(depths[a.id], depths[b.id]) })
	return found
}

// usedExporters returns the exporters of pipelines, sorted, without connectors.
func (r *run) usedExporters() []component.ID {
	used := map[component.ID]bool{}
	for _, p := range r.cfg.Service.Pipelines {
		for _, id := range p.Exporters {
			if _, ok := r.cfg.Exporters[id]; ok && id.Type().String() != "nop" {
				used[id] = true
			}
		}
	}
	return slices.SortedFunc(maps.Keys(used), compareIDs)
}

func (r *run) routes() []Route {
	points := r.metrics.of(metricRouted)
	routes := make([]Route, 0, len(points))
	for _, p := range points {
		routes = append(routes, Route{p.attribute("connector"), p.attribute("route"), p.attribute("pipeline"), p.value})
	}
	slices.SortFunc(routes, func(a, b Route) int {
		return cmp.Or(cmp.Compare(a.Connector, b.Connector), cmp.Compare(a.Route, b.Route), cmp.Compare(a.Pipeline, b.Pipeline))
	})
	return routes
}

func (r *run) unrouted() []Unrouted {
	points := r.metrics.of(metricUnrouted)
	unrouted := make([]Unrouted, 0, len(points))
	for _, p := range points {
		unrouted = append(unrouted, Unrouted{p.attribute("connector"), p.attribute("signal"), p.attribute("reason"), p.value})
	}
	slices.SortFunc(unrouted, func(a, b Unrouted) int {
		return cmp.Or(cmp.Compare(a.Connector, b.Connector), cmp.Compare(a.Signal, b.Signal), cmp.Compare(a.Reason, b.Reason))
	})
	return unrouted
}

// resultBuilder builds the parts of a result that secrets must be removed from.
type resultBuilder struct {
	*run
	redactor *redactor
}

// events returns events without secrets: a processor may put one into a name.
func (b *resultBuilder) events(events []Event) []Event {
	for i := range events {
		events[i].ID, events[i].Name = b.redactor.redact(events[i].ID), b.redactor.redact(events[i].Name)
	}
	return events
}

func (b *resultBuilder) pipeline(t *track) Pipeline {
	last := len(t.stages) - 1
	p := Pipeline{ID: t.id.String(), Events: b.events(t.stages[0].events()), Exporters: namesOf(b.cfg.Service.Pipelines[t.id].Exporters), Passed: len(t.stages[last].events())}
	for i, id := range t.processors {
		after := Processor{ID: id.String(), Dropped: b.events(missing(t.stages[i].events(), t.stages[i+1].events()))}
		after.Waits = slices.Contains(b.waited, heldBack{t, i})
		if err := t.stages[i].lastError(); err != nil && t.stages[i+1].lastError() == nil {
			after.Error = b.redactor.redact(err.Error())
		}
		p.Processors = append(p.Processors, after)
	}
	return p
}

func (b *resultBuilder) backend(id component.ID) Backend {
	backend := Backend{ID: id.String(), Events: b.events(b.taken[id]), Delivered: len(b.taken[id])}
	if backend.Events == nil {
		backend.Events = []Event{}
	}
	for _, t := range b.tracks {
		if slices.Contains(b.cfg.Service.Pipelines[t.id].Exporters, id) {
			backend.Pipelines = append(backend.Pipelines, t.id.String())
		}
	}
	for i := range b.recordings[id] {
		backend.Requests = append(backend.Requests, b.request(id, &b.recordings[id][i]))
	}
	for i := range b.refused[id] {
		letter := &b.refused[id][i]
		backend.Refused = append(backend.Refused, Refused{
			Event: Event{Signal: letter.Signal, ID: b.redactor.redact(letter.ID), Name: b.redactor.redact(letter.Name)}, Reason: string(letter.Reason), Message: b.redactor.redact(letter.Message),
		})
	}
	if isOwn(b.cfg.Exporters[id]) {
		b.addOutcomes(&backend)
	}
	if err := b.failed[id]; err != nil && len(backend.Requests) == 0 && len(backend.Refused) == 0 {
		backend.Error = b.redactor.redact(err.Error())
	}
	if len(backend.Events) == 0 {
		backend.Why = b.why(backend.Pipelines)
	}
	return backend
}

// addOutcomes adds what the exporter counted. One event may become several at the vendor.
func (b *resultBuilder) addOutcomes(backend *Backend) {
	backend.Delivered = 0
	for _, p := range b.metrics.of(metricOutcomes) {
		if p.attribute("exporter") != backend.ID {
			continue
		}
		switch p.attribute("outcome") {
		case "delivered":
			backend.Delivered += int(p.value)
		case "skipped":
			backend.Skipped = append(backend.Skipped, Skipped{p.attribute("reason"), p.value})
		}
	}
	slices.SortFunc(backend.Skipped, func(a, b Skipped) int { return cmp.Compare(a.Reason, b.Reason) })
}

// why says why no event reached the exporters of the pipelines.
func (b *resultBuilder) why(pipelines []string) string {
	var reasons, signals []string
	for _, t := range b.tracks {
		switch signal := t.id.Signal().String(); {
		case !slices.Contains(pipelines, t.id.String()):
		case b.hasSignal(signal):
			reasons = append(reasons, b.whyNot(t))
		default:
			signals = append(signals, signal)
		}
	}
	if len(reasons) == 0 {
		return "it gets only " + strings.Join(slices.Compact(signals), " and ")
	}
	return strings.Join(reasons, "; ")
}

// hasSignal reports whether the input has anything of a signal.
func (r *run) hasSignal(signal string) bool {
	return slices.ContainsFunc(r.entered(), func(e Event) bool { return e.Signal == signal })
}

func (b *resultBuilder) whyNot(t *track) string {
	for i, id := range t.processors {
		switch {
		case len(t.stages[i].events()) == 0 || len(t.stages[i+1].events()) > 0:
		case slices.Contains(b.waited, heldBack{t, i}):
			return fmt.Sprintf("%s in %s holds the events back for more than %s", id, t.id, maxWait)
		default:
			return fmt.Sprintf("%s in %s dropped them", id, t.id)
		}
	}
	for _, p := range b.metrics.of(metricWithheld) {
		if p.attribute("pipeline") == t.id.String() {
			return fmt.Sprintf("fanout.destinations of the events switches off %s", t.id)
		}
	}
	return fmt.Sprintf("no event was routed to %s", t.id)
}

func (b *resultBuilder) request(exporter component.ID, made *recording) Request {
	req := Request{Signal: made.signal, Method: made.method}
	body := string(made.body)
	if utf8.ValidString(body) {
		req.Body = b.redactor.redact(body)
	} else {
		req.BodyBase64 = base64.StdEncoding.EncodeToString([]byte(b.redactor.redact(body)))
	}
	if made.method == "" {
		return req
	}
	req.URL = b.redactor.redact(made.url)
	req.Headers = http.Header{}
	for name, values := range made.header {
		for _, value := range values {
			req.Headers.Add(name, b.headerValue(name, value))
		}
	}
	if auth := b.auth[exporter]; auth.HasValue() {
		req.Auth = auth.Get().AuthenticatorID.String()
		req.Headers.Set("Authorization", redacted)
	}
	req.Curl = b.curl(made, &req)
	return req
}

// headerValue returns the value of a header without secrets. Credentials hide even what is not in the
// configuration as such.
func (b *resultBuilder) headerValue(name, value string) string {
	clean := b.redactor.redact(value)
	switch name {
	case "Authorization", "Proxy-Authorization", "Cookie":
		if scheme, _, ok := strings.Cut(value, " "); ok && name != "Cookie" {
			return scheme + " " + redacted
		}
		return redacted
	}
	return clean
}
