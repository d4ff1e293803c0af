// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.uber.org/zap"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

const unknownKey = "1-9f86d081884c7d659a2feaa0c55ad015"

// send sends a request with a body to the API.
func (s *testStore) send(method, path, body string) (status int, response string) {
	request := httptest.NewRequest(method, "http://localhost:13134/v1/dead_letters/"+path, strings.NewReader(body))
	recorder := &deadlined{httptest.NewRecorder()}
	(&api{store: s.store, logger: zap.NewNop()}).handler().ServeHTTP(recorder, request)
	return recorder.Code, recorder.Body.String()
}

func TestListedDeadLettersHaveKeys(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	require.NoError(t, s.put(audit, lettersOf("e0", "e1")))
	keys := s.keys(t, audit)
	_, body := s.send("GET", "webhook/audit", "")
	assert.Equal(t, fmt.Sprintf(`{"exporter":"webhook/audit","events":2,"dead_letters":[
{"key":%q,"exporter":"webhook/audit","signal":"logs","id":"e1","name":"order_placed","time":"2026-01-31T12:00:00Z","reason":"refused","status":400,"message":"no such field","attempts":1,"failed_at":"2026-01-31T12:00:00Z"},
{"key":%q,"exporter":"webhook/audit","signal":"logs","id":"e0","name":"order_placed","time":"2026-01-31T12:00:00Z","reason":"refused","status":400,"message":"no such field","attempts":1,"failed_at":"2026-01-31T12:00:00Z"}
]}
`, keys[1], keys[0]), body)
	for _, path := range []string{"webhook/audit/", "webhook%2Faudit/"} {
		status, body := s.send("GET", path+string(keys[0]), "")
		assert.Equal(t, 200, status)
		assert.Equal(t, fmt.Sprintf(`{"key":%q,"exporter":"webhook/audit","signal":"logs","id":"e0","name":"order_placed","time":"2026-01-31T12:00:00Z","reason":"refused",`+
			`"status":400,"message":"no such field","attempts":1,"failed_at":"2026-01-31T12:00:00Z","payload":{"id":"e0"}}`+"\n", keys[0]), body)
	}
}

func TestFiltersOverHTTP(t *testing.T) {
	queries := map[string]string{
		"": "e\u0000\"3 e2 e1 e0", "reason=exhausted": "e1", "status=503": "e1", "id=e0": "e0", "name=%C3%A4rger": "e1", "id=e%00%223": "e\u0000\"3",
		"before=2026-01-31T12:00:00Z": "e2", "before=2026-01-31T13:00:00.5%2B01:00": "e2 e1 e0", "reason=refused&limit=2": "e\u0000\"3 e2", "status=599": "",
	}
	for query, want := range queries {
		s := openTestStore(t, t.TempDir())
		s.assorted(t)
		status, body := s.send("GET", "webhook/audit?"+query, "")
		require.Equal(t, 200, status, query)
		var page struct {
			Events  int `json:"events"`
			Letters []struct {
				ID  string `json:"id"`
				Key string `json:"key"`
			} `json:"dead_letters"`
		}
		require.NoError(t, json.Unmarshal([]byte(body), &page))
		var ids []string
		for _, letter := range page.Letters {
			ids = append(ids, letter.ID)
			_, one := s.send("GET", "webhook/audit?key="+url.QueryEscape(letter.Key), "")
			assert.Contains(t, one, letter.Key)
		}
		assert.Equal(t, want, strings.Join(ids, " "), query)
		assert.Equal(t, 4, page.Events, "of the exporter")

		unregister := s.register(audit.String(), "logs", &fakeBackend{outcome: outcome(deadletter.OutcomeKept)})
		_, body = s.send("POST", "webhook/audit/replay?"+query, "")
		assert.Contains(t, body, fmt.Sprintf(`"replayed":%d,`, len(ids)), query)
		unregister()
		_, body = s.send("DELETE", "webhook/audit?"+query, "")
		assert.JSONEq(t, fmt.Sprintf(`{"deleted":%d}`, len(ids)), body, query)
	}
}

