// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryintake

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// now is the time at which these envelopes are sent.
var now = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

const (
	// headerWithID is the header of an envelope with an event. withoutDSN and withoutTrace lack these
	// members.
	headerWithID = headerID + headerDSN + headerSDK + headerTrace
	withoutDSN   = headerID + headerSDK + headerTrace
	withoutTrace = headerID + headerDSN + headerSDK + `}`
	headerID     = `{"event_id":"12c2d058d58442709aa2eca08bf20986","sent_at":"2026-01-02T03:04:05.25Z"`
	headerDSN    = `,"dsn":"https://examplepublickey@sentry.example.com:8443/sub/path/42"`
	headerSDK    = `,"sdk":{"name":"example.go","version":"1.2.3"}`
	headerTrace  = `,"trace":{"trace_id":"5b8efff798038103d269b633813fc60c","public_key":"examplepublickey","sample_rate":"1.0","sample_rand":"0.5","sampled":"true"}}`

	// header is the header of an envelope without an event.
	header = headerStart + `}`
	// headerWithTrace is the header of an envelope with spans.
	headerWithTrace = headerStart + headerTrace
	headerStart     = `{"sent_at":"2026-01-02T03:04:05.25Z","sdk":{"name":"example.go","version":"1.2.3"}`

	event = eventHead + breadcrumbs + `,"message":"pay 1","logentry":{"message":"pay %s","formatted":"pay 1","params":["1"]},` + exceptions + `,` + threads + `}`

	eventHead = `{"event_id":"12c2d058d58442709aa2eca08bf20986","timestamp":1767323045.5,"platform":"java","level":"error",` +
		`"logger":"com.example.Pay","transaction":"POST /pay","server_name":"web-1","release":"shop@1.2.3","dist":"7","environment":"production",` +
		`"tags":{"http.status_code":"500"},"extra":{"raw":null},"modules":{"spring":"6.1"},"fingerprint":["{{ default }}","pay"],"errors":[{"type":"unknown_error"}],` +
		`"sdk":{"name":"example.go","version":"1.2.3","integrations":["logs"],"features":["frames"],"packages":[{"name":"go:example","version":"1.2.3"}]},` +
		`"user":{"id":"u1","email":"u1@example.com","username":"one","ip_address":"192.0.2.1","plan":3,"geo":{"city":"Bern"},"data":{"a":1}},` +
		`"request":{"method":"POST","url":"https://example.com/pay","query_string":"a=1","headers":{"accept":"*/*"},"cookies":[["a","b"]],"data":{"sum":1},"env":{"REMOTE_ADDR":"192.0.2.1"}},` +
		`"contexts":{"trace":{"trace_id":"5b8efff798038103d269b633813fc60c","span_id":"b0e6f15b45c36b12","op":"http.server","status":"internal_error","sampled":true,"data":{}},"otel":{"attributes":{"a":[1]},"resource":{}}},`

	breadcrumbs = `"breadcrumbs":{"values":[{"timestamp":"2026-01-02T03:04:03Z","type":"default","category":"log","message":"asked","level":"info","data":{"n":1}},{"timestamp":1767323044}]}`

	exceptions = `"exception":{"values":[` +
		`{"type":"java.io.IOException","value":"gone","mechanism":{"type":"auto.otel.log","handled":true,"exception_id":1,"parent_id":0,"source":"cause"}},` +
		`{"type":"PayException","value":"not paid","module":"com.example","thread_id":1,"mechanism":{"type":"auto.otel.log","handled":false,"exception_id":0,"data":{},"meta":{}},` +
		`"stacktrace":{"frames":[{"function":"main","module":"com.example.Main","in_app":false},{"filename":"Pay.java","abs_path":"/src/Pay.java","function":"pay","lineno":12,"colno":1,"in_app":true,"pre_context":["{"],"context_line":"throw","post_context":["}"],"vars":{"n":1},"platform":"java"},{"instruction_addr":"0x7fff5bf3456c"}]}}]}`

	threads = `"threads":{"values":[{"id":1,"name":"main","crashed":true,"current":true},{"id":"2","stacktrace":{"frames":[{"function":"wait"}]}}]}`

	transaction = `{"type":"transaction","event_id":"12c2d058d58442709aa2eca08bf20986","timestamp":1767323045.5,"start_timestamp":"2026-01-02T03:04:04Z","platform":"go",` +
		`"transaction":"GET /users","transaction_info":{"source":"route"},"sdk":{"name":"example.go","version":"1.2.3"},` +
		`"contexts":{"trace":{"trace_id":"5b8efff798038103d269b633813fc60c","span_id":"b0e6f15b45c36b12","op":"http.server","status":"ok"}},"measurements":{"rows":{"value":3,"unit":"none"}},` +
		`"spans":[{"trace_id":"5b8efff798038103d269b633813fc60c","span_id":"b01b9f6349558cd1","parent_span_id":"b0e6f15b45c36b12","op":"db","description":"SELECT","status":"ok","start_timestamp":1767323044.5,"timestamp":1767323045,"data":{"rows":3},"tags":{"a":"b"}}]}`

	feedback = `{"event_id":"12c2d058d58442709aa2eca08bf20986","timestamp":"2026-01-02T03:04:05Z","platform":"javascript","sdk":{"name":"example.go","version":"1.2.3"},` +
		`"contexts":{"feedback":{"message":"it is slow","contact_email":"u1@example.com","name":"U","url":"https://example.com/","associated_event_id":"32fd1995636d446385016e2747623e11"}}}`

	log = `{"timestamp":1767323045.123456,"trace_id":"5b8efff798038103d269b633813fc60c","span_id":"b0e6f15b45c36b12","level":"warn","severity_number":13,"body":"paid 1",` +
		`"attributes":{"sentry.message.template":{"value":"paid %s","type":"string"},"sentry.message.parameter.0":{"value":"1","type":"string"},"n":{"value":1,"type":"integer"},"d":{"value":1,"type":"double","unit":"second"},"b":{"value":true,"type":"boolean"},"sentry.release":{"value":"shop@1.2.3","type":"string"},"sentry.environment":{"value":"production","type":"string"}}}`

	span = `{"trace_id":"5b8efff798038103d269b633813fc60c","span_id":"438f40bd3b4a41ee","parent_span_id":"b0e6f15b45c36b12","name":"GET /users","status":"ok","is_segment":true,"start_timestamp":1767323044.158209,"end_timestamp":1767323045.180536,` +
		`"attributes":{"sentry.segment.name.source":{"type":"string","value":"route"},"sentry.span.source":{"type":"string","value":"route"}},"links":[{"trace_id":"627a2885119dcc8184fae7eef09438cb","span_id":"6c71fc6b09b8b716","sampled":true,"attributes":{"sentry.link.type":{"type":"string","value":"previous_trace"}}}]}`

	metric = `{"timestamp":1767323045,"trace_id":"5b8efff798038103d269b633813fc60c","name":"rows","type":"counter","value":2,"unit":"none"}`

	report = `{"timestamp":"2026-01-02T03:04:05Z","discarded_events":[{"reason":"queue_overflow","category":"error","quantity":3},{"reason":"queue_overflow","category":"log_item","quantity":1}]}`

	checkIn = `{"check_in_id":"00000000000000000000000000000000","monitor_slug":"nightly","status":"ok","duration":1.5,"release":"shop@1.2.3","environment":"production","contexts":{"trace":{"trace_id":"5b8efff798038103d269b633813fc60c"}},` +
		`"monitor_config":{"schedule":{"type":"interval","value":1,"unit":"day"},"checkin_margin":5,"timezone":"Europe/Berlin"}}`

	session = `{"sid":"7c7b6585-f901-4351-bf8d-02711b721929","started":"2026-01-02T03:04:00Z","init":true,"status":"ok","duration":2.5,"errors":0,"attrs":{"release":"shop@1.2.3","environment":"production"}}`

	sessions = `{"aggregates":[{"started":"2026-01-02T03:04:00Z","exited":12,"errored":0,"crashed":1}],"attrs":{"release":"shop@1.2.3"}}`
)

