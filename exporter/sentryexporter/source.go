// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"cmp"
	"strings"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
	"github.com/otelcol-fanout/otelcol-fanout/internal/stacktrace"
)

// Resource attributes that Sentry has fields for (semantic conventions v1.44.0, resource registries).
const (
	attrHostName       = "host.name"
	attrPodName        = "k8s.pod.name"
	attrInstanceID     = "service.instance.id"
	attrBuildID        = "app.build_id"
	attrRuntimeVersion = "process.runtime.version"
	attrOSName         = "os.name"
	attrOSVersion      = "os.version"
)

// Resource attributes that set a field of Sentry directly (Sentry's conventions).
const (
	attrRelease           = "sentry.release"
	attrSentryEnvironment = "sentry.environment"
	attrDist              = "sentry.dist"
)

// Limits of these fields in bytes (Sentry's SDK documentation, "Event Payloads", and Relay's
// normalization).
const (
	maxShort  = 200 // of transaction and server_name
	maxLogger = 64
)

// source holds the data that all items of one resource and scope have in common, encoded once. It does
// not refer to pdata.
type source struct {
	service, namespace                 string
	language                           stacktrace.Language
	platform                           string
	release, environment, dist, server string
	scope, scopeVersion                string
	// folder is that of the application's main script.
	folder string

	// logShared and spanShared are the attributes of all logs and of all spans.
	logShared, spanShared sharedAttributes
	// resource is an object with the resource's attributes, for contexts.otel.
	resource []byte
	// These are members of Issues and transactions, each after a comma. origin holds server_name,
	// release, dist and environment; contexts holds runtime and os, which go into the object contexts.
	logger, origin, contexts []byte
}

// sources caches sources by content, since most batches come from the same few applications.
type sources struct {
	cfg     *Config
	version string // the collector's
	names   *nameCache
	known   map[string]*source
	content []byte
	json    jsonappend.Writer // masks nothing

	// last is the source of lastOf.
	last   *source
	lastOf *appevent.Source
}

// Bounds of the cache.
const (
	maxSources       = 64
	maxSourceContent = 4 << 10
)

func (ss *sources) get(of *appevent.Source) *source {
	if ss.lastOf != of {
		ss.last, ss.lastOf = ss.find(of), of
	}
	return ss.last
}

// find returns the source of a resource and scope from the cache, or a new one.
func (ss *sources) find(of *appevent.Source) *source {
	ss.content = ss.appendContent(ss.content[:0], of)
	if s, ok := ss.known[string(ss.content)]; ok {
		return s
	}
	s := ss.newSource(of)
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

// appendContent appends everything that newSource reads. Each value follows its type, since values of
// different types can have the same JSON.
func (ss *sources) appendContent(dst []byte, of *appevent.Source) []byte {
	dst = jsonappend.String(dst, of.Scope.Name())
	dst = jsonappend.String(dst, of.Scope.Version())
	for name, v := range of.Resource.Attributes().All() {
		dst = jsonappend.String(append(dst, byte(v.Type())), name) //nolint:gosec // there are eight types
		dst = ss.json.Value(dst, v)
	}
	return dst
}

// reset drops all references to pdata.
func (ss *sources) reset() { ss.last, ss.lastOf = nil, nil }

// forget clears the cache. Call it when the name cache is cleared, since sources refer to names.
func (ss *sources) forget() { ss.known = nil }

func (ss *sources) newSource(of *appevent.Source) *source {
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
		folder:   strings.Clone(of.Folder),
		language: stacktrace.LanguageOf(of.Language), platform: strings.Clone(platformOf(of.Language)),
		release:     cmp.Or(releaseName(text(attrRelease)), strings.Clone(releaseOf(ss.cfg.ReleaseFormat, of.ServiceName, of.ServiceVersion))),
		environment: cmp.Or(environmentName(text(attrSentryEnvironment)), strings.Clone(environmentName(of.Environment)), ss.cfg.Environment),
		dist:        cmp.Or(distName(text(attrDist)), distName(text(attrBuildID))),
		server:      cmp.Or(text(attrHostName), text(attrPodName), text(attrInstanceID)),
		scope:       strings.Clone(of.Scope.Name()), scopeVersion: strings.Clone(of.Scope.Version()),
	}
	vs := valueWriter{nameCache: ss.names}
	s.logShared = s.sharedOf(resource, vs, ss.version, s.server)
	s.spanShared = s.sharedOf(resource, vs, ss.version, "") // server.address of a span is the server that it calls
	s.resource = vs.appendObject(nil, resource.All())
	s.logger = textMember(nil, "logger", loggerName(s.scope))
	s.origin = s.appendOrigin(nil)
	s.contexts = appendNameAndVersion(nil, "runtime", text(appevent.AttrRuntimeName), text(attrRuntimeVersion))
	s.contexts = appendNameAndVersion(s.contexts, "os", text(attrOSName), text(attrOSVersion))
	return s
}

