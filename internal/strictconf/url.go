// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package strictconf

import (
	"fmt"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// hostPort is an endpoint as gRPC and receivers take it.
var hostPort = regexp.MustCompile(`^([a-zA-Z0-9._-]+|\[[0-9a-fA-F:.]+\]):[0-9]+$`)

// ParseURL returns the http or https URL that text is, or an error that says what to write instead, such as the example. Of the text,
// which may hold a secret, it repeats no more than a host and a port.
func ParseURL(text, example string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case strings.ContainsFunc(text, unicode.IsSpace):
		return nil, fmt.Errorf("holds a space or a line feed, which no URL has; write one such as %s", example)
	case hostPort.MatchString(text):
		return nil, fmt.Errorf("%s has no scheme; write http://%[1]s or https://%[1]s", text)
	case err != nil:
		return nil, fmt.Errorf("is not a URL; write one such as %s", example)
	case u.Scheme == "":
		return nil, fmt.Errorf("has no scheme; write a URL that begins with https:// or http://, such as %s", example)
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("has the scheme %q; write a URL that begins with https:// or http://, such as %s", u.Scheme, example)
	case u.Hostname() == "":
		return nil, fmt.Errorf("is a URL without a host; write one such as %s", example)
	case !isPort(u.Port()):
		return nil, fmt.Errorf("has the port %s; write one from 1 to 65535", u.Port())
	}
	return u, nil
}

// isPort takes no port for that of the scheme.
func isPort(text string) bool {
	port, err := strconv.ParseUint(text, 10, 16)
	return text == "" || err == nil && port > 0
}
