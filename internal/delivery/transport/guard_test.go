// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestGuardRefusesAddresses(t *testing.T) {
	for _, address := range []string{
		"169.254.169.254", "169.254.0.1", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "2002:a9fe:a9fe::1", "fe80::1", "fe80::1%eth0", "ff02::1", "224.0.0.1",
		"fd00:ec2::254", "fd20:ce::254", "100.100.100.200", "192.0.0.192", "168.63.129.16",
	} {
		assert.ErrorContains(t, (&Guard{}).CheckHost(address), "a link-local or cloud-metadata address", address)
	}
	for _, address := range []string{
		"127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "0.0.0.0", "0.1.2.3", "100.64.0.1", "192.0.0.8", "198.18.0.1", "203.0.113.1", "232.0.0.1",
		"240.0.0.1", "255.255.255.255", "::1", "::", "fc00::1", "fd12::1", "2001:db8::1", "3fff::1", "5f00::1", "100::1", "fec0::1", "64:ff9b:1::1",
		"64:ff9b::7f00:1", "2002:7f00:1::", "::ffff:10.0.0.1", "ff0e::1",
	} {
		assert.NoError(t, (&Guard{}).CheckHost(address), address)
		assert.ErrorContains(t, (&Guard{BlockPrivateNetworks: true}).CheckHost(address), "is not a public address", address)
	}
	for _, address := range []string{"8.8.8.8", "2606:4700::1111", "64:ff9b::808:808", "2002:808:808::1", "a.name.example.com", "localhost"} {
		assert.NoError(t, (&Guard{BlockPrivateNetworks: true}).CheckHost(address), address)
	}
	// What is dialed is always an address and a port; anything else is refused.
	for _, address := range []string{"", "localhost:80", "1.2.3.4", "[fe80::1%25eth0]:80"} {
		assert.Error(t, (&Guard{}).control(t.Context(), "tcp", address, nil), address)
	}
}
