// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"cmp"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"go.uber.org/zap"

	"github.com/otelcol-fanout/otelcol-fanout/extension/statusextension/internal/backends"
	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

// States of backends that do not report.
const (
	stateOff      backends.State = "off"
	stateUnknown  backends.State = "unknown"
	stateStarting                = backends.Starting
)

// overviewJSON is the response of GET /v1/backends.
type overviewJSON struct {
	Version              string            `json:"version"`
	StartedAt            moment            `json:"started_at"`
	Now                  moment            `json:"now,omitzero"`
	RecentEvents         int               `json:"recent_events"`
	Payloads             backends.Payloads `json:"payloads"`
	Answers              bool              `json:"answers"`
	ReadOnly             bool              `json:"read_only"`
	StateSurvivesRestart bool              `json:"state_survives_restart"`
	Totals               totalsJSON        `json:"totals"`
	Backends             []backendJSON     `json:"backends"`
}

type totalsJSON struct {
	Accepted     int64 `json:"accepted"`
	Delivered    int64 `json:"delivered"`
	Skipped      int64 `json:"skipped"`
	DeadLettered int64 `json:"dead_lettered"`
	Dropped      int64 `json:"dropped"`
	Returned     int64 `json:"returned"`
	Waiting      int64 `json:"waiting"`
}

// backendJSON is a backend in a response. Which members it has depends on whether the backend
// reports, is one of the collector's own, or is off.
type backendJSON struct {
	ID               string            `json:"id"`
	Kind             string            `json:"kind"`
	Signals          []string          `json:"signals"`
	State            backends.State    `json:"state"`
	Since            moment            `json:"since,omitzero"`
	Enabled          bool              `json:"enabled"`
	Initialized      bool              `json:"initialized"`
	Endpoint         string            `json:"endpoint,omitempty"`
	Dispatch         string            `json:"dispatch,omitempty"`
	Durable          *bool             `json:"durable,omitempty"`
	CanPause         bool              `json:"can_pause"`
	DeadLetter       string            `json:"dead_letter,omitempty"`
	PausedAt         moment            `json:"paused_at,omitzero"`
	RateLimitedUntil moment            `json:"rate_limited_until,omitzero"`
	LastError        *lastErrorJSON    `json:"last_error,omitempty"`
	LastDelivery     moment            `json:"last_delivery,omitzero"`
	LastActivity     moment            `json:"last_activity,omitzero"`
	Counts           *countsJSON       `json:"counts,omitempty"`
	Rates            *ratesJSON        `json:"rates,omitempty"`
	Queue            *queueJSON        `json:"queue,omitempty"`
	InFlight         *int              `json:"in_flight,omitempty"`
	ResponseTime     *responseTimeJSON `json:"response_time,omitempty"`
	DeadLetters      *deadLettersJSON  `json:"dead_letters,omitempty"`
	Series           *seriesJSON       `json:"series,omitempty"`
	Switch           string            `json:"switch,omitempty"`
	Variable         string            `json:"variable,omitempty"`
	Needs            []string          `json:"needs,omitempty"`
	Metrics          string            `json:"metrics,omitempty"`
	Collector        *collectorJSON    `json:"collector,omitempty"`
	Warning          string            `json:"warning,omitempty"`
}

type lastErrorJSON struct {
	Time     moment `json:"time"`
	Status   int    `json:"status,omitempty"`
	Message  string `json:"message,omitempty"`
	WhatToDo string `json:"what_to_do,omitempty"`
}

type countsJSON struct {
	Accepted     int64         `json:"accepted"`
	Outcomes     []outcomeJSON `json:"outcomes"`
	Delivered    int64         `json:"delivered"`
	Skipped      int64         `json:"skipped"`
	DeadLettered int64         `json:"dead_lettered"`
	Dropped      int64         `json:"dropped"`
	Returned     int64         `json:"returned"`
	Waiting      int64         `json:"waiting"`
	Replayed     replayedJSON  `json:"replayed"`
}

