// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package strictconf

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// hostPort matches an endpoint in the form that gRPC and receivers accept.
var hostPort = regexp.MustCompile(`^([a-zA-Z0-9._-]+|\[[0-9a-fA-F:.]+\]):[0-9]+$`)

// ParseURL parses an http or https URL. Its error says what to write instead, such as the example,
// and repeats at most a host and a port of the text, which may contain a secret.
func ParseURL(text, example string) (*url.URL, error) {
	u, err := url.Parse(text)
	switch {
	case strings.ContainsFunc(text, unicode.IsSpace):
		return nil, fmt.Errorf("contains a space or a line feed; write a URL such as %s", example)
	case hostPort.MatchString(text):
		return nil, fmt.Errorf("%s has no scheme; write http://%[1]s or https://%[1]s", text)
	case err != nil:
		return nil, fmt.Errorf("is not a URL; write one such as %s", example)
	case u.Scheme == "":
		return nil, fmt.Errorf("has no scheme; write a URL that begins with https:// or http://, such as %s", example)
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, fmt.Errorf("has the scheme %q; write a URL that begins with https:// or http://, such as %s", u.Scheme, example)
	case u.Hostname() == "":
		return nil, fmt.Errorf("has no host; write a URL such as %s", example)
	}
	if err := CheckPort(u); err != nil {
		return nil, err
	}
	return u, nil
}

// CheckPort returns an error if the port is out of range. A URL without a port uses the default of
// its scheme.
func CheckPort(u *url.URL) error {
	port, err := strconv.ParseUint(u.Port(), 10, 16)
	if u.Port() == "" || err == nil && port > 0 {
		return nil
	}
	return fmt.Errorf("port %s is out of range; write 1 to 65535", u.Port())
}

// CheckAddress returns an error unless the text is host:port with a port in range, as a server listens on.
// The port may be 0, for a free one, or a name.
func CheckAddress(text, example string) error {
	_, port, err := net.SplitHostPort(text)
	if err != nil {
		return fmt.Errorf("%q is not host:port, such as %s", text, example)
	}
	if _, err := strconv.ParseUint(port, 10, 16); errors.Is(err, strconv.ErrRange) {
		return fmt.Errorf("port %s is out of range; write 1 to 65535", port)
	}
	return nil
}

// CheckProxy returns an error unless proxy_url is a URL or empty. The error repeats nothing of it.
func CheckProxy(text string) error {
	if _, err := url.Parse(text); err != nil {
		return errors.New("is not a URL; write one such as http://proxy.example.com:3128")
	}
	return nil
}
