// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

func TestCallersSeeNoBackendAddress(t *testing.T) {
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

func TestCallAfterShutdownFails(t *testing.T) {
	f := newFixture(t, syncOptions(options{}))
	f.Stop()
	assertTold(t, f.Consume(t.Context(), records("a")), codes.Unavailable, "the collector is stopping")
	assert.Empty(t, f.Letters.All(), "the caller has it")
	assert.Equal(t, map[string]int64{"returned": 1}, f.Outcomes())
	assert.Zero(t, f.server.requestCount())
}

func TestCanceledCallIsNotABackendFailure(t *testing.T) {
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
