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
	lettersPath = "/v1/dead_letters"
	replayVerb  = "/replay"

	defaultLimit = 100
	mostLimit    = 1000

	// answerTimeout is for the answer to a replay, which itself takes as long as it takes.
	answerTimeout = 30 * time.Second
)

// api is the HTTP API of a store.
type api struct {
	store  *store
	logger *zap.Logger
}

func (a *api) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+lettersPath, a.list)
	mux.HandleFunc(lettersPath, notAllowed("GET, HEAD"))
	// An exporter's id is the rest of the path, as it is or percent-encoded.
	mux.HandleFunc("GET "+lettersPath+"/{exporter...}", a.entries)
	mux.HandleFunc("DELETE "+lettersPath+"/{exporter...}", a.remove)
	mux.HandleFunc("POST "+lettersPath+"/{exporter...}", a.replay)
	mux.HandleFunc(lettersPath+"/{exporter...}", notAllowed("GET, HEAD, DELETE"))
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusNotFound, "there is nothing here; dead letters are at "+lettersPath)
	})
	return mux
}

// exporterJSON is an exporter in the answer of list.
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

// list answers with what there is, by exporter.
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
	answer(w, http.StatusOK, map[string]any{"exporters": exporters})
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

// entries answers with the newest letters of an exporter. It writes one at a time, as there may be more than memory.
func (a *api) entries(w http.ResponseWriter, r *http.Request) {
	q, ok := query(w, r, "limit", "payload")
	if !ok {
		return
	}
	limit, err := q.limit(defaultLimit, mostLimit)
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	payload, err := q.flag("payload")
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return
	}
	exporter := pathID(r)
	f, sum, ok := a.store.known(exporter)
	if !ok {
		a.unknown(w, r, exporter)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := a.writeEntries(w, f, &sum, limit, payload); err != nil {
		a.logger.Error("Dead letters cannot be read", zap.Error(err))
		// The client sees that the answer is cut short, and does not take it for all.
		panic(http.ErrAbortHandler)
	}
}

// writeEntries ends early without an error when the client goes.
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

// unknown answers for an exporter that is not known.
func (a *api) unknown(w http.ResponseWriter, r *http.Request, exporter string) {
	if id, verb := strings.CutSuffix(exporter, replayVerb); verb && r.Method != http.MethodPost {
		if _, _, ok := a.store.known(id); ok {
			w.Header().Set("Allow", "POST")
			refuse(w, http.StatusMethodNotAllowed, "a replay takes POST")
			return
		}
	}
	refuseWith(w, unknownExporter(exporter))
}

// remove removes the letters of an exporter.
func (a *api) remove(w http.ResponseWriter, r *http.Request) {
	if _, ok := query(w, r); !ok {
		return
	}
	exporter := pathID(r)
	f, _, ok := a.store.known(exporter)
	if !ok {
		a.unknown(w, r, exporter)
		return
	}
	events, err := a.store.clear(f)
	if err != nil {
		refuseWith(w, err)
		return
	}
	a.logger.Info("Removed the dead letters of an exporter, as asked", zap.String("exporter", exporter), zap.Int("events", events))
	answer(w, http.StatusOK, map[string]int{"deleted": events})
}

// replay feeds the letters of an exporter back to it.
func (a *api) replay(w http.ResponseWriter, r *http.Request) {
	// The verb is an element of its own, so that an exporter can be called x/replay: its slash is encoded, or the
	// verb follows it.
	escaped, verb := strings.CutSuffix(strings.TrimPrefix(r.URL.EscapedPath(), lettersPath+"/"), replayVerb)
	exporter, err := url.PathUnescape(escaped)
	if !verb || err != nil {
		notAllowed("GET, HEAD, DELETE")(w, r)
		return
	}
	f, sum, ok := a.store.known(exporter)
	if !ok {
		refuseWith(w, unknownExporter(exporter))
		return
	}
	which, ok := readSelection(w, r, &sum)
	if !ok {
		return
	}
	// That the client goes is only seen when the body has been read.
	_, _ = io.Copy(io.Discard, r.Body)
	// A replay takes longer than other requests. The read deadline ends with the body.
	control := http.NewResponseController(w)
	if err := control.SetWriteDeadline(time.Time{}); err != nil {
		refuseWith(w, err)
		return
	}
	got, err := f.replay(r.Context(), which)
	_ = control.SetWriteDeadline(time.Now().Add(answerTimeout))
	if err != nil {
		refuseWith(w, err)
		return
	}
	a.logger.Info("Replayed dead letters", zap.String("exporter", exporter), zap.Int("delivered", got.Delivered),
		zap.Int("refused", got.Refused), zap.Int("kept", got.Kept), zap.String("stopped", got.Stopped))
	answer(w, http.StatusOK, got)
}

// readSelection reads what is to be replayed.
func readSelection(w http.ResponseWriter, r *http.Request, sum *summary) (selection, bool) {
	q, ok := query(w, r, "limit", "reason")
	if !ok {
		return selection{}, false
	}
	limit, err := q.limit(0, 0)
	if err != nil {
		refuse(w, http.StatusBadRequest, err.Error())
		return selection{}, false
	}
	which := selection{reason: deadletter.Reason(q.Get("reason")), limit: limit}
	// Somebody may have written another one into a file.
	if !q.Has("reason") || slices.Contains(reasons(), which.reason) || sum.count.reasons[which.reason] > 0 {
		return which, true
	}
	refuse(w, http.StatusBadRequest, fmt.Sprintf("reason: there is no such reason; there are %s", join(reasons())))
	return selection{}, false
}

func reasons() []deadletter.Reason {
	return []deadletter.Reason{
		deadletter.ReasonEncoding, deadletter.ReasonRefused, deadletter.ReasonTooLarge, deadletter.ReasonUnauthorized,
		deadletter.ReasonRedirected, deadletter.ReasonRateLimited, deadletter.ReasonExhausted, deadletter.ReasonQueueFull,
		deadletter.ReasonStorageFailed, deadletter.ReasonShutdown, deadletter.ReasonGone, deadletter.ReasonBlocked,
	}
}
