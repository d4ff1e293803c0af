// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"syscall"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

// toldError is what a caller that waits is told: the kind of failure. It holds no address, since callers may be strangers to the
// operator's network; the log and the component status do.
type toldError struct {
	code    codes.Code
	message string
}

func (e *toldError) Error() string { return e.message }

// GRPCStatus is for google.golang.org/grpc/status.
func (e *toldError) GRPCStatus() *status.Status { return status.New(e.code, e.message) }

// callerError is a toldError with what exporterhelper puts around it. As an error it says all of that, but its status is what is told:
// the status of an error that is merely wrapped would repeat the wrapping.
type callerError struct {
	error
	told *toldError
}

func (e *callerError) Unwrap() error { return e.error }

// GRPCStatus is for google.golang.org/grpc/status.
func (e *callerError) GRPCStatus() *status.Status { return e.told.GRPCStatus() }

func forCaller(err error) error {
	if told, ok := errors.AsType[*toldError](err); ok {
		return &callerError{err, told}
	}
	return err
}

// failureOf is the kind of a failure that may pass.
func failureOf(problem error, answered int) string {
	timeout, isNet := errors.AsType[net.Error](problem)
	_, isGreeting := errors.AsType[GreetingError](problem)
	_, isCertificate := errors.AsType[*tls.CertificateVerificationError](problem)
	operation, isOperation := errors.AsType[*net.OpError](problem)
	switch {
	case answered/100 == 2:
		return "the backend did not take all of it for now"
	case answered != 0:
		return fmt.Sprintf("the backend answered %d", answered)
	case isGreeting:
		return "the backend does not consent to being sent events"
	case isNet && timeout.Timeout(), errors.Is(problem, errNoAnswer):
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

// forCaller is why the event was refused.
func (r *refusedEvent) forCaller() string {
	switch r.reason {
	case deadletter.ReasonBlocked:
		return "the backend is at an address that is not connected to"
	case deadletter.ReasonExhausted:
		return "the backend did not answer; the request may have arrived, so that it is not sent again"
	default:
		return r.message
	}
}

// withoutHost is a message without where the backend is, which an answer may repeat. A name without a dot is a word that a message needs.
func withoutHost(message string, u *url.URL) string {
	if u.Port() != "" {
		message = strings.ReplaceAll(message, u.Host, redacted)
	}
	host := u.Hostname()
	if _, err := netip.ParseAddr(host); err == nil || strings.Contains(host, ".") {
		message = strings.ReplaceAll(message, host, redacted)
	}
	return message
}
