// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package appevent

import (
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/pdata/ptrace"
)

// newRecord returns logs that hold one record with the attributes.
func newRecord(t testing.TB, attributes map[string]any) (plog.Logs, plog.LogRecord) {
	t.Helper()
	ld := plog.NewLogs()
	record := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords().AppendEmpty()
	require.NoError(t, record.Attributes().FromRaw(attributes))
	return ld, record
}

// only returns the one event of ld.
func only(t testing.TB, ld plog.Logs) *Event {
	t.Helper()
	var found *Event
	for e := range Logs(ld) {
		require.Nil(t, found, "more than one event")
		found = e
	}
	require.NotNil(t, found)
	return found
}

func properties(e *Event) map[string]any {
	got := map[string]any{}
	for k, v := range e.Properties() {
		got[k] = v.AsRaw()
	}
	return got
}

func TestReadFullEvent(t *testing.T) {
	ld, record := newRecord(t, map[string]any{
		AttrID: "id-1", AttrSubject: "order/7", AttrKind: "identify",
		AttrUserID: "u1", AttrUserEmail: "a@example.com", AttrUserName: "ada", AttrUserFullName: "Ada L", AttrAnonymousID: "anon",
		AttrUserRoles: []any{"admin"}, AttrSessionID: "s1", AttrPreviousID: "old",
		AttrGroups: map[string]any{"company": "acme"}, AttrTraits: map[string]any{"plan": "pro"},
		AttrTraitsOnce: map[string]any{"first": true}, AttrDestinations: map[string]any{"sentry": false},
		AttrExceptionType: "E", AttrExceptionMessage: "m", AttrExceptionStacktrace: "at x", AttrHandled: true,
		"order_id": int64(7), "fanout.unknown": "hidden",
	})
	record.SetEventName("order_placed")
	record.SetTimestamp(12)
	record.SetObservedTimestamp(13)
	record.SetSeverityNumber(plog.SeverityNumberInfo)
	record.SetSeverityText("INFO")
	record.Body().SetStr("hello")
	record.SetTraceID(pcommon.TraceID{1})
	record.SetSpanID(pcommon.SpanID{2})
	record.SetFlags(1)
	resource := ld.ResourceLogs().At(0).Resource().Attributes()
	require.NoError(t, resource.FromRaw(map[string]any{
		AttrServiceName: "shop", AttrServiceNamespace: "eu", AttrServiceVersion: "1.2", AttrEnvironment: "prod", AttrLegacyEnvironment: "old",
	}))

	e := only(t, ld)
	assert.Equal(t, "id-1", e.UID)
	assert.Equal(t, "id-1", e.ID())
	assert.Equal(t, "order_placed", e.Name)
	assert.Equal(t, KindIdentify, e.Kind)
	assert.Equal(t, pcommon.Timestamp(12), e.Time)
	assert.Equal(t, plog.SeverityNumberInfo, e.SeverityNumber)
	assert.Equal(t, "INFO", e.SeverityText)
	assert.Equal(t, "hello", e.Message())
	assert.Equal(t, "order/7", e.Subject)
	assert.Equal(t, "s1", e.SessionID)
	assert.Equal(t, "old", e.PreviousID)
	assert.Equal(t, []any{"admin"}, e.User.Roles.Slice().AsRaw())
	e.User.Roles = pcommon.Value{}
	assert.Equal(t, User{ID: "u1", Email: "a@example.com", Name: "ada", FullName: "Ada L", AnonymousID: "anon"}, e.User)
	assert.Equal(t, Exception{Type: "E", Message: "m", Stacktrace: "at x", Handled: true, HandledKnown: true}, e.Exception)
	assert.Equal(t, map[string]any{"company": "acme"}, e.Groups.AsRaw())
	assert.Equal(t, map[string]any{"plan": "pro"}, e.Traits.AsRaw())
	assert.Equal(t, map[string]any{"first": true}, e.TraitsOnce.AsRaw())
	assert.Equal(t, map[string]any{"sentry": false}, e.Destinations.AsRaw())
	assert.Equal(t, pcommon.TraceID{1}, e.TraceID)
	assert.Equal(t, pcommon.SpanID{2}, e.SpanID)
	assert.Equal(t, plog.LogRecordFlags(1), e.Flags)
	assert.True(t, e.IsException())
	assert.True(t, e.IsEvent())
	assert.Equal(t, map[string]any{"order_id": int64(7)}, properties(e))
	assert.Equal(t, "shop eu 1.2 prod", fmt.Sprint(e.Source.ServiceName, " ", e.Source.ServiceNamespace, " ", e.Source.ServiceVersion, " ", e.Source.Environment))
}

