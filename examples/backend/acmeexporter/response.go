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

// results is the body of a 200: the outcome of each event, in the order of the request
// (https://docs.acme.example/ingest#results).
type results struct {
	Results []result `json:"results"`
}

type result struct {
	Status string `json:"status"`
	Error  string `json:"error"`
}

// ClassifyResponse implements delivery.Backend. Acme has its own rules for 200 and 402
// (https://docs.acme.example/ingest#responses).
func (*backend) ClassifyResponse(req *delivery.Request, response *delivery.Response) delivery.Classification {
	switch response.Status {
	case http.StatusOK:
		return classifyResults(req, response)
	case http.StatusPaymentRequired:
		return classification(delivery.Refused, deadletter.ReasonRateLimited,
			delivery.StatusMessage(response)+"; raise the project's quota, then replay the dead letters")
	default:
		return delivery.ClassifyStatus(req, response)
	}
}

// classifyResults counts an event as delivered only if Acme says so. Sending an event again is
// harmless: Acme recognizes repeated ids.
func classifyResults(req *delivery.Request, response *delivery.Response) delivery.Classification {
	var body results
	if err := json.Unmarshal(response.Body, &body); err != nil {
		return classification(delivery.Retryable, "", "the backend answered 200 without JSON results")
	}
	if len(body.Results) != len(req.Events) {
		return classification(delivery.Retryable, "",
			fmt.Sprintf("the backend answered 200 with %d results for %d events", len(body.Results), len(req.Events)))
	}
	outcomes := make([]delivery.Outcome, len(body.Results))
	for i := range body.Results {
		outcomes[i] = body.Results[i].outcome()
	}
	return delivery.Classification{Events: outcomes}
}

func (r *result) outcome() delivery.Outcome {
	switch r.Status {
	case "ok":
		return delivery.Outcome{Kind: delivery.Delivered}
	case "retry":
		return delivery.Outcome{Kind: delivery.Retryable, Message: "the backend asks for the event again"}
	case "rejected":
		return delivery.Outcome{Kind: delivery.Refused, Reason: deadletter.ReasonRefused, Message: r.Error}
	default:
		return delivery.Outcome{Kind: delivery.Refused, Reason: deadletter.ReasonRefused, Message: fmt.Sprintf("the backend answered with the status %q", r.Status)}
	}
}

func classification(kind delivery.Kind, reason deadletter.Reason, message string) delivery.Classification {
	return delivery.Classification{Outcome: delivery.Outcome{Kind: kind, Reason: reason, Message: message}}
}
