// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// guard keeps web pages of others out: they may not change anything, and where we listen on the loopback they may not
// read anything either by giving it a name of their own (DNS rebinding).
func guard(next http.Handler, endpoint string, listening net.Addr) http.Handler {
	origins := http.NewCrossOriginProtection()
	origins.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusForbidden, "a web page of another origin may not do that; use a program such as curl")
	}))
	next = origins.Handler(next)
	if tcp, ok := listening.(*net.TCPAddr); !ok || !tcp.IP.IsLoopback() {
		return next
	}
	ours, _, _ := net.SplitHostPort(endpoint)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !isLocal(hostOf(r), ours) {
			refuse(w, http.StatusForbidden, "this listens on the loopback only, and the Host of the request is another; ask for localhost")
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
	// A number cannot be a name of somebody else's.
	address, err := netip.ParseAddr(host)
	return err == nil && address.IsLoopback()
}
