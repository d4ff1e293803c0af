// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryintake

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// checkURL checks the method and the URL, and finds the project.
func (in *Intake) checkURL(v *visit) {
	r := v.request
	if r.Method != http.MethodPost {
		v.broke(http.StatusMethodNotAllowed, RuleMethod, "request", "is %s, not POST", r.Method)
	}
	if r.URL.RawQuery != "" || r.URL.User != nil {
		v.broke(http.StatusBadRequest, RuleURLSecret, "request", "has a query or a user in its URL")
	}
	known := false
	for i := range in.projects {
		project := &in.projects[i]
		for _, key := range []string{project.PublicKey, project.SecretKey} {
			if key != "" && strings.Contains(r.RequestURI, key) {
				v.broke(http.StatusBadRequest, RuleURLSecret, "request", "has a key of project %s in its URL", project.ID)
			}
		}
		rest, ok := strings.CutPrefix(r.URL.Path, project.Path+"/api/")
		id, isEnvelope := strings.CutSuffix(rest, "/envelope/")
		if !ok || !isEnvelope || id == "" || strings.Contains(id, "/") {
			continue
		}
		known, v.envelope.Project = true, id
		if id == project.ID {
			v.project = project
			break
		}
	}
	if !known {
		v.broke(http.StatusNotFound, RulePath, "request", "goes to %q, not to {path}/api/{project}/envelope/", r.URL.Path)
	}
	if contentType := r.Header.Get("Content-Type"); contentType != "application/x-sentry-envelope" {
		v.broke(http.StatusBadRequest, RuleContentType, "request", "has the Content-Type %q, not \"application/x-sentry-envelope\"", contentType)
	}
}

// checkAuth reads X-Sentry-Auth. An unknown project or key gets 403, as at Sentry. It is not a
// violation, because the user sets the DSN.
func (in *Intake) checkAuth(v *visit) {
	values := v.request.Header.Values("X-Sentry-Auth")
	if len(values) != 1 {
		v.broke(http.StatusForbidden, RuleAuth, "request", "has %d X-Sentry-Auth headers", len(values))
		return
	}
	auth, err := parseAuth(values[0])
	if err != nil {
		v.broke(http.StatusForbidden, RuleAuth, "X-Sentry-Auth", "%v", err)
		return
	}
	v.envelope.Key = auth["sentry_key"]
	switch secret, hasSecret := auth["sentry_secret"]; {
	case v.project == nil || v.project.PublicKey != v.envelope.Key:
		v.refuse(http.StatusForbidden, "event submission rejected with_reason: ProjectId")
	case hasSecret && v.project.SecretKey != secret:
		v.refuse(http.StatusForbidden, "event submission rejected with_reason: ProjectId")
	}
}

// parseAuth parses the value of X-Sentry-Auth.
func parseAuth(value string) (map[string]string, error) {
	scheme, rest, _ := strings.Cut(value, " ")
	if !strings.EqualFold(scheme, "Sentry") {
		return nil, errors.New("does not begin with Sentry")
	}
	auth := map[string]string{}
	for pair := range strings.SplitSeq(rest, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(pair), "=")
		if !ok || value == "" || strings.ContainsAny(name+value, " =\"") {
			return nil, fmt.Errorf("has a part %d that is not name=value", len(auth)+1)
		}
		if _, twice := auth[name]; twice {
			return nil, fmt.Errorf("has %s twice", name)
		}
		switch name {
		case "sentry_version", "sentry_client", "sentry_key", "sentry_secret":
			auth[name] = value
		default:
			return nil, fmt.Errorf("has an unknown part %q", name)
		}
	}
	name, version, _ := strings.Cut(auth["sentry_client"], "/")
	switch {
	case auth["sentry_version"] != "7":
		return nil, fmt.Errorf("has the sentry_version %q, not 7", auth["sentry_version"])
	case auth["sentry_key"] == "":
		return nil, errors.New("has no sentry_key")
	case name == "" || version == "":
		return nil, fmt.Errorf("has the sentry_client %q, not <name>/<version>", auth["sentry_client"])
	}
	return auth, nil
}

// checkDSN checks that the envelope header's dsn, if any, matches the request.
func (v *visit) checkDSN() {
	written, ok := v.envelope.Header["dsn"].(string)
	if !ok {
		return
	}
	dsn, err := url.Parse(written)
	if err != nil || dsn.User == nil || dsn.Scheme != "http" && dsn.Scheme != "https" {
		v.broke(http.StatusForbidden, RuleAuthAgrees, "envelope header.dsn", "is not a DSN")
		return
	}
	path, project := "", dsn.Path
	if i := strings.LastIndexByte(dsn.Path, '/'); i >= 0 {
		path, project = dsn.Path[:i], dsn.Path[i+1:]
	}
	want := path + "/api/" + project + "/envelope/"
	if dsn.User.Username() != v.envelope.Key || dsn.Host != v.request.Host || want != v.request.URL.Path {
		v.broke(http.StatusForbidden, RuleAuthAgrees, "envelope header.dsn", "has the key %q and %s%s, but the request has the key %q and goes to %s%s",
			dsn.User.Username(), dsn.Host, want, v.envelope.Key, v.request.Host, v.request.URL.Path)
	}
}
