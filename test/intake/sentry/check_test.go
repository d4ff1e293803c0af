// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryintake

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// violationsOf returns the violations of an envelope.
func violationsOf(raw string) []Violation {
	e, err := ParseEnvelope([]byte(raw))
	if violation := (*Violation)(nil); errors.As(err, &violation) {
		return []Violation{*violation}
	}
	e.Arrived = now
	return Check(e)
}

func TestValidEnvelopesBreakNoRule(t *testing.T) {
	for name, raw := range good() {
		t.Run(name, func(t *testing.T) {
			assert.Empty(t, violationsOf(raw))
		})
	}
}

// broken is an envelope that breaks a rule.
type broken struct {
	name     string
	rule     Rule
	envelope string
}

// brokenEnvelopes returns at least one envelope for each rule that needs no request.
func brokenEnvelopes(t *testing.T) []broken {
	t.Helper()
	ofEvent := func(oldAndNew ...string) string {
		return envelope(headerWithID, item("event", with(t, event, oldAndNew...)))
	}
	ofTransaction := func(oldAndNew ...string) string {
		return envelope(headerWithID, item("transaction", with(t, transaction, oldAndNew...)))
	}
	ofLog := func(oldAndNew ...string) string {
		return envelope(header, container("log", with(t, log, oldAndNew...)))
	}
	ofSpan := func(oldAndNew ...string) string {
		return envelope(headerWithTrace, container("span", with(t, span, oldAndNew...)))
	}
	ofReport := func(oldAndNew ...string) string {
		return envelope(header, item("client_report", with(t, report, oldAndNew...)))
	}
	ofCheckIn := func(oldAndNew ...string) string {
		return envelope(header, item("check_in", with(t, checkIn, oldAndNew...)))
	}
	ofHeader := func(oldAndNew ...string) string {
		return envelope(with(t, headerWithID, oldAndNew...), item("event", event))
	}
	ofItem := func(oldAndNew ...string) string {
		return with(t, envelope(headerWithID, item("event", event)), oldAndNew...)
	}
	ofLogItem := func(oldAndNew ...string) string {
		return with(t, envelope(header, container("log", log)), oldAndNew...)
	}
	ofSession := func(oldAndNew ...string) string {
		return envelope(header, item("session", with(t, session, oldAndNew...)))
	}
	ofSessions := func(oldAndNew ...string) string {
		return envelope(header, item("sessions", with(t, sessions, oldAndNew...)))
	}
	ofFeedback := func(oldAndNew ...string) string {
		return envelope(withoutTrace, item("feedback", with(t, feedback, oldAndNew...)))
	}
	return slices.Concat([]broken{
		// The grammar.
		{"an empty envelope", RuleHeader, ""},
		{"a header that is an array", RuleHeader, "[]\n"},
		{"a header with a space before it", RuleHeader, " " + envelope(header, item("client_report", report))},
		{"a header that ends with CRLF", RuleHeader, with(t, envelope(header, item("client_report", report)), "}\n", "}\r\n")},
		{"a truncated header", RuleHeader, `{"event_id":"}`},
		{"a header of two objects", RuleHeader, "{} {}\n"},
		{"a header with an unknown member", RuleUnknownField, envelope(with(t, header, `"sdk"`, `"source":"me","sdk"`), item("client_report", report))},
		{"a header over two lines", RuleHeader, envelope(with(t, header, ",", ",\n"), item("client_report", report))},
		{"an empty line between items", RuleHeader, envelope(header, item("client_report", report), "", item("session", session))},
		{"two line feeds at the end", RuleHeader, envelope(header, item("client_report", report)) + "\n"},
		{"a duplicate sent_at", RuleDuplicateName, envelope(with(t, header, `{`, `{"sent_at":"2026-01-02T03:04:05Z",`), item("client_report", report))},
		{"a duplicate name in an item's header", RuleDuplicateName, ofItem(`{"type":"event"`, `{"type":"event","type":"event"`)},
		{"a duplicate name in a nested object", RuleDuplicateName, ofEvent(`"n":1`, `"n":1,"n":1`)},
		{"invalid UTF-8 in a header", RuleUTF8, envelope(with(t, header, "example.go", "example.\xff"), item("client_report", report))},
		{"invalid UTF-8 in a payload", RuleUTF8, ofEvent("not paid", "not \xc3\x28")},
		{"half a surrogate pair", RuleUTF8, ofEvent("not paid", `not \ud800 paid`)},
		{"an item without a type", RuleItemType, ofItem(`"type":"event",`, ``)},
		{"an item with a type that is a number", RuleItemType, ofItem(`"type":"event"`, `"type":7`)},
		{"an item of an unknown type", RuleItemType, ofItem(`"type":"event"`, `"type":"events"`)},
		{"an item of a type that SDKs must not use", RuleItemType, ofItem(`"type":"event"`, `"type":"otel_log"`)},
		{"an item of one of Relay's types", RuleItemType, ofItem(`"type":"event"`, `"type":"statsd"`)},
		{"an item without a length", RuleItemLength, envelope(header, "{\"type\":\"client_report\"}\n"+report)},
		{"an item that is shorter than its length", RuleItemLength, strings.TrimSuffix(envelope(header, item("client_report", report)), "}\n")},
		{"an item that is longer than its length", RuleItemLength, envelope(header, item("client_report", report)+" ")},
		{"a length that is a string", RuleItemLength, ofItem(`"length":`, `"length":"1","was":`)},
		{"a negative length", RuleItemLength, ofItem(`"length":`, `"length":-`)},
		{"a length with a fraction", RuleItemLength, ofItem(`"length":`, `"length":1.`)},
		{"an item that is only a header", RuleItemLength, header + "\n" + `{"type":"client_report"}`},
		{"no items", RuleEmpty, header + "\n"},

		// The envelope's header.
		{"an event_id with dashes", RuleEventID, envelope(strings.ReplaceAll(headerWithID, "12c2d058d58442709aa2eca08bf20986", "12c2d058-d584-4270-9aa2-eca08bf20986"), item("event", strings.ReplaceAll(event, "12c2d058d58442709aa2eca08bf20986", "12c2d058-d584-4270-9aa2-eca08bf20986")))},
		{"an event_id in upper case", RuleEventID, strings.ReplaceAll(envelope(headerWithID, item("event", event)), "12c2d058d58442709aa2eca08bf20986", "12C2D058D58442709AA2ECA08BF20986")},
		{"an event without an event_id in the header", RuleEventID, envelope(header, item("event", event))},
		{"a transaction without an event_id in the header", RuleEventID, envelope(header, item("transaction", transaction))},
		{"an attachment without an event_id in the header", RuleEventID, envelope(header, attachment)},
		{"an event_id that is not the payload's", RuleEventID, ofHeader("12c2d058d58442709aa2eca08bf20986", "22c2d058d58442709aa2eca08bf20986")},
		{"no sent_at", RuleSentAt, ofHeader(`"sent_at":"2026-01-02T03:04:05.25Z",`, ``)},
		{"a sent_at that is not a time", RuleSentAt, ofHeader(`2026-01-02T03:04:05.25Z`, `now`)},
		{"a sent_at that is not in UTC", RuleSentAt, ofHeader(`2026-01-02T03:04:05.25Z`, `2026-01-02T04:04:05.25+01:00`)},
		{"a sent_at without a zone", RuleSentAt, ofHeader(`2026-01-02T03:04:05.25Z`, `2026-01-02T03:04:05.25`)},
		{"a sent_at from when the event was queued", RuleSentAt, ofHeader(`2026-01-02T03:04:05.25Z`, `2026-01-02T03:03:05Z`)},
		{"a sent_at in the future", RuleSentAt, ofHeader(`2026-01-02T03:04:05.25Z`, `2026-01-03T03:04:05Z`)},
		{"no sdk", RuleSDK, ofHeader(headerSDK, ``)},
		{"an event of a browser that lets Sentry infer the address", RuleSDK, ofEvent(`"platform":"java",`, `"platform":"javascript",`)},
		{"an sdk without a version", RuleSDK, ofHeader(`,"version":"1.2.3"`, ``)},
		{"an sdk with a v before its version", RuleSDK, ofHeader(`"1.2.3"`, `"v1.2.3"`)},
		{"an sdk with an invalid name", RuleSDK, ofHeader(`example.go`, `example go/7`)},
		{"a trace without a sample_rate", RuleTraceHeader, ofHeader(`"sample_rate":"1.0",`, ``)},
		{"a trace with a sample_rate that is a number", RuleTraceHeader, ofHeader(`"sample_rate":"1.0"`, `"sample_rate":1.0`)},
		{"a trace with a sample_rate above 1", RuleTraceHeader, ofHeader(`"sample_rate":"1.0"`, `"sample_rate":"1.5"`)},
		{"a trace with an id of zeros", RuleTraceHeader, ofHeader(`"trace_id":"5b8efff798038103d269b633813fc60c"`, `"trace_id":"00000000000000000000000000000000"`)},
		{"a trace that is not the event's", RuleTraceHeader, ofHeader(`"trace_id":"5b8efff798038103d269b633813fc60c"`, `"trace_id":"6b8efff798038103d269b633813fc60c"`)},
		{"a trace with logs of several traces", RuleTraceHeader, envelope(headerWithID, container("log", log, with(t, log, "5b8efff798038103d269b633813fc60c", "627a2885119dcc8184fae7eef09438cb")))},
		{"spans without a trace", RuleTraceHeader, envelope(header, container("span", span))},
		{"a trace with spans of several traces", RuleTraceHeader, envelope(headerWithTrace, container("span", span, with(t, span, "5b8efff798038103d269b633813fc60c", "627a2885119dcc8184fae7eef09438cb")))},
		{"a trace without items of a trace", RuleTraceHeader, envelope(headerWithID, item("client_report", report))},

		// Items.
		{"an attachment without a filename", RuleItemHeader, envelope(headerWithID, item("event", event), with(t, attachment, `"filename":"hello.txt",`, ``))},
		{"an attachment of an unknown type", RuleItemHeader, envelope(headerWithID, item("event", event), with(t, attachment, `"filename"`, `"attachment_type":"text","filename"`))},
		{"logs without a content type", RuleItemContentType, ofLogItem(`,"content_type":"application/vnd.sentry.items.log+json"`, ``)},
		{"logs with the content type of spans", RuleItemContentType, ofLogItem(`items.log+json`, `items.span.v2+json`)},
		{"an event with another content type", RuleItemContentType, ofItem(`"type":"event"`, `"type":"event","content_type":"text/plain"`)},
		{"an item_count that is too high", RuleItemCount, ofLogItem(`"item_count":1`, `"item_count":2`)},
		{"no item_count", RuleItemCount, ofLogItem(`"item_count":1,`, ``)},
		{"a container without entries", RuleItemCount, envelope(header, container("log"))},
		{"101 logs", RuleItemCount, envelope(header, container("log", slices.Repeat([]string{log}, 101)...))},
		{"1,001 spans", RuleItemCount, envelope(headerWithTrace, container("span", slices.Repeat([]string{span}, 1001)...))},
		{"two events", RuleItemMix, envelope(headerWithID, item("event", event), item("event", event))},
		{"an event and a transaction", RuleItemMix, envelope(headerWithID, item("event", event), item("transaction", transaction))},
		{"feedback and a transaction", RuleItemMix, envelope(headerWithID, item("feedback", feedback), item("transaction", transaction))},
		{"two containers of logs", RuleItemMix, envelope(header, container("log", log), container("log", log))},
		{"31 attachments", RuleItemMix, envelope(headerWithID, append(slices.Repeat([]string{attachment}, 31), item("event", event))...)},
		{"a profile without its transaction", RuleItemMix, envelope(header, item("profile", `{}`))},
		{"an event of more than 1 MiB", RuleItemSize, ofEvent("not paid", strings.Repeat("a", mib))},
		{"a client report of more than 4 KiB", RuleItemSize, ofReport(`{"timestamp"`, strings.Repeat(" ", 4*kib)+`{"timestamp"`)},
		{"logs of more than 1 MiB", RuleItemSize, ofLog("paid 1", strings.Repeat("a", mib))},
		{"a metric of more than 2 KiB", RuleItemSize, envelope(header, container("trace_metric", with(t, metric, "rows", strings.Repeat("a", 2*kib))))},
		{"a payload that is not JSON", RulePayload, envelope(header, item("client_report", `{"discarded_events":[`))},
		{"a payload of two objects", RulePayload, envelope(header, item("client_report", report+report))},
		{"a payload that is an array", RulePayload, envelope(header, item("client_report", `[]`))},
		{"a container whose items are a number", RulePayload, envelope(header, "{\"type\":\"trace_metric\",\"item_count\":1,\"content_type\":\"application/vnd.sentry.items.trace-metric+json\",\"length\":11}\n{\"items\":1}")},
		{"a log with an unknown member", RuleUnknownField, ofLog(`"body"`, `"event_name":"a","body"`)},
		{"a span with events", RuleUnknownField, ofSpan(`"links"`, `"events":[],"links"`)},
		{"an event with a misspelled member", RuleUnknownField, ofEvent(`"fingerprint"`, `"finger_print"`)},
		{"a frame with a misspelled member", RuleUnknownField, ofEvent(`"lineno"`, `"line"`)},
		{"an event with transaction members", RuleUnknownField, ofEvent(`"dist"`, `"start_timestamp":1,"dist"`)},
	}, []broken{
		// Events.
		{"an event without an event_id", RuleEvent, ofEvent(`"event_id":"12c2d058d58442709aa2eca08bf20986",`, ``)},
		{"an event without a platform", RuleEvent, ofEvent(`"platform":"java",`, ``)},
		{"a logger that is null", RuleEvent, ofEvent(`"logger":"com.example.Pay"`, `"logger":null`)},
		{"extra that is an array", RuleEvent, ofEvent(`"extra":{"raw":null}`, `"extra":[]`)},
		{"modules that are not strings", RuleEvent, ofEvent(`"spring":"6.1"`, `"spring":6.1`)},
		{"an event with the type transaction", RuleEvent, ofEvent(`"dist"`, `"type":"transaction","dist"`)},
		{"a timestamp of 0", RuleTimestamp, ofEvent(`1767323045.5`, `0`)},
		{"a timestamp in milliseconds", RuleTimestamp, ofEvent(`1767323045.5`, `1767323045500`)},
		{"a timestamp in nanoseconds", RuleTimestamp, ofEvent(`1767323045.5`, `1767323045500000000`)},
		{"a timestamp that is not RFC 3339", RuleTimestamp, ofEvent(`1767323045.5`, `"2026-01-02 03:04:05"`)},
		{"a timestamp of year 1", RuleTimestamp, ofEvent(`1767323045.5`, `"0001-01-01T00:00:00Z"`)},
		{"the platform rust", RulePlatform, ofEvent(`"java"`, `"rust"`)},
		{"a logger of 65 characters", RuleShortText, ofEvent(`"com.example.Pay"`, `"`+strings.Repeat("l", 65)+`"`)},
		{"a logger with a line feed", RuleShortText, ofEvent(`"com.example.Pay"`, `"com\nexample"`)},
		{"a transaction of 201 characters", RuleShortText, ofEvent(`"POST /pay"`, `"`+strings.Repeat("t", 201)+`"`)},
		{"an empty server_name", RuleShortText, ofEvent(`"web-1"`, `""`)},
		{"an op of 129 characters", RuleShortText, ofEvent(`"op":"http.server"`, `"op":"`+strings.Repeat("o", 129)+`"`)},
		{"a message of 8193 characters", RuleMessage, ofEvent(`"message":"pay 1","logentry":{"message":"pay %s","formatted":"pay 1",`, `"message":"`+strings.Repeat("m", 8193)+`","logentry":{"message":"pay %s",`)},
		{"a request with a method that is a path", RuleHTTPRequest, ofEvent(`"method":"POST"`, `"method":"POST /pay"`)},
		{"a request with a method in lower case", RuleHTTPRequest, ofEvent(`"method":"POST"`, `"method":"post"`)},
		{"a user with an address with a zone", RuleUser, ofEvent(`"ip_address":"192.0.2.1"`, `"ip_address":"fe80::1%eth0"`)},
		{"a mechanism with a source of two words", RuleMechanism, ofEvent(`"source":"cause"`, `"source":"the cause"`)},
		{"a platform that is a language of OpenTelemetry", RulePlatform, ofEvent(`"java"`, `"nodejs"`)},
		{"the level of a log in an event", RuleLevel, ofEvent(`"level":"error"`, `"level":"warn"`)},
		{"a release with a slash", RuleRelease, ofEvent(`shop@1.2.3`, `shop/1.2.3`)},
		{"a release with a line feed", RuleRelease, ofEvent(`shop@1.2.3`, `shop\n1.2.3`)},
		{"a release of 202 bytes", RuleRelease, ofEvent(`shop@1.2.3`, strings.Repeat("é", 101))},
		{"a release with a tab", RuleRelease, ofEvent(`shop@1.2.3`, `shop\t1.2.3`)},
		{"a release with a space at the end", RuleRelease, ofEvent(`shop@1.2.3`, `shop@1.2.3 `)},
		{"the release latest", RuleRelease, ofEvent(`shop@1.2.3`, `Latest`)},
		{"an empty release", RuleRelease, ofEvent(`shop@1.2.3`, ``)},
		{"a release that is two periods", RuleRelease, ofEvent(`shop@1.2.3`, `..`)},
		{"a release in an attribute", RuleRelease, ofLog(`shop@1.2.3`, `shop\\1.2.3`)},
		{"an environment with a slash", RuleEnvironment, ofEvent(`"production"`, `"eu/production"`)},
		{"an environment with a space", RuleEnvironment, ofEvent(`"production"`, `"the production"`)},
		{"an environment with a line feed", RuleEnvironment, ofEvent(`"production"`, `"production\n"`)},
		{"an environment of 65 characters", RuleEnvironment, ofEvent(`"production"`, `"`+strings.Repeat("p", 65)+`"`)},
		{"the environment None", RuleEnvironment, ofEvent(`"production"`, `"None"`)},
		{"the environment none", RuleEnvironment, ofEvent(`"production"`, `"nONE"`)},
		{"an environment that is a period", RuleEnvironment, ofEvent(`"production"`, `"."`)},
		{"an environment with a control character", RuleEnvironment, ofEvent(`"production"`, `"prod\u0007"`)},
		{"a dist with a space", RuleDist, ofEvent(`"dist":"7"`, `"dist":"build 7"`)},
		{"a dist with a colon", RuleDist, ofEvent(`"dist":"7"`, `"dist":"7:1"`)},
		{"an empty dist", RuleDist, ofEvent(`"dist":"7"`, `"dist":""`)},
		{"a dist of 65 characters", RuleDist, ofEvent(`"dist":"7"`, `"dist":"`+strings.Repeat("7", 65)+`"`)},
		{"an environment in an attribute", RuleEnvironment, ofLog(`"production"`, `"eu/production"`)},
		{"a tag that is a number", RuleTags, ofEvent(`"http.status_code":"500"`, `"http.status_code":500`)},
		{"a tag with a space in its key", RuleTags, ofEvent(`"http.status_code"`, `"http status"`)},
		{"a tag with a key of 201 characters", RuleTags, ofEvent(`"http.status_code"`, `"`+strings.Repeat("k", 201)+`"`)},
		{"a tag with a value of 201 characters", RuleTags, ofEvent(`"500"`, `"`+strings.Repeat("v", 201)+`"`)},
		{"a tag with a line feed", RuleTags, ofEvent(`"500"`, `"5\n00"`)},
		{"a tag that is empty", RuleTags, ofEvent(`"500"`, `""`)},
		{"a tag that is blank", RuleTags, ofEvent(`"500"`, `" "`)},
		{"a tag called release", RuleTags, ofEvent(`"http.status_code"`, `"release"`)},
		{"a tag called environment", RuleTags, ofEvent(`"http.status_code"`, `"environment"`)},
		{"a tag called device.class", RuleTags, ofEvent(`"http.status_code"`, `"device.class"`)},
		{"tags as a list", RuleTags, ofEvent(`{"http.status_code":"500"}`, `[["http.status_code","500"]]`)},
		{"a fingerprint with a number", RuleFingerprint, ofEvent(`"pay"]`, `7]`)},
		{"a fingerprint that is a string", RuleFingerprint, ofEvent(`["{{ default }}","pay"]`, `"pay"`)},
		{"a fingerprint that is empty", RuleFingerprint, ofEvent(`["{{ default }}","pay"]`, `[]`)},
		{"an event without sdk", RuleSDK, ofEvent(`"sdk":{"name":"example.go"`, `"debug_meta":{"name":"example.go"`)},
		{"a user whose id is a number", RuleUser, ofEvent(`"id":"u1"`, `"id":1`)},
		{"a user whose address is a host name", RuleUser, ofEvent(`"ip_address":"192.0.2.1"`, `"ip_address":"localhost"`)},
		{"a user whose geo is a string", RuleUser, ofEvent(`"geo":{"city":"Bern"}`, `"geo":"Bern"`)},
		{"a request whose method is a number", RuleHTTPRequest, ofEvent(`"method":"POST"`, `"method":1`)},
		{"a request whose header is a list", RuleHTTPRequest, ofEvent(`"accept":"*/*"`, `"accept":["*/*"]`)},
		{"a request whose query is a number", RuleHTTPRequest, ofEvent(`"query_string":"a=1"`, `"query_string":1`)},
		{"a context that is a string", RuleContexts, ofEvent(`"otel":`, `"runtime":"java","otel":`)},
		{"a context of OpenTelemetry without objects", RuleContexts, ofEvent(`"attributes":{"a":[1]}`, `"attributes":[]`)},
		{"an event without a trace context", RuleTraceContext, envelope(withoutTrace, item("event", with(t, event, `"contexts":{"trace":`, `"contexts":{"other":`)))},
		{"a trace context without a span", RuleTraceContext, ofEvent(`"span_id":"b0e6f15b45c36b12",`, ``)},
		{"a trace context with zeros", RuleTraceContext, ofEvent(`b0e6f15b45c36b12`, `0000000000000000`)},
		{"a trace context with upper case", RuleTraceContext, ofEvent(`b0e6f15b45c36b12`, `B0E6F15B45C36B12`)},
		{"a trace context with a status of OpenTelemetry", RuleTraceContext, ofEvent(`"internal_error"`, `"error"`)},
		{"breadcrumbs without values", RuleBreadcrumbs, ofEvent(breadcrumbs, `"breadcrumbs":{}`)},
		{"breadcrumbs as a list", RuleBreadcrumbs, ofEvent(`"breadcrumbs":{"values":[{`, `"breadcrumbs":[{"values":[{`, `044}]}`, `044}]}]`)},
		{"breadcrumbs with the newest first", RuleBreadcrumbs, ofEvent(`1767323044}`, `1767323042}`)},
		{"a breadcrumb with the level of a log", RuleBreadcrumbs, ofEvent(`"level":"info"`, `"level":"warn"`)},
		{"an event without message and exception", RuleMessage, envelope(withoutTrace, item("event", eventHead+breadcrumbs+`}`))},
		{"an event whose only message is a logentry", RuleMessage, envelope(withoutTrace, item("event", eventHead+breadcrumbs+`,"logentry":{"message":"paid"}}`))},
		{"a blank message", RuleMessage, ofEvent(`"message":"pay 1","logentry":{"message":"pay %s","formatted":"pay 1",`, `"message":" ","logentry":{"message":"pay %s",`)},
		{"a logentry without a message", RuleLogEntry, ofEvent(`"logentry":{"message":"pay %s","formatted":"pay 1",`, `"logentry":{`)},
		{"a logentry with formatted alone", RuleLogEntry, ofEvent(`"logentry":{"message":"pay %s",`, `"logentry":{`)},
		{"a logentry whose formatted is its message", RuleLogEntry, ofEvent(`"message":"pay %s"`, `"message":"pay 1"`)},
		{"a logentry whose formatted is not the message", RuleLogEntry, ofEvent(`"formatted":"pay 1"`, `"formatted":"pay 2"`)},
		{"a logentry whose params are a string", RuleLogEntry, ofEvent(`"params":["1"]`, `"params":"1"`)},
		{"exceptions without values", RuleException, ofEvent(exceptions, `"exception":{}`)},
		{"an empty list of exceptions", RuleException, ofEvent(exceptions, `"exception":{"values":[]}`)},
		{"an exception without a type and a value", RuleException, ofEvent(`"type":"PayException","value":"not paid",`, ``)},
		{"an exception without a type", RuleException, ofEvent(`"type":"PayException",`, ``)},
		{"an exception with a blank type", RuleException, ofEvent(`"type":"PayException"`, `"type":" "`)},
		{"an exception whose value is an object", RuleException, ofEvent(`"value":"not paid"`, `"value":{}`)},
		{"a mechanism without a type", RuleMechanism, ofEvent(`"type":"auto.otel.log","handled":false`, `"handled":false`)},
		{"a mechanism that is generic", RuleMechanism, ofEvent(`"type":"auto.otel.log","handled":false`, `"type":"generic","handled":false`)},
		{"a mechanism whose handled is a string", RuleMechanism, ofEvent(`"handled":false`, `"handled":"false"`)},
		{"a group whose root is not last", RuleExceptionGroup, ofEvent(`"exception_id":1,"parent_id":0`, `"exception_id":0`, `"exception_id":0,"data"`, `"exception_id":1,"parent_id":0,"data"`)},
		{"a group whose root is not 0", RuleExceptionGroup, ofEvent(`"exception_id":1,"parent_id":0`, `"exception_id":1,"parent_id":2`, `"exception_id":0,"data"`, `"exception_id":2,"data"`)},
		{"a group whose root has a parent", RuleExceptionGroup, ofEvent(`"exception_id":0,"data"`, `"exception_id":0,"parent_id":1,"data"`)},
		{"a group whose parents form a cycle", RuleExceptionGroup, ofEvent(`"exception":{"values":[`, `"exception":{"values":[{"type":"a","mechanism":{"type":"auto.otel.log","exception_id":2,"parent_id":1}},`, `"parent_id":0`, `"parent_id":2`)},
		{"a group with a missing parent", RuleExceptionGroup, ofEvent(`"parent_id":0`, `"parent_id":7`)},
		{"an exception that is its own parent", RuleExceptionGroup, ofEvent(`"parent_id":0`, `"parent_id":1`)},
		{"a group with a duplicate id", RuleExceptionGroup, ofEvent(`"exception_id":1,"parent_id":0`, `"exception_id":0,"parent_id":0`)},
		{"a group with a missing id", RuleExceptionGroup, ofEvent(`"exception_id":1,"parent_id":0,`, ``)},
		{"a group with an id that is a string", RuleExceptionGroup, ofEvent(`"exception_id":1`, `"exception_id":"1"`)},
		{"a stack trace without frames", RuleStacktrace, ofEvent(`"stacktrace":{"frames":[{"function":"wait"}]}`, `"stacktrace":{"frames":[]}`)},
		{"a frame without a file and function", RuleStacktrace, ofEvent(`{"function":"wait"}`, `{"module":"wait"}`)},
		{"a frame whose function is empty", RuleStacktrace, ofEvent(`{"function":"wait"}`, `{"function":""}`)},
		{"line 0", RuleStacktrace, ofEvent(`"lineno":12`, `"lineno":0`)},
		{"a line that is a string", RuleStacktrace, ofEvent(`"lineno":12`, `"lineno":"12"`)},
		{"an in_app that is a number", RuleStacktrace, ofEvent(`"in_app":true`, `"in_app":1`)},
		{"an address without 0x", RuleStacktrace, ofEvent(`0x7fff5bf3456c`, `7fff5bf3456c`)},
		{"a stack_start that is false", RuleStacktrace, ofEvent(`"in_app":true`, `"in_app":true,"stack_start":false`)},
		{"context that is a list of numbers", RuleStacktrace, ofEvent(`"pre_context":["{"]`, `"pre_context":[1]`)},
		{"1,001 frames", RuleStacktrace, ofEvent(`{"function":"wait"}`, `{"function":"wait"}`+strings.Repeat(`,{"function":"wait"}`, 1000))},
		{"a thread without an id", RuleThreads, ofEvent(`{"id":1,`, `{`)},
		{"a thread with the id of another", RuleThreads, ofEvent(`{"id":"2",`, `{"id":1,`)},
		{"a thread with an id that is an object", RuleThreads, ofEvent(`{"id":"2",`, `{"id":{},`)},
		{"threads without values", RuleThreads, ofEvent(threads, `"threads":{}`)},

		// Transactions and feedback.
		{"a transaction of the type event", RuleTransaction, ofTransaction(`"type":"transaction"`, `"type":"event"`)},
		{"a transaction without a name", RuleTransaction, ofTransaction(`"transaction":"GET /users",`, ``)},
		{"a transaction with an empty name", RuleShortText, ofTransaction(`"GET /users"`, `""`)},
		{"a transaction that ends before it starts", RuleTransaction, ofTransaction(`"2026-01-02T03:04:04Z"`, `"2026-01-02T03:04:07Z"`)},
		{"a transaction whose source is unknown", RuleTransaction, ofTransaction(`"source":"route"`, `"source":"unknown"`)},
		{"a transaction without an op", RuleTransaction, ofTransaction(`"op":"http.server",`, ``)},
		{"a transaction without a trace", RuleTransaction, envelope(withoutTrace, item("transaction", with(t, transaction, `"trace":{`, `"other":{`)))},
		{"a measurement that is a string", RuleTransaction, ofTransaction(`{"value":3`, `{"value":"3"`)},
		{"a span of another trace", RuleTransactionSpans, ofTransaction(`"spans":[{"trace_id":"5b8`, `"spans":[{"trace_id":"6b8`)},
		{"a span with the id of another", RuleTransactionSpans, ofTransaction(`"span_id":"b01b9f6349558cd1"`, `"span_id":"b0e6f15b45c36b12"`)},
		{"a span without a start", RuleTransactionSpans, ofTransaction(`"start_timestamp":1767323044.5,`, ``)},
		{"a span with a status of version 2", RuleTransactionSpans, ofTransaction(`"description":"SELECT","status":"ok"`, `"description":"SELECT","status":"error"`)},
		{"feedback without a message", RuleFeedback, ofFeedback(`"message":"it is slow",`, ``)},
		{"feedback without its context", RuleFeedback, ofFeedback(`"feedback":`, `"feed":`)},
		{"feedback of 4097 characters", RuleFeedback, ofFeedback(`it is slow`, strings.Repeat("s", 4097))},
	}, []broken{
		// Containers.
		{"an attribute that is a list", RuleAttributes, ofLog(`"n":{"value":1,"type":"integer"}`, `"n":{"value":[1],"type":"array"}`)},
		{"an attribute without a type", RuleAttributes, ofLog(`"n":{"value":1,"type":"integer"}`, `"n":{"value":1}`)},
		{"an attribute that is only a value", RuleAttributes, ofLog(`"n":{"value":1,"type":"integer"}`, `"n":1`)},
		{"an integer with a fraction", RuleAttributes, ofLog(`"n":{"value":1,`, `"n":{"value":1.0,`)},
		{"an integer of 65 bits", RuleAttributes, ofLog(`"n":{"value":1,`, `"n":{"value":18446744073709551615,`)},
		{"a double that is a string", RuleAttributes, ofLog(`"d":{"value":1,`, `"d":{"value":"NaN",`)},
		{"a double that is too large", RuleAttributes, ofLog(`"d":{"value":1,`, `"d":{"value":1e999,`)},
		{"a boolean that is a string", RuleAttributes, ofLog(`"b":{"value":true`, `"b":{"value":"true"`)},
		{"a string that is null", RuleAttributes, ofLog(`{"value":"1","type":"string"}`, `{"value":null,"type":"string"}`)},
		{"a log without a trace", RuleLog, ofLog(`"trace_id":"5b8efff798038103d269b633813fc60c",`, ``)},
		{"a log whose trace is all zeros", RuleLog, ofLog(`5b8efff798038103d269b633813fc60c`, `00000000000000000000000000000000`)},
		{"a log whose body is an object", RuleLog, ofLog(`"body":"paid 1"`, `"body":{}`)},
		{"a log whose time is a string", RuleLog, ofLog(`1767323045.123456`, `"2026-01-02T03:04:05Z"`)},
		{"a log whose span is too short", RuleLog, ofLog(`b0e6f15b45c36b12`, `b0e6f15b`)},
		{"a log whose time is in milliseconds", RuleTimestamp, ofLog(`1767323045.123456`, `1767323045123`)},
		{"the level of an event in a log", RuleLogLevel, ofLog(`"level":"warn","severity_number":13,`, `"level":"warning",`)},
		{"a severity number of 0", RuleLogLevel, ofLog(`"severity_number":13`, `"severity_number":0`)},
		{"a severity number that is not the level", RuleLogLevel, ofLog(`"severity_number":13`, `"severity_number":17`)},
		{"a template without parameters", RuleLogTemplate, ofLog(`"sentry.message.parameter.0":{"value":"1","type":"string"},`, ``)},
		{"a span without a name", RuleSpan, ofSpan(`"name":"GET /users",`, ``)},
		{"a span without is_segment", RuleSpan, ofSpan(`"is_segment":true,`, ``)},
		{"a span that is its own parent", RuleSpan, ofSpan(`"parent_span_id":"b0e6f15b45c36b12"`, `"parent_span_id":"438f40bd3b4a41ee"`)},
		{"a span that ends before it starts", RuleSpan, ofSpan(`1767323044.158209`, `1767323046.158209`)},
		{"a span whose parent is all zeros", RuleSpan, ofSpan(`b0e6f15b45c36b12`, `0000000000000000`)},
		{"a span whose status is unset", RuleSpanStatus, ofSpan(`"status":"ok"`, `"status":"unset"`)},
		{"a link without a span", RuleSpanLinks, ofSpan(`,"span_id":"6c71fc6b09b8b716"`, ``)},
		{"a segment without a source", RuleSegment, ofSpan(`"sentry.span.source"`, `"sentry.source"`)},
		{"a segment with an unknown source", RuleSegment, ofSpan(`"value":"route"`, `"value":"guess"`)},
		{"a metric without a value", RuleMetric, envelope(header, container("trace_metric", with(t, metric, `"value":2,`, ``)))},

		// Items other than events.
		{"an unknown reason", RuleClientReport, ofReport(`"queue_overflow"`, `"queue_full"`)},
		{"an unknown category", RuleClientReport, ofReport(`"error"`, `"event"`)},
		{"a quantity of 0", RuleClientReport, ofReport(`"quantity":3`, `"quantity":0`)},
		{"a quantity with a fraction", RuleClientReport, ofReport(`"quantity":3`, `"quantity":3.5`)},
		{"a duplicate reason and category", RuleClientReport, ofReport(`"log_item"`, `"error"`)},
		{"a report of nothing", RuleClientReport, envelope(header, item("client_report", `{"discarded_events":[]}`))},
		{"a member that only a Relay sends", RuleUnknownField, ofReport(`"discarded_events"`, `"filtered_events":[],"discarded_events"`)},
		{"a check-in whose id has dashes", RuleCheckIn, ofCheckIn(`00000000000000000000000000000000`, `00000000-0000-0000-0000-000000000000`)},
		{"a check-in without a slug", RuleCheckIn, ofCheckIn(`"monitor_slug":"nightly",`, ``)},
		{"a check-in with an unknown status", RuleCheckIn, ofCheckIn(`"status":"ok"`, `"status":"missed"`)},
		{"a check-in whose interval has no unit", RuleCheckIn, ofCheckIn(`,"unit":"day"`, ``)},
		{"a check-in whose crontab is a number", RuleCheckIn, ofCheckIn(`"interval"`, `"crontab"`)},
		{"a session without a start", RuleSession, ofSession(`"started":"2026-01-02T03:04:00Z",`, ``)},
		{"a session without a release", RuleSession, ofSession(`"release":"shop@1.2.3",`, ``)},
		{"a session with an unknown status", RuleSession, ofSession(`"status":"ok"`, `"status":"done"`)},
		{"101 sessions", RuleSession, envelope(header, append(slices.Repeat([]string{item("session", session)}, 100), item("sessions", sessions))...)},
		{"sessions without buckets", RuleSession, ofSessions(`[{"started":"2026-01-02T03:04:00Z","exited":12,"errored":0,"crashed":1}]`, `[]`)},
		{"a bucket with a negative count", RuleSession, ofSessions(`"exited":12`, `"exited":-12`)},
	})
}

