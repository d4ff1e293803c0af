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

// CheckHost returns an error if the host is an address that is refused. Names are checked when they
// are dialed.
func (g *Guard) CheckHost(host string) error {
	address, err := netip.ParseAddr(host)
	if err != nil {
		return nil //nolint:nilerr // a name
	}
	return g.check(address)
}

// check returns an error if the address is refused. An IPv4 address embedded in an IPv6 address is
// checked as the IPv4 address.
func (g *Guard) check(address netip.Addr) error {
	address = embedded(address.WithZone("").Unmap())
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
	"64:ff9b:1::/48", "100::/64", "2001:db8::/32", "3fff::/20", "5f00::/16", "fec0::/10",
)

func prefixes(texts ...string) []netip.Prefix {
	all := make([]netip.Prefix, 0, len(texts))
	for _, text := range texts {
		all = append(all, netip.MustParsePrefix(text))
	}
	return all
}

// embedded returns the IPv4 address within a NAT64 (RFC 6052) or 6to4 (RFC 3056) address, otherwise
// the address itself.
func embedded(address netip.Addr) netip.Addr {
	bytes := address.As16()
	switch {
	case !address.Is6():
		return address
	case netip.MustParsePrefix("64:ff9b::/96").Contains(address):
		return netip.AddrFrom4([4]byte(bytes[12:]))
	case netip.MustParsePrefix("2002::/16").Contains(address):
		return netip.AddrFrom4([4]byte(bytes[2:6]))
	default:
		return address
	}
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
