// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogintake

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-fanout/otelcol-fanout/test/intake/standin"
)

// Valid events. Each test changes one detail.
const (
	idA = "0198c0de-0000-7000-8000-00000000000a"
	idB = "0198c0de-0000-7000-8000-00000000000b"

	common = `"$groups":{"company":"acme"},"$set":{"plan":"pro"},"$set_once":{"first":"free"},"$unset":["old"],"$geoip_disable":true,"$current_url":"https://h/"`

	batchEvent = `{"uuid":"` + idA + `","event":"order placed","distinct_id":"u1","timestamp":"2026-01-02T03:04:05.678Z","properties":{` + common + `,"$session_id":"s1","$lib":"example","$lib_version":"1.2.3"}}`
	v1Event    = `{"uuid":"` + idA + `","event":"order placed","distinct_id":"u1","timestamp":"2026-01-02T03:04:05.678Z","session_id":"s1","window_id":"w1","options":{"disable_skew_correction":true,"process_person_profile":"1"},"properties":{` + common + `}}`

	exceptionList = `[{"type":"E","value":"","module":"m","mechanism":{"type":"generic","handled":true,"synthetic":false,"source":"cause"},"stacktrace":{"type":"raw","frames":[` +
		`{"platform":"go","filename":"a.go","abs_path":"/src/a.go","function":"f","module":"main","lineno":1,"colno":2,"context_line":"x","in_app":true}]}},` +
		`{"type":"E","value":"m","mechanism":{"type":"chained","handled":true,"synthetic":false,"exception_id":1,"parent_id":0},"stacktrace":{"type":"resolved","frames":[` +
		`{"raw_id":"1","mangled_name":"a","resolved_name":"a","in_app":true,"lang":"java","resolved":true,"line":1,"column":2,"source":"A.java"}]}}]`
)

// special returns an event with this name and more properties.
func special(name, distinctID, properties string) string {
	event := strings.NewReplacer(`"order placed"`, `"`+name+`"`, `"u1"`, `"`+distinctID+`"`, common, `"$geoip_disable":true`).Replace(batchEvent)
	return strings.Replace(event, `"properties":{`, `"properties":{`+properties+`,`, 1)
}

func identify() string { return special("$identify", "u1", `"$anon_distinct_id":"anon","$set":{}`) }
func alias() string    { return special("$create_alias", "u1", `"alias":"anon"`) }
func group() string {
	return special("$groupidentify", "$company_acme", `"$group_type":"company","$group_key":"acme","$group_set":{}`)
}
func exception() string {
	return special("$exception", "u1", `"$exception_level":"error","$exception_fingerprint":"f","$exception_list":`+exceptionList)
}
func generation() string {
	return special("$ai_generation", "u1", `"$ai_trace_id":"t","$ai_span_id":"s","$ai_parent_id":"p","$ai_model":"m","$ai_input_tokens":1,"$ai_output_tokens":2,"$ai_latency":0.5,"$ai_is_error":false,"$ai_http_status":200,`+
		`"$ai_session_id":"c","$ai_stop_reason":"stop","$ai_cache_read_input_tokens":3,"$ai_cache_creation_input_tokens":4,"$ai_reasoning_tokens":5,`+
		`"$ai_cache_reporting_exclusive":false,"$ai_time_to_first_token":0.25,"$ai_model_parameters":{"temperature":0.5}`)
}

func batchOf(events ...string) string {
	return `{"api_key":"` + Key + `","batch":[` + strings.Join(events, ",") + `]}`
}

func v1Of(events ...string) string {
	return `{"created_at":"2026-01-02T03:04:05Z","batch":[` + strings.Join(events, ",") + `]}`
}

func replace(t *testing.T, text, old, by string) string {
	t.Helper()
	require.Contains(t, text, old)
	return strings.Replace(text, old, by, 1)
}

func newRequest(t *testing.T, in *Intake, protocol Protocol, body string) *http.Request {
	t.Helper()
	path := "/batch/"
	if protocol == V1 {
		path = "/i/v1/analytics/events"
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, in.URL()+path, strings.NewReader(body))
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "example/1.2.3")
	if protocol == V1 {
		r.Header.Set("Authorization", "Bearer "+Key)
		r.Header.Set("PostHog-Sdk-Info", "example/1.2.3")
		r.Header.Set("PostHog-Attempt", "1")
		r.Header.Set("PostHog-Request-Id", "0198c0de-0000-7000-8000-0000000000ff")
		r.Header.Set("PostHog-Request-Timestamp", time.Now().UTC().Format(time.RFC3339Nano))
	}
	return r
}

