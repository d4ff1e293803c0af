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

// appendPage appends where a page is (semantic conventions v1.44.0: url, server and http registries). Track APIs tell it in properties
// and in a context of their own, which are attributes here: url, path, referrer, title, and page with the same in it.
func (enc *encoder) appendPage(dst []byte, e *appevent.Event) []byte {
	full, host, path := address(e)
	dst = enc.appendText(dst, "$current_url", full)
	dst = enc.appendText(dst, "$host", host)
	dst = enc.appendText(dst, "$pathname", path)
	dst = enc.appendText(dst, "$referrer", cmp.Or(textAttribute(e, "http.request.header.referer"), pageText(e, "referrer")))
	dst = enc.appendText(dst, "title", pageText(e, "title"))
	return enc.appendText(dst, "name", shownName(e))
}

// address is the URL of a page, and its host and path where the event tells these or the URL has them.
func address(e *appevent.Event) (full, host, path string) {
	full, host, path = textAttribute(e, "url.full"), textAttribute(e, "server.address"), textAttribute(e, "url.path")
	if full == "" {
		full, path = pageText(e, "url"), cmp.Or(path, pageText(e, "path"))
	}
	if u, err := url.Parse(full); err == nil {
		host, path = cmp.Or(host, u.Host), cmp.Or(path, u.Path)
	}
	return full, host, path
}

// appendScreen appends which screen of an app it is (semantic conventions v1.44.0: app and url registries): one without a name is
// known by its id or, as that of an app made of web pages, by its path. PostHog wants one.
func (enc *encoder) appendScreen(dst []byte, e *appevent.Event) []byte {
	_, _, path := address(e)
	name := cmp.Or(shownName(e), textAttribute(e, "app.screen.name"), textAttribute(e, "app.screen.id"), path, "unknown")
	return enc.appendText(dst, "$screen_name", name)
}

// shownName is what the page or screen is called. One that nobody named is an event called by its kind.
func shownName(e *appevent.Event) string {
	if e.Name == e.Kind.String() {
		return ""
	}
	return e.Name
}

// pageText is what a track API tells of a page: a property or, where there is none, a member of the context's page.
func pageText(e *appevent.Event, name string) string {
	if text := textAttribute(e, name); text != "" {
		return text
	}
	page, ok := e.Attribute("page")
	if !ok || page.Type() != pcommon.ValueTypeMap {
		return ""
	}
	v, ok := page.Map().Get(name)
	if !ok {
		return ""
	}
	return textOf(v)
}

// textAttribute is an attribute as text, or empty.
func textAttribute(e *appevent.Event, name string) string {
	v, ok := e.Attribute(name)
	if !ok {
		return ""
	}
	return textOf(v)
}

// textOf is a value as text: of an array, which headers are, its first. A map is none.
func textOf(v pcommon.Value) string {
	if v.Type() == pcommon.ValueTypeSlice && v.Slice().Len() > 0 {
		v = v.Slice().At(0)
	}
	if v.Type() == pcommon.ValueTypeMap || v.Type() == pcommon.ValueTypeSlice {
		return ""
	}
	return v.AsString()
}