func TestEachRuleIsEnforced(t *testing.T) {
	for _, test := range brokenEnvelopes(t) {
		t.Run(test.name, func(t *testing.T) {
			violations := violationsOf(test.envelope)
			require.NotEmpty(t, violations)
			for i := range violations {
				assert.Equal(t, test.rule, violations[i].Rule, violations[i].Error())
			}
		})
	}
}

func TestEnvelopeSizeIsLimited(t *testing.T) {
	raw := []byte(envelope(header, item("client_report", report)))
	e, err := ParseEnvelope(raw)
	require.NoError(t, err)
	e.Raw = make([]byte, maxEnvelope+1)
	violations := Check(e)
	require.Len(t, violations, 1)
	assert.Equal(t, RuleEnvelopeSize, violations[0].Rule)
}

func TestSeverityNumbersMatchLevels(t *testing.T) {
	for number := 1; number <= 24; number++ {
		for i, level := range []string{"trace", "debug", "info", "warn", "error", "fatal"} {
			raw := envelope(header, container("log", with(t, log, `"warn"`, strconv.Quote(level), `"severity_number":13`, `"severity_number":`+strconv.Itoa(number))))
			fits := number > 4*i && number <= 4*i+4
			assert.Equal(t, fits, len(violationsOf(raw)) == 0, "%d is %s", number, level)
		}
	}
}

