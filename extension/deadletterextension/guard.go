// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"net"
	"net/http"

	"github.com/otelcol-fanout/otelcol-fanout/internal/sdkhttp"
)

// guard protects the API from web pages of other origins. They may not change anything, and on a
// loopback address they may not read anything through a host name of their own (DNS rebinding).
func guard(next http.Handler, endpoint string, listening net.Addr) http.Handler {
	origins := http.NewCrossOriginProtection()
	origins.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeError(w, http.StatusForbidden, "cross-origin request refused; use a program such as curl instead of a web page")
	}))
	next = origins.Handler(next)
	if !sdkhttp.IsLoopback(listening) {
		return next
	}
	check := &sdkhttp.HostCheck{Endpoint: endpoint}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !check.Accepts(r) {
			writeError(w, http.StatusForbidden, "the Host header does not name this machine; use localhost")
			return
		}
		next.ServeHTTP(w, r)
	})
}
