// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
)

// InvalidRequestError is the error of a request that cannot be made because its URL is invalid.
type InvalidRequestError struct{}

func (InvalidRequestError) Error() string { return "making the request: its URL is invalid" }

// BlockedError is the error of a request to an address that the [Guard] refuses.
type BlockedError struct{ why string }

func (e *BlockedError) Error() string { return e.why }

// NoResponseError is the error of a request that may have arrived, although it got no response, or an
// incomplete one.
type NoResponseError struct{ Err error }

func (e *NoResponseError) Error() string { return e.Err.Error() }

// Unwrap supports the errors package.
func (e *NoResponseError) Unwrap() error { return e.Err }

// ErrTimeout is the error of a request without a response within the timeout.
var ErrTimeout = errors.New("no response within the timeout")

// Redacted returns an error of net/http in a form that may be logged. The error itself holds the URL,
// and may quote the backend; only kinds of errors that do neither are passed on.
func Redacted(err error) error {
	if blocked, ok := errors.AsType[*BlockedError](err); ok {
		return blocked
	}
	if operation, ok := errors.AsType[*net.OpError](err); ok {
		return operation
	}
	if certificate, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return certificate
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return ErrTimeout
	}
	for _, known := range []error{context.Canceled, context.DeadlineExceeded, io.ErrUnexpectedEOF, io.EOF} {
		if errors.Is(err, known) {
			return known
		}
	}
	if urlErr, ok := errors.AsType[*url.Error](err); ok {
		err = urlErr.Err
	}
	return fmt.Errorf("the request failed, or the response was not HTTP (%T)", err)
}