func TestSourceLanguage(t *testing.T) {
	for _, tt := range []struct{ name, sdk, runtime, want string }{
		{"SDK language wins", "java", "nodejs", "java"},
		{"unknown SDK language is kept", "cobol", "nodejs", "cobol"},
		{"Node", "", "nodejs", "nodejs"},
		{"browser", "", "browser", "webjs"},
		{"CPython", "", "CPython", "python"},
		{"PyPy", "", "pypy", "python"},
		{"OpenJDK", "", "OpenJDK Runtime Environment", "java"},
		{"Oracle's Java", "", "Java(TM) SE Runtime Environment", "java"},
		{"Go", "", "go", "go"},
		{"Go, by compiler", "", "gc", "go"},
		{".NET", "", ".NET", "dotnet"},
		{".NET Framework", "", ".NET Framework", "dotnet"},
		{"PHP", "", "php", "php"},
		{"PHP, by SAPI", "", "fpm-fcgi", "php"},
		{"Ruby", "", "ruby", "ruby"},
		{"BEAM", "", "BEAM", "erlang"},
		{"unknown runtime", "", "deno", ""},
		{"no runtime", "", "", ""},
	} {
		resource := pcommon.NewResource()
		if tt.sdk != "" {
			resource.Attributes().PutStr(AttrSDKLanguage, tt.sdk)
		}
		if tt.runtime != "" {
			resource.Attributes().PutStr(AttrRuntimeName, tt.runtime)
		}
		assert.Equal(t, tt.want, NewSource(resource, pcommon.NewInstrumentationScope()).Language, tt.name)
	}
}

func TestIsEvent(t *testing.T) {
	for name, tt := range map[string]struct {
		attributes map[string]any
		eventName  string
		want       bool
	}{
		"event name":                   {eventName: "x", want: true},
		"event name as an attribute":   {attributes: map[string]any{AttrEventName: "x"}, want: true},
		"exception message":            {attributes: map[string]any{AttrExceptionMessage: "boom"}, want: true},
		"stack trace only":             {attributes: map[string]any{AttrExceptionStacktrace: "at"}, want: true},
		"identify without a name":      {attributes: map[string]any{AttrKind: "identify"}, want: true},
		"unknown kind is not an event": {attributes: map[string]any{AttrKind: "sing"}},
		"other attributes: plain log":  {attributes: map[string]any{"a": "b"}},
	} {
		t.Run(name, func(t *testing.T) {
			ld, record := newRecord(t, tt.attributes)
			record.SetEventName(tt.eventName)
			assert.Equal(t, tt.want, only(t, ld).IsEvent())
		})
	}
}

