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

// clients tells what requests say of whoever sent them.
type clients struct {
	// described says that events get the address and the user agent of their client.
	described bool
	proxies   []netip.Prefix
}

// describe gives events what they do not say themselves and the request does. Their ids are made already: a request that is
// sent again comes with another span, and maybe from another address.
func (c *clients) describe(r *http.Request, accepted []eventjson.Accepted) {
	trace, traced := eventjson.ParseTraceparent(r.Header.Get("Traceparent"))
	address, userAgent := "", ""
	if c.described {
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

// address is the address of the client: that of the connection, or where that is a proxy's which is trusted, the last one in
// X-Forwarded-For that is not. What stands before it in there the client may have written itself.
func (c *clients) address(r *http.Request) string {
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

func (c *clients) trusts(address netip.Addr) bool {
	address = address.Unmap().WithZone("")
	return slices.ContainsFunc(c.proxies, func(p netip.Prefix) bool { return p.Contains(address) })
}

// parseHop reads an address, which some proxies write with a port.
func parseHop(text string) (netip.Addr, bool) {
	text = strings.TrimSpace(text)
	if withPort, err := netip.ParseAddrPort(text); err == nil {
		return withPort.Addr(), true
	}
	address, err := netip.ParseAddr(strings.Trim(text, "[]"))
	return address, err == nil
}