type outcomeJSON struct {
	Outcome statusfeed.Outcome `json:"outcome"`
	Reason  string             `json:"reason"`
	Events  int64              `json:"events"`
}

type replayedJSON struct {
	Delivered int64 `json:"delivered"`
	Refused   int64 `json:"refused"`
}

type ratesJSON struct {
	LastMinute      rateJSON `json:"per_minute_1m"`
	LastFiveMinutes rateJSON `json:"per_minute_5m"`
}

type rateJSON struct {
	Accepted     float64 `json:"accepted"`
	Delivered    float64 `json:"delivered"`
	NotDelivered float64 `json:"not_delivered"`
}

type queueJSON struct {
	Events   int64   `json:"events"`
	Bytes    int64   `json:"bytes"`
	Size     int64   `json:"size"`
	Capacity int64   `json:"capacity"`
	Unit     string  `json:"unit"`
	Fill     float64 `json:"fill"`
	Oldest   moment  `json:"oldest,omitzero"`
}

type responseTimeJSON struct {
	Requests int     `json:"requests"`
	Mean     float64 `json:"mean_ms"`
	P50      float64 `json:"p50_ms"`
	P95      float64 `json:"p95_ms"`
}

type deadLettersJSON struct {
	Events  int            `json:"events"`
	Bytes   int64          `json:"bytes"`
	Oldest  moment         `json:"oldest,omitzero"`
	Reasons map[string]int `json:"reasons"`
}

type seriesJSON struct {
	Step         float64 `json:"step_s"`
	Until        moment  `json:"until"`
	Delivered    []int64 `json:"delivered"`
	NotDelivered []int64 `json:"not_delivered"`
}

// showBackends responds with the state of every backend.
func (a *api) showBackends(w http.ResponseWriter, r *http.Request, _ arguments) error {
	if _, err := query(r); err != nil {
		return err
	}
	shown := a.overview(r)
	shown.Now = moment{a.now()}
	writeJSON(w, http.StatusOK, shown)
	return nil
}

// overview returns the state of every backend, without the time.
func (a *api) overview(r *http.Request) *overviewJSON {
	shown := &overviewJSON{
		Version: a.version, StartedAt: moment{a.started}, RecentEvents: a.cfg.RecentEvents, Payloads: a.cfg.Payloads,
		Answers: a.cfg.Answers, ReadOnly: a.cfg.ReadOnly, StateSurvivesRestart: a.cfg.Directory != "",
		Backends: a.backends(r),
	}
	for i := range shown.Backends {
		if counts := shown.Backends[i].Counts; counts != nil {
			shown.Totals.add(counts)
		}
	}
	return shown
}

func (t *totalsJSON) add(c *countsJSON) {
	t.Accepted += c.Accepted
	t.Delivered += c.Delivered
	t.Skipped += c.Skipped
	t.DeadLettered += c.DeadLettered
	t.Dropped += c.Dropped
	t.Returned += c.Returned
	t.Waiting += c.Waiting
}

// backends returns every backend, sorted by id: those that report, those that the configuration has
// besides them, and those that are switched off.
func (a *api) backends(r *http.Request) []backendJSON {
	reporting := a.registry.Snapshot()
	stored := a.letters.byExporter()
	shown := make([]backendJSON, 0, len(reporting))
	known := make(map[string]bool, len(reporting))
	for i := range reporting {
		known[reporting[i].ID] = true
		shown = append(shown, a.describe(&reporting[i], stored))
	}
	scrape := a.metrics.read(r.Context())
	conf := a.configuration()
	for i := range conf.exporters {
		if !known[conf.exporters[i].id] {
			shown = append(shown, a.describeSilent(&conf.exporters[i], conf.metrics, scrape))
		}
	}
	for id, off := range a.cfg.exportersOff() {
		shown = append(shown, describeOff(id, &off))
	}
	slices.SortStableFunc(shown, func(x, y backendJSON) int { return cmp.Compare(x.ID, y.ID) })
	return shown
}

