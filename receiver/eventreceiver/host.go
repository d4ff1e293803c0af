// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventreceiver

import (
	"net"
	"net/http"

	"go.uber.org/zap"

	"github.com/otelcol-fanout/otelcol-fanout/internal/sdkhttp"
	"github.com/otelcol-fanout/otelcol-fanout/internal/throttle"
)

// checkHost refuses requests whose Host header does not name this receiver. Webhooks need no such
// check: a web page cannot sign them.
func (r *eventReceiver) checkHost(next http.Handler, listening net.Addr) http.Handler {
	// Other machines know a receiver by names that it cannot guess, so an endpoint that they reach
	// needs the list.
	if len(r.cfg.AllowedHosts) == 0 && !sdkhttp.IsLoopback(listening) {
		return next
	}
	check := &sdkhttp.HostCheck{Endpoint: r.cfg.ServerConfig.NetAddr.Endpoint, Allowed: r.cfg.AllowedHosts, AnyAddress: true}
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if check.Accepts(req) {
			next.ServeHTTP(w, req)
			return
		}
		r.intake.countRefused(req, "host")
		r.hosts.Add(1, func(latest *string) { *latest = req.Host })
		writeProblem(w, &problem{status: http.StatusForbidden, text: "the Host header does not name this receiver; use localhost, or add the name to allowed_hosts", closes: true})
	})
}

// newHostLog returns a log of requests refused for their Host header. A line names the latest one.
func newHostLog(logger *zap.Logger) *throttle.Log[string] {
	return throttle.NewLog(func(refused throttle.Summary, latest string) {
		logger.Warn("Refused requests whose Host header does not name this receiver; if clients use this name, add it to allowed_hosts",
			append([]zap.Field{zap.String("host", latest[:min(len(latest), maxHeaderLength)])}, refused.Fields("requests")...)...)
	})
}