// sharedOf returns the attributes that all logs or all spans have: those that Sentry defines (Sentry's
// SDK documentation, "Logs", "Default Attributes"), and those of the resource that are not about the
// SDK.
func (s *source) sharedOf(resource pcommon.Map, vs valueWriter, version, server string) (all sharedAttributes) {
	var o typedObject
	o.begin(vs)
	for _, text := range [...][2]string{
		{attrSentryEnvironment, s.environment}, {attrRelease, s.release}, {attrDist, s.dist},
		{"server.address", server}, {"sentry.sdk.name", sdkName}, {"sentry.sdk.version", version},
		{"sentry.origin", origin}, {"otel.scope.name", s.scope}, {"otel.scope.version", s.scopeVersion},
	} {
		if name, value := text[0], text[1]; value != "" {
			all.add(&o, o.of(name), append(jsonappend.String(nil, value), typeString...))
		}
	}
	for name, v := range resource.All() {
		switch {
		case strings.HasPrefix(name, "telemetry."), name == appevent.AttrServiceVersion && strings.HasSuffix(s.release, v.AsString()),
			name == appevent.AttrEnvironment && s.environment == v.AsString(), name == attrHostName && server != "":
			// One of Sentry's attributes above has the same value, and Sentry charges by bytes.
		default:
			all.share(name, v, &o, 0)
		}
	}
	return all
}

// share adds an attribute of the resource, as typedObject.append does.
func (s *sharedAttributes) share(text string, v pcommon.Value, o *typedObject, depth int) {
	n := o.of(text)
	switch {
	case n.treat == treatPersonal || v.Type() == pcommon.ValueTypeEmpty:
	case v.Type() == pcommon.ValueTypeMap && depth < maxFlattened && n.treat != treatSecret:
		for k, inner := range v.Map().All() {
			s.share(text+"."+k, inner, o, depth+1)
		}
	default:
		s.add(o, n, o.appendTreated(nil, v, n.treat))
	}
}

// add adds an attribute unless there is one with the same name. o is an object that has only these
// attributes.
func (s *sharedAttributes) add(o *typedObject, n *name, typed []byte) {
	if n.object == o.number {
		return
	}
	n.object, n.shared = o.number, true
	s.all = append(s.all, shared{n, typed})
	if n.trace != notInTraceHeader {
		s.inTrace = append(s.inTrace, shared{n, typed})
	}
	s.joined = append(append(s.joined, n.begin...), typed...)
}

// appendOrigin appends the members of Issues and transactions about the application and its host.
func (s *source) appendOrigin(dst []byte) []byte {
	dst = textMember(dst, "server_name", line(s.server, maxShort))
	dst = textMember(dst, "release", s.release)
	if s.release != "" {
		dst = textMember(dst, "dist", s.dist)
	}
	return textMember(dst, "environment", s.environment)
}

// loggerName returns the name of a logger. If it is too long, it keeps the end, if possible from a dot
// on, because the loggers of a Java application begin with the same packages.
func loggerName(name string) string {
	name = withoutBreaks(strings.TrimSpace(name))
	if len(name) <= maxLogger {
		return name
	}
	end := name[len(name)-maxLogger+len("*"):]
	for len(end) > 0 && !utf8.RuneStart(end[0]) {
		end = end[1:]
	}
	if dot := strings.IndexByte(end, '.'); dot >= 0 && dot < len(end)-1 {
		end = end[dot:]
	}
	return "*" + end
}

func appendNameAndVersion(dst []byte, context, name, version string) []byte {
	if name == "" {
		return dst
	}
	dst = append(memberName(dst, context), '{')
	dst = textMember(dst, "name", name)
	dst = textMember(dst, "version", version)
	return append(dst, '}')
}