// describe returns a backend that reports.
func (a *api) describe(b *backends.Backend, stored map[string]*deadLettersJSON) backendJSON {
	shown := backendJSON{
		ID: b.ID, Kind: b.Kind, Signals: b.Signals, State: b.State, Since: moment{b.Since}, Enabled: true, Initialized: true,
		Endpoint: b.Endpoint, Dispatch: "async", Durable: &b.Durable, CanPause: b.CanPause, DeadLetter: b.DeadLetter,
		PausedAt: moment{b.PausedAt}, RateLimitedUntil: moment{b.RateLimitedUntil},
		LastDelivery: moment{b.LastDelivery}, LastActivity: moment{b.LastActivity}, InFlight: &b.InFlight,
		Counts: describeCounts(&b.Counts), Queue: describeQueue(b.Queue),
		Rates: &ratesJSON{describeRates(b.LastMinute), describeRates(b.LastFiveMinutes)},
	}
	if b.Sync {
		shown.Dispatch = "sync"
	}
	if e := b.LastError; e != nil {
		shown.LastError = &lastErrorJSON{moment{e.Time}, e.Status, a.answer(e.Message), e.Remedy}
	}
	if times := b.ResponseTime; times.Requests > 0 {
		shown.ResponseTime = &responseTimeJSON{times.Requests, milliseconds(times.Mean), milliseconds(times.P50), milliseconds(times.P95)}
	}
	if b.DeadLetter != "" {
		shown.DeadLetters = cmp.Or(stored[b.ID], &deadLettersJSON{Reasons: map[string]int{}})
	}
	if series := b.Series; series.Step > 0 {
		shown.Series = &seriesJSON{series.Step.Seconds(), moment{series.Until}, series.Delivered, series.NotDelivered}
	}
	return shown
}

// answer returns a backend's message if it may be shown.
func (a *api) answer(message string) string {
	if !a.cfg.Answers {
		return ""
	}
	return message
}

func describeCounts(c *backends.Counts) *countsJSON {
	shown := &countsJSON{
		Accepted: c.Accepted, Outcomes: make([]outcomeJSON, 0, len(c.Outcomes)), Waiting: c.Waiting,
		Delivered: c.Of(statusfeed.Delivered), Skipped: c.Of(statusfeed.Skipped), DeadLettered: c.Of(statusfeed.DeadLettered),
		Dropped: c.Of(statusfeed.Dropped), Returned: c.Of(statusfeed.Returned),
		Replayed: replayedJSON{c.ReplayedDelivered, c.ReplayedRefused},
	}
	for _, counted := range c.Outcomes {
		shown.Outcomes = append(shown.Outcomes, outcomeJSON(counted))
	}
	return shown
}

func describeRates(r backends.Rates) rateJSON {
	return rateJSON{round(r.Accepted), round(r.Delivered), round(r.NotDelivered)}
}

func describeQueue(q *statusfeed.Queue) *queueJSON {
	if q == nil {
		return nil
	}
	return &queueJSON{
		Events: q.Events, Bytes: q.Bytes, Size: q.Size, Capacity: q.Capacity, Unit: q.Sizer, Fill: fill(q.Size, q.Capacity), Oldest: moment{q.Oldest},
	}
}

func fill(size, capacity int64) float64 {
	if capacity <= 0 {
		return 0
	}
	return round(float64(size) / float64(capacity))
}

// describeSilent returns an exporter that does not report: one of the collector's own, or one that has
// not started yet.
func (a *api) describeSilent(e *configuredExporter, metrics string, scrape *scraped) backendJSON {
	shown := backendJSON{ID: e.id, Kind: kind(e.id), Signals: signalsOf(e.pipelines), State: stateUnknown, Endpoint: e.endpoint, Enabled: true, Initialized: true, Metrics: metrics}
	if a.pipelines.starting() {
		shown.State, shown.Initialized = stateStarting, false
		return shown
	}
	shown.Collector = scrape.exporter(e.id)
	return shown
}