func send(t *testing.T, in *Intake, protocol Protocol, body string) standin.Response {
	t.Helper()
	a, err := standin.Send(newRequest(t, in, protocol, body))
	require.NoError(t, err)
	return a
}

func TestValidRequestsAreAccepted(t *testing.T) {
	for name, c := range map[string]struct {
		protocol Protocol
		body     string
		want     string
	}{
		"an event":                          {Batch, batchOf(batchEvent), `{"status":1}`},
		"two events":                        {Batch, batchOf(batchEvent, strings.Replace(batchEvent, idA, idB, 1)), `{"status":1}`},
		"an old event":                      {Batch, strings.Replace(batchOf(strings.Replace(batchEvent, "2026-", "2023-", 1)), `"batch"`, `"historical_migration":true,"batch"`, 1), `{"status":1}`},
		"an event in v1":                    {V1, v1Of(v1Event), `{"results":{"` + idA + `":{"result":"ok"}}}`},
		"identify":                          {Batch, batchOf(identify()), `{"status":1}`},
		"set":                               {Batch, batchOf(special("$set", "u1", `"$set":{"a":1}`)), `{"status":1}`},
		"alias":                             {Batch, batchOf(alias()), `{"status":1}`},
		"group":                             {Batch, batchOf(group()), `{"status":1}`},
		"screen":                            {Batch, batchOf(special("$screen", "u1", `"$screen_name":"Home"`)), `{"status":1}`},
		"an exception":                      {Batch, batchOf(exception()), `{"status":1}`},
		"a generation":                      {Batch, batchOf(generation()), `{"status":1}`},
		"an IP address":                     {Batch, batchOf(strings.Replace(batchEvent, `"$geoip_disable":true`, `"$ip":"192.0.2.1"`, 1)), `{"status":1}`},
		"a current sent_at":                 {Batch, strings.Replace(batchOf(batchEvent), `"batch"`, `"sent_at":"`+time.Now().UTC().Format(time.RFC3339Nano)+`","batch"`, 1), `{"status":1}`},
		"an option that PostHog ignores":    {Batch, batchOf(strings.Replace(batchEvent, `"$session_id"`, `"$process_person_profile":"yes","$session_id"`, 1)), `{"status":1}`},
		"an option that stays a property":   {V1, v1Of(strings.Replace(v1Event, common, common+`,"$process_person_profile":"yes","$session_id":1,"$product_tour_id":true`, 1)), `{"results":{"` + idA + `":{"result":"ok"}}}`},
		"an event without a person profile": {Batch, batchOf(strings.Replace(batchEvent, `"$session_id"`, `"$process_person_profile":false,"$session_id"`, 1)), `{"status":1}`},
	} {
		t.Run(name, func(t *testing.T) {
			in := New(t)
			a := send(t, in, c.protocol, c.body)
			assert.Equal(t, 200, a.Status)
			assert.JSONEq(t, c.want, a.Body)
			require.NotEmpty(t, in.Events())
			e := in.Events()[0]
			assert.Equal(t, idA, e.UUID)
			assert.Equal(t, "s1", e.SessionID)
			assert.Contains(t, c.body, string(e.Raw))
			assert.Empty(t, in.Violations())
			assert.Equal(t, c.protocol, in.Requests()[0].Protocol)
		})
	}
}

