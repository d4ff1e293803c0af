// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package strictconf

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestParseURL(t *testing.T) {
	const example = "https://example.com/hook"
	for name, tt := range map[string]struct{ text, want string }{
		"a URL":                       {"https://example.com/a?b=c", ""},
		"a port":                      {"http://localhost:4318", ""},
		"an IPv6 address":             {"http://[::1]:4318/", ""},
		"a colon without a port":      {"http://localhost:/", ""},
		"a host and a port":           {"localhost:4318", "localhost:4318 has no scheme; write http://localhost:4318 or https://localhost:4318"},
		"an address and a port":       {"127.0.0.1:4318", "127.0.0.1:4318 has no scheme; write http://127.0.0.1:4318 or https://127.0.0.1:4318"},
		"an IPv6 address and a port":  {"[::1]:4318", "[::1]:4318 has no scheme; write http://[::1]:4318 or https://[::1]:4318"},
		"a host":                      {"example.com/hunter2", "has no scheme; write a URL that begins with https:// or http://, such as https://example.com/hook"},
		"a port and a path":           {"example.com:1/hunter2", `has the scheme "example.com"; write a URL that begins with https:// or http://, such as https://example.com/hook`},
		"another scheme":              {"ftp://hunter2.example", `has the scheme "ftp"; write a URL that begins with https:// or http://, such as https://example.com/hook`},
		"no host":                     {"https:///hunter2", "has no host; write a URL such as https://example.com/hook"},
		"a port without a host":       {"https://:80/hunter2", "has no host; write a URL such as https://example.com/hook"},
		"an invalid escape":           {"https://%zz/hunter2", "is not a URL; write one such as https://example.com/hook"},
		"a port out of range":         {"https://hunter2:99999/", "port 99999 is out of range; write 1 to 65535"},
		"port 0":                      {"https://hunter2:0/", "port 0 is out of range; write 1 to 65535"},
		"a port that is not a number": {"https://hunter2:http/", "is not a URL; write one such as https://example.com/hook"},
		"a space in the path":         {"https://example.com/hunter2 b", "contains a space or a line feed; write a URL such as https://example.com/hook"},
		"a line feed at the end":      {"https://example.com/hunter2\n", "contains a space or a line feed; write a URL such as https://example.com/hook"},
	} {
		t.Run(name, func(t *testing.T) {
			u, err := ParseURL(tt.text, example)
			if tt.want == "" {
				require.NoError(t, err)
				assert.Equal(t, tt.text, u.String())
				return
			}
			assert.EqualError(t, err, tt.want)
		})
	}
}