func TestOneDeadLetterOverHTTP(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	letters := lettersOf("e0", "e1", "e2", "e3", "e4")
	letters[4].Payload = []byte("lines\nof text")
	require.NoError(t, s.put(audit, letters))
	keys := s.keys(t, audit)
	path := func(i int) string { return "webhook/audit/" + string(keys[i]) }

	status, body := s.send("POST", path(0)+"/replay", "")
	assert.Equal(t, 503, status, body)
	backend := &fakeBackend{outcome: refusedAgain}
	defer s.register(audit.String(), "logs", backend)()
	_, body = s.send("POST", path(0)+"/replay", "")
	assert.JSONEq(t, `{"outcome":"refused","status":400,"message":"too large this time, and with a longer message"}`, body)
	backend.outcome = outcome(deadletter.OutcomeKept)
	_, body = s.send("POST", path(0)+"/replay", "")
	assert.JSONEq(t, `{"outcome":"kept"}`, body)
	assert.Len(t, s.ids(t, audit), 5)

	backend.outcome = nil
	for i, edited := range []string{"", `{"payload":{"right":1}}`, ` {"payload": "{\"right\":2}"} `} {
		status, body = s.send("POST", path(i)+"/replay", edited)
		assert.Equal(t, 200, status, body)
		assert.JSONEq(t, `{"outcome":"delivered"}`, body)
	}
	_, body = s.send("POST", path(4)+"/replay", `{"payload":"other\ntext"}`)
	assert.JSONEq(t, `{"outcome":"delivered"}`, body)
	var payloads []string
	for _, letter := range backend.got[2:] {
		payloads = append(payloads, string(letter.Payload))
	}
	assert.Equal(t, []string{`{"id":"e0"}`, `{"right":1}`, `{"right":2}`, "other\ntext"}, payloads)

	_, body = s.send("DELETE", path(3), "")
	assert.JSONEq(t, `{"deleted":1}`, body)
	require.NoError(t, s.put(audit, lettersOf("e5")))
	for i := range keys {
		for method, suffix := range map[string]string{"GET": "", "DELETE": "", "POST": "/replay"} {
			status, body = s.send(method, path(i)+suffix, "")
			assert.Equal(t, 404, status)
			assert.JSONEq(t, fmt.Sprintf(`{"error":"key \"%s\": there is no dead letter with this key; it may have been replayed, deleted or evicted; GET /v1/dead_letters/{exporter} lists the keys"}`, keys[i]), body)
		}
	}
	s.check(t)
}

func TestInvalidRequestsForOneDeadLetterAreRefused(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	require.NoError(t, s.put(audit, lettersOf("e0")))
	backend := &fakeBackend{}
	defer s.register(audit.String(), "logs", backend)()
	one := "webhook/audit/" + string(s.keys(t, audit)[0])
	const shape = `the body must be {\"payload\": ...} with the edited payload, or empty to replay the original`
	for _, tt := range []struct {
		method, path, body string
		status             int
		text               string
	}{
		{"POST", one + "/replay", `{}`, 400, shape},
		{"POST", one + "/replay", `{"paylod":{}}`, 400, shape},
		{"POST", one + "/replay", `{"payload":null}`, 400, shape},
		{"POST", one + "/replay", `{"payload":{"a":1}`, 400, shape},
		{"POST", one + "/replay", `{"payload":{"a":1}}}`, 400, shape},
		{"POST", one + "/replay", `{"payload":{"a":1}}{}`, 400, shape},
		{"POST", one + "/replay", `[]`, 400, shape},
		{"POST", one + "/replay", `{"payload":"x"}`, 400, "the edited payload is invalid: it must be a JSON object, as the original is"},
		{"POST", one + "/replay", `{"payload":""}`, 400, "it is empty; to discard the dead letter, delete it"},
		{"POST", one + "/replay", `{"payload":"` + strings.Repeat("x", maxBody) + `"}`, 413, "the body is too large"},
		{"POST", one + "/replay?limit=1", ``, 400, "unknown parameter"},
		{"POST", one, ``, 405, "to replay, POST"},
		{"GET", one + "/replay", ``, 405, "use POST to replay"},
		{"DELETE", one + "/replay", ``, 405, "use POST to replay"},
		{"PUT", one, ``, 405, "use GET, HEAD, DELETE"},
		{"GET", one + "?payload=true", ``, 400, "unknown parameter"},
		{"DELETE", one + "?reason=refused", ``, 400, "unknown parameter"},
		{"GET", one + "/", ``, 404, "no exporter with this id"},
		{"GET", strings.ToUpper(one), ``, 404, "no exporter with this id"},
		{"GET", "posthog/" + unknownKey, ``, 404, `exporter \"posthog\": no exporter with this id`},
		{"GET", unknownKey, ``, 404, "no exporter with this id"},
		{"GET", "webhook/audit?key=e0", ``, 400, "key: must be the key of a listed dead letter"},
		{"GET", "webhook/audit?key=", ``, 400, "key: must be"},
		{"GET", "webhook/audit?status=0", ``, 400, "status: must be an HTTP status"},
		{"GET", "webhook/audit?status=4xx", ``, 400, "status: must be an HTTP status"},
		{"GET", "webhook/audit?before=yesterday", ``, 400, "before: must be a time as in failed_at, such as 2026-01-31T12:00:00Z, with a + written as %2B"},
		{"GET", "webhook/audit?before=2026-01-31T13:00:00+01:00", ``, 400, "before: must be a time"},
		{"GET", "webhook/audit?id=", ``, 400, "id: is empty; leave it out to select any"},
		{"DELETE", "webhook/audit?name=", ``, 400, "name: is empty"},
		{"DELETE", "webhook/audit?reason=refusd", ``, 400, "reason: unknown reason; valid reasons: encoding"},
		{"DELETE", "webhook/audit?reason=refused&reason=gone", ``, 400, "reason: is given 2 times; give it once"},
		{"DELETE", "webhook/audit?limit=0", ``, 400, "limit: must be a number, 1 or more"},
	} {
		status, body := s.send(tt.method, tt.path, tt.body)
		assert.Equal(t, tt.status, status, "%s %s: %s", tt.method, tt.path, body)
		assert.Contains(t, body, tt.text, tt.path)
		assert.True(t, json.Valid([]byte(body)), body)
	}
	assert.Empty(t, backend.ids())
	assert.Equal(t, []string{"e0"}, s.ids(t, audit))
}

