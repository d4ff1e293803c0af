// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package memoryguardextension

import (
	"context"
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/encoding/gzip"
	"google.golang.org/grpc/status"
)

// logsServer is an OTLP server whose behavior a test sets.
type logsServer struct {
	plogotlp.UnimplementedGRPCServer
	export func(plog.Logs) error
}

// Export implements plogotlp.GRPCServer.
func (s *logsServer) Export(_ context.Context, request plogotlp.ExportRequest) (plogotlp.ExportResponse, error) {
	return plogotlp.NewExportResponse(), s.export(request.Logs())
}

// serveGRPC serves OTLP behind the guard, with options before the guard's, and returns a client.
func serveGRPC(t *testing.T, g *guard, export func(plog.Logs) error, before ...grpc.ServerOption) plogotlp.GRPCClient {
	t.Helper()
	options, err := g.GetGRPCServerOptions(t.Context())
	require.NoError(t, err)
	server := grpc.NewServer(append(before, options...)...)
	plogotlp.RegisterGRPCServer(server, &logsServer{export: export})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan error)
	go func() { served <- server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		require.NoError(t, <-served)
	})
	connection, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { _ = connection.Close() })
	return plogotlp.NewGRPCClient(connection)
}

// request returns a request with a body of the given length.
func request(length int) plogotlp.ExportRequest {
	logs := plog.NewLogs()
	logs.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty().Body().SetStr(strings.Repeat("x", length))
	return plogotlp.NewExportRequestFromLogs(logs)
}

func assertUnavailable(t *testing.T, err error) {
	t.Helper()
	refusal, ok := status.FromError(err)
	require.True(t, ok)
	assert.Equal(t, codes.Unavailable, refusal.Code(), "%v", err)
	require.Len(t, refusal.Details(), 1)
	retry, ok := refusal.Details()[0].(*errdetails.RetryInfo)
	require.True(t, ok)
	assert.GreaterOrEqual(t, retry.GetRetryDelay().AsDuration(), minRetryAfter)
	assert.LessOrEqual(t, retry.GetRetryDelay().AsDuration(), maxRetryAfter)
}

func assertNothingInFlight(t *testing.T, g *guard) {
	t.Helper()
	assert.Eventually(t, func() bool { return g.inflight.used.Load() == 0 }, time.Minute, time.Millisecond)
}

func TestGRPCCallsWithinBudgetPass(t *testing.T) {
	g, _ := startGuard(t, func(cfg *Config) { cfg.MaxInflightBytes = 100_000 })
	var held atomic.Int64
	client := serveGRPC(t, g, func(logs plog.Logs) error {
		held.Store(g.inflight.used.Load())
		assert.Len(t, logs.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().At(0).Body().Str(), 50_000)
		return nil
	})
	for name, options := range map[string][]grpc.CallOption{"uncompressed": nil, "gzip": {grpc.UseCompressor("gzip")}} {
		_, err := client.Export(t.Context(), request(50_000), options...)
		require.NoError(t, err, name)
		assert.InDelta(t, 50_000, held.Load(), 100, name)
		assertNothingInFlight(t, g)
	}
}

func TestShortHeapRefusesGRPC(t *testing.T) {
	g, telemetry := startGuard(t, func(*Config) {})
	g.heap.short.Store(true)
	client := serveGRPC(t, g, func(plog.Logs) error {
		t.Error("the call reached the receiver")
		return nil
	})
	for range 3 {
		_, err := client.Export(t.Context(), request(1_000_000))
		assertUnavailable(t, err)
	}
	assertRefused(t, telemetry, reasonHeap, "grpc", 3)
}

func TestFullBudgetRefusesGRPCWhileItLasts(t *testing.T) {
	g, telemetry := startGuard(t, func(cfg *Config) { cfg.MaxInflightBytes = 100_000 })
	var exported atomic.Int64
	client := serveGRPC(t, g, func(plog.Logs) error {
		exported.Add(1)
		return nil
	})
	require.Empty(t, g.admit(0, 60_000))
	_, err := client.Export(t.Context(), request(50_000))
	assertUnavailable(t, err)
	assert.Zero(t, exported.Load())
	assertRefused(t, telemetry, reasonInflight, "grpc", 1)

	g.inflight.release(60_000)
	assertNothingInFlight(t, g)
	_, err = client.Export(t.Context(), request(50_000))
	require.NoError(t, err)
	assertNothingInFlight(t, g)
}

