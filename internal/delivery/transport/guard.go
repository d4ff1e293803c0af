// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Guard keeps an exporter from connecting to addresses that a URL should never lead to. It checks the
// address that is dialed, after DNS resolution, so a name whose address changes cannot bypass it. A
// proxy resolves names and dials by itself; the operator chose its address, which is not checked.
type Guard struct {
	// BlockPrivateNetworks refuses all addresses outside the public internet, including loopback.
	BlockPrivateNetworks bool
}

// CheckHost returns an error if the host is an address that is refused, in any form that a resolver
// takes for one. Names are checked when they are dialed.
func (g *Guard) CheckHost(host string) error {
	if address, err := netip.ParseAddr(host); err == nil {
		return g.check(address)
	}
	if address, ok := parseLegacyIPv4(host); ok {
		return g.check(address)
	}
	return nil
}

// parseLegacyIPv4 parses an IPv4 address as inet_aton does: one to four numbers, each in decimal,
// octal or hexadecimal, of which the last fills the remaining bytes, such as 0xa9fea9fe.
func parseLegacyIPv4(host string) (netip.Addr, bool) {
	parts := strings.Split(host, ".")
	if len(parts) > 4 {
		return netip.Addr{}, false
	}
	var value uint64
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 0, 32)
		bits := 8
		if i == len(parts)-1 {
			bits = 8 * (5 - len(parts))
		}
		if err != nil || strings.Contains(part, "_") || n>>bits != 0 {
			return netip.Addr{}, false
		}
		value = value<<bits | n
	}
	return netip.AddrFrom4([4]byte{byte(value >> 24), byte(value >> 16), byte(value >> 8), byte(value)}), true
}

// check returns an error if the address, or an IPv4 address embedded in it, is refused.
func (g *Guard) check(address netip.Addr) error {
	address = address.WithZone("").Unmap()
	for _, candidate := range append(embedded(address), address) {
		if err := g.checkOne(candidate); err != nil {
			return err
		}
	}
	return nil
}

func (g *Guard) checkOne(address netip.Addr) error {
	if address.IsLinkLocalUnicast() || address.IsLinkLocalMulticast() || isAmong(address, metadataNetworks) {
		return &BlockedError{fmt.Sprintf("%s is a link-local or cloud-metadata address; refused", address)}
	}
	if !g.BlockPrivateNetworks {
		return nil
	}
	if address.IsPrivate() || address.IsLoopback() || address.IsUnspecified() || address.IsMulticast() || isAmong(address, specialNetworks) {
		return &BlockedError{fmt.Sprintf("%s is not a public address; block_private_networks refuses it", address)}
	}
	return nil
}

func isAmong(address netip.Addr, networks []netip.Prefix) bool {
	return slices.ContainsFunc(networks, func(network netip.Prefix) bool { return network.Contains(address) })
}

// metadataNetworks are the addresses where clouds serve a machine's credentials, besides
// 169.254.169.254 and other link-local ones: AWS and Google (IPv6), Alibaba, Oracle, Azure's wire
// server.
var metadataNetworks = prefixes("fd00:ec2::254/128", "fd20:ce::254/128", "100.100.100.200/32", "192.0.0.192/32", "168.63.129.16/32") //nolint:gochecknoglobals // a constant

// specialNetworks are the networks of the IANA special-purpose registries for which netip.Addr has no
// method.
var specialNetworks = prefixes( //nolint:gochecknoglobals // a constant
	"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
	"64:ff9b:1::/48", "100::/64", "2001:2::/48", "2001:10::/28", "2001:db8::/32", "3fff::/20", "5f00::/16", "fec0::/10",
)

