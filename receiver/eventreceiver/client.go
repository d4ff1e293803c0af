// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventreceiver

import (
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/eventjson"
)

// clientInfo adds to events what requests reveal about the client.
type clientInfo struct {
	// enabled is true if events get the client's address and user agent.
	enabled bool
	proxies []netip.Prefix
}

// addTo adds the trace context, client address and user agent of the request to events that lack
// them. Call it after the ids are set: ids are derived from the record, and a retry may have a
// different span or address.
func (c *clientInfo) addTo(r *http.Request, accepted []eventjson.Record) {
	trace, traced := eventjson.ParseTraceparent(r.Header.Get("Traceparent"))
	address, userAgent := "", ""
	if c.enabled {
		address, userAgent = c.address(r), strings.ToValidUTF8(r.UserAgent(), "\ufffd")
	}
	if !traced && address == "" && userAgent == "" {
		return
	}
	for i := range accepted {
		record := accepted[i].Record
		if traced && record.TraceID().IsEmpty() && record.SpanID().IsEmpty() {
			trace.Put(record)
		}
		putMissing(record, appevent.AttrClientAddress, address)
		putMissing(record, appevent.AttrUserAgent, userAgent)
	}
}

func putMissing(record plog.LogRecord, attribute, value string) {
	if value == "" {
		return
	}
	if v, taken := record.Attributes().GetOrPutEmpty(attribute); !taken {
		v.SetStr(value)
	}
}

// address returns the client's address: the connection's or, if that is a trusted proxy, the last
// address in X-Forwarded-For that is not. Earlier entries may be forged by the client.
func (c *clientInfo) address(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return ""
	}
	address, err := netip.ParseAddr(host)
	if err != nil {
		return ""
	}
	forwarded := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for _, hop := range slices.Backward(forwarded) {
		if !c.trusts(address) {
			break
		}
		before, ok := parseHop(hop)
		if !ok {
			break
		}
		address = before
	}
	return address.Unmap().WithZone("").String()
}

func (c *clientInfo) trusts(address netip.Addr) bool {
	address = address.Unmap().WithZone("")
	return slices.ContainsFunc(c.proxies, func(p netip.Prefix) bool { return p.Contains(address) })
}

// parseHop parses an address in X-Forwarded-For. Some proxies add a port.
func parseHop(text string) (netip.Addr, bool) {
	text = strings.TrimSpace(text)
	if withPort, err := netip.ParseAddrPort(text); err == nil {
		return withPort.Addr(), true
	}
	address, err := netip.ParseAddr(strings.Trim(text, "[]"))
	return address, err == nil
}