func TestFallbackAttributes(t *testing.T) {
	for name, tt := range map[string]struct {
		attributes    [][2]string
		eventName     string
		wantName      string
		wantUser      string
		wantSubject   string
		wantRemaining []string
	}{
		"otel.event.name is promoted":                     {attributes: [][2]string{{AttrEventName, "x"}}, wantName: "x"},
		"event.name is promoted":                          {attributes: [][2]string{{AttrPlainEventName, "x"}}, wantName: "x"},
		"otel.event.name wins, the other stays visible":   {attributes: [][2]string{{AttrPlainEventName, "y"}, {AttrEventName, "x"}}, wantName: "x", wantRemaining: []string{AttrPlainEventName}},
		"EventName wins, another name stays visible":      {eventName: "z", attributes: [][2]string{{AttrEventName, "x"}}, wantName: "z", wantRemaining: []string{AttrEventName}},
		"EventName wins, the same name is hidden":         {eventName: "x", attributes: [][2]string{{AttrEventName, "x"}}, wantName: "x"},
		"enduser.id is read when there is no user.id":     {attributes: [][2]string{{AttrEndUserID, "e"}}, wantUser: "e"},
		"enduser.id stays visible if user.id differs":     {attributes: [][2]string{{AttrEndUserID, "e"}, {AttrUserID, "u"}}, wantUser: "u", wantRemaining: []string{AttrEndUserID}},
		"the CloudEvents subject is read":                 {attributes: [][2]string{{AttrCloudEventsSubject, "s"}}, wantSubject: "s"},
		"the CloudEvents subject stays if another is set": {attributes: [][2]string{{AttrSubject, "t"}, {AttrCloudEventsSubject, "s"}}, wantSubject: "t", wantRemaining: []string{AttrCloudEventsSubject}},
	} {
		t.Run(name, func(t *testing.T) {
			ld, record := newRecord(t, nil)
			record.SetEventName(tt.eventName)
			for _, kv := range tt.attributes {
				record.Attributes().PutStr(kv[0], kv[1])
			}
			e := only(t, ld)
			assert.Equal(t, tt.wantName, e.Name)
			assert.Equal(t, tt.wantUser, e.User.ID)
			assert.Equal(t, tt.wantSubject, e.Subject)
			remaining := properties(e)
			assert.Len(t, remaining, len(tt.wantRemaining))
			for _, k := range tt.wantRemaining {
				assert.Contains(t, remaining, k)
			}
		})
	}
}

func TestWrongTypeStaysAProperty(t *testing.T) {
	ld, _ := newRecord(t, map[string]any{
		AttrUserID: map[string]any{"a": "b"}, AttrUserRoles: int64(1), AttrSessionID: []any{"x"}, AttrEventName: []any{"n"},
	})
	e := only(t, ld)
	assert.Equal(t, map[string]any{
		AttrUserID: map[string]any{"a": "b"}, AttrUserRoles: int64(1), AttrSessionID: []any{"x"}, AttrEventName: []any{"n"},
	}, properties(e))
	assert.Empty(t, e.User.ID)
}

func TestNumericIDsAreText(t *testing.T) {
	ld, _ := newRecord(t, map[string]any{AttrUserID: int64(9007199254740993), AttrSessionID: true})
	e := only(t, ld)
	assert.Equal(t, "9007199254740993", e.User.ID)
	assert.Equal(t, "true", e.SessionID)
}

func TestTimeFallsBackToObservedTimestamp(t *testing.T) {
	ld, record := newRecord(t, nil)
	record.SetObservedTimestamp(5)
	assert.Equal(t, pcommon.Timestamp(5), only(t, ld).Time)
}

func TestRecordLeaksNothingIntoTheNext(t *testing.T) {
	ld, first := newRecord(t, map[string]any{
		AttrUserID: "u1", AttrGroups: map[string]any{"g": "1"}, AttrExceptionType: "E", AttrKind: "page", "p": "q",
	})
	first.SetEventName("first")
	first.Body().SetStr("body")
	for i := range 100 {
		first.Attributes().PutStr(AttrEventName, "first")
		first.Attributes().PutInt("x"+strconv.Itoa(i), int64(i))
	}
	second := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords().AppendEmpty()
	for i := range 100 {
		second.Attributes().PutInt("y"+strconv.Itoa(i), int64(i))
	}

	n := 0
	for e := range Logs(ld) {
		if n++; n == 2 {
			assert.Len(t, properties(e), 100)
			assert.Empty(t, e.Name+e.User.ID+e.Exception.Type+e.Message())
			assert.Equal(t, KindTrack, e.Kind)
			assert.Zero(t, e.Groups.Len())
		}
	}
	assert.Equal(t, 2, n)
}

