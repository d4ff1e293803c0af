// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"fmt"
	"net/http"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

// Greeter is a backend that has to be asked before it is sent anything.
type Greeter interface {
	// Greet asks, with requests that do sends, unless it was asked before. It is called before each attempt; an error is a failure of
	// that attempt, after which the events wait as after any other. It holds no secret.
	Greet(ctx context.Context, do func(*http.Request) (*http.Response, error)) error
}

// Reviver is a backend that may stop sending for good.
type Reviver interface {
	// Gone says why nothing is sent anymore; it is empty where events are. It is asked before each request: the events of one that is
	// not made are refused as gone.
	Gone() string

	// Revive is called when the operator has dead letters sent again, which is to say that the backend is well.
	Revive()
}

// greet reports whether the events may be sent. What may not is owed.
func (a *attempt) greet(events []Event) bool {
	greeter, ok := a.d.backend.(Greeter)
	if !ok {
		return true
	}
	if err := greeter.Greet(a.ctx, a.d.do); err != nil {
		a.owe(events, fmt.Errorf("asking the backend for its consent: %w", tellableGreeting(err)), 0, 0)
		return false
	}
	return true
}

// isGone reports whether the backend is sent nothing anymore, and refuses the request's events then.
func (a *attempt) isGone(req *Request) bool {
	reviver, ok := a.d.backend.(Reviver)
	if !ok {
		return false
	}
	message := reviver.Gone()
	if message == "" {
		return false
	}
	unanswered(req)
	a.refuse(req.Events, cause{reason: deadletter.ReasonGone, message: message})
	return true
}

// GreetingError is what a backend's answer to [Greeter] lacks, in words that hold no secret.
type GreetingError string

func (e GreetingError) Error() string { return string(e) }

// tellableGreeting is the error without the URL, which those of net/http hold.
func tellableGreeting(err error) error {
	if greeting, ok := err.(GreetingError); ok { //nolint:errorlint // only one that stands alone holds nothing else
		return greeting
	}
	return tellable(err)
}

// revive tells the backend that it may be well again.
func (d *deliverer) revive() {
	if reviver, ok := d.backend.(Reviver); ok {
		reviver.Revive()
	}
}
