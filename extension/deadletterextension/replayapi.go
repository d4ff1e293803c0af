// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

const (
	// maxBody is for an edited payload of the largest size as a JSON string.
	maxBody = 2*deadletter.MaxEditedPayload + 1<<10

	// responseTimeout limits writing the response of a replay or removal, which have no time limit.
	responseTimeout = 30 * time.Second
)

// replay sends dead letters of an exporter back to it.
func (a *api) replay(w http.ResponseWriter, r *http.Request) {
	// The suffix is cut from the escaped path, so that the exporter x/replay works too: its own
	// slash is percent-encoded, or it is followed by the suffix.
	escaped, verb := strings.CutSuffix(escapedTarget(r), replaySuffix)
	if !verb {
		notAllowed("GET, HEAD, DELETE")(w, r)
		return
	}
	t, err := a.find(escaped)
	var which deadletter.Filter
	if err == nil {
		which, err = selectionOf(r, &t)
	}
	var payload []byte
	switch {
	case err != nil:
	case t.key != "":
		payload, err = readEdit(w, r)
	default:
		// net/http notices a disconnected client only after the body has been read.
		_, _ = io.Copy(io.Discard, r.Body)
	}
	if err != nil {
		writeFailure(w, err)
		return
	}
	untimed(w, func() (any, error) {
		if t.key != "" {
			got, err := t.folder.replayOne(r.Context(), t.key, payload)
			return oneResultOf(&got), err
		}
		got, err := t.folder.replay(r.Context(), which)
		return resultOf(&got), err
	})
}

// untimed responds with what a replay or removal returns. It may take longer than other requests. The
// read deadline ends with the body.
func untimed(w http.ResponseWriter, run func() (any, error)) {
	control := http.NewResponseController(w)
	if err := control.SetWriteDeadline(time.Time{}); err != nil {
		writeFailure(w, err)
		return
	}
	got, err := run()
	_ = control.SetWriteDeadline(time.Now().Add(responseTimeout))
	if err != nil {
		writeFailure(w, err)
		return
	}
	writeJSON(w, http.StatusOK, got)
}

// result is the response to a replay.
type result struct {
	Replayed   int    `json:"replayed"`
	Delivered  int    `json:"delivered"`
	Refused    int    `json:"refused"`
	Kept       int    `json:"kept"`
	Unreadable int    `json:"unreadable"`
	Stopped    string `json:"stopped,omitempty"`
}

func resultOf(p *deadletter.Progress) result {
	return result{p.Replayed, p.Delivered, p.Refused, p.Kept, p.Unreadable, p.Stopped}
}

// oneResult is the response to a replay of one dead letter. Status and message are the backend's.
type oneResult struct {
	Outcome string `json:"outcome"`
	Status  int    `json:"status,omitempty"`
	Message string `json:"message,omitempty"`
}

func oneResultOf(got *deadletter.Replayed) oneResult {
	one := oneResult{Outcome: got.Outcome.String()}
	if got.Outcome == deadletter.OutcomeRefused && len(got.Letters) > 0 {
		one.Status, one.Message = got.Letters[0].Status, got.Letters[0].Message
	}
	return one
}
