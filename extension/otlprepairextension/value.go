// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package otlprepairextension

import (
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// converted is a value of OTLP. json is nil if no value is left, and fault is empty if nothing was
// repaired.
type converted struct {
	kind  kind
	json  []byte
	fault fault
}

// convert returns the value of a scalar member. A value that cannot be converted to the member's kind
// without a loss keeps its own kind.
func convert(t token, m member) converted {
	if t.isNull() && (m.kind != kindString || t.text != "null") {
		return converted{fault: faultNull}
	}
	switch m.kind {
	case kindString:
		return toString(t)
	case kindBytes:
		return toBytes(t)
	case kindBool:
		return toBool(t)
	case kindDouble:
		return toDouble(t)
	case kindInt64:
		return toInt64(t)
	case kindEnum:
		return toEnum(t, m.message)
	case kindTraceID:
		return toID(t, m.kind, 16)
	case kindSpanID:
		return toID(t, m.kind, 8)
	default:
		return toWhole(t, m.kind)
	}
}

// plain returns a token's value with the type that it has in JSON.
func plain(t token) converted {
	if t.isNull() {
		return converted{fault: faultNull}
	}
	number := parseNumber(t.text)
	switch {
	case t.kind != tokenWord:
		result := toString(t)
		result.fault = faultType
		return result
	case strings.EqualFold(t.text, "true") || strings.EqualFold(t.text, "false"):
		return converted{kindBool, []byte(strings.ToLower(t.text)), faultType}
	case number.kind == notNumber:
		return converted{kindString, jsonappend.String(nil, t.text), faultSyntax}
	}
	return number.value(faultType)
}

func toString(t token) converted {
	switch {
	case t.kind == tokenString && t.repaired:
		return converted{kindString, t.json, faultSyntax}
	case t.kind == tokenString || t.isNull():
		return converted{kindString, t.json, ""}
	}
	return converted{kindString, jsonappend.String(nil, t.text), faultType}
}

func toBytes(t token) converted {
	if t.kind != tokenString {
		return plain(t)
	}
	if _, err := base64.StdEncoding.DecodeString(t.text); err == nil {
		return converted{kindBytes, t.json, ""}
	}
	unpadded := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(t.text, "="))
	if bytes, err := base64.RawStdEncoding.DecodeString(unpadded); err == nil {
		return converted{kindBytes, quoted(base64.StdEncoding.EncodeToString(bytes)), faultType}
	}
	return plain(t)
}

func toBool(t token) converted {
	switch {
	case t.kind == tokenWord && (t.text == "true" || t.text == "false"):
		return converted{kindBool, t.json, ""}
	case t.kind == tokenNested:
	case strings.EqualFold(t.text, "true") || t.text == "1":
		return converted{kindBool, []byte("true"), faultType}
	case strings.EqualFold(t.text, "false") || t.text == "0":
		return converted{kindBool, []byte("false"), faultType}
	}
	return ofOwnKind(t)
}

func toDouble(t token) converted {
	if t.kind == tokenString {
		if _, err := strconv.ParseFloat(t.text, 64); err == nil {
			return converted{kindDouble, t.json, ""}
		}
	}
	number := parseNumber(t.text)
	switch {
	case t.kind == tokenNested || number.kind == notNumber:
		return ofOwnKind(t)
	case number.kind == notFinite:
		return number.value(faultNotFinite)
	case number.isTooLarge():
		return converted{kindString, quoted(number.text), faultRange}
	case t.kind == tokenWord && isJSONNumber(t.text):
		return converted{kindDouble, t.json, ""}
	}
	return converted{kindDouble, number.asDouble(), faultSyntax}
}

func toInt64(t token) converted {
	if _, err := strconv.ParseInt(t.text, 10, 64); err == nil && (t.kind == tokenString || isJSONNumber(t.text)) {
		return converted{kindInt64, t.json, ""}
	}
	number := parseNumber(t.text)
	switch {
	case t.kind == tokenNested || number.kind == notNumber:
		return ofOwnKind(t)
	case number.kind == notFinite:
		return number.value(faultNotFinite)
	}
	return number.value(faultRange)
}

// toWhole returns a whole number, without a fraction. It is not negative unless the kind is int32.
func toWhole(t token, k kind) converted {
	bits := 64
	if k == kindUint32 || k == kindInt32 {
		bits = 32
	}
	fits := func(text string) bool {
		if k == kindInt32 {
			_, err := strconv.ParseInt(text, 10, bits)
			return err == nil
		}
		_, err := strconv.ParseUint(text, 10, bits)
		return err == nil
	}
	if fits(t.text) && (t.kind == tokenString || isJSONNumber(t.text)) {
		return converted{k, t.json, ""}
	}
	number := parseNumber(t.text)
	switch {
	case t.kind == tokenNested:
	case number.kind == finite:
		if text := number.truncated(); fits(text) {
			return converted{k, []byte(text), faultRange}
		}
		return converted{fault: faultRange}
	case k == kindTime && t.kind == tokenString:
		if at, err := time.Parse(time.RFC3339Nano, t.text); err == nil && at.UnixNano() > 0 {
			return converted{k, strconv.AppendInt(nil, at.UnixNano(), 10), faultType}
		}
	}
	return lost(t)
}

// toEnum returns a number or a name of an enum. A name may lack its prefix.
func toEnum(t token, prefix string) converted {
	if t.kind == tokenString {
		name := strings.TrimSuffix(strings.ToUpper(t.text), "ING") // of WARNING
		if !strings.HasPrefix(name, prefix) {
			name = prefix + name
		}
		if number, ok := enums[name]; ok {
			if name == t.text {
				return converted{kindEnum, t.json, ""}
			}
			return converted{kindEnum, strconv.AppendInt(nil, int64(number), 10), faultType}
		}
	}
	number := parseNumber(t.text)
	if t.kind == tokenNested || number.kind != finite {
		return lost(t)
	}
	text := number.truncated()
	switch _, err := strconv.ParseInt(text, 10, 32); {
	case err != nil:
		return converted{fault: faultRange}
	case t.kind == tokenWord && text == t.text:
		return converted{kindEnum, t.json, ""}
	}
	return converted{kindEnum, []byte(text), faultType}
}

// toID returns an ID of size bytes. Besides hex, it reads base64, as in Protobuf's own JSON format, and
// UUIDs.
func toID(t token, k kind, size int) converted {
	if t.kind != tokenString {
		return lost(t)
	}
	isID := func(text string) bool {
		bytes, err := hex.DecodeString(text)
		return err == nil && len(bytes) == size
	}
	if t.text == "" || isID(t.text) {
		return converted{k, t.json, ""}
	}
	if text := strings.ReplaceAll(t.text, "-", ""); isID(text) {
		return converted{k, quoted(text), faultType}
	}
	if bytes, err := base64.StdEncoding.DecodeString(t.text); err == nil && len(bytes) == size {
		return converted{k, quoted(hex.EncodeToString(bytes)), faultType}
	}
	return lost(t)
}

// ofOwnKind returns a value that cannot be converted with its own kind. A blank string is no value.
func ofOwnKind(t token) converted {
	if t.isBlank() {
		return converted{fault: faultNull}
	}
	return plain(t)
}

// lost returns no value, for a member that can have no value of another kind.
func lost(t token) converted {
	if t.isBlank() {
		return converted{fault: faultNull}
	}
	return converted{fault: faultType}
}

// quoted puts quotes around text, which must have no characters that JSON escapes.
func quoted(text string) []byte { return append(append([]byte{'"'}, text...), '"') }
