// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageexporter

import (
	"encoding/json"
	"net/http"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// answer is the body of an answer (moengage.com/docs/api/event/track-event, Response; merge-users says failure for fail).
type answer struct {
	Status string `json:"status"`
}

// Answer implements delivery.Backend. The answer to a bulk request is always 200, and tells nothing of its events.
func (b *backend) Answer(req *delivery.Request, response *delivery.Response) delivery.Verdict {
	switch {
	case response.Status/100 == 2:
		return b.readAnswer(response)
	case response.Status == http.StatusGatewayTimeout:
		return b.ambiguous(delivery.Said(response), response)
	case response.Status/100 == 5:
		return delivery.Verdict{
			Outcome: delivery.Outcome{Kind: delivery.Retry, Message: delivery.Said(response)},
			Wait:    delivery.RetryAfter(response),
		}
	default:
		return delivery.DefaultAnswer(req, response)
	}
}

// readAnswer does not take for delivered what MoEngage did not say it took.
func (b *backend) readAnswer(response *delivery.Response) delivery.Verdict {
	var a answer
	_ = json.Unmarshal(response.Body, &a) // what is no JSON has no status
	switch a.Status {
	case "success":
		return delivery.Verdict{}
	case "fail", "failure":
		return verdict(delivery.Unknown, deadletter.ReasonRefused, delivery.Said(response))
	default:
		return b.ambiguous(delivery.Said(response)+", which is not what MoEngage says of success", response)
	}
}

// ambiguous is the verdict on events that may have arrived. MoEngage does not know an event that it has seen, so that sending
// them again may repeat them.
func (b *backend) ambiguous(said string, response *delivery.Response) delivery.Verdict {
	if b.cfg.RetryAmbiguous {
		return delivery.Verdict{Outcome: delivery.Outcome{Kind: delivery.Retry, Message: said}, Wait: delivery.RetryAfter(response)}
	}
	return verdict(delivery.Refused, deadletter.ReasonExhausted, said+"; it may have arrived, and retry_ambiguous is false")
}

func verdict(kind delivery.Kind, reason deadletter.Reason, message string) delivery.Verdict {
	return delivery.Verdict{Outcome: delivery.Outcome{Kind: kind, Reason: reason, Message: message}}
}
