// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"net/http"
	"slices"

	"github.com/otelcol-fanout/otelcol-fanout/extension/statusextension/internal/backends"
	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

// eventsJSON is the response of GET /v1/events.
type eventsJSON struct {
	Events []eventJSON `json:"events"`
	Kept   int         `json:"kept"`
}

// eventJSON is an event at a backend. It has an outcome, or progress.
type eventJSON struct {
	Backend          string             `json:"backend"`
	Signal           string             `json:"signal"`
	Entry            uint64             `json:"entry"`
	ID               string             `json:"id"`
	Name             string             `json:"name"`
	Time             moment             `json:"time,omitzero"`
	Received         moment             `json:"received,omitzero"`
	Changed          moment             `json:"changed,omitzero"`
	Outcome          statusfeed.Outcome `json:"outcome,omitempty"`
	Progress         backends.Progress  `json:"progress,omitempty"`
	Reason           string             `json:"reason,omitempty"`
	Status           int                `json:"status,omitempty"`
	Duration         float64            `json:"duration_ms,omitempty"`
	Attempts         int                `json:"attempts,omitempty"`
	Tries            []tryJSON          `json:"tries,omitempty"`
	NextAttempt      moment             `json:"next_attempt,omitzero"`
	GivesUp          moment             `json:"gives_up,omitzero"`
	Replayed         string             `json:"replayed,omitempty"`
	Message          string             `json:"message,omitempty"`
	Payload          string             `json:"payload,omitempty"`
	PayloadTruncated bool               `json:"payload_truncated,omitempty"`
}

type tryJSON struct {
	Time     moment  `json:"time"`
	Status   int     `json:"status,omitempty"`
	Duration float64 `json:"duration_ms,omitempty"`
	Message  string  `json:"message,omitempty"`
}

// showEvents responds with the last events that the parameters select.
func (a *api) showEvents(w http.ResponseWriter, r *http.Request, _ arguments) error {
	which, err := a.eventFilter(r, defaultLimit)
	if err != nil {
		return err
	}
	events, kept := a.registry.Find(which)
	writeJSON(w, http.StatusOK, eventsJSON{a.describeEvents(events), kept})
	return nil
}

// eventFilter reads which events to show.
func (a *api) eventFilter(r *http.Request, limit int) (backends.Filter, error) {
	q, err := query(r, "backend", "outcome", "reason", "status", "id", "name", "limit")
	if err != nil {
		return backends.Filter{}, err
	}
	which := backends.Filter{
		Backends: q.list("backend"),
		Outcomes: q.choices("outcome",
			string(statusfeed.Delivered), string(statusfeed.Skipped), string(statusfeed.DeadLettered), string(statusfeed.Dropped), string(statusfeed.Returned),
			string(backends.Waiting), string(backends.Retrying), string(backends.Held)),
		Reason: q.text("reason"), Status: q.status(), ID: q.text("id"), Name: q.text("name"), Limit: q.number("limit", limit, 1, maxLimit),
	}
	if err := q.err(); err != nil {
		return backends.Filter{}, err
	}
	return which, a.checkBackends(which.Backends)
}

func (a *api) describeEvents(events []backends.Event) []eventJSON {
	shown := make([]eventJSON, 0, len(events))
	for i := range events {
		shown = append(shown, a.describeEvent(&events[i]))
	}
	return shown
}

func (a *api) describeEvent(e *backends.Event) eventJSON {
	shown := eventJSON{
		Backend: e.Backend, Signal: e.Signal, Entry: e.Entry, ID: e.ID, Name: e.Name,
		Time: moment{e.Time}, Received: moment{e.Received}, Changed: moment{e.Changed},
		Outcome: e.Outcome, Progress: e.Progress, Reason: e.Reason, Status: e.Status, Duration: milliseconds(e.Duration),
		Attempts: e.Attempts, NextAttempt: moment{e.NextAttempt}, GivesUp: moment{e.GivesUp},
		Replayed: e.Replayed, Message: a.answer(e.Message), Payload: e.Payload, PayloadTruncated: e.PayloadTruncated,
	}
	for _, try := range e.Tries {
		shown.Tries = append(shown.Tries, tryJSON{moment{try.Time}, try.Status, milliseconds(try.Duration), a.answer(try.Message)})
	}
	return shown
}

// fateJSON is the response of GET /v1/events/{id}: an event at every backend.
type fateJSON struct {
	ID       string      `json:"id"`
	Name     string      `json:"name"`
	Received moment      `json:"received,omitzero"`
	Routes   []takenJSON `json:"routes"`
	// Backends are of eventJSON, or absentJSON for a backend that does not remember the event.
	Backends []any `json:"backends"`
}

