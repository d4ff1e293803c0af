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

// responseBody is the body of every response.
type responseBody struct {
	// Accepted is the number of events the pipeline accepted, now or in an earlier request.
	Accepted int `json:"accepted"`
	// IDs are the ids of the accepted events in the order of the body, if the request asks for
	// them.
	IDs []string `json:"ids,omitempty"`
	// Rejected lists the events that are invalid.
	Rejected []rejected `json:"rejected"`
	// Shed is the number of beacon events that the pipeline could not accept. Beacons are never
	// sent again.
	Shed int `json:"shed,omitempty"`
	// Error says why the whole request failed.
	Error string `json:"error,omitempty"`
}

type rejected struct {
	Index int    `json:"index"`
	ID    string `json:"id,omitempty"`
	Error string `json:"error"`
}

// newResponseBody returns the response for a request whose valid events are all accepted.
func newResponseBody(result *eventjson.Result, ids []string) responseBody {
	body := responseBody{Accepted: result.Accepted, IDs: ids, Rejected: make([]rejected, 0, len(result.Rejected))}
	for _, r := range result.Rejected {
		body.Rejected = append(body.Rejected, rejected{Index: r.Index, ID: r.ID, Error: r.Err.Error()})
	}
	if result.Accepted == 0 && len(result.Rejected) == 0 {
		body.Error = "the body has no events"
	}
	return body
}

func writeResponse(w http.ResponseWriter, status int, body responseBody) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(body) // fails only if the client is gone
}

// retryAfter returns a random delay in seconds (RFC 9110, section 10.2.3), so that clients refused
// together do not retry together.
func retryAfter() string { return strconv.Itoa(1 + rand.IntN(5)) }
