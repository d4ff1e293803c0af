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

// problem is why a request as a whole is not taken.
type problem struct {
	status int
	text   string
	// allow are the methods for a 405.
	allow string
	// later says that the client may come again with the same.
	later bool
}

func (p *problem) Error() string { return p.text }

func wrongMethod() *problem {
	return &problem{status: http.StatusMethodNotAllowed, text: "send events with POST", allow: http.MethodPost}
}

func unsupported(text string) *problem {
	return &problem{status: http.StatusUnsupportedMediaType, text: text}
}

// unreadable is the problem of a body that could not be read.
func unreadable(err error) *problem {
	p := &problem{status: http.StatusBadRequest, text: err.Error()}
	_, tooLarge := errors.AsType[*http.MaxBytesError](err)
	_, tooMany := errors.AsType[*eventjson.TooManyError](err)
	if tooLarge || tooMany {
		p.status = http.StatusRequestEntityTooLarge
	}
	return p
}

// refusal is the problem of a pipeline that did not take the events: try again later, or not at all.
func refusal(err error) *problem {
	if consumererror.IsPermanent(err) && status.Code(err) != codes.Unavailable {
		return &problem{status: http.StatusBadRequest, text: "the pipeline refused the events: " + causeOf(err)}
	}
	p := &problem{status: http.StatusServiceUnavailable, text: "the pipeline cannot take the events now, send them again later: " + causeOf(err), later: true}
	if consumererror.ToHTTPStatus(err) == http.StatusTooManyRequests {
		p.status = http.StatusTooManyRequests
	}
	return p
}

// causeOf is what the pipeline says of it, without what the collector puts around that. Who gives an error a gRPC status means its message
// for callers.
func causeOf(err error) string {
	if told, ok := errors.AsType[interface {
		error
		GRPCStatus() *status.Status
	}](err); ok && told.GRPCStatus().Message() != "" {
		return told.GRPCStatus().Message()
	}
	return strings.TrimPrefix(err.Error(), "Permanent error: ")
}

// writeProblem answers for a request that is not taken.
func writeProblem(w http.ResponseWriter, err error) {
	p, ok := errors.AsType[*problem](err)
	if !ok {
		p = &problem{status: http.StatusBadRequest, text: err.Error()}
	}
	if p.allow != "" {
		w.Header().Set("Allow", p.allow)
	}
	if p.later {
		w.Header().Set("Retry-After", retryAfter())
	}
	write(w, p.status, answer{Rejected: []rejected{}, Error: p.text})
}

// refuse answers for what confighttp does not let through: credentials and encodings.
func refuse(w http.ResponseWriter, _ *http.Request, message string, status int) {
	p := &problem{status: status, text: "reading the body: " + message}
	switch {
	case status == http.StatusUnauthorized:
		p.text = wrongCredentials
	case strings.HasPrefix(message, "unsupported Content-Encoding"):
		p = unsupported("the content encoding is not taken; send gzip, or none")
	case strings.Contains(message, "exceeds max request body size"):
		p = &problem{status: http.StatusRequestEntityTooLarge, text: message}
	}
	writeProblem(w, p)
}

// wrongCredentials tells nobody what is wrong with them.
const wrongCredentials = "the credentials are missing or wrong"

func notFound(w http.ResponseWriter, _ *http.Request) {
	writeProblem(w, &problem{status: http.StatusNotFound, text: "there is nothing here; events go to " + eventsPath})
}
