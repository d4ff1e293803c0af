// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"cmp"
	"strings"
	"unicode"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
	"github.com/otelcol-fanout/otelcol-fanout/internal/stacktrace"
)

// Attributes of the resource that Sentry has fields for (semantic conventions v1.44.0, resource
// registries).
const (
	attrHostName       = "host.name"
	attrPodName        = "k8s.pod.name"
	attrInstanceID     = "service.instance.id"
	attrBuildID        = "app.build_id"
	attrRuntimeVersion = "process.runtime.version"
	attrOSName         = "os.name"
	attrOSVersion      = "os.version"
)

// What Sentry takes of these fields (Sentry's SDK documentation, "Event Payloads", and Relay's
// normalization).
const (
	maxRelease     = 200
	maxEnvironment = 64
	maxDist        = 64
)

// source is what all items of one resource and scope have in common, encoded once. It holds no
// pdata.
type source struct {
	service, namespace                 string
	language                           stacktrace.Language
	platform                           string
	release, environment, dist, server string
	runtime, runtimeVersion            string
	os, osVersion                      string
	scope, scopeVersion                string

	// logShared and spanShared are the attributes that all logs and all spans have.
	logShared, spanShared sharedAttributes
	// resource is the object of the resource's attributes, for contexts.otel.
	resource []byte
}

// sources makes sources, and caches them by their content: batch after batch comes from the same
// few applications.
type sources struct {
	backend *backend
	known   map[string]*source
	content []byte
	json    jsonappend.Writer

	// last is the source that was made of lastOf.
	last   *source
	lastOf *appevent.Source
}

// Bounds of the cache.
const (
	maxSources       = 64
	maxSourceContent = 4 << 10
)

func (ss *sources) get(of *appevent.Source, a *attributes) *source {
	if ss.lastOf != of {
		ss.last, ss.lastOf = ss.find(of, a), of
	}
	return ss.last
}

// find returns the source of a resource and scope, made if it is not in the cache.
func (ss *sources) find(of *appevent.Source, a *attributes) *source {
	ss.content = ss.appendContent(ss.content[:0], of)
	if s, ok := ss.known[string(ss.content)]; ok {
		return s
	}
	s := newSource(ss.backend, of, a)
	if len(ss.content) > maxSourceContent {
		ss.content = nil
		return s
	}
	if ss.known == nil || len(ss.known) == maxSources {
		ss.known = map[string]*source{}
	}
	ss.known[string(ss.content)] = s
	return s
}

// appendContent appends all that newSource reads, each value after its type: JSON can be the same
// for different types.
func (ss *sources) appendContent(dst []byte, of *appevent.Source) []byte {
	dst = jsonappend.String(dst, of.Scope.Name())
	dst = jsonappend.String(dst, of.Scope.Version())
	for name, v := range of.Resource.Attributes().All() {
		dst = jsonappend.String(append(dst, byte(v.Type())), name) //nolint:gosec // there are eight types
		dst = ss.json.Value(dst, v)
	}
	return dst
}

// reset forgets the pdata.
func (ss *sources) reset() { ss.last, ss.lastOf = nil, nil }

// forget empties the cache. It is needed when names are forgotten, since sources hold names.
func (ss *sources) forget() { ss.known = nil }

func newSource(b *backend, of *appevent.Source, a *attributes) *source {
	resource := of.Resource.Attributes()
	text := func(name string) string {
		v, ok := resource.Get(name)
		if !ok {
			return ""
		}
		return strings.Clone(v.AsString())
	}
	s := &source{
		service: strings.Clone(of.ServiceName), namespace: strings.Clone(of.ServiceNamespace),
		language: stacktrace.LanguageOf(of.Language), platform: strings.Clone(platformOf(of.Language)),
		release: strings.Clone(releaseOf(b.cfg.ReleaseFormat, of)), environment: strings.Clone(environmentOf(of.Environment)),
		dist:    cut(withoutBreaks(text(attrBuildID)), maxDist),
		server:  cmp.Or(text(attrHostName), text(attrPodName), text(attrInstanceID)),
		runtime: text(appevent.AttrRuntimeName), runtimeVersion: text(attrRuntimeVersion),
		os: text(attrOSName), osVersion: text(attrOSVersion),
		scope: strings.Clone(of.Scope.Name()), scopeVersion: strings.Clone(of.Scope.Version()),
	}
	if s.environment == "" {
		s.environment = b.cfg.Environment
	}
	s.logShared = s.sharedOf(resource, a, b.version, s.server)
	s.spanShared = s.sharedOf(resource, a, b.version, "") // whose server.address is that of the server they speak with
	s.resource = appendAttributes(nil, resource.All(), a)
	return s
}

