// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
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

	// responseTimeout limits writing the response of a replay. The replay itself has no time limit.
	responseTimeout = 30 * time.Second
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
	// The rest of the path is the exporter's id, literal or percent-encoded.
	mux.HandleFunc("GET "+apiPath+"/{exporter...}", a.entries)
	mux.HandleFunc("DELETE "+apiPath+"/{exporter...}", a.remove)
	mux.HandleFunc("POST "+apiPath+"/{exporter...}", a.replay)
	mux.HandleFunc(apiPath+"/{exporter...}", notAllowed("GET, HEAD, DELETE"))
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
	if _, ok := query(w, r); !ok {
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

// entries responds with the newest dead letters of an exporter. It writes one at a time, since they
// may not fit into memory.
func (a *api) entries(w http.ResponseWriter, r *http.Request) {
	q, ok := query(w, r, "limit", "payload")
	if !ok {
		return
	}
	limit, err := q.limit(defaultLimit, maxLimit)
	if err != nil {
		writeError(w, http.StatusBadRequest, err.Error())
		return
	}
	payload, err := q.flag("payload")
	if err != nil {
		writeError(w, http.StatusBadRequest, err.Error())
		return
	}
	exporter := exporterFromPath(r)
	f, sum, ok := a.store.known(exporter)
	if !ok {
		a.unknown(w, r, exporter)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := a.writeEntries(w, f, &sum, limit, payload); err != nil {
		a.logger.Error("Cannot read dead letters", zap.Error(err))
		// Aborting tells the client that the response is incomplete.
		panic(http.ErrAbortHandler)
	}
}

// writeEntries stops early, without an error, if the client disconnects.
func (a *api) writeEntries(w http.ResponseWriter, f *folder, sum *summary, limit int, payload bool) error {
	id, err := json.Marshal(sum.exporter)
	if err != nil {
		return err
	}
	text := fmt.Appendf(nil, `{"exporter":%s,"events":%d,"dead_letters":[`, id, sum.count.events)
	separator := "\n"
	err = a.store.newest(f, limit, func(letter *deadletter.Letter) bool {
		if !payload {
			letter.Payload, letter.OTLP = nil, nil
		}
		text = append(text, separator...)
		text = bytes.TrimSuffix(letter.AppendLine(text), []byte("\n"))
		separator = ",\n"
		_, err := w.Write(text)
		text = text[:0]
		return err == nil
	})
	if err != nil {
		return err
	}
	w.Write(append(text, "\n]}\n"...))
	return nil
}

// unknown responds with an error for an unknown exporter.
func (a *api) unknown(w http.ResponseWriter, r *http.Request, exporter string) {
	if id, verb := strings.CutSuffix(exporter, replaySuffix); verb && r.Method != http.MethodPost {
		if _, _, ok := a.store.known(id); ok {
			w.Header().Set("Allow", "POST")
			writeError(w, http.StatusMethodNotAllowed, "use POST to replay")
			return
		}
	}
	writeAPIError(w, unknownExporter(exporter))
}

// remove removes the dead letters of an exporter.
func (a *api) remove(w http.ResponseWriter, r *http.Request) {
	if _, ok := query(w, r); !ok {
		return
	}
	exporter := exporterFromPath(r)
	f, _, ok := a.store.known(exporter)
	if !ok {
		a.unknown(w, r, exporter)
		return
	}
	events, err := a.store.clear(f)
	if err != nil {
		writeAPIError(w, err)
		return
	}
	a.logger.Info("Removed an exporter's dead letters on request", zap.String("exporter", exporter), zap.Int("events", events))
	writeJSON(w, http.StatusOK, map[string]int{"deleted": events})
}

// replay sends an exporter's dead letters back to it.
func (a *api) replay(w http.ResponseWriter, r *http.Request) {
	// The suffix is cut from the escaped path, so that the exporter x/replay works too: its own
	// slash is percent-encoded, or it is followed by the suffix.
	escaped, verb := strings.CutSuffix(strings.TrimPrefix(r.URL.EscapedPath(), apiPath+"/"), replaySuffix)
	exporter, err := url.PathUnescape(escaped)
	if !verb || err != nil {
		notAllowed("GET, HEAD, DELETE")(w, r)
		return
	}
	f, sum, ok := a.store.known(exporter)
	if !ok {
		writeAPIError(w, unknownExporter(exporter))
		return
	}
	which, ok := readSelection(w, r, &sum)
	if !ok {
		return
	}
	// net/http notices a disconnected client only after the body has been read.
	_, _ = io.Copy(io.Discard, r.Body)
	// A replay may take longer than other requests. The read deadline ends with the body.
	control := http.NewResponseController(w)
	if err := control.SetWriteDeadline(time.Time{}); err != nil {
		writeAPIError(w, err)
		return
	}
	got, err := f.replay(r.Context(), which)
	_ = control.SetWriteDeadline(time.Now().Add(responseTimeout))
	if err != nil {
		writeAPIError(w, err)
		return
	}
	a.logger.Info("Replayed dead letters", zap.String("exporter", exporter), zap.Int("delivered", got.Delivered),
		zap.Int("refused", got.Refused), zap.Int("kept", got.Kept), zap.String("stopped", got.Stopped))
	writeJSON(w, http.StatusOK, got)
}

// readSelection reads which dead letters to replay.
func readSelection(w http.ResponseWriter, r *http.Request, sum *summary) (selection, bool) {
	q, ok := query(w, r, "limit", "reason")
	if !ok {
		return selection{}, false
	}
	limit, err := q.limit(0, 0)
	if err != nil {
		writeError(w, http.StatusBadRequest, err.Error())
		return selection{}, false
	}
	which := selection{reason: deadletter.Reason(q.Get("reason")), limit: limit}
	// An edited file may contain another reason.
	if !q.Has("reason") || slices.Contains(deadletter.Reasons(), which.reason) || sum.count.reasons[which.reason] > 0 {
		return which, true
	}
	writeError(w, http.StatusBadRequest, fmt.Sprintf("reason: unknown reason; valid reasons: %s", join(deadletter.Reasons())))
	return selection{}, false
}
