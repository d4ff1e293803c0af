// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

// edit replaces the payload of a dead letter, or its record if it has no payload. The new text must be
// of the same kind, since the exporter builds requests from it.
func edit(letter *deadletter.Letter, text []byte) error {
	if err := checkSize(letter, text); err != nil {
		return err
	}
	if len(letter.Payload) == 0 {
		if err := checkRecord(letter.Signal, text); err != nil {
			return err
		}
		letter.OTLP = text
		return nil
	}
	if isJSON(letter.Payload) {
		return editJSON(letter, text)
	}
	letter.Payload = text
	return nil
}

func checkSize(letter *deadletter.Letter, text []byte) error {
	switch {
	case len(bytes.TrimSpace(text)) == 0:
		return invalidPayload("it is empty; to discard the dead letter, delete it")
	case len(text) > deadletter.MaxEditedPayload:
		return invalidPayload("it has %d bytes, more than the limit of %d", len(text), deadletter.MaxEditedPayload)
	case !utf8.Valid(letter.Payload):
		return invalidPayload("the original is binary data, which cannot be edited here; replay it unchanged")
	}
	return nil
}

// editJSON replaces a JSON payload by one of the same kind. One on a single line stays so, because line
// feeds may separate events.
func editJSON(letter *deadletter.Letter, text []byte) error {
	kind := kindOf(letter.Payload)
	if !isJSON(text) || kindOf(text) != kind {
		return invalidPayload("it must be a JSON %s, as the original is", kindNames[kind])
	}
	if bytes.ContainsAny(text, "\n\r") && !bytes.ContainsAny(letter.Payload, "\n\r") {
		var compact bytes.Buffer
		if err := json.Compact(&compact, text); err != nil {
			return invalidPayload("%v", err)
		}
		text = compact.Bytes()
	}
	letter.Payload = text
	return nil
}

var kindNames = map[jsontext.Kind]string{
	'{': "object", '[': "array", '"': "string", '0': "number", 't': "boolean", 'f': "boolean", 'n': "null",
}

func isJSON(text []byte) bool {
	return jsontext.Value(text).IsValid(jsontext.AllowDuplicateNames(true))
}

func kindOf(text []byte) jsontext.Kind { return jsontext.Value(text).Kind() }

// checkRecord checks that the text is OTLP JSON with a record: one without would count as delivered.
func checkRecord(signal string, text []byte) error {
	if !isJSON(text) {
		return invalidPayload("it must be a record as OTLP JSON, as the original is")
	}
	switch records, err := countRecords(signal, text); {
	case err != nil:
		return invalidPayload("it is not OTLP JSON: %v", err)
	case records == 0:
		return invalidPayload("it has no record for %s; write OTLP JSON, as the original is", signal)
	}
	return nil
}

func countRecords(signal string, text []byte) (int, error) {
	if signal == "traces" {
		traces, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(text)
		if err != nil {
			return 0, err
		}
		return traces.SpanCount(), nil
	}
	logs, err := (&plog.JSONUnmarshaler{}).UnmarshalLogs(text)
	if err != nil {
		return 0, err
	}
	return logs.LogRecordCount(), nil
}

func invalidPayload(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{deadletter.ErrInvalidPayload}, args...)...)
}
