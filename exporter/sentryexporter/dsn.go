// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/otelcol-fanout/otelcol-fanout/internal/strictconf"
)

// dsn is a client key of a Sentry project (Sentry's SDK documentation, "Authentication", "Parsing
// the DSN"):
//
//	{SCHEME}://{PUBLIC_KEY}[:{SECRET_KEY}]@{HOST}[:{PORT}]{PATH}/{PROJECT_ID}
type dsn struct {
	scheme, publicKey, secretKey string
	host                         string // with the port
	path                         string // the part before the project's id: empty, or /sub/path
	projectID                    string
}

// parseDSN reads a DSN. Its errors quote no part of it, since it contains a key.
func parseDSN(text string) (dsn, error) {
	if err := strictconf.CheckCredential(text, "write the project's DSN, "+dsnPlace, dsnVariable); err != nil {
		return dsn{}, err
	}
	if strings.Contains(text, "${") {
		return dsn{}, errors.New("contains an unexpanded ${...}; write environment variables as ${env:" + dsnVariable + "}")
	}
	u, err := url.Parse(text)
	if err != nil {
		return dsn{}, fmt.Errorf("is not a URL; %s", dsnForm)
	}
	password, _ := u.User.Password()
	slash := strings.LastIndexByte(strings.TrimSuffix(u.Path, "/"), '/')
	d := dsn{scheme: u.Scheme, publicKey: u.User.Username(), secretKey: password, host: u.Host}
	if slash >= 0 {
		d.path, d.projectID = u.Path[:slash], strings.TrimSuffix(u.Path[slash+1:], "/")
	}
	if err := d.check(u); err != nil {
		return dsn{}, err
	}
	return d, nil
}

// Parts of the errors, which say what to write.
const (
	dsnPlace    = "which Sentry shows under Settings, Projects, Client Keys"
	dsnForm     = "write it as https://key@host/project, " + dsnPlace
	dsnVariable = "SENTRY_DSN"
)

func (d *dsn) check(u *url.URL) error {
	switch {
	case d.scheme != "http" && d.scheme != "https":
		return fmt.Errorf("has a scheme other than https and http; %s", dsnForm)
	case u.Hostname() == "":
		return fmt.Errorf("has no host; %s", dsnForm)
	case d.publicKey == "":
		return fmt.Errorf("has no key before an @; %s", dsnForm)
	case strings.ContainsAny(d.publicKey+d.secretKey, " ,=\""):
		return fmt.Errorf("has a key with a space, a comma, a quote or an equals sign; %s", dsnForm)
	case d.projectID == "":
		return fmt.Errorf("has no project at the end; %s", dsnForm)
	case u.RawQuery != "" || u.Fragment != "":
		return fmt.Errorf("has a query or a fragment, after ? or #; %s", dsnForm)
	}
	return strictconf.CheckPort(u)
}

// envelopeURL returns the URL that envelopes are posted to. It contains no key.
func (d *dsn) envelopeURL() string {
	u := url.URL{Scheme: d.scheme, Host: d.host, Path: d.path + "/api/" + d.projectID + "/envelope/"}
	return u.String()
}

// auth returns the value of the header X-Sentry-Auth (Sentry's SDK documentation,
// "Authentication").
func (d *dsn) auth(client string) string {
	auth := "Sentry sentry_version=7, sentry_client=" + client + ", sentry_key=" + d.publicKey
	if d.secretKey != "" {
		auth += ", sentry_secret=" + d.secretKey
	}
	return auth
}
