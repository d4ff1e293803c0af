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

	"github.com/otelcol-fanout/otelcol-fanout/internal/callresult"
	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/attempt"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/transport"
)

// RetryableError returns the error for a caller that waits, after a temporary failure. It names the
// kind of failure but no address, because callers may be outside the operator's network. The log and
// the component status say more.
func RetryableError(result *attempt.Result) error {
	return &publicError{code: codes.Unavailable, message: kindOfFailure(result.Problem, result.Status)}
}

// RefusedError returns the error for a caller that waits, after events were refused; events is the
// number in its call at this exporter. The code is Unavailable, so that the caller sends again, if only
// the operator can fix the cause and the call can still be repeated. The error is always permanent.
func RefusedError(causes []attempt.Cause, events int, call *callresult.Call) error {
	e := &publicError{code: codes.InvalidArgument, message: refusals(causes, events)}
	if isForOperator(causes) {
		e.code, e.call = codes.Unavailable, call
	}
	return &permanentError{e, consumererror.NewPermanent(e)}
}

// RetryLaterError returns the retryable error, extended with the call's refused events: the caller
// sends the whole call again.
func RetryLaterError(retryable error, causes []attempt.Cause, events int) error {
	if len(causes) == 0 {
		return retryable
	}
	return &publicError{code: codes.Unavailable, message: retryable.Error() + "; " + refusals(causes, events)}
}

func refusals(causes []attempt.Cause, events int) string {
	return fmt.Sprintf("%d of %d events refused: %s", len(causes), events, publicMessage(&causes[0]))
}

// permanentError is a publicError that [consumererror.IsPermanent] recognizes.
type permanentError struct {
	*publicError
	marker error
}

// Unwrap supports the errors package.
func (e *permanentError) Unwrap() error { return e.marker }

// publicError is an error that callers may see.
type publicError struct {
	code    codes.Code
	message string
	// call, unless it is nil, limits the code to calls that can be repeated.
	call *callresult.Call
}

func (e *publicError) Error() string { return e.message }

// GRPCStatus is for google.golang.org/grpc/status.
func (e *publicError) GRPCStatus() *status.Status {
	if e.call != nil && !e.call.IsRepeatable() {
		return status.New(codes.InvalidArgument, e.message)
	}
	return status.New(e.code, e.message)
}

// kindOfFailure describes a temporary failure for callers. code is the status of the response, 0
// without one.
func kindOfFailure(problem error, code int) string {
	timeout, isNet := errors.AsType[net.Error](problem)
	_, isHeld := errors.AsType[*attempt.HeldError](problem)
	_, isHandshake := errors.AsType[attempt.HandshakeError](problem)
	_, isCertificate := errors.AsType[*tls.CertificateVerificationError](problem)
	operation, isOperation := errors.AsType[*net.OpError](problem)
	switch {
	case code/100 == 2:
		return "the backend has not accepted all events yet"
	case code != 0:
		return fmt.Sprintf("the backend answered %d", code)
	case errors.Is(problem, attempt.ErrStopped):
		return "the collector is stopping"
	case errors.Is(problem, attempt.ErrPaused):
		return attempt.ErrPaused.Error()
	case isHeld:
		return "the backend asked to wait"
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
func isForOperator(causes []attempt.Cause) bool {
	return !slices.ContainsFunc(causes, func(cause attempt.Cause) bool {
		switch cause.Reason {
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
