// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

const (
	apiPath      = "/v1/dead_letters"
	replaySuffix = "/replay"

	defaultLimit = 100
	maxLimit     = 1000
)

// api is the HTTP API of a store.
type api struct {
	store  *store
	logger *zap.Logger
}

func (a *api) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+apiPath, a.list)
	mux.HandleFunc(apiPath, notAllowed("GET, HEAD"))
	// The rest of the path is the exporter's id, literal or percent-encoded, and perhaps a key.
	mux.HandleFunc("GET "+apiPath+"/{target...}", a.get)
	mux.HandleFunc("DELETE "+apiPath+"/{target...}", a.remove)
	mux.HandleFunc("POST "+apiPath+"/{target...}", a.replay)
	mux.HandleFunc(apiPath+"/{target...}", notAllowed("GET, HEAD, DELETE"))
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		writeError(w, http.StatusNotFound, "not found; dead letters are at "+apiPath)
	})
	return mux
}

// exporterJSON is an exporter in the response of list.
type exporterJSON struct {
	Exporter   string       `json:"exporter"`
	Events     int          `json:"events"`
	Unreadable int          `json:"unreadable,omitempty"`
	Bytes      int64        `json:"bytes"`
	Oldest     time.Time    `json:"oldest,omitzero"`
	Newest     time.Time    `json:"newest,omitzero"`
	Reasons    []reasonJSON `json:"reasons"`
}

type reasonJSON struct {
	Reason deadletter.Reason `json:"reason"`
	Events int               `json:"events"`
}

// list responds with a summary of each exporter's dead letters.
func (a *api) list(w http.ResponseWriter, r *http.Request) {
	if _, err := query(r); err != nil {
		writeFailure(w, err)
		return
	}
	exporters := []exporterJSON{}
	for _, sum := range a.store.summaries() {
		if sum.count.bytes > 0 {
			exporters = append(exporters, describe(&sum))
		}
	}
	writeJSON(w, http.StatusOK, map[string]any{"exporters": exporters})
}

func describe(sum *summary) exporterJSON {
	reasons := make([]reasonJSON, 0, len(sum.count.reasons))
	for reason, events := range sum.count.reasons {
		reasons = append(reasons, reasonJSON{reason, events})
	}
	slices.SortFunc(reasons, func(a, b reasonJSON) int {
		return cmp.Or(cmp.Compare(b.Events, a.Events), cmp.Compare(a.Reason, b.Reason))
	})
	return exporterJSON{
		Exporter: sum.exporter, Events: sum.count.events, Unreadable: sum.count.unreadable, Bytes: sum.count.bytes,
		Oldest: sum.count.oldest.UTC(), Newest: sum.count.newest.UTC(), Reasons: reasons,
	}
}

// remove removes dead letters of an exporter.
func (a *api) remove(w http.ResponseWriter, r *http.Request) {
	t, err := a.find(escapedTarget(r))
	if err != nil && a.isReplay(r) {
		w.Header().Set("Allow", "POST")
		writeError(w, http.StatusMethodNotAllowed, "use POST to replay")
		return
	}
	var which deadletter.Filter
	if err == nil {
		which, err = selectionOf(r, &t)
	}
	if err != nil {
		writeFailure(w, err)
		return
	}
	untimed(w, func() (any, error) {
		selected := newFilter(which)
		events, err := a.store.removeSelected(t.folder, &selected)
		if err == nil && t.key != "" && events == 0 {
			err = unknownLetter(t.key)
		}
		if err == nil {
			a.logger.Info("Removed an exporter's dead letters on request", zap.String("exporter", t.sum.exporter), zap.Int("events", events))
		}
		return map[string]int{"deleted": events}, err
	})
}

// selectionOf returns which dead letters to replay or remove: the one in the path, or those that the
// query selects.
func selectionOf(r *http.Request, t *target) (deadletter.Filter, error) {
	if t.key != "" {
		_, err := query(r)
		return deadletter.Filter{Key: t.key}, err
	}
	q, err := query(r, filterParameters...)
	if err != nil {
		return deadletter.Filter{}, err
	}
	return q.filter(&t.sum, 0, 0)
}

// isReplay reports whether the path of a request is that of a replay.
func (a *api) isReplay(r *http.Request) bool {
	escaped, verb := strings.CutSuffix(escapedTarget(r), replaySuffix)
	_, err := a.find(escaped)
	return verb && err == nil
}
