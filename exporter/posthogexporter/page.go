// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"cmp"
	"net/url"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

// Events for pages and screens (https://posthog.com/docs/api/capture).
const (
	eventPage   = "$pageview"
	eventScreen = "$screen"
)

// propHost is the host of the page or of the application.
const propHost = "$host"

// page holds the properties of a page view.
type page struct{ url, host, path, referrer, title, name string }

// appendPage appends the properties of a page view (semantic conventions v1.44.0: url, server and
// http registries).
func appendPage(dst []byte, props *properties, e *appevent.Event) []byte {
	p := readPage(e)
	dst = props.text(dst, "$current_url", p.url)
	dst = props.text(dst, propHost, p.host)
	dst = props.text(dst, "$pathname", p.path)
	dst = props.text(dst, "$referrer", p.referrer)
	dst = props.text(dst, "title", p.title)
	return props.text(dst, "name", p.name)
}

// appendScreen appends the name of a screen (semantic conventions v1.44.0: app and url registries).
// PostHog requires one.
func appendScreen(dst []byte, props *properties, e *appevent.Event) []byte {
	return props.text(dst, "$screen_name", screenName(e))
}

// readPage reads a page from attributes of the semantic conventions, else from those that track APIs
// send: url, path, referrer and title, or a map named page with these members.
func readPage(e *appevent.Event) page {
	p := readLocation(e)
	p.referrer = cmp.Or(textAttribute(e, "http.request.header.referer"), pageText(e, "referrer"))
	p.title = pageText(e, "title")
	p.name = displayName(e)
	return p
}

// readLocation reads the URL, host and path of a page. Host and path default to those of the URL.
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

// screenName returns the name of a screen, else its ID or, for an app made of web pages, its path.
func screenName(e *appevent.Event) string {
	return cmp.Or(displayName(e), textAttribute(e, "app.screen.name"), textAttribute(e, "app.screen.id"), readLocation(e).path, "unknown")
}

// displayName returns the name of the page or screen. It is empty if the event has the name of its
// kind, which receivers give to pages and screens without a name.
func displayName(e *appevent.Event) string {
	if e.Name == e.Kind.String() {
		return ""
	}
	return e.Name
}

// pageText returns a field of a page that a track API sends: an attribute, else a member of the map
// named page.
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

// textAttribute returns an attribute as text, or an empty string.
func textAttribute(e *appevent.Event, name string) string {
	v, ok := e.Attribute(name)
	if !ok {
		return ""
	}
	return textOf(v)
}
