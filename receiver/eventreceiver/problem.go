// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventreceiver

import (
	"errors"
	"net/http"
	"strings"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/otelcol-fanout/otelcol-fanout/internal/eventjson"
)

// problem is why a whole request fails.
type problem struct {
	status int
	text   string
	// allow lists the allowed methods of a 405.
	allow string
	// retryable is true if the client may send the same request again.
	retryable bool
	// closes is true if the connection ends with the response, since the body is not read.
	closes bool
}

func (p *problem) Error() string { return p.text }

func methodNotAllowed() *problem {
	return &problem{status: http.StatusMethodNotAllowed, text: "send events with POST", allow: http.MethodPost}
}

func unsupportedMediaType(text string) *problem {
	return &problem{status: http.StatusUnsupportedMediaType, text: text}
}

// bodyProblem returns the problem of a body that could not be read or decoded.
func bodyProblem(err error) *problem {
	p := &problem{status: http.StatusBadRequest, text: err.Error()}
	_, tooLarge := errors.AsType[*http.MaxBytesError](err)
	_, tooMany := errors.AsType[*eventjson.TooManyError](err)
	if tooLarge || tooMany {
		p.status = http.StatusRequestEntityTooLarge
	}
	return p
}

// pipelineProblem returns the problem of events that the pipeline did not accept. It is retryable,
// except for permanent errors with a status other than Unavailable.
func pipelineProblem(err error) *problem {
	if consumererror.IsPermanent(err) && status.Code(err) != codes.Unavailable {
		return &problem{status: http.StatusBadRequest, text: "the pipeline refused the events: " + errorMessage(err)}
	}
	p := &problem{status: http.StatusServiceUnavailable, text: "the pipeline cannot accept the events now; send them again later: " + errorMessage(err), retryable: true}
	if consumererror.ToHTTPStatus(err) == http.StatusTooManyRequests {
		p.status = http.StatusTooManyRequests
	}
	return p
}

// errorMessage returns the pipeline's message without the collector's own words. The message of a
// gRPC status is meant for callers.
func errorMessage(err error) string {
	text := err.Error()
	if withStatus, ok := errors.AsType[interface {
		error
		GRPCStatus() *status.Status
	}](err); ok && withStatus.GRPCStatus().Message() != "" {
		text = withStatus.GRPCStatus().Message()
	}
	return collectorWords.Replace(text)
}

// collectorWords removes what consumererror and the retries of exporterhelper put before a
// permanent error, once for each component on the way.
var collectorWords = strings.NewReplacer("Permanent error: ", "", "not retryable error: ", "")

// writeProblem writes the response of a request that failed.
func writeProblem(w http.ResponseWriter, err error) {
	p, ok := errors.AsType[*problem](err)
	if !ok {
		p = &problem{status: http.StatusBadRequest, text: err.Error()}
	}
	if p.allow != "" {
		w.Header().Set("Allow", p.allow)
	}
	if p.retryable {
		w.Header().Set("Retry-After", retryAfter())
	}
	if p.closes {
		w.Header().Set("Connection", "close")
	}
	writeResponse(w, p.status, responseBody{Rejected: []rejected{}, Error: p.text})
}

// handleServerError responds to requests that confighttp refuses: credentials, encodings and body
// sizes.
func (in *intake) handleServerError(w http.ResponseWriter, r *http.Request, message string, status int) {
	p := &problem{status: status, text: "reading the body: " + message}
	a := admissionOf(r)
	switch {
	case a.Err() != nil:
		p = in.admissionProblem(r, a)
	case status == http.StatusUnauthorized:
		p.text = invalidCredentials
	case strings.HasPrefix(message, "unsupported Content-Encoding"):
		p = unsupportedMediaType("unsupported content encoding; send gzip, or none")
	case strings.Contains(message, "exceeds max request body size"):
		p = &problem{status: http.StatusRequestEntityTooLarge, text: message}
	}
	writeProblem(w, p)
}

// invalidCredentials does not say what is wrong with the credentials.
const invalidCredentials = "the credentials are missing or wrong"

// keyNeededBeforeBody is for a body that the receiver does not read for a client it does not know.
const keyNeededBeforeBody = "the write key is missing or wrong; send it in a header or the query, " +
	"since only bodies of up to 65536 bytes, uncompressed or as gzip or deflate, may contain it"

func notFound(w http.ResponseWriter, _ *http.Request) {
	writeProblem(w, &problem{status: http.StatusNotFound, text: "not found; send events to " + eventsPath})
}