func TestFieldsBeyond64AttributesAreHidden(t *testing.T) {
	ld, record := newRecord(t, nil)
	for i := range 300 {
		record.Attributes().PutInt("k"+strconv.Itoa(i), int64(i))
	}
	record.Attributes().PutStr(AttrUserID, "u")
	record.Attributes().PutStr(AttrPlainEventName, "n")
	record.Attributes().PutStr(AttrEventName, "m")
	e := only(t, ld)
	got := properties(e)
	assert.Len(t, got, 301)
	assert.NotContains(t, got, AttrUserID)
	assert.Equal(t, "n", got[AttrPlainEventName])
}

func TestReadSpanEvent(t *testing.T) {
	td := ptrace.NewTraces()
	rs := td.ResourceSpans().AppendEmpty()
	rs.Resource().Attributes().PutStr(AttrServiceName, "shop")
	span := rs.ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.SetTraceID(pcommon.TraceID{1})
	span.SetSpanID(pcommon.SpanID{2})
	span.Attributes().PutStr(AttrEndUserID, "e1")
	span.Attributes().PutStr(AttrSessionID, "s1")
	span.Attributes().PutStr("other", "stays with the span")
	event := span.Events().AppendEmpty()
	event.SetName(ExceptionEventName)
	event.SetTimestamp(3)
	event.Attributes().PutStr(AttrExceptionType, "E")
	event.Attributes().PutStr("p", "q")

	var events []Event
	for e := range SpanEvents(td) {
		events = append(events, *e)
	}
	require.Len(t, events, 1)
	e := &events[0]
	assert.Equal(t, ExceptionEventName, e.Name)
	assert.Equal(t, "E", e.Exception.Type)
	assert.Equal(t, "e1", e.User.ID)
	assert.Equal(t, "s1", e.SessionID)
	assert.Equal(t, pcommon.Timestamp(3), e.Time)
	assert.Equal(t, pcommon.TraceID{1}, e.TraceID)
	assert.Equal(t, "shop", e.Source.ServiceName)
	assert.Equal(t, map[string]any{"p": "q"}, properties(e))
}

func TestSpanEventKeepsItsOwnActor(t *testing.T) {
	td := ptrace.NewTraces()
	span := td.ResourceSpans().AppendEmpty().ScopeSpans().AppendEmpty().Spans().AppendEmpty()
	span.Attributes().PutStr(AttrUserID, "of the span")
	span.Attributes().PutStr(AttrUserEmail, "span@example.com")
	event := span.Events().AppendEmpty()
	event.Attributes().PutStr(AttrAnonymousID, "own")
	for e := range SpanEvents(td) {
		assert.Equal(t, "own", e.User.AnonymousID)
		assert.Empty(t, e.User.ID+e.User.Email)
	}
}

func TestKindsRoundTrip(t *testing.T) {
	for i, name := range Kinds() {
		kind, ok := ParseKind(name)
		assert.True(t, ok)
		assert.Equal(t, Kind(i), kind)
		assert.Equal(t, name, kind.String())
	}
	_, ok := ParseKind("")
	assert.False(t, ok)
	assert.Equal(t, "track", Kind(99).String())
}

func TestReadingDoesNotAllocatePerRecord(t *testing.T) {
	ld := manyRecords(t, 1000)
	n := 0
	allocs := testing.AllocsPerRun(10, func() {
		for e := range Logs(ld) {
			for range e.Properties() {
				n++
			}
		}
	})
	assert.LessOrEqual(t, allocs, 4.0, "one event and one source per batch")
	assert.Positive(t, n)
}

