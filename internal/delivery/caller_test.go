// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/attempt"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/transport"
)

func TestCallersAreToldTheKindOfFailure(t *testing.T) {
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
		"an answer that wants it again":  {errors.New("full"), 200, "the backend did not take all of it for now"},
		"nobody listens":                 {dial(os.NewSyscallError("connect", syscall.ECONNREFUSED)), 0, "the backend cannot be reached: connection refused"},
		"a name that is not known":       {dial(&net.DNSError{Err: "no such host", Name: "internal.example", Server: "10.0.0.2:53"}), 0, "the backend cannot be reached"},
		"a dial that takes too long":     {dial(os.ErrDeadlineExceeded), 0, "the backend did not answer in time"},
		"a connection that breaks":       {&net.OpError{Op: "read", Net: "tcp", Addr: backend, Err: os.NewSyscallError("read", syscall.ECONNRESET)}, 0, "the request to the backend failed: connection reset by peer"},
		"no answer in time":              {&url.Error{Err: context.DeadlineExceeded}, 0, "the backend did not answer in time"},
		"the caller's own time":          {context.DeadlineExceeded, 0, "the backend did not answer in time"},
		"a caller that has gone":         {context.Canceled, 0, "the request to the backend was canceled"},
		"a consent that is not given":    {attempt.HandshakeError("10.1.2.3 answers 200"), 0, "the backend does not consent to being sent events"},
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

func TestCallersAreToldNoAddress(t *testing.T) {
	t.Run("where nobody listens", func(t *testing.T) {
		s := newServer(t)
		s.Close()
		f := newFixture(t, syncOptions(options{server: s}))
		err := f.Consume(t.Context(), records("a"))
		assertTold(t, err, codes.Unavailable, "the backend cannot be reached: connection refused")
		assert.NotContains(t, err.Error(), s.Listener.Addr().String())
		assert.Contains(t, fmt.Sprint(f.Statuses()), s.Listener.Addr().String(), "the operator is told where")
	})
	t.Run("which the backend repeats", func(t *testing.T) {
		f := newFixture(t, syncOptions(options{}))
		f.server.Config.Handler = echo(400, `bad, see http://%s/docs`, func(r *http.Request) string { return r.Host })
		err := f.Consume(t.Context(), records("a"))
		assertTold(t, err, codes.InvalidArgument, "1 of 1 events refused: the backend answered 400: bad, see http://[REDACTED]/docs")
		assert.NotContains(t, err.Error(), f.server.Listener.Addr().String())
		assert.True(t, consumererror.IsPermanent(err))
	})
	t.Run("that is not connected to", func(t *testing.T) {
		cause := attempt.Cause{Reason: deadletter.ReasonBlocked, Message: "the address 10.1.2.3 is not of the public internet"}
		assert.Equal(t, "the backend is at an address that is not connected to", publicMessage(&cause))
	})
	t.Run("where a request may have arrived", func(t *testing.T) {
		cause := attempt.Cause{Reason: deadletter.ReasonExhausted, Message: "read tcp 10.1.2.3:80: reset"}
		assert.NotContains(t, publicMessage(&cause), "10.1.2.3")
	})
}

// assertTold looks at what a receiver of OTLP makes of an error.
func assertTold(t *testing.T, err error, code codes.Code, message string) {
	t.Helper()
	require.Error(t, err)
	s, ok := status.FromError(err)
	assert.True(t, ok)
	assert.Equal(t, code, s.Code())
	assert.Equal(t, message, s.Message())
}

func TestACallerIsNotToldThatAllIsWellAfterTheEnd(t *testing.T) {
	f := newFixture(t, syncOptions(options{}))
	f.Stop()
	assertTold(t, f.Consume(t.Context(), records("a")), codes.Unavailable, "the collector stops")
	assert.Empty(t, f.Letters.All(), "the caller has it")
	assert.Equal(t, map[string]int64{"returned": 1}, f.Outcomes())
	assert.Zero(t, f.server.requestCount())
}

func TestACallerThatGoesIsNoFailureOfTheBackend(t *testing.T) {
	f := newFixture(t, syncOptions(options{}))
	f.server.always(0) // hangs
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- f.Consume(ctx, records("a")) }()
	f.WaitFor("the request", func() bool { return f.server.requestCount() == 1 })
	cancel()
	require.Error(t, <-ended)
	assert.Empty(t, f.Statuses())
}
