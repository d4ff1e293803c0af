// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"fmt"
	"net/http"
)

// Greeter is a backend that has to be asked before it is sent anything.
type Greeter interface {
	// Greet asks, with the exporter's client, unless it was asked before. It is called before each attempt; an error is a failure
	// of that attempt, after which the events wait as after any other. It holds no secret.
	Greet(ctx context.Context, client *http.Client) error
}

// Reviver is a backend that may have stopped sending for good.
type Reviver interface {
	// Revive is called when the operator has dead letters sent again, which is to say that the backend is well.
	Revive()
}

// greet reports whether the events may be sent. What may not is owed.
func (a *attempt) greet(events []Event) bool {
	greeter, ok := a.d.backend.(Greeter)
	if !ok {
		return true
	}
	if err := greeter.Greet(a.ctx, a.d.client); err != nil {
		a.owe(events, fmt.Errorf("asking the backend for its consent: %w", tellableGreeting(err)), 0, 0)
		return false
	}
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
