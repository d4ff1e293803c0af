// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"cmp"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
	"github.com/otelcol-fanout/otelcol-fanout/internal/pattern"
)

// appendIssueException appends exceptions, message, threads and fingerprint.
func appendIssueException(dst []byte, i *issue) []byte {
	if len(i.stack.Exceptions) > 0 {
		how := mechanism{kind: mechanismLog, handled: i.Handled()}
		if i.HasOwnName() {
			how.event = i.Name
		}
		if i.span != nil {
			how.kind = mechanismSpanEvent
		}
		dst = appendExceptions(dst, i.stack, how, i.values.trim)
	}
	dst = appendMessage(dst, i)
	dst = appendThreads(dst, i.stack.Threads, i.values.trim)
	return appendFingerprint(dst, i)
}

// appendMessage appends the message, unless the event has an exception with the same message. A
// message of a template is also a logentry (Sentry's SDK documentation, "Message Interface").
func appendMessage(dst []byte, i *issue) []byte {
	message := ""
	if i.Body.Type() != pcommon.ValueTypeEmpty || !i.IsException() {
		message = messageOf(i.Event, i.values.nameCache)
	}
	if blank := strings.TrimSpace(message) == ""; blank || i.IsException() && message == i.Exception.Message {
		if i.IsException() {
			return dst
		}
		message = cmp.Or(i.messageTemplate(), "(no message)")
	}
	message = i.values.trim.text(cut(message, maxMessage))
	dst = textMember(dst, "message", message)
	template := i.values.trim.text(cut(i.messageTemplate(), maxMessage))
	if template == "" || template == message {
		return dst
	}
	dst = textMember(append(memberName(dst, "logentry"), '{'), "message", template)
	return append(textMember(dst, "formatted", message), '}')
}

// messageTemplate returns the template of the message, without its parameters. Sentry groups by it.
// The names of the attribute are Sentry's, .NET's and Serilog's.
func (i *issue) messageTemplate() string {
	for _, name := range [...]string{"sentry.message.template", "{OriginalFormat}", "message_template.text"} {
		if v, ok := i.Attribute(name); ok && v.Type() == pcommon.ValueTypeStr && strings.TrimSpace(v.Str()) != "" {
			return v.Str()
		}
	}
	return ""
}

// maxFingerprint is how many strings of a fingerprint are sent, each cut to the length of a tag.
const maxFingerprint = 20

// appendFingerprint appends the strings by which Sentry groups the event. Without any, Sentry groups
// it by its own rules.
func appendFingerprint(dst []byte, i *issue) []byte {
	values := fingerprintOf(i)
	if len(values) == 0 {
		return dst
	}
	dst = append(dst, `,"fingerprint":[`...)
	for n, value := range values[:min(len(values), maxFingerprint)] {
		if n > 0 {
			dst = append(dst, ',')
		}
		dst = jsonappend.String(dst, cut(value, maxTag))
	}
	return append(dst, ']')
}

// fingerprintOf returns the event's own fingerprint, else the one that is configured for the longest
// pattern that matches the event's name.
func fingerprintOf(i *issue) []string {
	switch i.Fingerprint.Type() {
	case pcommon.ValueTypeStr:
		return []string{i.Fingerprint.Str()}
	case pcommon.ValueTypeSlice:
		var values []string
		for _, v := range i.Fingerprint.Slice().All() {
			values = append(values, v.AsString())
		}
		if len(values) > 0 {
			return values
		}
	}
	if i.Name == "" {
		return nil
	}
	longest := ""
	for p := range i.cfg.Fingerprints {
		if pattern.Match(p, i.Name) && (longest == "" || len(p) > len(longest) || len(p) == len(longest) && p < longest) {
			longest = p
		}
	}
	return i.cfg.Fingerprints[longest]
}
