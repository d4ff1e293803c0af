// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"fmt"
	"strings"
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
		"240.0.0.1", "255.255.255.255", "::1", "::", "fc00::1", "fd12::1", "2001:2::1", "2001:10::1", "2001:db8::1", "3fff::1", "5f00::1", "100::1", "fec0::1", "64:ff9b:1::1",
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

func TestGuardFindsEmbeddedIPv4(t *testing.T) {
	for name, format := range map[string]string{
		"mapped":               "::ffff:%[1]x%02[2]x:%[3]x%02[4]x",
		"compatible":           "::%[1]x%02[2]x:%[3]x%02[4]x",
		"translated":           "::ffff:0:%[1]x%02[2]x:%[3]x%02[4]x",
		"NAT64":                "64:ff9b::%[1]x%02[2]x:%[3]x%02[4]x",
		"local NAT64, 48 bits": "64:ff9b:1:%[1]x%02[2]x:%[3]x:%[4]x00::",
		"local NAT64, 56 bits": "64:ff9b:1:00%02[1]x:%[2]x:%[3]x%02[4]x::",
		"local NAT64, 64 bits": "64:ff9b:1:0:%[1]x:%[2]x%02[3]x:%[4]x00:0",
		"local NAT64, 96 bits": "64:ff9b:1::%[1]x%02[2]x:%[3]x%02[4]x",
		"6to4":                 "2002:%[1]x%02[2]x:%[3]x%02[4]x::1",
		"Teredo, server":       "2001:0:%[1]x%02[2]x:%[3]x%02[4]x::ffff",
		"Teredo, client":       "2001:0:0808:0808::%[5]x%02[6]x:%[7]x%02[8]x",
		"ISATAP":               "2606:4700::5efe:%[1]x%02[2]x:%[3]x%02[4]x",
		"ISATAP, global":       "2606:4700::200:5efe:%[1]x%02[2]x:%[3]x%02[4]x",
		"decimal":              "%[9]d",
		"hexadecimal":          "0x%[9]x",
		"octal":                "0%[9]o",
		"octal bytes":          "0%[1]o.0%[2]o.0%[3]o.0%[4]o",
		"hexadecimal bytes":    "0x%[1]x.0x%[2]x.0x%[3]x.0x%[4]x",
		"two numbers":          "%[1]d.%[10]d",
		"three numbers":        "%[1]d.%[2]d.%[11]d",
	} {
		t.Run(name, func(t *testing.T) {
			host := func(a, b, c, d byte) string {
				all := uint32(a)<<24 | uint32(b)<<16 | uint32(c)<<8 | uint32(d)
				return strings.Split(fmt.Sprintf(format+"%%!(EXTRA)", a, b, c, d, ^a, ^b, ^c, ^d, all, all&0xffffff, all&0xffff), "%!(EXTRA")[0]
			}
			assert.ErrorContains(t, (&Guard{}).CheckHost(host(169, 254, 169, 254)), "169.254.169.254 is a link-local", host(169, 254, 169, 254))
			private := host(10, 1, 2, 3)
			assert.NoError(t, (&Guard{}).CheckHost(private), private)
			assert.ErrorContains(t, (&Guard{BlockPrivateNetworks: true}).CheckHost(private), "is not a public address", private)
		})
	}
	for _, name := range []string{"1.2.3.4.5", "0x", "256.1.1.1", "1_0.1.1.1", "4294967296", "face.b00c", "1.2.3.4.", ".1", "09.1.1.1"} {
		assert.NoError(t, (&Guard{BlockPrivateNetworks: true}).CheckHost(name), name)
	}
}