func TestCallLargerThanBudgetIsNotRetried(t *testing.T) {
	g, telemetry := startGuard(t, func(cfg *Config) { cfg.MaxInflightBytes = 1000 })
	client := serveGRPC(t, g, func(plog.Logs) error {
		t.Error("the call reached the receiver")
		return nil
	})
	_, err := client.Export(t.Context(), request(2000))
	assert.Equal(t, codes.ResourceExhausted, status.Code(err))
	assert.Empty(t, status.Convert(err).Details(), "without RetryInfo, OTLP clients do not send it again")
	assertRefused(t, telemetry, reasonTooLarge, "grpc", 1)
	assertNothingInFlight(t, g)
}

func TestFailedGRPCCallsReleaseTheirBytes(t *testing.T) {
	for name, tt := range map[string]struct {
		before []grpc.ServerOption
		export func(plog.Logs) error
		code   codes.Code
	}{
		"the receiver fails": {nil, func(plog.Logs) error { return status.Error(codes.DataLoss, "no") }, codes.DataLoss},
		"an interceptor before the guard refuses it": {
			[]grpc.ServerOption{grpc.ChainUnaryInterceptor(func(context.Context, any, *grpc.UnaryServerInfo, grpc.UnaryHandler) (any, error) {
				return nil, status.Error(codes.Unauthenticated, "who are you?")
			})}, func(plog.Logs) error { return errors.New("it reached the receiver") }, codes.Unauthenticated,
		},
	} {
		t.Run(name, func(t *testing.T) {
			g, _ := startGuard(t, func(cfg *Config) { cfg.MaxInflightBytes = 10_000 })
			client := serveGRPC(t, g, tt.export, tt.before...)
			for range 5 {
				_, err := client.Export(t.Context(), request(5000))
				assert.Equal(t, tt.code, status.Code(err))
				assertNothingInFlight(t, g)
			}
		})
	}
}

// garbageCodec sends bytes that are not a message.
type garbageCodec struct{}

func (garbageCodec) Marshal(any) ([]byte, error) { return []byte{0xff, 0xff, 0xff}, nil }
func (garbageCodec) Unmarshal([]byte, any) error { return nil }
func (garbageCodec) Name() string                { return "proto" }

func TestUndecodableGRPCMessageReleasesItsBytes(t *testing.T) {
	g, _ := startGuard(t, func(*Config) {})
	client := serveGRPC(t, g, func(plog.Logs) error { return nil })
	_, err := client.Export(t.Context(), request(1), grpc.ForceCodec(garbageCodec{}))
	assert.Equal(t, codes.Internal, status.Code(err))
	assertNothingInFlight(t, g)
}

// TestStreamsAreRefusedToo sends a message that does not fit to a stream.
func TestStreamsAreRefusedToo(t *testing.T) {
	g, _ := startGuard(t, func(cfg *Config) { cfg.MaxInflightBytes = 1000 })
	options, err := g.GetGRPCServerOptions(t.Context())
	require.NoError(t, err)
	received := make(chan error, 2)
	server := grpc.NewServer(append(options, grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		var message errdetails.ErrorInfo
		for range 2 {
			if err := stream.RecvMsg(&message); err != nil {
				received <- err
				return err
			}
			received <- nil
		}
		return nil
	}))...)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	served := make(chan error)
	go func() { served <- server.Serve(listener) }()
	connection, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	stream, err := connection.NewStream(t.Context(), &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, "/some.Service/Method")
	require.NoError(t, err)
	for range 2 {
		require.NoError(t, stream.SendMsg(&errdetails.ErrorInfo{Reason: strings.Repeat("x", 600)}))
	}
	require.NoError(t, <-received)
	assertUnavailable(t, <-received)
	assertNothingInFlight(t, g)
	require.NoError(t, connection.Close())
	server.Stop()
	require.NoError(t, <-served)
}