// item returns an item with the right length.
func item(itemType, payload string) string {
	return fmt.Sprintf("{\"type\":%q,\"length\":%d}\n%s", itemType, len(payload), payload)
}

// container returns an item with entries.
func container(itemType string, entries ...string) string {
	payload := `{"items":[` + strings.Join(entries, ",") + `]}`
	return fmt.Sprintf("{\"type\":%q,\"length\":%d,\"item_count\":%d,\"content_type\":%q}\n%s",
		itemType, len(payload), len(entries), itemKinds[itemType].contentType, payload)
}

// attachment is an item that is not JSON.
const attachment = "{\"type\":\"attachment\",\"length\":10,\"filename\":\"hello.txt\",\"content_type\":\"text/plain\"}\n\xef\xbb\xbfHello\r\n"

// envelope joins a header and items.
func envelope(header string, items ...string) string {
	return header + "\n" + strings.Join(items, "\n") + "\n"
}

// with replaces parts of a text, which must occur in it.
func with(t *testing.T, text string, oldAndNew ...string) string {
	t.Helper()
	for i := 0; i < len(oldAndNew); i += 2 {
		require.Contains(t, text, oldAndNew[i])
		text = strings.Replace(text, oldAndNew[i], oldAndNew[i+1], 1)
	}
	return text
}

// good returns valid envelopes.
func good() map[string]string {
	second := strings.Replace(log, "5b8efff798038103d269b633813fc60c", "627a2885119dcc8184fae7eef09438cb", 1)
	return map[string]string{
		"an event with all members":       envelope(headerWithID, item("event", event)),
		"an event with other items":       envelope(headerWithID, item("event", event), attachment, item("client_report", report), item("check_in", checkIn)),
		"an envelope without the last LF": strings.TrimSuffix(envelope(headerWithID, item("event", event)), "\n"),
		"a transaction":                   envelope(headerWithID, item("transaction", transaction)),
		"feedback":                        envelope(withoutTrace, item("feedback", feedback)),
		"logs of several traces":          envelope(header, container("log", log, second)),
		"logs of one trace":               envelope(headerWithID, container("log", log, log)),
		"spans":                           envelope(headerWithID, container("span", span)),
		"metrics":                         envelope(header, container("trace_metric", metric)),
		"logs, spans and metrics":         envelope(headerWithID, container("log", log), container("span", span), container("trace_metric", metric)),
		"a client report":                 envelope(header, item("client_report", report)),
		"sessions":                        envelope(header, item("session", session), item("sessions", sessions)),
		"a payload with line feeds":       envelope(header, item("client_report", strings.ReplaceAll(report, ",", ",\n"))),
		"an item with a content type":     envelope(header, strings.Replace(item("client_report", report), `{"type"`, `{"content_type":"application/json","type"`, 1)),
	}
}
