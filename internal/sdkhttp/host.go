// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sdkhttp

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// HostCheck decides which Host headers a server accepts. A web page can point its own host name at a
// server in the user's network (DNS rebinding), but the browser still sends that name.
type HostCheck struct {
	// Endpoint is the configured address, host:port. Its host is accepted.
	Endpoint string
	// Allowed lists further host names. *.example.com stands for every name below example.com, and *
	// for every name.
	Allowed []string
	// AnyAddress accepts every IP address, and not only those of the loopback interface. No page can
	// have an address as its host name, unless the server at that address serves the page.
	AnyAddress bool
}

// IsLoopback reports whether a listener accepts connections from its own machine only. Its clients
// know it by few names, so their Host headers can be checked without configuration.
func IsLoopback(listening net.Addr) bool {
	tcp, ok := listening.(*net.TCPAddr)
	return ok && tcp.IP.IsLoopback()
}

// Accepts reports whether the request's Host header names this server: localhost, an IP address, the
// endpoint's host or an allowed name. The port does not matter.
func (c *HostCheck) Accepts(r *http.Request) bool {
	host := hostOf(r.Host)
	if address, err := netip.ParseAddr(host); err == nil {
		return c.AnyAddress || address.IsLoopback() || host == hostOf(c.Endpoint)
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "" {
		return false
	}
	return host == "localhost" || host == strings.ToLower(hostOf(c.Endpoint)) || c.allows(host)
}

func (c *HostCheck) allows(host string) bool {
	for _, name := range c.Allowed {
		name = strings.ToLower(name)
		suffix, wild := strings.CutPrefix(name, "*")
		if name == host || wild && strings.HasSuffix(host, suffix) && len(host) > len(suffix) {
			return true
		}
	}
	return false
}

func hostOf(hostport string) string {
	if host, _, err := net.SplitHostPort(hostport); err == nil {
		return host
	}
	return strings.TrimSuffix(strings.TrimPrefix(hostport, "["), "]")
}

// ValidateHosts checks the names of a configuration's allowed_hosts.
func ValidateHosts(names []string) error {
	for i, name := range names {
		rest := strings.TrimPrefix(name, "*.")
		if name == "*" || isHostName(rest) {
			continue
		}
		return fmt.Errorf("allowed_hosts::%d: %q is not a host name; write one such as events.example.com or *.example.com, without scheme and port", i, name)
	}
	return nil
}

func isHostName(name string) bool {
	const allowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
	return strings.Trim(name, allowed) == "" && strings.Trim(name, ".") == name && name != "" && !strings.Contains(name, "..")
}