func describeOff(id string, off *statusfeed.SwitchedOff) backendJSON {
	return backendJSON{
		ID: id, Kind: kind(id), Signals: signalsOf(off.Pipelines), State: stateOff, Switch: off.Switch, Variable: off.Variable, Needs: off.Needs,
	}
}

// signalsOf returns the signals of pipelines, each once.
func signalsOf(pipelines []string) []string {
	signals := make([]string, 0, len(pipelines))
	for _, id := range pipelines {
		signal, _, _ := strings.Cut(id, "/")
		signals = append(signals, signal)
	}
	slices.Sort(signals)
	return slices.Compact(signals)
}

func kind(id string) string {
	kind, _, _ := strings.Cut(id, "/")
	return strings.TrimSpace(kind)
}

// backendIDs returns the ids of all backends.
func (a *api) backendIDs() []string {
	reporting := a.registry.Snapshot()
	ids := make([]string, 0, len(reporting))
	for i := range reporting {
		ids = append(ids, reporting[i].ID)
	}
	for _, e := range a.configuration().exporters {
		ids = append(ids, e.id)
	}
	ids = append(ids, slices.Collect(maps.Keys(a.cfg.exportersOff()))...)
	slices.Sort(ids)
	return slices.Compact(ids)
}

// checkBackends returns an error for the first id that is not a backend's.
func (a *api) checkBackends(ids []string) error {
	if len(ids) == 0 {
		return nil
	}
	known := a.backendIDs()
	for _, id := range ids {
		if !slices.Contains(known, id) {
			return badRequest("backend: %q is not an exporter of the configuration; write the id of one: %s", shorten(id), cmp.Or(strings.Join(known, ", "), "there is none"))
		}
	}
	return nil
}

func (a *api) pause(w http.ResponseWriter, r *http.Request, in arguments) error {
	return a.setPaused(w, r, in["id"], true)
}

func (a *api) resume(w http.ResponseWriter, r *http.Request, in arguments) error {
	return a.setPaused(w, r, in["id"], false)
}

// setPaused pauses or resumes a backend, and responds with it.
func (a *api) setPaused(w http.ResponseWriter, r *http.Request, id string, paused bool) error {
	if _, err := query(r); err != nil {
		return err
	}
	err := a.registry.SetPaused(id, paused)
	warning := ""
	switch {
	case errors.Is(err, backends.ErrNotKept):
		warning = err.Error()
		a.logger.Warn("Cannot keep which backends are paused", zap.String("backend", id), zap.Error(err))
	case err != nil:
		return a.errNotPaused(id, err)
	}
	what := "Resumed a backend on request"
	if paused {
		what = "Paused a backend on request"
	}
	a.logChange(r, what, zap.String("backend", id))
	b, found := a.registry.Backend(id)
	if !found {
		return a.errNotPaused(id, backends.ErrUnknown)
	}
	shown := a.describe(&b, a.letters.byExporter())
	shown.Warning = warning
	writeJSON(w, http.StatusOK, shown)
	return nil
}

// errNotPaused says why a backend was neither paused nor resumed.
func (a *api) errNotPaused(id string, err error) error {
	off, isOff := a.cfg.exportersOff()[id]
	isConfigured := slices.ContainsFunc(a.configuration().exporters, func(e configuredExporter) bool { return e.id == id })
	switch {
	case !errors.Is(err, backends.ErrUnknown):
		return apiErrorf(http.StatusConflict, "%v", err)
	case isOff:
		return apiErrorf(http.StatusConflict, "%s is switched off by %s; switch it on and restart the collector", id, cmp.Or(off.Variable, off.Switch))
	case isConfigured && a.pipelines.starting():
		return apiErrorf(http.StatusConflict, "%s has not started yet; try again when the collector is ready", id)
	case isConfigured:
		return apiErrorf(http.StatusConflict, "%s is one of the collector's own exporters, which cannot be paused", id)
	}
	return apiErrorf(http.StatusNotFound, "%q is not an exporter of the configuration; GET /v1/backends lists them", shorten(id))
}
