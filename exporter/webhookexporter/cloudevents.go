// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"encoding/hex"
	"net/url"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// attribute is a context attribute of a CloudEvent.
type attribute struct {
	name, value string
	// number says that the value is an integer. at is the value of a time.
	number bool
	at     pcommon.Timestamp
}

// cloudEventsVersion is the value of specversion, the first attribute of each event.
const cloudEventsVersion = "1.0"

// attributesOf returns the other context attributes of an event in the order in which they are
// written (CloudEvents 1.0.2, and the documented extensions for authentication, distributed tracing
// and severity). The slice is valid until the next call.
func (enc *encoder) attributesOf(e *appevent.Event) []attribute {
	enc.attributes = append(enc.attributes[:0],
		attribute{name: "id", value: cloudEventsText(e.ID())},
		attribute{name: "source", value: enc.cloudEventsSource(e.Source)},
		attribute{name: "type", value: enc.cfg.CloudEvents.TypePrefix + cloudEventsText(typeOf(e))},
	)
	if e.Subject != "" {
		enc.attributes = append(enc.attributes, attribute{name: "subject", value: cloudEventsText(e.Subject)})
	}
	if hasTime(e) {
		enc.attributes = append(enc.attributes, attribute{name: "time", at: e.Time})
	}
	enc.attributes = appendExtensions(enc.attributes, e)
	return enc.attributes
}

func appendExtensions(all []attribute, e *appevent.Event) []attribute {
	switch {
	case e.User.ID != "":
		all = append(all, attribute{name: "authtype", value: "app_user"}, attribute{name: "authid", value: cloudEventsText(e.User.ID)})
	case e.User.AnonymousID != "":
		all = append(all, attribute{name: "authtype", value: "unauthenticated"})
	}
	if !e.TraceID.IsEmpty() && !e.SpanID.IsEmpty() {
		flags := []byte{byte(e.Flags & 0xFF)} // W3C Trace Context has eight bits
		traceparent := "00-" + hex.EncodeToString(e.TraceID[:]) + "-" + hex.EncodeToString(e.SpanID[:]) + "-" + hex.EncodeToString(flags)
		all = append(all, attribute{name: "traceparent", value: traceparent})
	}
	if e.SeverityNumber >= 1 && e.SeverityNumber <= 24 {
		all = append(all, attribute{name: "severitynumber", value: strconv.Itoa(int(e.SeverityNumber)), number: true})
		text := e.SeverityText
		if text == "" {
			text = e.SeverityNumber.String()
		}
		all = append(all, attribute{name: "severitytext", value: cloudEventsText(text)})
	}
	return all
}

// unknownService is OpenTelemetry's name for a service without a name.
const unknownService = "unknown_service"

// cloudEventsSource returns the attribute source, which is computed once per source.
func (enc *encoder) cloudEventsSource(s *appevent.Source) string {
	if enc.cfg.CloudEvents.Source != "" {
		return enc.cfg.CloudEvents.Source
	}
	if enc.source != s {
		enc.source, enc.sourcePath = s, sourcePath(s)
	}
	return enc.sourcePath
}

// sourcePath returns a source as a URI reference: the namespace, if any, and the service.
func sourcePath(s *appevent.Source) string {
	name := s.ServiceName
	if name == "" {
		name = unknownService
	}
	path := "/" + url.PathEscape(strings.ToValidUTF8(name, "\uFFFD"))
	if s.ServiceNamespace != "" {
		path = "/" + url.PathEscape(strings.ToValidUTF8(s.ServiceNamespace, "\uFFFD")) + path
	}
	return path
}

// cloudEventsText replaces the characters that a CloudEvents String must not contain: control
// characters and noncharacters.
func cloudEventsText(text string) string {
	if isPrintable(text) || utf8.ValidString(text) && !strings.ContainsFunc(text, isForbidden) {
		return text
	}
	return strings.Map(func(r rune) rune {
		if isForbidden(r) {
			return utf8.RuneError
		}
		return r
	}, strings.ToValidUTF8(text, "\uFFFD"))
}

// isPrintable reports whether the text is printable ASCII, as most texts are.
func isPrintable(text string) bool {
	for i := range len(text) {
		if text[i]-' ' > '~'-' ' {
			return false
		}
	}
	return true
}

func isForbidden(r rune) bool {
	return unicode.IsControl(r) || r&0xFFFE == 0xFFFE || r >= 0xFDD0 && r <= 0xFDEF
}

// appendCloudEvent appends the event in the CloudEvents JSON format, with the event JSON as data.
func (enc *encoder) appendCloudEvent(dst []byte, e *appevent.Event) ([]byte, error) {
	dst = append(dst, `{"specversion":"`+cloudEventsVersion+`"`...)
	attributes := enc.attributesOf(e)
	for i := range attributes {
		switch a := &attributes[i]; {
		case a.number:
			dst = append(appendName(dst, a.name), a.value...)
		case a.at != 0:
			dst = enc.clock.Time(appendName(dst, a.name), a.at)
		default:
			dst = appendMember(dst, a.name, a.value)
		}
	}
	dst = append(dst, `,"datacontenttype":"application/json","data":`...)
	dst = enc.events.Append(dst, e)
	return append(dst, '}'), nil
}

// cloudEventHeaders returns the attributes as headers, for the binary mode.
func (enc *encoder) cloudEventHeaders(e *appevent.Event) []headerField {
	attributes := enc.attributesOf(e)
	fields := make([]headerField, 0, 1+len(attributes))
	fields = append(fields, headerField{name: "Ce-specversion", value: cloudEventsVersion})
	for _, a := range attributes {
		value := a.value
		if a.at != 0 {
			quoted := jsonappend.Time(nil, a.at)
			value = string(quoted[1 : len(quoted)-1])
		}
		fields = append(fields, headerField{name: "Ce-" + a.name, value: percentEncoded(value)})
	}
	return fields
}

// percentEncoded returns a value as a header. Space, ", % and everything except printable ASCII
// become UTF-8 bytes in hex, as in %20 (HTTP protocol binding, "HTTP Header Values").
func percentEncoded(value string) string {
	const digits = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(value) {
		if c := value[i]; c <= ' ' || c > '~' || c == '"' || c == '%' {
			b.Write([]byte{'%', digits[c>>4], digits[c&15]})
		} else {
			b.WriteByte(c)
		}
	}
	return b.String()
}
