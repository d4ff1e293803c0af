// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package otlprepairextension

import (
	"math"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/pmetric"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

type numberKind uint8

const (
	notNumber numberKind = iota
	finite
	notFinite
)

// number is a number in text. JSON may not allow its form: .5, +1, 1. and 007.
type number struct {
	kind numberKind
	text string // without spaces and the sign +; for notFinite as in Protobuf's JSON format
	// float is the nearest double; infinite if the number is too large.
	float float64
}

// parseNumber reads a number as JSON, JavaScript, Python, C and Go write them.
func parseNumber(text string) number {
	text = strings.TrimSpace(text)
	if text == "" || len(text) > maxNumber {
		return number{}
	}
	text = strings.TrimPrefix(text, "+")
	unsigned := strings.TrimPrefix(text, "-")
	switch strings.ToLower(unsigned) {
	case "nan":
		return number{kind: notFinite, text: "NaN"}
	case "inf", "infinity":
		return number{kind: notFinite, text: text[:len(text)-len(unsigned)] + "Infinity"}
	}
	if strings.Trim(unsigned, "0123456789.eE+-") != "" || strings.HasPrefix(unsigned, "+") || strings.HasPrefix(unsigned, "-") {
		return number{}
	}
	float, err := strconv.ParseFloat(text, 64)
	if err != nil && !math.IsInf(float, 0) {
		return number{}
	}
	return number{kind: finite, text: text, float: float}
}

// maxNumber is the maximum length of a number. No client writes longer ones.
const maxNumber = 400

func (n number) isTooLarge() bool { return math.IsInf(n.float, 0) }

func (n number) asDouble() []byte { return strconv.AppendFloat(nil, n.float, 'g', -1, 64) }

// truncated returns the digits of the number without its fraction.
func (n number) truncated() string {
	if strings.ContainsAny(n.text, "eE") {
		return strconv.FormatFloat(math.Trunc(n.float), 'f', 0, 64)
	}
	whole, _, _ := strings.Cut(n.text, ".")
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	whole = strings.TrimLeft(whole, "0")
	if whole == "" {
		return "0"
	}
	return sign + whole
}

// value returns the number as an integer if it is one that fits into 64 bits, and otherwise as a double. A
// larger integer, and a number that exceeds a double, become a string of their digits.
func (n number) value(f fault) converted {
	if n.kind == notFinite {
		return converted{kindDouble, quoted(n.text), f}
	}
	whole := n.truncated()
	isWhole := n.float == math.Trunc(n.float)
	if _, err := strconv.ParseInt(whole, 10, 64); err == nil && isWhole {
		return converted{kindInt64, []byte(whole), f}
	}
	if n.isTooLarge() || isWhole && !strings.ContainsAny(n.text, ".eE") {
		return converted{kindString, quoted(n.text), f}
	}
	return converted{kindDouble, n.asDouble(), f}
}

// isJSONNumber reports whether JSON allows a number that ParseFloat or ParseInt has read.
func isJSONNumber(text string) bool {
	digits := strings.TrimPrefix(text, "-")
	if digits == "" || digits[0] < '0' || digits[0] > '9' || len(digits) > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9' {
		return false
	}
	_, fraction, hasFraction := strings.Cut(digits, ".")
	return !hasFraction || fraction != "" && fraction[0] >= '0' && fraction[0] <= '9'
}

// enums maps the names of OTLP's enums to their numbers.
var enums = map[string]int32{
	"SPAN_KIND_UNSPECIFIED": int32(ptrace.SpanKindUnspecified),
	"SPAN_KIND_INTERNAL":    int32(ptrace.SpanKindInternal),
	"SPAN_KIND_SERVER":      int32(ptrace.SpanKindServer),
	"SPAN_KIND_CLIENT":      int32(ptrace.SpanKindClient),
	"SPAN_KIND_PRODUCER":    int32(ptrace.SpanKindProducer),
	"SPAN_KIND_CONSUMER":    int32(ptrace.SpanKindConsumer),

	"STATUS_CODE_UNSET": int32(ptrace.StatusCodeUnset),
	"STATUS_CODE_OK":    int32(ptrace.StatusCodeOk),
	"STATUS_CODE_ERROR": int32(ptrace.StatusCodeError),

	"AGGREGATION_TEMPORALITY_UNSPECIFIED": int32(pmetric.AggregationTemporalityUnspecified),
	"AGGREGATION_TEMPORALITY_DELTA":       int32(pmetric.AggregationTemporalityDelta),
	"AGGREGATION_TEMPORALITY_CUMULATIVE":  int32(pmetric.AggregationTemporalityCumulative),

	"SEVERITY_NUMBER_UNSPECIFIED": int32(plog.SeverityNumberUnspecified),
	"SEVERITY_NUMBER_TRACE":       int32(plog.SeverityNumberTrace),
	"SEVERITY_NUMBER_TRACE2":      int32(plog.SeverityNumberTrace2),
	"SEVERITY_NUMBER_TRACE3":      int32(plog.SeverityNumberTrace3),
	"SEVERITY_NUMBER_TRACE4":      int32(plog.SeverityNumberTrace4),
	"SEVERITY_NUMBER_DEBUG":       int32(plog.SeverityNumberDebug),
	"SEVERITY_NUMBER_DEBUG2":      int32(plog.SeverityNumberDebug2),
	"SEVERITY_NUMBER_DEBUG3":      int32(plog.SeverityNumberDebug3),
	"SEVERITY_NUMBER_DEBUG4":      int32(plog.SeverityNumberDebug4),
	"SEVERITY_NUMBER_INFO":        int32(plog.SeverityNumberInfo),
	"SEVERITY_NUMBER_INFO2":       int32(plog.SeverityNumberInfo2),
	"SEVERITY_NUMBER_INFO3":       int32(plog.SeverityNumberInfo3),
	"SEVERITY_NUMBER_INFO4":       int32(plog.SeverityNumberInfo4),
	"SEVERITY_NUMBER_WARN":        int32(plog.SeverityNumberWarn),
	"SEVERITY_NUMBER_WARN2":       int32(plog.SeverityNumberWarn2),
	"SEVERITY_NUMBER_WARN3":       int32(plog.SeverityNumberWarn3),
	"SEVERITY_NUMBER_WARN4":       int32(plog.SeverityNumberWarn4),
	"SEVERITY_NUMBER_ERROR":       int32(plog.SeverityNumberError),
	"SEVERITY_NUMBER_ERROR2":      int32(plog.SeverityNumberError2),
	"SEVERITY_NUMBER_ERROR3":      int32(plog.SeverityNumberError3),
	"SEVERITY_NUMBER_ERROR4":      int32(plog.SeverityNumberError4),
	"SEVERITY_NUMBER_FATAL":       int32(plog.SeverityNumberFatal),
	"SEVERITY_NUMBER_FATAL2":      int32(plog.SeverityNumberFatal2),
	"SEVERITY_NUMBER_FATAL3":      int32(plog.SeverityNumberFatal3),
	"SEVERITY_NUMBER_FATAL4":      int32(plog.SeverityNumberFatal4),
}
