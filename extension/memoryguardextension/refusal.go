// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package memoryguardextension

import (
	"math/rand/v2"
	"net/http"
	"time"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/durationpb"
)

// reason is why a request is refused, as the metric says it.
type reason string

const (
	// reasonHeap means that the heap is above its soft limit.
	reasonHeap reason = "heap"
	// reasonInflight means that the requests in flight leave no room for this one.
	reasonInflight reason = "inflight"
	// reasonTooLarge means that the request alone exceeds max_inflight_bytes. It is not sent again.
	reasonTooLarge reason = "too_large"
)

func (r reason) message() string {
	switch r {
	case reasonHeap:
		return "the collector is short of memory; send again later"
	case reasonTooLarge:
		return "the request is larger than max_inflight_bytes of the memory_guard extension"
	default:
		return "too many requests in flight; send again later"
	}
}

func (r reason) httpStatus() int {
	if r == reasonTooLarge {
		return http.StatusRequestEntityTooLarge
	}
	return http.StatusServiceUnavailable
}

// The wait asked for is random, so that clients do not return all at once.
const (
	minRetryAfter = time.Second
	maxRetryAfter = 5 * time.Second
)

// retryAfter returns how many seconds a client is asked to wait.
func retryAfter() int {
	return int(minRetryAfter/time.Second) + rand.IntN(int((maxRetryAfter-minRetryAfter)/time.Second)+1)
}

// status returns the gRPC status of a refusal. It has RetryInfo, without which OTLP clients give up
// on RESOURCE_EXHAUSTED and choose their own wait on UNAVAILABLE.
func (r reason) status(retryAfterSeconds int) *status.Status {
	if r == reasonTooLarge {
		return status.New(codes.ResourceExhausted, r.message())
	}
	refusal := status.New(codes.Unavailable, r.message())
	withWait, err := refusal.WithDetails(&errdetails.RetryInfo{RetryDelay: durationpb.New(time.Duration(retryAfterSeconds) * time.Second)})
	if err != nil {
		return refusal
	}
	return withWait
}
