// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package memoryguardextension

import (
	"context"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/tap"
)

// GetGRPCServerOptions implements extensionmiddleware.GRPCServer. A server can have one tap only,
// so it can have one memory_guard only.
func (g *guard) GetGRPCServerOptions(context.Context) ([]grpc.ServerOption, error) {
	s := &grpcServer{guard: g, CodecV2: encoding.GetCodecV2(proto.Name)}
	return []grpc.ServerOption{
		grpc.InTapHandle(s.tap),
		grpc.ForceServerCodecV2(s),
		grpc.StatsHandler(s),
		grpc.ChainUnaryInterceptor(s.interceptUnary),
		grpc.ChainStreamInterceptor(s.interceptStream),
	}, nil
}

// grpcServer follows the calls of one server: tap (before a message is read), Unmarshal (before it
// is decoded), InPayload (which call it belongs to), the interceptor (which can refuse it), End.
type grpcServer struct {
	encoding.CodecV2
	guard *guard
	// refused holds the reason for each message that was not decoded, until InPayload.
	refused sync.Map
}

// call is one call: the bytes it holds, and why it is refused. A call is used by one goroutine.
type call struct {
	held int64
	why  reason
}

type callKey struct{}

// tap refuses a call when its headers have arrived. It runs on the connection's only reader.
func (s *grpcServer) tap(ctx context.Context, _ *tap.Info) (context.Context, error) {
	if why := s.guard.shortage(); why != "" {
		return ctx, s.refuse(ctx, why)
	}
	return ctx, nil
}

// Unmarshal implements encoding.CodecV2. It leaves a message empty for which there is no room; an
// error would reach the client as INTERNAL, which is not retried.
func (s *grpcServer) Unmarshal(data mem.BufferSlice, message any) error {
	size := int64(data.Len())
	if why := s.guard.admit(0, size); why != "" {
		s.refused.Store(message, why)
		return nil
	}
	err := s.CodecV2.Unmarshal(data, message)
	if err != nil {
		s.guard.inflight.release(size)
	}
	return err
}

// TagRPC implements stats.Handler.
func (s *grpcServer) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context {
	return context.WithValue(ctx, callKey{}, &call{})
}

// HandleRPC implements stats.Handler. It assigns a decoded message to its call, and releases the
// messages of a call that has ended.
func (s *grpcServer) HandleRPC(ctx context.Context, event stats.RPCStats) {
	c, ok := ctx.Value(callKey{}).(*call)
	if !ok {
		return
	}
	switch event := event.(type) {
	case *stats.InPayload:
		if why, refused := s.refused.LoadAndDelete(event.Payload); refused {
			c.why = why.(reason)
			return
		}
		c.held += int64(event.Length)
	case *stats.End:
		s.guard.inflight.release(c.held)
		c.held = 0
	}
}

// TagConn implements stats.Handler.
func (*grpcServer) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

// HandleConn implements stats.Handler.
func (*grpcServer) HandleConn(context.Context, stats.ConnStats) {}

func (s *grpcServer) interceptUnary(ctx context.Context, req any, _ *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
	if err := s.refusal(ctx); err != nil {
		return nil, err
	}
	return next(ctx, req)
}

func (s *grpcServer) interceptStream(server any, stream grpc.ServerStream, _ *grpc.StreamServerInfo, next grpc.StreamHandler) error {
	return next(server, &guardedStream{ServerStream: stream, server: s})
}

// guardedStream fails to receive a message that is refused.
type guardedStream struct {
	grpc.ServerStream
	server *grpcServer
}

// RecvMsg implements grpc.ServerStream.
func (s *guardedStream) RecvMsg(message any) error {
	if err := s.ServerStream.RecvMsg(message); err != nil {
		return err
	}
	return s.server.refusal(s.Context())
}

// refusal returns the error of a call that is refused.
func (s *grpcServer) refusal(ctx context.Context) error {
	if c, ok := ctx.Value(callKey{}).(*call); ok && c.why != "" {
		return s.refuse(ctx, c.why)
	}
	return nil
}

func (s *grpcServer) refuse(ctx context.Context, why reason) error {
	s.guard.count(ctx, why, "grpc")
	return why.status(retryAfter()).Err()
}
