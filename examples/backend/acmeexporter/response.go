// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package acmeexporter

import (
	"encoding/json"
	"fmt"
	"net/http"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// results is the body of a 200: what became of each event, in the order of the request
// (https://docs.acme.example/ingest#results).
type results struct {
	Results []result `json:"results"`
}

type result struct {
	Status string `json:"status"`
	Error  string `json:"error"`
}

// Answer implements delivery.Backend. Acme has rules of its own for 200 and 402
// (https://docs.acme.example/ingest#answers).
func (*backend) Answer(req *delivery.Request, response *delivery.Response) delivery.Verdict {
	switch response.Status {
	case http.StatusOK:
		return readResults(req, response)
	case http.StatusPaymentRequired:
		return verdict(delivery.Refused, deadletter.ReasonRateLimited,
			delivery.Said(response)+"; raise the project's quota, then replay the dead letters")
	default:
		return delivery.DefaultAnswer(req, response)
	}
}

// readResults does not take for delivered what Acme did not say it took. Acme knows an id that it has seen, so that sending
// again does no harm.
func readResults(req *delivery.Request, response *delivery.Response) delivery.Verdict {
	var answer results
	if err := json.Unmarshal(response.Body, &answer); err != nil {
		return verdict(delivery.Retry, "", "the backend answered 200, but not with results in JSON")
	}
	if len(answer.Results) != len(req.Events) {
		return verdict(delivery.Retry, "",
			fmt.Sprintf("the backend answered 200 with %d results for %d events", len(answer.Results), len(req.Events)))
	}
	outcomes := make([]delivery.Outcome, len(answer.Results))
	for i := range answer.Results {
		outcomes[i] = answer.Results[i].outcome()
	}
	return delivery.Verdict{Events: outcomes}
}

func (r *result) outcome() delivery.Outcome {
	switch r.Status {
	case "ok":
		return delivery.Outcome{Kind: delivery.Delivered}
	case "retry":
		return delivery.Outcome{Kind: delivery.Retry, Message: "the backend asks for the event again"}
	case "rejected":
		return delivery.Outcome{Kind: delivery.Refused, Reason: deadletter.ReasonRefused, Message: r.Error}
	default:
		return delivery.Outcome{Kind: delivery.Refused, Reason: deadletter.ReasonRefused, Message: fmt.Sprintf("the backend answered with the status %q", r.Status)}
	}
}

func verdict(kind delivery.Kind, reason deadletter.Reason, message string) delivery.Verdict {
	return delivery.Verdict{Outcome: delivery.Outcome{Kind: kind, Reason: reason, Message: message}}
}
