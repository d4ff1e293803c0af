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

// InvalidRequestError is of a request that cannot be made, however often it is tried.
type InvalidRequestError struct{}

func (InvalidRequestError) Error() string { return "making the request: its URL is not one" }

// BlockedError is of a request whose host leads to an address that the [Guard] refuses.
type BlockedError struct{ why string }

func (e *BlockedError) Error() string { return e.why }

// UnansweredError is of a request that may have arrived, though it got no response.
type UnansweredError struct{ Err error }

func (e *UnansweredError) Error() string { return e.Err.Error() }

// Unwrap is for the errors package.
func (e *UnansweredError) Unwrap() error { return e.Err }

// ErrTimeout is of a request without a response within the timeout.
var ErrTimeout = errors.New("there was no answer within the timeout")

// Redacted returns an error of net/http in words that may be logged. Its own hold the URL, and may
// quote what the backend sent: only kinds that do neither are passed on.
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
	return fmt.Errorf("the answer is not HTTP, or something before it failed (%T)", err)
}
