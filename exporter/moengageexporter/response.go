// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageexporter

import (
	"encoding/json"
	"net/http"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// responseBody is the body of a response (moengage.com/docs/api/event/track-event, Response;
// merge-users returns failure instead of fail).
type responseBody struct {
	Status string `json:"status"`
}

// ClassifyResponse implements delivery.Backend. MoEngage responds to every bulk request with 200,
// and does not report on individual events.
func (b *backend) ClassifyResponse(req *delivery.Request, response *delivery.Response) delivery.Classification {
	switch {
	case response.Status/100 == 2:
		return b.classifySuccess(response)
	case response.Status == http.StatusGatewayTimeout:
		return b.mayHaveArrived(response, delivery.StatusMessage(response))
	case response.Status/100 == 5:
		return retryable(response, delivery.StatusMessage(response))
	default:
		return delivery.ClassifyStatus(req, response)
	}
}

// classifySuccess classifies a 2xx response. Events count as delivered only if the body reports
// success.
func (b *backend) classifySuccess(response *delivery.Response) delivery.Classification {
	var body responseBody
	_ = json.Unmarshal(response.Body, &body) // a body that is not JSON has no status
	switch body.Status {
	case "success":
		return delivery.AllDelivered()
	case "fail", "failure":
		return rejected(delivery.Ambiguous, deadletter.ReasonRefused, delivery.StatusMessage(response))
	default:
		return b.mayHaveArrived(response, delivery.StatusMessage(response)+"; the body does not report success")
	}
}

// mayHaveArrived classifies a response that leaves open whether the events arrived. MoEngage does
// not deduplicate, so sending them again may duplicate them; retry_ambiguous decides.
func (b *backend) mayHaveArrived(response *delivery.Response, message string) delivery.Classification {
	if b.cfg.RetryAmbiguous {
		return retryable(response, message)
	}
	return rejected(delivery.Refused, deadletter.ReasonExhausted, message+"; it may have arrived, and retry_ambiguous is false")
}

func retryable(response *delivery.Response, message string) delivery.Classification {
	return delivery.Classification{
		Outcome: delivery.Outcome{Kind: delivery.Retryable, Message: message},
		Wait:    delivery.RetryAfter(response),
	}
}

func rejected(kind delivery.Kind, reason deadletter.Reason, message string) delivery.Classification {
	return delivery.Classification{Outcome: delivery.Outcome{Kind: kind, Reason: reason, Message: message}}
}
