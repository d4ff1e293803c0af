// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"cmp"
	neturl "net/url"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// httpRequest is the HTTP request that was being served. It is read from attributes of the http, url,
// server and client registries, including their names before v1.23.
type httpRequest struct {
	method, route, full, scheme, host, path, query string
	userAgent, clientAddress                       string
	headers                                        []header
}

type header struct {
	attribute, name string
	value           pcommon.Value
}

const prefixRequestHeader = "http.request.header."

// readAttribute reads one attribute. Of several for the same field, the first that is not empty wins.
func (r *httpRequest) readAttribute(name string, v pcommon.Value) {
	switch name {
	case "http.request.method", "http.method":
		first(&r.method, v)
	case "http.route":
		first(&r.route, v)
	case "url.full", "http.url":
		first(&r.full, v)
	case "url.scheme", "http.scheme":
		first(&r.scheme, v)
	case "server.address", "net.host.name", "http.host":
		first(&r.host, v)
	case "url.path":
		first(&r.path, v)
	case "url.query":
		first(&r.query, v)
	case "http.target":
		if r.path == "" {
			r.path, r.query, _ = strings.Cut(v.AsString(), "?")
		}
	case appevent.AttrUserAgent, "http.user_agent":
		first(&r.userAgent, v)
	case appevent.AttrClientAddress, "http.client_ip":
		first(&r.clientAddress, v)
	default:
		if header, ok := strings.CutPrefix(name, prefixRequestHeader); ok {
			r.addHeader(name, header, v)
		}
	}
}

func first(field *string, v pcommon.Value) {
	if *field == "" {
		*field = v.AsString()
	}
}

func (r *httpRequest) addHeader(attribute, name string, v pcommon.Value) {
	r.headers = append(r.headers, header{attribute: attribute, name: strings.ReplaceAll(name, "_", "-"), value: v})
}

// url returns the URL of the request without its query, and the query.
func (r *httpRequest) url() (url, query string) {
	switch {
	case r.full != "":
		url, query, _ = strings.Cut(r.full, "?")
		if strings.HasPrefix(url, "/") && r.host != "" { // http.url of some servers
			url = cmp.Or(r.scheme, "http") + "://" + r.host + url
		}
	case r.host != "" && r.path != "":
		url = cmp.Or(r.scheme, "http") + "://" + r.host + r.path
	}
	if !isAbsolute(url) {
		url = ""
	}
	return url, strings.TrimPrefix(cmp.Or(r.query, query), "?")
}

// isAbsolute reports whether a text is a URL with a scheme and a host. The types of Sentry's SDK for
// Rust, which sentry-cli uses, refuse an event with another one.
func isAbsolute(text string) bool {
	parsed, err := neturl.Parse(text)
	return err == nil && parsed.Scheme != "" && parsed.Hostname() != ""
}

// appendRequest appends the request (Sentry's SDK documentation, "Event Payloads", "Request
// Interface").
func appendRequest(dst []byte, r *httpRequest, vs valueWriter) []byte {
	url, query := r.url()
	if url == "" && r.method == "" && len(r.headers) == 0 {
		return dst
	}
	if vs.privacy.secrets {
		url, query = withoutSecrets(url), withoutSecrets(query)
	}
	dst = append(dst, `,"request":{`...)
	dst = textMember(dst, "url", url)
	if method := strings.ToUpper(r.method); isMethod(method) {
		dst = textMember(dst, "method", method)
	}
	dst = textMember(dst, "query_string", query)
	dst = appendHeaders(dst, r, vs)
	if !vs.privacy.personal && r.clientAddress != "" {
		dst = append(memberName(dst, "env"), '{')
		dst = textMember(dst, "REMOTE_ADDR", r.clientAddress)
		dst = append(dst, '}')
	}
	return append(dst, '}')
}

// isMethod reports whether Sentry accepts a method (Relay's normalize_method).
func isMethod(method string) bool {
	return len(method) >= 3 && len(method) <= 32 && strings.Trim(method, "ABCDEFGHIJKLMNOPQRSTUVWXYZ-_") == ""
}

func appendHeaders(dst []byte, r *httpRequest, vs valueWriter) []byte {
	start := len(dst)
	dst = append(memberName(dst, "headers"), '{')
	m := vs.json.Members()
	defer m.End()
	var ok bool
	for i := range r.headers {
		h := &r.headers[i]
		treat := vs.of(h.attribute).treat
		if treat == treatPersonal {
			continue
		}
		if dst, ok = m.Name(dst, h.name); !ok {
			continue
		}
		if treat == treatSecret {
			dst = append(dst, jsonappend.Masked...)
		} else {
			dst = jsonappend.String(dst, headerValue(h.value))
		}
	}
	if r.userAgent != "" {
		if dst, ok = m.Name(dst, "user-agent"); ok {
			dst = jsonappend.String(dst, r.userAgent)
		}
	}
	if m.Len() == 0 {
		return dst[:start]
	}
	return append(dst, '}')
}

// headerValue joins the values of a header if it has several.
func headerValue(v pcommon.Value) string {
	if v.Type() != pcommon.ValueTypeSlice {
		return v.AsString()
	}
	var values []string
	for _, item := range v.Slice().All() {
		values = append(values, item.AsString())
	}
	return strings.Join(values, ", ")
}
