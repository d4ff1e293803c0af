// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"net"
	"net/http"

	"github.com/otelcol-fanout/otelcol-fanout/internal/sdkhttp"
)

// changeHeader must be 1 in requests that change something. A web page can send it to another origin
// only with that origin's consent, which this API never gives.
const changeHeader = "X-Fanout-Request"

// guard protects the API from web pages of other origins: they may not change anything, load anything
// as a part of themselves, or reach the API through a host name of their own (DNS rebinding). In
// read-only mode nobody may change anything.
func guard(next http.Handler, cfg *Config, listening net.Addr) http.Handler {
	hosts := &sdkhttp.HostCheck{
		Endpoint: cfg.ServerConfig.NetAddr.Endpoint, Allowed: cfg.AllowedHosts, AnyAddress: !sdkhttp.IsLoopback(listening),
	}
	origins := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		setSecurityHeaders(w.Header())
		switch {
		case !hosts.Accepts(r):
			writeError(w, http.StatusForbidden, "the Host header does not name this server; use localhost or an address, or add the name to allowed_hosts")
		case isEmbedding(r):
			writeError(w, http.StatusForbidden, "pages of other origins may not load this; open it in a tab of its own, or use a program such as curl")
		case !isChange(r):
			next.ServeHTTP(w, r)
		case cfg.ReadOnly && r.URL.EscapedPath() != explainPath: // explaining an event changes nothing
			writeError(w, http.StatusForbidden, "read_only: true refuses every change; remove it from the configuration of the status extension to allow them")
		case origins.Check(r) != nil:
			writeError(w, http.StatusForbidden, "cross-origin request refused; use a program such as curl instead of a web page")
		case r.Header.Get(changeHeader) != "1":
			writeError(w, http.StatusForbidden, "a change needs the header "+changeHeader+": 1, which shows that no web page of another origin sends it")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

func setSecurityHeaders(header http.Header) {
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Cross-Origin-Resource-Policy", "same-origin")
	header.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
}

// isEmbedding reports whether a browser loads the response as a part of a page of another origin, such
// as a frame. Following a link is allowed.
func isEmbedding(r *http.Request) bool {
	site := r.Header.Get("Sec-Fetch-Site")
	follows := r.Header.Get("Sec-Fetch-Mode") == "navigate" && r.Header.Get("Sec-Fetch-Dest") == "document"
	return (site == "cross-site" || site == "same-site") && !follows
}

// isChange reports whether a request may change something.
func isChange(r *http.Request) bool {
	return r.Method != http.MethodGet && r.Method != http.MethodHead
}
