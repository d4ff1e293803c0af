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

// RetryableError returns the error for a caller that waits, after a temporary failure. It names the
// kind of failure but no address, because callers may be outside the operator's network. The log and
// the component status say more.
func RetryableError(result *attempt.Result) error {
	return &publicError{codes.Unavailable, kindOfFailure(result.Problem, result.Status)}
}

// RefusedError returns the error for a caller that waits, after events were refused; events is the
// number in its call. The error is permanent, so that exporterhelper does not retry. whole is true if
// no event of the call has another outcome: only then may the caller send the call again.
func RefusedError(refused []attempt.RefusedEvent, events int, whole bool) error {
	code := codes.InvalidArgument
	if whole && isForOperator(refused) {
		code = codes.Unavailable
	}
	message := fmt.Sprintf("%d of %d events refused: %s", len(refused), events, publicMessage(&refused[0].Cause))
	return consumererror.NewPermanent(&publicError{code, message})
}

// PublicError returns an error of exporterhelper, which may wrap one of the above, as the caller gets
// it.
func PublicError(err error) error {
	if public, ok := errors.AsType[*publicError](err); ok {
		return &callerError{err, public}
	}
	return err
}

// publicError is an error that callers may see.
type publicError struct {
	code    codes.Code
	message string
}

func (e *publicError) Error() string { return e.message }

// GRPCStatus is for google.golang.org/grpc/status.
func (e *publicError) GRPCStatus() *status.Status { return status.New(e.code, e.message) }

// callerError is a publicError as exporterhelper wraps it. Without its GRPCStatus method,
// status.FromError would give callers the wrapped message.
type callerError struct {
	error
	public *publicError
}

func (e *callerError) Unwrap() error { return e.error }

// GRPCStatus is for google.golang.org/grpc/status.
func (e *callerError) GRPCStatus() *status.Status { return e.public.GRPCStatus() }

// kindOfFailure describes a temporary failure for callers. code is the status of the response, 0
// without one.
func kindOfFailure(problem error, code int) string {
	timeout, isNet := errors.AsType[net.Error](problem)
	_, isHandshake := errors.AsType[attempt.HandshakeError](problem)
	_, isCertificate := errors.AsType[*tls.CertificateVerificationError](problem)
	operation, isOperation := errors.AsType[*net.OpError](problem)
	switch {
	case code/100 == 2:
		return "the backend did not accept all events for now"
	case code != 0:
		return fmt.Sprintf("the backend answered %d", code)
	case errors.Is(problem, attempt.ErrStopped):
		return "the collector stops"
	case isHandshake:
		return "the backend did not accept the handshake"
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

// errnoOf returns the system's error of a connection, such as "connection refused".
func errnoOf(problem error) string {
	if errno, ok := errors.AsType[syscall.Errno](problem); ok {
		return ": " + errno.Error()
	}
	return ""
}

// isForOperator reports whether the events themselves are fine: they can be sent again once the
// operator has fixed the problem.
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

// publicMessage says why an event was refused, for callers.
func publicMessage(cause *attempt.Cause) string {
	switch cause.Reason {
	case deadletter.ReasonBlocked:
		return "connecting to the backend's address is not allowed"
	case deadletter.ReasonExhausted:
		return "the backend did not answer; the request may have arrived, so it is not sent again"
	default:
		return cause.Message
	}
}
