// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventreceiver

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/internal/sdkhttp"
)

const (
	// maxBodyWithoutKey is the maximum size of a body that may contain its write key. The receiver
	// has to read such a body before it knows the client.
	maxBodyWithoutKey = 64 << 10
	// readTimeoutWithoutKey is how long a client that has shown neither key nor signature may take
	// to send its body.
	readTimeoutWithoutKey = 10 * time.Second
	// The bodies of such clients share this part of the budget, and unverified webhooks another one,
	// so that neither can keep out clients with a key.
	unknownClientsShare = 4
)

// encodingsWithoutKey are the content encodings of a body that may contain its write key. Decoders of
// the others allocate megabytes before their first byte.
func encodingsWithoutKey() []string { return []string{"", "gzip", "deflate", "zlib"} }

// bodyBudgets bound the memory for bodies.
type bodyBudgets struct {
	all *sdkhttp.Budget
	// withoutKey and webhooks are the shares of clients that have not shown who they are.
	withoutKey, webhooks *sdkhttp.Budget
	// timeout is how long such a client may take to send its body.
	timeout time.Duration
}

func newBodyBudgets(cfg *Config) bodyBudgets {
	all := sdkhttp.NewBudget(int64(cfg.MaxInflightBytes))
	share := max(all.Limit()/unknownClientsShare, maxBodyWithoutKey)
	timeout := readTimeoutWithoutKey
	if cfg.ServerConfig.ReadTimeout > 0 {
		timeout = min(timeout, cfg.ServerConfig.ReadTimeout)
	}
	return bodyBudgets{all: all, withoutKey: all.Share(share), webhooks: all.Share(share), timeout: timeout}
}

// admission says how much memory a request may hold.
type admission struct {
	*sdkhttp.Hold
	kind admissionKind
	// compressed is true if the handler reads other bytes than the client sent.
	compressed bool
}

type admissionKind uint8

const (
	admitClient  admissionKind = iota // has a key or credentials, or needs none
	admitUnknown                      // may have its key in the body
	admitWebhook                      // is verified when the whole body is there
)

// admitEvents decides what a request with events may hold. An auth extension has checked its
// credentials before the first byte is read.
func (in *intake) admitEvents(r *http.Request) *admission {
	if in.keys.knows(r) {
		return &admission{Hold: in.bodies.all.Hold(in.bodies.all.Limit())}
	}
	a := &admission{Hold: in.bodies.withoutKey.Hold(maxBodyWithoutKey), kind: admitUnknown}
	if !slices.Contains(encodingsWithoutKey(), r.Header.Get("Content-Encoding")) {
		a.Refuse()
	}
	return a
}

func (in *intake) admitWebhook(*http.Request) *admission {
	return &admission{Hold: in.bodies.webhooks.Hold(in.bodies.webhooks.Limit()), kind: admitWebhook}
}

// admitter counts the bytes of bodies as they arrive. Requests hold them until their response.
type admitter struct {
	next    http.Handler
	admit   func(*http.Request) *admission
	timeout time.Duration // for clients that have not shown who they are
}

// ServeHTTP implements http.Handler. It refuses nothing itself: reading the body fails, so that the
// error passes through the handlers that add headers to responses.
func (a *admitter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	admitted := a.admit(r)
	defer admitted.Release()
	admitted.compressed = r.Header.Get("Content-Encoding") != ""
	r = r.WithContext(context.WithValue(r.Context(), admissionKey{}, admitted))
	if r.Body != nil && r.Body != http.NoBody {
		if r.ContentLength > admitted.Limit() {
			admitted.Refuse()
		}
		if admitted.kind != admitClient {
			// net/http removes the deadline at the end of the body.
			_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(a.timeout))
		}
		r.Body = admitted.Count(r.Body)
	}
	a.next.ServeHTTP(w, r)
}

type admissionKey struct{}

func admissionOf(r *http.Request) *admission {
	a, _ := r.Context().Value(admissionKey{}).(*admission)
	return a
}

// admissionProblem returns the problem of a request that may not hold its body.
func (in *intake) admissionProblem(r *http.Request, a *admission) *problem {
	switch {
	case errors.Is(a.Err(), sdkhttp.ErrFull):
		in.countRefused(r, "inflight_bytes")
		return &problem{status: http.StatusServiceUnavailable, text: "too many requests at once: their bodies fill max_inflight_bytes; send the request again later", retryable: true, closes: true}
	case a.kind == admitUnknown:
		in.countUnauthorized(r)
		return &problem{status: http.StatusUnauthorized, text: keyNeededBeforeBody, closes: true}
	case a.kind == admitWebhook:
		return &problem{status: http.StatusRequestEntityTooLarge, text: fmt.Sprintf("the body is too large: webhooks may have %d bytes, a quarter of max_inflight_bytes", a.Limit()), closes: true}
	default:
		return &problem{status: http.StatusRequestEntityTooLarge, text: fmt.Sprintf("the body is too large: max_inflight_bytes allows %d bytes, as sent and decompressed together", a.Limit()), closes: true}
	}
}
