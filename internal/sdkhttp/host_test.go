// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sdkhttp

import (
	"net"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestHosts(t *testing.T) {
	check := &HostCheck{Endpoint: "Collector.Internal:4319", Allowed: []string{"Events.example.com", "*.shop.example"}, AnyAddress: true}
	loopback := &HostCheck{Endpoint: "127.0.0.1:13134"}
	bound := &HostCheck{Endpoint: "192.0.2.1:13134"}
	anyName := &HostCheck{Endpoint: "localhost:4319", Allowed: []string{"*"}}
	for _, tt := range []struct {
		name  string
		check *HostCheck
		host  string
		want  bool
	}{
		{"localhost", check, "localhost:4319", true},
		{"localhost in capitals, with a final dot", check, "LocalHost.", true},
		{"the endpoint's host", check, "collector.internal:4319", true},
		{"an IPv4 address", check, "192.0.2.1:4319", true},
		{"an IPv6 address", check, "[2001:db8::1]:4319", true},
		{"an IPv6 address without a port", check, "[::1]", true},
		{"an allowed name", check, "events.EXAMPLE.com", true},
		{"an allowed name with another port", check, "events.example.com:443", true},
		{"a name below an allowed domain", check, "eu.events.shop.example", true},
		{"an allowed domain itself", check, "shop.example", false},
		{"a domain that ends like an allowed one", check, "evilshop.example", false},
		{"only a dot before an allowed domain", check, ".shop.example", false},
		{"a name below an allowed name", check, "evil.events.example.com", false},
		{"another name", check, "evil.example:4319", false},
		{"a name that begins with localhost", check, "localhost.evil.example", false},
		{"a name that looks like an address", check, "127.0.0.1.evil.example", false},
		{"no name", check, "", false},
		{"only a port", check, ":4319", false},
		{"every name", anyName, "evil.example", true},
		{"every name, but no name", anyName, "", false},
		{"a loopback address where only those are accepted", loopback, "127.8.9.10:13134", true},
		{"another address where only loopback is accepted", loopback, "192.0.2.1:13134", false},
		{"the endpoint's address where only loopback is accepted", bound, "192.0.2.1:13134", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			assert.Equal(t, tt.want, tt.check.Accepts(&http.Request{Host: tt.host}))
		})
	}
}

func TestLoopbackListeners(t *testing.T) {
	assert.True(t, IsLoopback(&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}))
	assert.True(t, IsLoopback(&net.TCPAddr{IP: net.IPv6loopback}))
	assert.False(t, IsLoopback(&net.TCPAddr{IP: net.IPv4zero}))
	assert.False(t, IsLoopback(&net.TCPAddr{IP: net.IPv6unspecified}))
	assert.False(t, IsLoopback(&net.TCPAddr{IP: net.IPv4(192, 168, 0, 5)}))
	assert.False(t, IsLoopback(&net.UnixAddr{Name: "/tmp/s", Net: "unix"}))
	assert.False(t, IsLoopback(nil))
}

func TestHostNamesAreValidated(t *testing.T) {
	assert.NoError(t, ValidateHosts([]string{"localhost", "events.example.com", "*.example.com", "my_host-1", "*"}))
	for _, name := range []string{"", "https://events.example.com", "events.example.com:443", "*example.com", "a.*.com", "*.", "a..b", "a.", "a b", "*.*"} {
		assert.ErrorContains(t, ValidateHosts([]string{"ok", name}), "allowed_hosts::1: \""+name+"\" is not a host name", name)
	}
}
