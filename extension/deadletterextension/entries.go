// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"

	"go.uber.org/zap"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

// get responds with dead letters of an exporter, or with one.
func (a *api) get(w http.ResponseWriter, r *http.Request) {
	t, err := a.find(escapedTarget(r))
	switch {
	case err != nil && a.isReplay(r):
		w.Header().Set("Allow", "POST")
		writeError(w, http.StatusMethodNotAllowed, "use POST to replay")
	case err != nil:
		writeFailure(w, err)
	case t.key != "":
		a.entry(w, r, &t)
	default:
		a.entries(w, r, &t)
	}
}

// entry responds with one dead letter.
func (a *api) entry(w http.ResponseWriter, r *http.Request, t *target) {
	if _, err := query(r); err != nil {
		writeFailure(w, err)
		return
	}
	letter, err := a.store.get(r.Context(), t.folder, t.key)
	if err != nil {
		writeFailure(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(append(appendEntry(nil, string(t.key), letter), '\n'))
}

// entries responds with the newest dead letters of an exporter. It writes one at a time, since they
// may not fit into memory.
func (a *api) entries(w http.ResponseWriter, r *http.Request, t *target) {
	q, err := query(r, append(filterParameters, "payload")...)
	if err != nil {
		writeFailure(w, err)
		return
	}
	which, err := q.filter(&t.sum, defaultLimit, maxLimit)
	if err != nil {
		writeFailure(w, err)
		return
	}
	payload, err := q.flag("payload")
	if err != nil {
		writeFailure(w, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if err := a.writeEntries(r.Context(), w, t, which, payload); err != nil {
		if r.Context().Err() == nil {
			a.logger.Error("Cannot read dead letters", zap.Error(err))
		}
		// Aborting tells the client that the response is incomplete.
		panic(http.ErrAbortHandler)
	}
}

// writeEntries stops early, without an error, if the client disconnects while it reads.
func (a *api) writeEntries(ctx context.Context, w http.ResponseWriter, t *target, which deadletter.Filter, payload bool) error {
	id, err := json.Marshal(t.sum.exporter)
	if err != nil {
		return err
	}
	text := fmt.Appendf(nil, `{"exporter":%s,"events":%d,"dead_letters":[`, id, t.sum.count.events)
	separator := "\n"
	selected := newFilter(which)
	err = a.store.find(ctx, t.folder, &selected, func(key letterKey, letter *deadletter.Letter) bool {
		if !payload {
			letter.Payload, letter.OTLP = nil, nil
		}
		text = appendEntry(append(text, separator...), key.String(), letter)
		separator = ",\n"
		_, err := w.Write(text)
		text = text[:0]
		return err == nil
	})
	if err != nil {
		return err
	}
	_, _ = w.Write(append(text, "\n]}\n"...))
	return nil
}

// appendEntry appends a dead letter as in its file, with its key.
func appendEntry(dst []byte, key string, letter *deadletter.Letter) []byte {
	dst = fmt.Appendf(dst, `{"key":%q,`, key)
	start := len(dst)
	dst = letter.AppendLine(dst)
	line := bytes.TrimSuffix(dst[start:], []byte("\n"))
	return append(dst[:start], line[1:]...) // without its brace
}
