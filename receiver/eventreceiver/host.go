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
		r.hosts.Add(func(pending *refusedHosts) {
			pending.count++
			pending.host = req.Host
		})
		writeProblem(w, &problem{status: http.StatusForbidden, text: "the Host header does not name this receiver; use localhost, or add the name to allowed_hosts", closes: true})
	})
}

// refusedHosts counts the requests refused for their Host header since the last log line.
type refusedHosts struct {
	count int
	host  string // the last one's
}

func newHostLog(logger *zap.Logger) *throttle.Log[refusedHosts] {
	return throttle.NewLog(func(refused refusedHosts) {
		logger.Warn("Refused requests whose Host header does not name this receiver; if clients use this name, add it to allowed_hosts",
			zap.Int("requests", refused.count), zap.String("host", refused.host[:min(len(refused.host), maxHeaderLength)]))
	})
}
