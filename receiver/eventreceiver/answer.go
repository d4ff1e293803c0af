// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventreceiver

import (
	"encoding/json"
	"math/rand/v2"
	"net/http"
	"strconv"

	"github.com/otelcol-fanout/otelcol-fanout/internal/eventjson"
)

// answer is the body of every answer.
type answer struct {
	// Accepted is how many events the pipeline took, now or when they were sent before.
	Accepted int `json:"accepted"`
	// IDs are the ids of the accepted events in the order of the body, where they are asked for.
	IDs []string `json:"ids,omitempty"`
	// Rejected tells of each event that was not taken for its own sake.
	Rejected []rejected `json:"rejected"`
	// Shed is how many events of a beacon the pipeline did not take. Beacons are never sent again.
	Shed int `json:"shed,omitempty"`
	// Error says why the request as a whole was not taken.
	Error string `json:"error,omitempty"`
}

type rejected struct {
	Index int    `json:"index"`
	ID    string `json:"id,omitempty"`
	Error string `json:"error"`
}

// newAnswer is the answer for events of which all that are sound are accepted.
func newAnswer(result *eventjson.Result, ids []string) answer {
	a := answer{Accepted: result.Accepted, IDs: ids, Rejected: make([]rejected, 0, len(result.Rejected))}
	for _, r := range result.Rejected {
		a.Rejected = append(a.Rejected, rejected{Index: r.Index, ID: r.ID, Error: r.Err.Error()})
	}
	if result.Accepted == 0 && len(result.Rejected) == 0 {
		a.Error = "the body holds no event"
	}
	return a
}

func write(w http.ResponseWriter, status int, a answer) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(a) // the client has gone
}

// retryAfter is when a client may come back, in seconds (RFC 9110, section 10.2.3): spread, so that the clients
// which were refused together do not come back together.
func retryAfter() string { return strconv.Itoa(1 + rand.IntN(5)) }
