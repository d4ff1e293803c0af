// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// guard protects the API from web pages of other origins. They may not change anything, and on a
// loopback address they may not read anything through a host name of their own (DNS rebinding).
func guard(next http.Handler, endpoint string, listening net.Addr) http.Handler {
	origins := http.NewCrossOriginProtection()
	origins.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		writeError(w, http.StatusForbidden, "cross-origin request refused; use a program such as curl instead of a web page")
	}))
	next = origins.Handler(next)
	if tcp, ok := listening.(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
		return next
	}
	ours, _, _ := net.SplitHostPort(endpoint)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isLocal(hostOf(r), ours) {
			writeError(w, http.StatusForbidden, "the Host header does not name this machine; use localhost")
			return
		}
		next.ServeHTTP(w, r)
	})
}

func hostOf(r *http.Request) string {
	if host, _, err := net.SplitHostPort(r.Host); err == nil {
		return host
	}
	return strings.TrimSuffix(strings.TrimPrefix(r.Host, "["), "]")
}

func isLocal(host, ours string) bool {
	if strings.EqualFold(host, "localhost") || host != "" && strings.EqualFold(host, ours) {
		return true
	}
	// An address literal cannot be a rebound DNS name.
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}
