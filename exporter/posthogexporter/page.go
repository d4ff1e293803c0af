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

// page is what a page or screen view tells.
type page struct{ url, host, path, referrer, title, name string }

// appendPage appends where a page is (semantic conventions v1.44.0: url, server and http
// registries).
func appendPage(dst []byte, props *properties, e *appevent.Event) []byte {
	p := readPage(e)
	dst = props.text(dst, "$current_url", p.url)
	dst = props.text(dst, "$host", p.host)
	dst = props.text(dst, "$pathname", p.path)
	dst = props.text(dst, "$referrer", p.referrer)
	dst = props.text(dst, "title", p.title)
	return props.text(dst, "name", p.name)
}

// appendScreen appends which screen of an app it is (semantic conventions v1.44.0: app and url
// registries). PostHog requires a name.
func appendScreen(dst []byte, props *properties, e *appevent.Event) []byte {
	return props.text(dst, "$screen_name", screenName(e))
}

// readPage reads what track APIs tell of a page in properties, and in a context of their own, which
// are attributes here: url, path, referrer, title, and page with the same in it.
func readPage(e *appevent.Event) page {
	p := readLocation(e)
	p.referrer = cmp.Or(textAttribute(e, "http.request.header.referer"), pageText(e, "referrer"))
	p.title = pageText(e, "title")
	p.name = shownName(e)
	return p
}

// readLocation reads the URL of a page, and its host and path where the event tells these or the
// URL has them.
func readLocation(e *appevent.Event) page {
	p := page{url: textAttribute(e, "url.full"), host: textAttribute(e, "server.address"), path: textAttribute(e, "url.path")}
	if p.url == "" {
		p.url, p.path = pageText(e, "url"), cmp.Or(p.path, pageText(e, "path"))
	}
	if u, err := url.Parse(p.url); err == nil {
		p.host, p.path = cmp.Or(p.host, u.Host), cmp.Or(p.path, u.Path)
	}
	return p
}

// screenName returns the name of a screen. One without is known by its ID or, as that of an app
// made of web pages, by its path.
func screenName(e *appevent.Event) string {
	return cmp.Or(shownName(e), textAttribute(e, "app.screen.name"), textAttribute(e, "app.screen.id"), readLocation(e).path, "unknown")
}

// shownName is what the page or screen is called. One that nobody named is an event called by its
// kind.
func shownName(e *appevent.Event) string {
	if e.Name == e.Kind.String() {
		return ""
	}
	return e.Name
}

// pageText returns what a track API tells of a page: a property, or else a member of the context's
// page.
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
