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

// Guard keeps an exporter from connecting to addresses that a URL should never lead to. It looks at
// the address that is dialed, after names are resolved, so that a name whose address changes does
// not get past it. Where a proxy is used, the proxy resolves names and dials: its own address is
// the operator's choice, and what it connects to is for it to guard.
type Guard struct {
	// BlockPrivateNetworks refuses what is not the public internet, loopback included.
	BlockPrivateNetworks bool
}

// CheckHost is the error for a host that is an address, and a refused one. It is nil for names,
// which are looked up when they are dialed.
func (g *Guard) CheckHost(host string) error {
	address, err := netip.ParseAddr(host)
	if err != nil {
		return nil //nolint:nilerr // a name
	}
	return g.check(address)
}

// check refuses an address. One that carries an IPv4 address within an IPv6 one is that address.
func (g *Guard) check(address netip.Addr) error {
	address = embedded(address.WithZone("").Unmap())
	if address.IsLinkLocalUnicast() || address.IsLinkLocalMulticast() || isAmong(address, metadataNetworks) {
		return &BlockedError{fmt.Sprintf("the address %s is link-local or of cloud metadata, where no webhook is", address)}
	}
	if !g.BlockPrivateNetworks {
		return nil
	}
	if address.IsPrivate() || address.IsLoopback() || address.IsUnspecified() || address.IsMulticast() || isAmong(address, specialNetworks) {
		return &BlockedError{fmt.Sprintf("the address %s is not of the public internet; block_private_networks refuses it", address)}
	}
	return nil
}

func isAmong(address netip.Addr, networks []netip.Prefix) bool {
	return slices.ContainsFunc(networks, func(network netip.Prefix) bool { return network.Contains(address) })
}

// metadataNetworks are where clouds tell a machine its credentials, besides 169.254.169.254 and the
// other link-local ones: AWS and Google by IPv6, Alibaba, Oracle, Azure's wire server.
var metadataNetworks = prefixes("fd00:ec2::254/128", "fd20:ce::254/128", "100.100.100.200/32", "192.0.0.192/32", "168.63.129.16/32") //nolint:gochecknoglobals // a constant

// specialNetworks are those of the IANA special-purpose registries that netip.Addr has no method
// for.
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

// embedded is the IPv4 address within one of NAT64 (RFC 6052) or 6to4 (RFC 3056), else the address
// itself.
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

// control refuses a connection just before it is made. What is no address is refused too.
func (g *Guard) control(_ context.Context, _, address string, _ syscall.RawConn) error {
	found, err := netip.ParseAddrPort(address)
	if err != nil {
		return &BlockedError{"the address that was dialed cannot be read"}
	}
	return g.check(found.Addr())
}

// The timeouts of http.DefaultTransport.
const (
	dialTimeout   = 30 * time.Second
	dialKeepAlive = 30 * time.Second
)

// guardedDialer dials for a transport: past the guard where it dials a proxy, else through it.
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

// remember notes a proxy as net/http dials it.
func (d *guardedDialer) remember(proxy *url.URL) {
	port := proxy.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}[proxy.Scheme]
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.proxies[net.JoinHostPort(proxy.Hostname(), port)] = true
}