func TestBodyRulesAreEnforced(t *testing.T) {
	type broken struct {
		name, old, by string
		rule          Rule
	}
	type kind struct {
		name     string
		protocol Protocol
		body     string
		broken   []broken
	}
	for _, k := range []kind{
		{"batch", Batch, batchOf(batchEvent), []broken{
			{"truncated JSON", `]}`, ``, RuleBody},
			{"data after the object", `}]}`, `}]} {}`, RuleBody},
			{"an array", `{"api_key"`, `[{"api_key"`, RuleBody},
			{"invalid UTF-8", `order placed`, "order \xff", RuleUTF8},
			{"half a surrogate pair", `order placed`, `order \ud83d`, RuleUTF8},
			{"a duplicate member", `"batch"`, `"api_key":"","batch"`, RuleDuplicateName},
			{"a duplicate property", `"$session_id":"s1"`, `"$session_id":"s1","$session_id":"s2"`, RuleDuplicateName},
			{"no batch", `"batch":`, `"events":`, RuleUnknownField},
			{"a token", `"api_key"`, `"token":"x","api_key"`, RuleUnknownField},
			{"a wrong key", Key, "phc_other", RuleKey},
			{"no key", `"api_key":"` + Key + `",`, ``, RuleKey},
			{"no events", batchEvent, ``, RuleEmpty},
			{"an event that is a string", batchEvent, batchEvent + `,"x"`, RuleEvent},
			{"a batch that is an object", `"batch":[` + batchEvent + `]`, `"batch":{}`, RuleEvent},
			{"an old sent_at", `"batch"`, `"sent_at":"2026-01-02T03:04:05Z","batch"`, RuleSentAt},
			{"a sent_at in another zone", `"batch"`, `"sent_at":"` + time.Now().Add(time.Hour).Format("2006-01-02T15:04:05") + `+01:00","batch"`, RuleSentAt},
			{"historical_migration: false", `"batch"`, `"historical_migration":false,"batch"`, RuleHistorical},
			{"historical_migration that is a string", `"batch"`, `"historical_migration":"true","batch"`, RuleBody},
			{"historical_migration with a new event", `"batch":[` + batchEvent, `"historical_migration":true,"batch":[` + strings.Replace(batchEvent, "2026-01-02T03:04:05.678Z", time.Now().UTC().Format(time.RFC3339), 1), RuleHistorical},
			{"no uuid", `"uuid":"` + idA + `",`, ``, RuleEvent},
			{"an empty uuid", idA, ``, RuleEvent},
			{"a uuid that is not a UUID", idA, `order-1`, RuleUUID},
			{"a UUID in upper case", idA, strings.ToUpper(idA), RuleUUID},
			{"a duplicate uuid", batchEvent, batchEvent + "," + strings.Replace(batchEvent, "order", "other", 1), RuleDuplicateUUID},
			{"an empty name", `"order placed"`, `""`, RuleEvent},
			{"a name that is a number", `"order placed"`, `7`, RuleEvent},
			{"a long name", `order placed`, strings.Repeat("n", 201), RuleName},
			{"an empty distinct id", `"u1"`, `""`, RuleEvent},
			{"a long distinct id", `u1`, strings.Repeat("é", 101), RuleDistinctID},
			{"an illegal distinct id", `"u1"`, `"Anonymous "`, RuleIllegalID},
			{"no timestamp", `"timestamp":"2026-01-02T03:04:05.678Z",`, ``, RuleEvent},
			{"a timestamp in another zone", `05.678Z`, `05.678+01:00`, RuleTimestamp},
			{"a timestamp that is a number", `2026-01-02T03:04:05.678Z`, `1767323045`, RuleTimestamp},
			{"no properties", `"properties"`, `"props"`, RuleEvent},
			{"properties that are an array", `"properties":{`, `"properties":[],"$set":{`, RuleEvent},
			{"a huge event", `order placed","`, `order placed","$set":{"x":"` + strings.Repeat("x", maxEvent) + `"},"`, RuleEventSize},
			{"no $lib", `"$lib":"example",`, ``, RuleLibrary},
			{"an empty $lib_version", `1.2.3`, ``, RuleLibrary},
			{"a $session_id that is a number", `"$session_id":"s1"`, `"$session_id":1`, RuleProperty},
			{"a $process_person_profile that is a string", `"$session_id"`, `"$process_person_profile":"False","$session_id"`, RuleProperty},
			{"a $cookieless_mode that is a string", `"$session_id"`, `"$cookieless_mode":"maybe","$session_id"`, RuleProperty},
			{"$cookieless_mode without what PostHog needs", `"$session_id"`, `"$cookieless_mode":true,"$session_id"`, RuleCookieless},
			{"a $set that is an array", `"$set":{"plan":"pro"}`, `"$set":[]`, RuleProperty},
			{"an $unset that is an object", `["old"]`, `{}`, RuleProperty},
			{"an empty group key", `"acme"`, `""`, RuleProperty},
			{"a group key that is a number", `"acme"`, `12`, RuleProperty},
			{"no $geoip_disable", `"$geoip_disable":true`, `"$is_server":true`, RuleGeoIP},
			{"$geoip_disable: false", `"$geoip_disable":true`, `"$geoip_disable":false`, RuleGeoIP},
			{"an $ip that is a host name", `"$geoip_disable":true`, `"$ip":"localhost"`, RuleGeoIP},
		}},
		{"v1", V1, v1Of(v1Event), []broken{
			{"a key in the body", `"batch"`, `"api_key":"` + Key + `","batch"`, RuleUnknownField},
			{"sent_at", `"batch"`, `"sent_at":"x","batch"`, RuleUnknownField},
			{"no created_at", `"created_at":"2026-01-02T03:04:05Z",`, ``, RuleCreatedAt},
			{"a created_at in the future", `2026-01-02T03:04:05Z`, time.Now().Add(24 * time.Hour).UTC().Format(time.RFC3339), RuleCreatedAt},
			{"$lib outside the properties", `"session_id"`, `"$lib":"x","session_id"`, RuleUnknownField},
			{"no options", `"options":{"disable_skew_correction":true,"process_person_profile":"1"},`, ``, RuleEvent},
			{"an unknown option", `"disable_skew_correction"`, `"ignore_sent_at"`, RuleOptions},
			{"an option that is an object", `"1"`, `{}`, RuleOptions},
			{"an option that is no boolean", `"1"`, `"yes"`, RuleOptions},
			{"a tour that is a boolean", `"process_person_profile":"1"`, `"product_tour_id":true`, RuleOptions},
			{"cookieless_mode without what PostHog needs", `"process_person_profile":"1"`, `"cookieless_mode":true`, RuleCookieless},
			{"a session in the properties", common, common + `,"$session_id":"s1"`, RuleLifted},
			{"a profile in the properties", common, common + `,"$process_person_profile":false`, RuleLifted},
		}},
		{"identify", Batch, batchOf(identify()), []broken{
			{"the same id", `"anon"`, `"u1"`, RulePerson},
			{"an illegal id", `"anon"`, `"null"`, RuleIllegalID},
			{"a long id", `"anon"`, `"` + strings.Repeat("x", 201) + `"`, RuleDistinctID},
			{"an id that is a number", `"anon"`, `7`, RulePerson},
			{"no profile", `"$geoip`, `"$process_person_profile":false,"$geoip`, RulePerson},
		}},
		{"merge", Batch, batchOf(special("$merge_dangerously", "u1", `"alias":"u2"`)), []broken{
			{"no profile", `"$geoip`, `"$process_person_profile":false,"$geoip`, RulePerson},
			{"a name that PostHog drops", `$merge_dangerously`, `$performance_event`, RuleName},
		}},
		{"set", Batch, batchOf(special("$set", "u1", `"$set":{"a":1}`)), []broken{{"no property to set", `"$set":{"a":1},`, ``, RulePerson}}},
		{"alias", Batch, batchOf(alias()), []broken{
			{"no alias", `"alias":"anon",`, ``, RulePerson},
			{"an alias of itself", `"alias":"anon"`, `"alias":"u1"`, RulePerson},
			{"an illegal id", `"anon"`, `"null"`, RuleIllegalID},
		}},
		{"group", Batch, batchOf(group()), []broken{
			{"a wrong distinct id", `"$company_acme"`, `"u1"`, RulePerson},
			{"no key", `"$group_key":"acme",`, ``, RulePerson},
			{"a $group_set that is a string", `"$group_set":{}`, `"$group_set":"x"`, RulePerson},
		}},
		{"screen", Batch, batchOf(special("$screen", "u1", `"$screen_name":"Home"`)), []broken{{"no name", `Home`, ``, RulePerson}}},
		{"exception", Batch, batchOf(exception()), []broken{
			{"an empty list", exceptionList, `[]`, RuleException},
			{"no list", `"$exception_list"`, `"exceptions"`, RuleException},
			{"an unknown level", `"$exception_level":"error"`, `"$exception_level":"critical"`, RuleException},
			{"$set", `"$geoip`, `"$set":{},"$geoip`, RuleException},
			{"no type", `"type":"E",`, ``, RuleException},
			{"no value", `"value":"",`, ``, RuleException},
			{"no mechanism", `"mechanism":{"type":"generic","handled":true,"synthetic":false,"source":"cause"},`, ``, RuleException},
			{"an unknown mechanism", `"generic"`, `"log"`, RuleException},
			{"a negative parent_id", `"parent_id":0`, `"parent_id":-1`, RuleException},
			{"handled that is a string", `"handled":true`, `"handled":"yes"`, RuleException},
			{"an unknown member", `"module":"m"`, `"thread":"m"`, RuleException},
			{"an unknown kind of stack", `"type":"raw"`, `"type":"parsed"`, RuleException},
			{"a frame with an unknown platform", `"platform":"go"`, `"platform":"java"`, RuleException},
			{"line 0", `"lineno":1`, `"lineno":0`, RuleException},
			{"a line that is a string", `"lineno":1`, `"lineno":"1"`, RuleException},
			{"a frame without in_app", `,"in_app":true}`, `}`, RuleException},
			{"a frame with an unknown member", `"colno"`, `"column"`, RuleException},
			{"a resolved frame without a language", `"java"`, `""`, RuleException},
			{"a resolved frame without an id", `"raw_id":"1",`, ``, RuleException},
		}},
		{"generation", Batch, batchOf(generation()), []broken{
			{"an unknown name", `$ai_generation`, `$ai_call`, RuleAI},
			{"no trace", `"$ai_trace_id":"t",`, ``, RuleAI},
			{"no model", `"$ai_model":"m",`, ``, RuleAI},
			{"tokens that are a string", `"$ai_input_tokens":1`, `"$ai_input_tokens":"1"`, RuleAI},
			{"a fraction of a token", `"$ai_output_tokens":2`, `"$ai_output_tokens":2.5`, RuleAI},
			{"a negative latency", `0.5`, `-0.5`, RuleAI},
			{"a negative time to the first token", `0.25`, `-0.25`, RuleAI},
			{"cached tokens that are a string", `"$ai_cache_read_input_tokens":3`, `"$ai_cache_read_input_tokens":"3"`, RuleAI},
			{"negative tokens", `"$ai_reasoning_tokens":5`, `"$ai_reasoning_tokens":-5`, RuleAI},
			{"a list of stop reasons", `"stop"`, `["stop"]`, RuleAI},
			{"a session that is a number", `"$ai_session_id":"c"`, `"$ai_session_id":7`, RuleAI},
			{"no parameters", `{"temperature":0.5}`, `{}`, RuleAI},
			{"parameters that are a string", `{"temperature":0.5}`, `"temperature=0.5"`, RuleAI},
			{"an exclusive flag that is a string", `"$ai_cache_reporting_exclusive":false`, `"$ai_cache_reporting_exclusive":"no"`, RuleAI},
			{"a trace with a parent", `$ai_generation`, `$ai_trace`, RuleAI},
		}},
	} {
		for _, b := range k.broken {
			t.Run(k.name+"/"+b.name, func(t *testing.T) {
				in := NewRecording(t)
				a := send(t, in, k.protocol, replace(t, k.body, b.old, b.by))
				var rules []Rule
				for _, v := range in.Violations() {
					rules = append(rules, v.Rule)
				}
				assert.Contains(t, rules, b.rule)
				assert.GreaterOrEqual(t, a.Status, 400)
				assert.Less(t, a.Status, 500)
				assert.Empty(t, in.Events(), "no event is accepted")
			})
		}
	}
}