func prefixes(texts ...string) []netip.Prefix {
	all := make([]netip.Prefix, 0, len(texts))
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

// embeddings are the networks of IPv6 whose addresses embed an IPv4 address, and where: the positions
// of its four bytes.
var embeddings = []struct {
	network netip.Prefix
	at      [4]int
}{
	{netip.MustParsePrefix("::/96"), [4]int{12, 13, 14, 15}},           // IPv4-compatible (RFC 4291, section 2.5.5.1)
	{netip.MustParsePrefix("::ffff:0:0:0/96"), [4]int{12, 13, 14, 15}}, // IPv4-translated (RFC 2765)
	{netip.MustParsePrefix("64:ff9b::/96"), [4]int{12, 13, 14, 15}},    // NAT64 (RFC 6052)
	{netip.MustParsePrefix("64:ff9b:1::/48"), [4]int{6, 7, 9, 10}},     // local NAT64 (RFC 8215), with a prefix of 48 bits,
	{netip.MustParsePrefix("64:ff9b:1::/48"), [4]int{7, 9, 10, 11}},    // 56 bits,
	{netip.MustParsePrefix("64:ff9b:1::/48"), [4]int{9, 10, 11, 12}},   // 64 bits,
	{netip.MustParsePrefix("64:ff9b:1::/48"), [4]int{12, 13, 14, 15}},  // or 96 bits
	{netip.MustParsePrefix("2002::/16"), [4]int{2, 3, 4, 5}},           // 6to4 (RFC 3056)
	{netip.MustParsePrefix("2001::/32"), [4]int{4, 5, 6, 7}},           // the server of Teredo (RFC 4380)
}

// embedded returns the IPv4 addresses that an IPv6 address may embed.
func embedded(address netip.Addr) (all []netip.Addr) {
	if !address.Is6() || address.IsUnspecified() || address.IsLoopback() {
		return nil
	}
	bytes := address.As16()
	for _, e := range embeddings {
		if e.network.Contains(address) {
			all = append(all, netip.AddrFrom4([4]byte{bytes[e.at[0]], bytes[e.at[1]], bytes[e.at[2]], bytes[e.at[3]]}))
		}
	}
	last := [4]byte(bytes[12:])
	switch {
	case bytes[0] == 0x20 && bytes[1] == 0x01 && bytes[2] == 0 && bytes[3] == 0: // the client of Teredo, inverted
		all = append(all, netip.AddrFrom4([4]byte{^last[0], ^last[1], ^last[2], ^last[3]}))
	case bytes[8]&^2 == 0 && bytes[9] == 0 && bytes[10] == 0x5e && bytes[11] == 0xfe: // ISATAP (RFC 5214)
		all = append(all, netip.AddrFrom4(last))
	}
	return all
}

// control checks a connection just before it is made.
func (g *Guard) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	found, err := netip.ParseAddrPort(address)
	if err != nil {
		return &BlockedError{"the dialed address cannot be parsed; refused"}
	}
	return g.check(found.Addr())
}

// The timeouts of http.DefaultTransport.
const (
	dialTimeout   = 30 * time.Second
	dialKeepAlive = 30 * time.Second
)

// guardedDialer dials for a transport. Only connections to a proxy bypass the guard.
type guardedDialer struct {
	direct, guarded net.Dialer

	mu      sync.Mutex
	proxies map[string]bool // host:port
}

// protect makes a transport dial through the guard.
func (g *Guard) protect(transport *http.Transport) {
	d := &guardedDialer{
		direct:  net.Dialer{Timeout: dialTimeout, KeepAlive: dialKeepAlive},
		guarded: net.Dialer{Timeout: dialTimeout, KeepAlive: dialKeepAlive, ControlContext: g.control},
		proxies: map[string]bool{},
	}
	if proxy := transport.Proxy; proxy != nil {
		transport.Proxy = func(req *http.Request) (*url.URL, error) {
			found, err := proxy(req)
			if err == nil && found != nil {
				d.remember(found)
			}
			return found, err
		}
	}
	transport.DialContext = d.dial
}

func (d *guardedDialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	d.mu.Lock()
	isProxy := d.proxies[address]
	d.mu.Unlock()
	if isProxy {
		return d.direct.DialContext(ctx, network, address)
	}
	return d.guarded.DialContext(ctx, network, address)
}

// remember notes a proxy's address in the form that net/http dials.
func (d *guardedDialer) remember(proxy *url.URL) {
	port := proxy.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}[proxy.Scheme]
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.proxies[net.JoinHostPort(proxy.Hostname(), port)] = true
}