// sharedOf are the attributes that each log or span has: what Sentry reads under names of its own
// (Sentry's SDK documentation, "Logs", "Default Attributes"), and the rest of the resource but what
// is about the SDK.
func (s *source) sharedOf(resource pcommon.Map, a *attributes, version, server string) (all sharedAttributes) {
	a.begin()
	for _, text := range [...][2]string{
		{"sentry.environment", s.environment}, {"sentry.release", s.release}, {"sentry.dist", s.dist},
		{"server.address", server}, {"sentry.sdk.name", sdkName}, {"sentry.sdk.version", version},
		{"sentry.origin", origin}, {"otel.scope.name", s.scope}, {"otel.scope.version", s.scopeVersion},
	} {
		if name, value := text[0], text[1]; value != "" {
			all.add(a, a.name(name), append(jsonappend.String(nil, value), typeString...))
		}
	}
	for name, v := range resource.All() {
		switch {
		case strings.HasPrefix(name, "telemetry."), name == appevent.AttrServiceVersion && s.release != "",
			name == appevent.AttrEnvironment && s.environment != "", name == attrHostName && server != "":
			// It is there under Sentry's name. Logs and spans are charged by their bytes.
		default:
			all.share(name, v, a, 0)
		}
	}
	return all
}

// share adds an attribute of the resource, as attributes.append appends one.
func (s *sharedAttributes) share(text string, v pcommon.Value, a *attributes, depth int) {
	n := a.name(text)
	switch {
	case n.treat == treatPersonal || v.Type() == pcommon.ValueTypeEmpty:
	case v.Type() == pcommon.ValueTypeMap && depth < maxFlattened && n.treat != treatSecret:
		for k, inner := range v.Map().All() {
			s.share(text+"."+k, inner, a, depth+1)
		}
	default:
		s.add(a, n, a.appendTreated(nil, v, n.treat))
	}
}

// add adds an attribute unless there is one of the same name. The attributes have an object of
// their own.
func (s *sharedAttributes) add(a *attributes, n *name, typed []byte) {
	if n.object == a.object {
		return
	}
	n.object = a.object
	s.all = append(s.all, shared{n, typed})
	if n.trace != notInTraceHeader {
		s.inTrace = append(s.inTrace, shared{n, typed})
	}
	s.joined = append(append(s.joined, n.begin...), typed...)
}

// releaseOf is the release, without the characters that Sentry does not take in one (Sentry's
// documentation, "Releases").
func releaseOf(format ReleaseFormat, of *appevent.Source) string {
	release := of.ServiceVersion
	if format == ReleaseNameVersion && release != "" && of.ServiceName != "" {
		release = of.ServiceName + "@" + release
	}
	release = cut(withoutRunes(release, func(r rune) bool { return r == '/' || r == '\\' || unicode.IsControl(r) }), maxRelease)
	switch release = strings.TrimSpace(release); release {
	case ".", "..", "latest":
		return ""
	}
	return release
}

// environmentOf is the environment, without the characters that Sentry does not take in one
// (Sentry's documentation, "Environments").
func environmentOf(environment string) string {
	environment = cut(withoutRunes(environment, isOddInEnvironment), maxEnvironment)
	if environment == "None" {
		return ""
	}
	return environment
}

func isOddInEnvironment(r rune) bool { return r == '/' || unicode.IsSpace(r) || unicode.IsControl(r) }

// withoutRunes has a dash in the place of each such character.
func withoutRunes(s string, odd func(rune) bool) string {
	return strings.Map(func(r rune) rune {
		if odd(r) {
			return '-'
		}
		return r
	}, s)
}

func withoutBreaks(s string) string {
	if !strings.ContainsAny(s, "\n\r\t\f") {
		return s
	}
	return strings.Join(strings.Fields(s), " ")
}

// platformOf is Sentry's word for a language (Sentry's SDK documentation, "Event Payloads",
// "platform").
func platformOf(language string) string {
	switch language {
	case "java", "python", "go", "ruby", "php", "rust":
		return language
	case "nodejs":
		return "node"
	case "webjs":
		return "javascript"
	case "dotnet":
		return "csharp"
	case "erlang":
		return "elixir"
	case "cpp":
		return "native"
	case "swift":
		return "cocoa"
	}
	return "other"
}

// platformOfStack is the platform that a stack trace shows, where the resource says none.
func platformOfStack(stack *stacktrace.Stack) string {
	switch stack.Language {
	case stacktrace.Java:
		return "java"
	case stacktrace.Python:
		return "python"
	case stacktrace.JavaScript:
		if stack.OfNode() {
			return "node"
		}
		return "javascript"
	case stacktrace.Go:
		return "go"
	case stacktrace.DotNet:
		return "csharp"
	case stacktrace.PHP:
		return "php"
	case stacktrace.Ruby:
		return "ruby"
	case stacktrace.Rust:
		return "rust"
	case stacktrace.Elixir:
		return "elixir"
	}
	return "other"
}