func manyRecords(t testing.TB, n int) plog.Logs {
	ld, first := newRecord(t, map[string]any{
		AttrUserID: "u1", AttrSessionID: "s1", "order_id": int64(7), "total": 12.5, "currency": "EUR", "coupon": "spring",
		"items": []any{"a", "b"}, "shipping": map[string]any{"city": "Riga", "zip": "LV-1010"}, "gift": true, "note": "leave at the door",
	})
	first.SetEventName("order_placed")
	first.SetTimestamp(1700000000123456789)
	require.NoError(t, ld.ResourceLogs().At(0).Resource().Attributes().FromRaw(map[string]any{AttrServiceName: "shop", AttrServiceVersion: "1.0"}))
	records := ld.ResourceLogs().At(0).ScopeLogs().At(0).LogRecords()
	for i := 1; i < n; i++ {
		record := records.AppendEmpty()
		first.CopyTo(record)
		record.Attributes().PutInt("order_id", int64(i))
	}
	return ld
}

// FuzzReading checks that every attribute is either a property or one of the event's own fields.
func FuzzReading(f *testing.F) {
	f.Add([]byte{}, true)
	seed := plog.ProtoMarshaler{}
	b, err := seed.MarshalLogs(manyRecords(f, 2))
	require.NoError(f, err)
	f.Add(b, false)
	known := map[string]bool{
		AttrID: true, AttrEventName: true, AttrPlainEventName: true, AttrCloudEventsSubject: true, AttrUserID: true, AttrUserEmail: true,
		AttrUserName: true, AttrUserFullName: true, AttrUserRoles: true, AttrAnonymousID: true, AttrEndUserID: true, AttrSessionID: true,
		AttrExceptionType: true, AttrExceptionMessage: true, AttrExceptionStacktrace: true,
	}
	f.Fuzz(func(t *testing.T, data []byte, stamp bool) {
		ld, err := (&plog.ProtoUnmarshaler{}).UnmarshalLogs(data)
		if err != nil {
			return
		}
		if stamp {
			StampIDs(ld)
		}
		for e := range Logs(ld) {
			if e.ID() == "" {
				t.Fatal("an event without an id")
			}
			shown := maps.Collect(e.Properties())
			for k := range e.attributes.All() {
				if _, ok := shown[k]; !ok && !known[k] && (len(k) < len(FanoutPrefix) || k[:len(FanoutPrefix)] != FanoutPrefix) {
					t.Fatalf("attribute %q is neither a property nor a field", k)
				}
			}
		}
	})
}

func TestHasOwnName(t *testing.T) {
	for name, own := range map[string]bool{
		"": false, "exception": false, "http.server.request.exception": false, "job_failed": true, "exceptional": true, "myexception": true,
	} {
		e := Event{Name: name}
		assert.Equal(t, own, e.HasOwnName(), name)
	}
}

func TestSeverityTextFallsBackToNumber(t *testing.T) {
	assert.Equal(t, "notice", (&Event{SeverityText: "notice", SeverityNumber: plog.SeverityNumberInfo2}).Severity())
	assert.Equal(t, "ERROR", (&Event{SeverityNumber: plog.SeverityNumberError}).Severity())
	assert.Empty(t, (&Event{}).Severity())
}

func TestIDText(t *testing.T) {
	text := func(v any) string {
		value := pcommon.NewValueEmpty()
		assert.NoError(t, value.FromRaw(v))
		return IDText(value)
	}
	assert.Equal(t, "u-1", text("u-1"))
	assert.Equal(t, "9007199254740993", text(int64(9007199254740993)))
	assert.Equal(t, "a\uFFFDb", text("a\xffb"))
	assert.Empty(t, text([]any{"u-1"}))
	assert.Empty(t, text(nil))
}

func TestValidTextAtAnyLength(t *testing.T) {
	for length := 1; length < 40; length++ {
		for at := range length {
			for _, c := range []string{"\x00", "\x7f", "\x80", "\xc3", "\xff"} {
				s := strings.Repeat("a", at) + c + strings.Repeat("b", length-at-1)
				assert.Equal(t, strings.ToValidUTF8(s, "\uFFFD"), ValidText(s))
			}
		}
	}
}
