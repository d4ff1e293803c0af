// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package outcome

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/attempt"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/transport"
)

func TestPublicErrorNamesTheKindOfFailure(t *testing.T) {
	backend := &net.TCPAddr{IP: net.IPv4(10, 1, 2, 3), Port: 8080}
	dial := func(err error) error {
		return &url.Error{Op: "Post", URL: "http://internal.example/secret", Err: &net.OpError{Op: "dial", Net: "tcp", Addr: backend, Err: err}}
	}
	for name, tt := range map[string]struct {
		problem error
		status  int
		want    string
	}{
		"an answer":                      {errors.New("the backend answered 503: see 10.1.2.3"), 503, "the backend answered 503"},
		"an answer that wants it again":  {errors.New("full"), 200, "the backend has not accepted all events yet"},
		"nobody listens":                 {dial(os.NewSyscallError("connect", syscall.ECONNREFUSED)), 0, "the backend cannot be reached: connection refused"},
		"a name that is not known":       {dial(&net.DNSError{Err: "no such host", Name: "internal.example", Server: "10.0.0.2:53"}), 0, "the backend cannot be reached"},
		"a dial that takes too long":     {dial(os.ErrDeadlineExceeded), 0, "the backend did not answer in time"},
		"a connection that breaks":       {&net.OpError{Op: "read", Net: "tcp", Addr: backend, Err: os.NewSyscallError("read", syscall.ECONNRESET)}, 0, "the request to the backend failed: connection reset by peer"},
		"no answer in time":              {&url.Error{Err: context.DeadlineExceeded}, 0, "the backend did not answer in time"},
		"the caller's own time":          {context.DeadlineExceeded, 0, "the backend did not answer in time"},
		"a caller that has gone":         {context.Canceled, 0, "the request to the backend was canceled"},
		"a consent that is not given":    {attempt.HandshakeError("10.1.2.3 answers 200"), 0, "the backend did not accept the handshake"},
		"a certificate of somebody else": {&tls.CertificateVerificationError{Err: x509.HostnameError{Certificate: &x509.Certificate{}, Host: "10.1.2.3"}}, 0, "the backend's certificate is not trusted"},
		"what is not HTTP":               {errors.New("the answer is not HTTP"), 0, "the request to the backend failed"},
	} {
		t.Run(name, func(t *testing.T) {
			problem := tt.problem
			if tt.status == 0 {
				problem = fmt.Errorf("sending the request: %w", redacted(tt.problem))
			}
			assert.Equal(t, tt.want, kindOfFailure(problem, tt.status))
		})
	}
}

// redacted is a problem as an attempt returns it.
func redacted(problem error) error {
	if said, ok := problem.(attempt.HandshakeError); ok { //nolint:errorlint // as the attempt does
		return said
	}
	return transport.Redacted(problem)
}

func TestPublicErrorOfRefusalHoldsNoAddress(t *testing.T) {
	t.Run("that is not connected to", func(t *testing.T) {
		cause := attempt.Cause{Reason: deadletter.ReasonBlocked, Message: "the address 10.1.2.3 is not a public address"}
		assert.Equal(t, "connecting to the backend's address is not allowed", publicMessage(&cause))
	})
	t.Run("where a request may have arrived", func(t *testing.T) {
		cause := attempt.Cause{Reason: deadletter.ReasonExhausted, Message: "read tcp 10.1.2.3:80: reset"}
		assert.NotContains(t, publicMessage(&cause), "10.1.2.3")
	})
}

func TestRefusalsForTheOperatorAreUnavailable(t *testing.T) {
	for reason, want := range map[string]bool{
		"unauthorized": true, "redirected": true, "gone": true, "blocked": true, "rate_limited": true,
		"refused": false, "too_large": false, "encoding": false,
	} {
		assert.Equal(t, want, isForOperator([]attempt.Cause{{Reason: deadletter.Reason(reason)}}), reason)
	}
}