func TestExporterWithTheFormOfAKey(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	odd := component.MustNewIDWithName("webhook", "audit/"+unknownKey)
	require.NoError(t, s.put(audit, lettersOf("e0")))
	require.NoError(t, s.put(odd, lettersOf("odd")))
	_, body := s.send("GET", "webhook/audit/"+unknownKey, "")
	assert.Contains(t, body, `"id":"odd"`)
	key := string(s.keys(t, odd)[0])
	_, body = s.send("GET", "webhook/audit/"+unknownKey+"/"+key, "")
	assert.Contains(t, body, `"id":"odd"`)
	_, body = s.send("DELETE", "webhook/audit/"+unknownKey+"/"+key, "")
	assert.JSONEq(t, `{"deleted":1}`, body)
	assert.Equal(t, []string{"e0"}, s.ids(t, audit))
}

func TestHostileDeadLettersAreValidJSON(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	hostile := "\x00\x1b[2J\u202e\u2028</script>\xff" + strings.Repeat("x", 1<<20)
	letters := lettersOf("e0", "e1", "e2")
	letters[0].Payload = []byte(hostile)
	letters[1].Payload = []byte(strings.ToValidUTF8(hostile, ""))
	for i := range letters {
		letters[i].Name, letters[i].Message = hostile, hostile
	}
	require.NoError(t, s.put(audit, letters))
	_, body := s.send("GET", "webhook/audit?payload=true", "")
	assert.True(t, json.Valid([]byte(body)))
	for _, key := range s.keys(t, audit) {
		_, body := s.send("GET", "webhook/audit/"+string(key), "")
		assert.True(t, json.Valid([]byte(body)))
	}
	assert.Equal(t, []string{"e2", "e1", "e0"}, s.found(t, deadletter.Filter{Name: "\u202E\u2028</SCRIPT>"}))
}

func TestSearchOfAGoneClientIsNotAnError(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	require.NoError(t, s.put(audit, lettersOf("e0")))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	request := httptest.NewRequestWithContext(ctx, http.MethodGet, "/v1/dead_letters/webhook/audit", http.NoBody)
	handler := (&api{store: s.store, logger: s.logger}).handler()
	assert.PanicsWithValue(t, http.ErrAbortHandler, func() { handler.ServeHTTP(httptest.NewRecorder(), request) })
	assert.Empty(t, s.logs.FilterMessage("Cannot read dead letters").All())
}