func TestSentAtIsIgnoredWithoutArrival(t *testing.T) {
	e, err := ParseEnvelope([]byte(envelope(header, item("client_report", report))))
	require.NoError(t, err)
	assert.Empty(t, Check(e))
	e.Arrived = now.Add(time.Minute)
	assert.Len(t, Check(e), 1)
}

func TestEveryRuleHasTest(t *testing.T) {
	tested := map[Rule]bool{
		RuleEnvelopeSize: true, // TestEnvelopeSizeIsLimited
		RuleRateLimit:    true, // ratelimit_test.go
	}
	for _, test := range brokenEnvelopes(t) {
		tested[test.rule] = true
	}
	for _, test := range brokenRequests() {
		tested[test.rule] = true
	}
	for _, rule := range rulesInSource(t) {
		assert.True(t, tested[rule], "the rule %q has no test", rule)
	}
}

// rulesInSource returns the constants of rules.go.
func rulesInSource(t *testing.T) []Rule {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "rules.go", nil, parser.ParseComments)
	require.NoError(t, err)
	var rules []Rule
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		assert.NotNil(t, spec.Doc, "%s has no comment", spec.Names[0])
		literal, ok := spec.Values[0].(*ast.BasicLit)
		if !ok { // a JSON rule, which package standin tests
			return true
		}
		rule, err := strconv.Unquote(literal.Value)
		require.NoError(t, err)
		assert.NotContains(t, rules, Rule(rule))
		rules = append(rules, Rule(rule))
		return true
	})
	require.Greater(t, len(rules), 50)
	return rules
}