func TestRequestRulesAreEnforced(t *testing.T) {
	header := func(name, value string) func(r *http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	without := func(name string) func(r *http.Request) {
		return func(r *http.Request) { r.Header[http.CanonicalHeaderKey(name)] = nil }
	}
	zipped := standin.Compress("gzip", []byte(batchOf(batchEvent)))
	for name, c := range map[string]struct {
		protocol Protocol
		rule     Rule
		status   int
		change   func(r *http.Request)
	}{
		"a PUT":                                {Batch, RuleMethod, 405, func(r *http.Request) { r.Method = http.MethodPut }},
		"another path":                         {Batch, RulePath, 404, func(r *http.Request) { r.URL.Path = "/capture/" }},
		"an older path of v1":                  {V1, RulePath, 404, func(r *http.Request) { r.URL.Path = "/i/v1/general/events" }},
		"a query":                              {Batch, RuleURLSecret, 400, func(r *http.Request) { r.URL.RawQuery = "token=x" }},
		"no content type":                      {Batch, RuleContentType, 415, without("Content-Type")},
		"text as the content type":             {V1, RuleContentType, 415, header("Content-Type", "text/plain")},
		"no user agent":                        {Batch, RuleUserAgent, 400, header("User-Agent", "")},
		"Go's default user agent":              {V1, RuleUserAgent, 400, header("User-Agent", "Go-http-client/1.1")},
		"a body that is not gzip":              {Batch, RuleEncoding, 415, header("Content-Encoding", "gzip")},
		"zstd with batch":                      {Batch, RuleEncoding, 415, header("Content-Encoding", "zstd")},
		"a body that is not zstd":              {V1, RuleEncoding, 415, header("Content-Encoding", "zstd")},
		"an unknown encoding":                  {V1, RuleEncoding, 415, header("Content-Encoding", "snappy")},
		"truncated gzip":                       {Batch, RuleEncoding, 415, body("gzip", zipped[:len(zipped)-4])},
		"two encodings":                        {Batch, RuleEncoding, 415, func(r *http.Request) { r.Header["Content-Encoding"] = []string{"gzip", "gzip"} }},
		"a large body":                         {Batch, RuleBodySize, 413, body("gzip", standin.Compress("gzip", bytes.Repeat([]byte(" "), maxBatchBody)))},
		"a large body of v1":                   {V1, RuleBodySize, 413, body("gzip", standin.Compress("gzip", bytes.Repeat([]byte(" "), maxV1Body)))},
		"v1 without a key":                     {V1, RuleKey, 401, without("Authorization")},
		"v1 with a wrong key":                  {V1, RuleKey, 401, header("Authorization", "Bearer phc_other")},
		"v1 without PostHog-Sdk-Info":          {V1, RuleSDKInfo, 400, without("PostHog-Sdk-Info")},
		"v1 without a version":                 {V1, RuleSDKInfo, 400, header("PostHog-Sdk-Info", "example/")},
		"v1 without PostHog-Attempt":           {V1, RuleAttempt, 400, without("PostHog-Attempt")},
		"v1 with attempt 0":                    {V1, RuleAttempt, 400, header("PostHog-Attempt", "0")},
		"v1 without PostHog-Request-Id":        {V1, RuleRequestID, 400, without("PostHog-Request-Id")},
		"v1 with an id that is not a UUID":     {V1, RuleRequestID, 400, header("PostHog-Request-Id", "1")},
		"v1 without PostHog-Request-Timestamp": {V1, RuleRequestTimestamp, 400, without("PostHog-Request-Timestamp")},
		"v1 with an old timestamp":             {V1, RuleRequestTimestamp, 400, header("PostHog-Request-Timestamp", "2026-01-02T03:04:05Z")},
	} {
		t.Run(name, func(t *testing.T) {
			in := NewRecording(t)
			text := batchOf(batchEvent)
			if c.protocol == V1 {
				text = v1Of(v1Event)
			}
			r := newRequest(t, in, c.protocol, text)
			c.change(r)
			a, err := standin.Send(r)
			require.NoError(t, err)
			require.NotEmpty(t, in.Violations())
			assert.Equal(t, c.rule, in.Violations()[0].Rule)
			assert.Equal(t, c.status, a.Status)
		})
	}
}

func body(encoding string, body []byte) func(r *http.Request) {
	return func(r *http.Request) {
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		r.Header.Set("Content-Encoding", encoding)
	}
}

func TestBodiesAreDecompressed(t *testing.T) {
	for _, encoding := range []string{"gzip", "deflate", "zstd"} {
		in := New(t)
		r := newRequest(t, in, V1, "")
		body(encoding, standin.Compress(encoding, []byte(v1Of(v1Event))))(r)
		a, err := standin.Send(r)
		require.NoError(t, err)
		assert.Equal(t, 200, a.Status, encoding)
	}
}

func TestRepliesAreWritten(t *testing.T) {
	for name, c := range map[string]struct {
		protocol Protocol
		reply    Reply
		status   int
		body     string
		taken    int
	}{
		"quota":                       {Batch, QuotaLimited("events"), 200, `{"quota_limited":["events"],"status":1}`, 0},
		"text":                        {Batch, Failure(400, "event submitted with an empty event name"), 400, "event submitted with an empty event name", 0},
		"tag":                         {V1, Error(429, "rate_limited"), 429, `{"error":"rate_limited","error_description":"it is rate_limited","error_uri":"https://posthog.com/docs/api"}`, 0},
		"garbage":                     {Batch, Garbage(), 200, "<!doctype html>\x00\xff{{{", 0},
		"redirect":                    {Batch, Redirect(301, "http://h/"), 301, "", 0},
		"not accepted":                {V1, Reply{NotTaken: true}, 200, `{"results":{"` + idA + `":{"result":"retry","details":"not_persisted"}}}`, 0},
		"accepted despite its status": {V1, Reply{Status: 503, Taken: true}, 503, "", 1},
		"ok":                          {V1, OK(), 200, `{"results":{"` + idA + `":{"result":"ok"}}}`, 1},
	} {
		t.Run(name, func(t *testing.T) {
			in := New(t)
			in.ReplyWith(func(Request) Reply { return c.reply })
			text := batchOf(batchEvent)
			if c.protocol == V1 {
				text = v1Of(v1Event)
			}
			a := send(t, in, c.protocol, text)
			assert.Equal(t, c.status, a.Status)
			assert.Equal(t, c.body, a.Body)
			assert.Len(t, in.Events(), c.taken)
			assert.Equal(t, c.status, in.Requests()[0].Status)
		})
	}
	assert.Equal(t, "60", Error(503, "service_unavailable").Header.Get("Retry-After"))
	assert.Equal(t, "2.5", Error(503, "service_unavailable").Within("2.5").Header.Get("Retry-After"))
	assert.Equal(t, "1", OK().Within("1").Header.Get("Retry-After"))
}

func TestConnectionsAreReset(t *testing.T) {
	for name, reply := range map[string]Reply{"reset": Reset(), "lost": Lost()} {
		in := New(t)
		in.ReplyWith(func(Request) Reply { return reply })
		_, err := standin.Send(newRequest(t, in, Batch, batchOf(batchEvent)))
		require.Error(t, err)
		assert.Len(t, in.Events(), map[string]int{"reset": 0, "lost": 1}[name])
		in.ReplyWith(nil)
		send(t, in, Batch, batchOf(batchEvent)) // allowed: the client got no response
		assert.Len(t, in.Events(), 1)
	}
}

func TestHungReplyIsWrittenOnRelease(t *testing.T) {
	in := New(t)
	reply, release := Hung()
	in.ReplyWith(func(Request) Reply {
		go release()
		return reply
	})
	assert.Equal(t, 200, send(t, in, Batch, batchOf(batchEvent)).Status)
	assert.Len(t, in.Events(), 1)
}

func TestPlannedResultsAreUsedInOrder(t *testing.T) {
	in := New(t)
	in.Plan("order placed", Result{Result: "retry", Details: DetailsNotPersisted}, Result{Result: "drop"}, Result{})
	results := []string{}
	for attempt := 1; attempt <= 3; attempt++ {
		r := newRequest(t, in, V1, v1Of(v1Event))
		if attempt == 3 { // a dropped event is no longer pending
			r.Header.Set("PostHog-Request-Id", idB)
		} else {
			r.Header.Set("PostHog-Attempt", fmt.Sprint(attempt))
		}
		a, err := standin.Send(r)
		require.NoError(t, err)
		results = append(results, a.Body)
	}
	assert.Equal(t, []string{
		`{"results":{"` + idA + `":{"result":"retry","details":"not_persisted"}}}`, `{"results":{"` + idA + `":{"result":"drop"}}}`, `{"results":{"` + idA + `":{"result":"ok"}}}`,
	}, results)
	assert.Len(t, in.Events(), 1)
}

func TestRetriesAreCheckedAgainstEarlierAttempts(t *testing.T) {
	again := func(t *testing.T, in *Intake, event string, change func(r *http.Request)) []Violation {
		t.Helper()
		r := newRequest(t, in, V1, v1Of(event))
		r.Header.Set("PostHog-Attempt", "2")
		change(r)
		_, err := standin.Send(r)
		require.NoError(t, err)
		return in.Violations()
	}
	nothing := func(*http.Request) {}
	for name, c := range map[string]struct {
		reply  Reply
		event  string
		change func(r *http.Request)
		want   []Rule
	}{
		"after a failure":                  {Error(503, "x"), v1Event, nothing, nil},
		"after no response":                {Lost(), v1Event, nothing, nil},
		"after it was accepted":            {OK(), v1Event, nothing, []Rule{RuleResent}},
		"as the same attempt":              {Error(503, "x"), v1Event, func(r *http.Request) { r.Header.Set("PostHog-Attempt", "1") }, []Rule{RuleAttempt}},
		"with another timestamp":           {Error(503, "x"), strings.Replace(v1Event, "05.678Z", "05.679Z", 1), nothing, []Rule{RuleSameEvent}},
		"with another distinct id":         {Error(503, "x"), strings.Replace(v1Event, `"u1"`, `"u2"`, 1), nothing, []Rule{RuleSameEvent}},
		"with another name":                {Error(503, "x"), strings.Replace(v1Event, "order", "other", 1), nothing, []Rule{RuleSameEvent}},
		"with other properties":            {Error(503, "x"), strings.Replace(v1Event, "acme", "other", 1), nothing, nil},
		"with another event":               {Error(503, "x"), strings.Replace(v1Event, idA, idB, 1), nothing, []Rule{RuleRequestID}},
		"with another created_at":          {Error(503, "x"), v1Event, body("gzip", standin.Compress("gzip", []byte(strings.Replace(v1Of(v1Event), "04:05Z", "04:06Z", 1)))), []Rule{RuleCreatedAt}},
		"as a new request":                 {Error(503, "x"), v1Event, func(r *http.Request) { r.Header.Set("PostHog-Request-Id", idB); r.Header.Set("PostHog-Attempt", "1") }, nil},
		"after a response without results": {Reply{Body: "{}"}, v1Event, nothing, []Rule{RuleResent}},
	} {
		t.Run(name, func(t *testing.T) {
			in := NewRecording(t)
			in.ReplyWith(func(Request) Reply { return c.reply })
			_, _ = standin.Send(newRequest(t, in, V1, v1Of(v1Event)))
			in.ReplyWith(nil)
			var rules []Rule
			for _, v := range again(t, in, c.event, c.change) {
				rules = append(rules, v.Rule)
			}
			assert.Equal(t, c.want, rules)
		})
	}
	in := New(t)
	in.AllowResending()
	for range 2 {
		send(t, in, Batch, batchOf(batchEvent))
	}
	assert.Len(t, in.Events(), 1)
}

func TestIdentifiedPersonIsNotMergedIntoAnother(t *testing.T) {
	later := func(event string) string { return strings.Replace(event, idA, idB, 1) }
	back := special("$create_alias", "anon", `"alias":"u1"`)
	for name, c := range map[string]struct {
		first, second string
		want          []Rule
	}{
		"after identify":                   {identify(), later(back), []Rule{RulePerson}},
		"after alias":                      {alias(), later(back), []Rule{RulePerson}},
		"another person into the same one": {alias(), later(special("$create_alias", "u1", `"alias":"anon-2"`)), nil},
		"by identify":                      {alias(), later(special("$identify", "u2", `"$anon_distinct_id":"u1","$set":{}`)), []Rule{RulePerson}},
		"a person with only traits":        {special("$identify", "u1", `"$set":{}`), later(back), nil},
	} {
		t.Run(name, func(t *testing.T) {
			in := NewRecording(t)
			send(t, in, Batch, batchOf(c.first))
			send(t, in, Batch, batchOf(c.second))
			var rules []Rule
			for _, v := range in.Violations() {
				rules = append(rules, v.Rule)
			}
			assert.Equal(t, c.want, rules)
		})
	}
}

func TestLoweredLimitIsNotViolation(t *testing.T) {
	in := New(t)
	in.LimitBody(100)
	assert.Equal(t, 413, send(t, in, Batch, batchOf(batchEvent)).Status)
	assert.Equal(t, 413, send(t, in, V1, v1Of(v1Event)).Status)
	assert.Empty(t, in.Violations())
	in.LimitBody(10_000)
	assert.Equal(t, 200, send(t, in, Batch, batchOf(batchEvent)).Status)
}

func TestViolationFailsTest(t *testing.T) {
	f := &standin.Failing{TB: t}
	in := New(f)
	send(t, in, Batch, batchOf(strings.Replace(batchEvent, "u1", "null", 1)))
	require.Len(t, f.Failures, 1)
	assert.Contains(t, f.Failures[0], `body.batch[0].distinct_id is "null", which many people share (rule "illegal-id")`)
}
