// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package outcome

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"syscall"

	"go.opentelemetry.io/collector/consumer/consumererror"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/attempt"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/transport"
)

// RetryableError tells a caller that waits of a failure that may pass. It holds the kind of the
// failure, and no address: callers may be strangers to the operator's network. The log and the
// component status have more.
func RetryableError(result *attempt.Result) error {
	return &publicError{codes.Unavailable, kindOfFailure(result.Problem, result.Status)}
}

// RefusedError tells a caller that waits of events that were refused, of so many in its call. It is
// permanent, so that exporterhelper does not try again. whole is whether no event of the request
// has another outcome: only then is it worth sending again.
func RefusedError(refused []attempt.RefusedEvent, events int, whole bool) error {
	code := codes.InvalidArgument
	if whole && isForOperator(refused) {
		code = codes.Unavailable
	}
	message := fmt.Sprintf("%d of %d events refused: %s", len(refused), events, publicMessage(&refused[0].Cause))
	return consumererror.NewPermanent(&publicError{code, message})
}

// ForCaller returns an error of exporterhelper's, which may wrap one of the above, as the caller
// gets it.
func ForCaller(err error) error {
	if public, ok := errors.AsType[*publicError](err); ok {
		return &callerError{err, public}
	}
	return err
}

// publicError is what a caller is told.
type publicError struct {
	code    codes.Code
	message string
}

func (e *publicError) Error() string { return e.message }

// GRPCStatus is for google.golang.org/grpc/status.
func (e *publicError) GRPCStatus() *status.Status { return status.New(e.code, e.message) }

// callerError is a publicError with what exporterhelper puts around it. Without its GRPCStatus,
// status.FromError would tell callers the wrapped message.
type callerError struct {
	error
	public *publicError
}

func (e *callerError) Unwrap() error { return e.error }

// GRPCStatus is for google.golang.org/grpc/status.
func (e *callerError) GRPCStatus() *status.Status { return e.public.GRPCStatus() }

// kindOfFailure is what callers are told of a failure that may pass. answered is the status of the
// response, 0 where there was none.
func kindOfFailure(problem error, answered int) string {
	timeout, isNet := errors.AsType[net.Error](problem)
	_, isHandshake := errors.AsType[attempt.HandshakeError](problem)
	_, isCertificate := errors.AsType[*tls.CertificateVerificationError](problem)
	operation, isOperation := errors.AsType[*net.OpError](problem)
	switch {
	case answered/100 == 2:
		return "the backend did not take all of it for now"
	case answered != 0:
		return fmt.Sprintf("the backend answered %d", answered)
	case errors.Is(problem, attempt.ErrStopped):
		return "the collector stops"
	case isHandshake:
		return "the backend does not consent to being sent events"
	case isNet && timeout.Timeout(), errors.Is(problem, transport.ErrTimeout):
		return "the backend did not answer in time"
	case errors.Is(problem, context.Canceled):
		return "the request to the backend was canceled"
	case isCertificate:
		return "the backend's certificate is not trusted"
	case isOperation && operation.Op == "dial":
		return "the backend cannot be reached" + errnoOf(problem)
	default:
		return "the request to the backend failed" + errnoOf(problem)
	}
}

// errnoOf is what the system says of a connection, such as that it was refused.
func errnoOf(problem error) string {
	if errno, ok := errors.AsType[syscall.Errno](problem); ok {
		return ": " + errno.Error()
	}
	return ""
}

// isForOperator reports whether nothing is wrong with the events: they may be sent again when the
// operator has seen to it.
func isForOperator(refused []attempt.RefusedEvent) bool {
	return !slices.ContainsFunc(refused, func(r attempt.RefusedEvent) bool {
		switch r.Reason {
		case deadletter.ReasonUnauthorized, deadletter.ReasonRedirected, deadletter.ReasonGone, deadletter.ReasonBlocked, deadletter.ReasonRateLimited:
			return false
		default:
			return true
		}
	})
}

// publicMessage is why an event was refused, for callers.
func publicMessage(cause *attempt.Cause) string {
	switch cause.Reason {
	case deadletter.ReasonBlocked:
		return "the backend is at an address that is not connected to"
	case deadletter.ReasonExhausted:
		return "the backend did not answer; the request may have arrived, so that it is not sent again"
	default:
		return cause.Message
	}
}