// takenJSON is a route that an event took.
type takenJSON struct {
	Connector string   `json:"connector"`
	Signal    string   `json:"signal"`
	Route     int      `json:"route"`
	Events    []string `json:"events"`
	Pipelines []string `json:"pipelines"`
}

// absentJSON is a backend that does not remember an event: it is off, the event was not routed to it,
// or that is unknown.
type absentJSON struct {
	Backend string         `json:"backend"`
	State   backends.State `json:"state"`
}

const stateNotRouted backends.State = "not_routed"

// showEvent responds with one event at every backend, and with the routes that it took.
func (a *api) showEvent(w http.ResponseWriter, r *http.Request, in arguments) error {
	if _, err := query(r); err != nil {
		return err
	}
	id := in["id"]
	events := a.registry.Event(id)
	taken := a.routesOf(id)
	if len(events) == 0 && len(taken) == 0 {
		return apiErrorf(http.StatusNotFound, "no backend remembers an event %q; each one remembers its last %d events (recent_events)", shorten(id), a.cfg.RecentEvents)
	}
	shown := fateJSON{ID: cut(id, maxName), Routes: taken, Backends: make([]any, 0, len(events))}
	seen := map[string]bool{}
	for i := range events {
		e := &events[i]
		shown.Backends = append(shown.Backends, a.describeEvent(e))
		seen[e.Backend] = true
		if shown.Name == "" {
			shown.Name = e.Name
		}
		if shown.Received.IsZero() || !e.Received.IsZero() && e.Received.Before(shown.Received.Time) {
			shown.Received = moment{e.Received}
		}
	}
	for _, absent := range a.absent(taken, seen) {
		shown.Backends = append(shown.Backends, absent)
	}
	writeJSON(w, http.StatusOK, shown)
	return nil
}

// routesOf returns the routes that an event took in each connector that remembers it.
func (a *api) routesOf(id string) []takenJSON {
	taken := []takenJSON{}
	for _, router := range a.registry.Routers() {
		index, known := router.RouteOf(id)
		routes := router.Routes()
		if !known || index < 0 || index >= len(routes) {
			continue
		}
		route := takenJSON{Connector: router.ID.String(), Signal: router.Signal, Route: index, Events: filled(routes[index].Events), Pipelines: []string{}}
		for _, p := range routes[index].Pipelines {
			route.Pipelines = append(route.Pipelines, p.ID)
		}
		taken = append(taken, route)
	}
	return taken
}

// absent returns the backends that do not remember an event, and why.
func (a *api) absent(taken []takenJSON, seen map[string]bool) []absentJSON {
	var absent []absentJSON
	off := a.cfg.exportersOff()
	reached := a.configuration().reachable(taken)
	for _, id := range a.backendIDs() {
		_, isOff := off[id]
		switch {
		case seen[id]:
		case isOff:
			absent = append(absent, absentJSON{id, stateOff})
		case len(taken) > 0 && !reached[id]:
			absent = append(absent, absentJSON{id, stateNotRouted})
		default:
			absent = append(absent, absentJSON{id, stateUnknown})
		}
	}
	return absent
}

// reachable returns the exporters that an event may have come to that took the routes: those behind the
// routes' pipelines, and those that other receivers lead to.
func (c *configuration) reachable(taken []takenJSON) map[string]bool {
	var chosen []string
	decided := map[string]bool{}
	for _, route := range taken {
		chosen = append(chosen, route.Pipelines...)
		decided[route.Connector] = true
	}
	var ends []configuredPipeline
	for _, p := range c.pipelines {
		isFedOtherwise := slices.ContainsFunc(p.receivers, func(id string) bool { return !decided[id] && !c.isConnector(id) })
		if isFedOtherwise || slices.Contains(chosen, p.id) {
			ends = append(ends, p)
		}
	}
	reached, visited := map[string]bool{}, map[string]bool{}
	for len(ends) > 0 {
		p := ends[0]
		ends = ends[1:]
		if visited[p.id] {
			continue
		}
		visited[p.id] = true
		for _, id := range p.exporters {
			reached[id] = true
			if !decided[id] && c.isConnector(id) {
				ends = append(ends, c.fedBy(id)...)
			}
		}
	}
	return reached
}

// fedBy returns the pipelines that receive from a connector.
func (c *configuration) fedBy(connector string) []configuredPipeline {
	var fed []configuredPipeline
	for _, p := range c.pipelines {
		if slices.Contains(p.receivers, connector) {
			fed = append(fed, p)
		}
	}
	return fed
}

// isConnector reports whether an id in a pipeline is that of a connector.
func (c *configuration) isConnector(id string) bool {
	return !slices.ContainsFunc(c.receivers, func(r configuredReceiver) bool { return r.id == id }) &&
		!slices.ContainsFunc(c.exporters, func(e configuredExporter) bool { return e.id == id })
}

// filled returns a list that is never null in JSON.
func filled(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
