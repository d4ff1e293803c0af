// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"cmp"
	"net/url"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

// Events of what a person looks at (https://posthog.com/docs/api/capture).
const (
	eventPage   = "$pageview"
	eventScreen = "$screen"
)

// appendPage appends where a page is (semantic conventions v1.44.0: url, server and http registries).
func (enc *encoder) appendPage(dst []byte, e *appevent.Event) []byte {
	full, host, path := address(e)
	dst = enc.appendText(dst, "$current_url", full)
	dst = enc.appendText(dst, "$host", host)
	dst = enc.appendText(dst, "$pathname", path)
	dst = enc.appendText(dst, "$referrer", firstText(e, "http.request.header.referer"))
	return enc.appendText(dst, "name", e.Name)
}

// address is the URL of a page, and its host and path where the event tells these or the URL has them.
func address(e *appevent.Event) (full, host, path string) {
	full, host, path = textAttribute(e, "url.full"), textAttribute(e, "server.address"), textAttribute(e, "url.path")
	if u, err := url.Parse(full); err == nil {
		host, path = cmp.Or(host, u.Host), cmp.Or(path, u.Path)
	}
	return full, host, path
}

// appendScreen appends which screen of an app it is (semantic conventions v1.44.0: app and url registries): one without a name is
// known by its id or, as that of an app made of web pages, by its path. PostHog wants one.
func (enc *encoder) appendScreen(dst []byte, e *appevent.Event) []byte {
	_, _, path := address(e)
	name := cmp.Or(e.Name, textAttribute(e, "app.screen.name"), textAttribute(e, "app.screen.id"), path, "unknown")
	return enc.appendText(dst, "$screen_name", name)
}

// textAttribute is an attribute as text, or empty.
func textAttribute(e *appevent.Event, name string) string {
	v, ok := e.Attribute(name)
	if !ok {
		return ""
	}
	return v.AsString()
}

// firstText is the first value of an attribute that is an array, as those of headers are.
func firstText(e *appevent.Event, name string) string {
	v, ok := e.Attribute(name)
	if ok && v.Type() == pcommon.ValueTypeSlice && v.Slice().Len() > 0 {
		v = v.Slice().At(0)
	}
	if !ok {
		return ""
	}
	return v.AsString()
}
