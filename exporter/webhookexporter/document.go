// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/eventjson"
)

// view caches the document of the current event, which is built when a template first needs it.
type view struct{ document map[string]any }

func (v *view) reset() { v.document = nil }

// document returns the event as templates see it: the members of the event JSON, plus title, level
// and text.
func (enc *encoder) document(e *appevent.Event) (map[string]any, error) {
	if enc.values.document != nil {
		return enc.values.document, nil
	}
	enc.scratch = enc.events.Append(enc.scratch[:0], e)
	document, err := documentOf(enc.scratch, e)
	enc.values.document = document
	return document, err
}

var errTooDeep = errors.New("the event is nested too deeply for templates")

func documentOf(eventJSON []byte, e *appevent.Event) (map[string]any, error) {
	decoder := json.NewDecoder(bytes.NewReader(eventJSON))
	decoder.UseNumber()
	var document map[string]any
	if err := decoder.Decode(&document); err != nil {
		return nil, errTooDeep // the JSON is valid otherwise
	}
	for name, value := range document {
		document[name] = exact(value)
	}
	document["title"], document["level"], document["text"] = titleOf(e), levelOf(e), textOf(e)
	if fields := fieldsOf(document); len(fields) > 0 {
		document["fields"] = fields
	}
	return document, nil
}

// exact replaces each json.Number by an int64 or a float64. Doubles are recognizable: in the event
// JSON they have a decimal point or an exponent.
func exact(value any) any {
	switch v := value.(type) {
	case json.Number:
		if i, err := v.Int64(); err == nil {
			return i
		}
		f, _ := v.Float64() // cannot fail: it is a double
		return f
	case []any:
		for i := range v {
			v[i] = exact(v[i])
		}
	case map[string]any:
		for name := range v {
			v[name] = exact(v[name])
		}
	}
	return value
}

// titleOf returns a title for people; never empty.
func titleOf(e *appevent.Event) string {
	title := typeOf(e)
	if e.IsException() && e.Exception.Type != "" && (e.Name == "" || e.Name == appevent.ExceptionEventName) {
		title = e.Exception.Type
	}
	if title = strings.ToValidUTF8(strings.TrimSpace(title), "\uFFFD"); title == "" {
		return plainLog
	}
	return title
}

// messageKeys are the members of a structured log body that hold its message.
var messageKeys = [...]string{"message", "msg"}

// fieldsOf returns the properties of an event and the members of its body but for the message.
func fieldsOf(document map[string]any) map[string]any {
	properties, _ := document["properties"].(map[string]any)
	body, ok := document["body"].(map[string]any)
	if !ok {
		return properties
	}
	fields := maps.Clone(body)
	for _, key := range messageKeys {
		if text, ok := body[key].(string); ok && text != "" {
			delete(fields, key)
			break
		}
	}
	maps.Copy(fields, properties)
	return fields
}

// textOf returns the event's message for people; it may be empty.
func textOf(e *appevent.Event) string {
	text := e.Exception.Message
	if text == "" {
		text = e.Message()
	}
	if text == "" && e.Body.Type() == pcommon.ValueTypeMap {
		for _, key := range messageKeys {
			if v, ok := e.Body.Map().Get(key); ok && v.Type() == pcommon.ValueTypeStr && v.Str() != "" {
				text = v.Str()
				break
			}
		}
	}
	return strings.ToValidUTF8(strings.TrimSpace(text), "\uFFFD")
}

// levelOf returns the severity as a word: trace, debug, info, warn, error or fatal. An exception
// without a severity is an error.
func levelOf(e *appevent.Event) string {
	n := e.SeverityLevel()
	if n == plog.SeverityNumberUnspecified && e.IsException() {
		n = plog.SeverityNumberError
	}
	return appevent.LogLevel(n)
}

// samples returns documents to try templates on: an event with every field, an exception, and a log
// without any.
func (t *templates) samples() []map[string]any {
	ld := plog.NewLogs()
	rl := ld.ResourceLogs().AppendEmpty()
	for name, value := range map[string]string{
		appevent.AttrServiceName: "shop", appevent.AttrServiceNamespace: "eu", appevent.AttrServiceVersion: "1.0.0", appevent.AttrEnvironment: "test",
	} {
		rl.Resource().Attributes().PutStr(name, value)
	}
	records := rl.ScopeLogs().AppendEmpty().LogRecords()
	full := records.AppendEmpty()
	full.SetEventName("order_placed")
	full.SetTimestamp(1700000000000000000)
	full.SetSeverityNumber(plog.SeverityNumberWarn)
	full.Body().SetStr("an order was placed")
	for name, value := range map[string]string{
		appevent.AttrID: "e1", appevent.AttrSubject: "order/1", appevent.AttrUserID: "u1", appevent.AttrUserEmail: "u1@example.com",
		appevent.AttrSessionID: "s1", "currency": "EUR",
	} {
		full.Attributes().PutStr(name, value)
	}
	full.Attributes().PutInt("total", 12)
	exception := records.AppendEmpty()
	exception.Attributes().PutStr(appevent.AttrExceptionType, "Error")
	exception.Attributes().PutStr(appevent.AttrExceptionMessage, "it failed")
	records.AppendEmpty()

	var encoder eventjson.Encoder
	var summarizer appevent.Summarizer
	var documents []map[string]any
	for e := range appevent.Logs(ld) {
		if t.content == ContentSummary {
			e = summarizer.Summary(e)
		}
		if document, err := documentOf(encoder.Append(nil, e), e); err == nil {
			documents = append(documents, document)
		}
	}
	return documents
}
