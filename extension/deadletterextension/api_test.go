// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.uber.org/zap"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

// ask sends a request to the API of a testStore and returns the response.
func (s *testStore) ask(t *testing.T, method, path string, headers ...string) (status int, body string, header http.Header) {
	t.Helper()
	request := httptest.NewRequest(method, "http://localhost:13134"+path, http.NoBody)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
		if headers[i] == "Host" {
			request.Host = headers[i+1]
		}
	}
	recorder := &deadlined{httptest.NewRecorder()}
	handler := guard((&api{store: s.store, logger: zap.NewNop()}).handler(), "127.0.0.1:13134", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	handler.ServeHTTP(recorder, request)
	if recorder.Code < 300 || recorder.Code >= 400 {
		assert.Equal(t, "application/json", recorder.Header().Get("Content-Type"))
		assert.True(t, json.Valid(recorder.Body.Bytes()), recorder.Body.String())
	}
	return recorder.Code, recorder.Body.String(), recorder.Header()
}

// deadlined is a recorder that accepts write deadlines.
type deadlined struct{ *httptest.ResponseRecorder }

func (*deadlined) SetWriteDeadline(time.Time) error { return nil }

func TestExportersAreListed(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	_, body, _ := s.ask(t, "GET", "/v1/dead_letters")
	assert.JSONEq(t, `{"exporters":[]}`, body)

	letters := []deadletter.Letter{
		letterOf("e1", deadletter.ReasonExhausted), letterOf("e2", deadletter.ReasonRefused), letterOf("e3", deadletter.ReasonRefused),
	}
	letters[1].FailedAt = noon.Add(-time.Hour)
	require.NoError(t, s.put(audit, letters))
	require.NoError(t, s.put(other, lettersOf("o1")))
	defer s.register("sentry", "logs", &fakeBackend{})()
	status, body, _ := s.ask(t, "GET", "/v1/dead_letters")
	assert.Equal(t, 200, status)
	sizes := map[string]int64{}
	for _, sum := range s.summaries() {
		sizes[sum.exporter] = sum.count.bytes
	}
	assert.JSONEq(t, fmt.Sprintf(`{"exporters":[
		{"exporter":"posthog","events":1,"bytes":%d,"oldest":"2026-01-31T12:00:00Z","newest":"2026-01-31T12:00:00Z","reasons":[{"reason":"refused","events":1}]},
		{"exporter":"webhook/audit","events":3,"bytes":%d,"oldest":"2026-01-31T11:00:00Z","newest":"2026-01-31T12:00:00Z","reasons":[{"reason":"refused","events":2},{"reason":"exhausted","events":1}]}
	]}`, sizes["posthog"], sizes["webhook/audit"]), body)
}

func TestUnreadableLinesAreListed(t *testing.T) {
	directory := t.TempDir()
	require.NoError(t, os.MkdirAll(directory+"/posthog", 0o700))
	require.NoError(t, os.WriteFile(directory+"/posthog/00000001.jsonl", []byte("wrong\n"), 0o600))
	s := openTestStore(t, directory)
	_, body, _ := s.ask(t, "GET", "/v1/dead_letters")
	assert.JSONEq(t, `{"exporters":[{"exporter":"posthog","events":0,"unreadable":1,"bytes":6,"reasons":[]}]}`, body)
}

func TestNewestDeadLettersAreListedFirst(t *testing.T) {
	s := openTestStore(t, t.TempDir(), small)
	for i := range 250 { // several files
		require.NoError(t, s.put(audit, []deadletter.Letter{s.bulky(fmt.Sprint("e", i), 1000)}))
	}
	type page struct {
		Exporter string `json:"exporter"`
		Events   int    `json:"events"`
		Letters  []struct {
			ID       string          `json:"id"`
			Reason   string          `json:"reason"`
			Message  string          `json:"message"`
			Attempts int             `json:"attempts"`
			FailedAt time.Time       `json:"failed_at"`
			Payload  json.RawMessage `json:"payload"`
		} `json:"dead_letters"`
	}
	for query, want := range map[string]int{"": 100, "?limit=1": 1, "?limit=200": 200, "?limit=1000": 250, "?payload=true&limit=5": 5} {
		status, body, _ := s.ask(t, "GET", "/v1/dead_letters/webhook/audit"+query)
		assert.Equal(t, 200, status)
		var got page
		require.NoError(t, json.Unmarshal([]byte(body), &got))
		assert.Equal(t, "webhook/audit", got.Exporter)
		assert.Equal(t, 250, got.Events)
		require.Len(t, got.Letters, want, query)
		for i, letter := range got.Letters {
			require.Equal(t, fmt.Sprint("e", 249-i), letter.ID, "newest first")
			assert.Equal(t, strings.Contains(query, "payload"), letter.Payload != nil)
		}
		assert.Equal(t, "refused", got.Letters[0].Reason)
		assert.Equal(t, "no such field", got.Letters[0].Message)
		assert.Equal(t, 1, got.Letters[0].Attempts)
		assert.Equal(t, noon, got.Letters[0].FailedAt)
	}
}

func TestExporterIDsInPaths(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	for _, id := range []component.ID{
		audit, component.MustNewIDWithName("webhook", "replay"), component.MustNewIDWithName("webhook", "a/b"),
		component.MustNewIDWithName("webhook", ".."), component.MustNewIDWithName("webhook", "%2F"), component.MustNewIDWithName("webhook", "é"),
	} {
		require.NoError(t, s.put(id, lettersOf(id.String())))
		s.register(id.String(), "logs", &fakeBackend{outcome: outcome(deadletter.OutcomeKept)})
	}
	for path, want := range map[string]string{
		"webhook/audit":            "webhook/audit",
		"webhook%2Faudit":          "webhook/audit",
		"webhook%2faudit":          "webhook/audit",
		"webhook/replay":           "webhook/replay",
		"webhook%2Freplay":         "webhook/replay",
		"webhook/a/b":              "webhook/a/b",
		"webhook%2Fa/b":            "webhook/a/b",
		"webhook%2F..":             "webhook/..",
		"webhook%2F%252F":          "webhook/%2F",
		"webhook/%C3%A9":           "webhook/é",
		"%77ebhook%2F%61%75%64it/": "",
	} {
		status, body, _ := s.ask(t, "GET", "/v1/dead_letters/"+path)
		if want == "" {
			assert.Equal(t, 404, status, path)
			continue
		}
		assert.Equal(t, 200, status, path)
		var got struct {
			Exporter string `json:"exporter"`
		}
		require.NoError(t, json.Unmarshal([]byte(body), &got))
		assert.Equal(t, want, got.Exporter, path)
		status, body, _ = s.ask(t, "POST", "/v1/dead_letters/"+path+"/replay")
		assert.Equal(t, 200, status, "%s: %s", path, body)
	}
	status, _, _ := s.ask(t, "POST", "/v1/dead_letters/webhook/replay")
	assert.Equal(t, 404, status, "the exporter webhook is unknown")
	status, _, header := s.ask(t, "POST", "/v1/dead_letters/webhook%2Freplay")
	assert.Equal(t, 405, status, "this names an exporter and not a replay")
	assert.Equal(t, "GET, HEAD, DELETE", header.Get("Allow"))
}

func TestReplayOverHTTP(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	require.NoError(t, s.put(audit, []deadletter.Letter{
		letterOf("e1", deadletter.ReasonRefused), letterOf("e2", deadletter.ReasonExhausted), letterOf("e3", "by_hand"), letterOf("e4", deadletter.ReasonRefused),
	}))
	status, body, _ := s.ask(t, "POST", "/v1/dead_letters/webhook/audit/replay")
	assert.Equal(t, 503, status)
	assert.Contains(t, body, "webhook/audit: the exporter is not running; add it to a pipeline")

	backend := &fakeBackend{}
	defer s.register("webhook/audit", "logs", backend)()
	for _, step := range []struct{ query, want string }{
		{"?reason=exhausted", `{"replayed":1,"delivered":1,"refused":0,"kept":0,"unreadable":0}`},
		{"?reason=by_hand", `{"replayed":1,"delivered":1,"refused":0,"kept":0,"unreadable":0}`},
		{"?limit=1", `{"replayed":1,"delivered":1,"refused":0,"kept":0,"unreadable":0}`},
		{"?reason=queue_full", `{"replayed":0,"delivered":0,"refused":0,"kept":0,"unreadable":0}`},
	} {
		status, body, _ = s.ask(t, "POST", "/v1/dead_letters/webhook/audit/replay"+step.query)
		assert.Equal(t, 200, status)
		assert.JSONEq(t, step.want, body)
	}
	assert.Equal(t, []string{"e2", "e3", "e1"}, backend.ids())
	backend.outcome = outcome(deadletter.OutcomeKept)
	_, body, _ = s.ask(t, "POST", "/v1/dead_letters/webhook/audit/replay")
	assert.JSONEq(t, `{"replayed":1,"delivered":0,"refused":0,"kept":1,"unreadable":0,"stopped":"`+stoppedBusy+`"}`, body)
}

func TestReplayOutlastsServerTimeouts(t *testing.T) {
	const timeout = time.Second // long enough for a handshake on a busy machine
	for _, protocol := range []int{1, 2} {
		t.Run(fmt.Sprint("HTTP/", protocol), func(t *testing.T) {
			s := openTestStore(t, t.TempDir())
			require.NoError(t, s.put(audit, lettersOf(numbered(300)...)))
			defer s.register("webhook/audit", "logs", &fakeBackend{chunk: func(context.Context, []deadletter.Letter) { time.Sleep(timeout) }})()
			server := httptest.NewUnstartedServer((&api{store: s.store, logger: zap.NewNop()}).handler())
			server.Config.ReadTimeout, server.Config.WriteTimeout = timeout, timeout
			server.EnableHTTP2 = protocol == 2
			server.StartTLS()
			defer server.Close()
			response, err := server.Client().Post(server.URL+"/v1/dead_letters/webhook/audit/replay", "", strings.NewReader("a body"))
			require.NoError(t, err)
			defer response.Body.Close()
			assert.Equal(t, protocol, response.ProtoMajor)
			body, err := io.ReadAll(response.Body)
			require.NoError(t, err)
			assert.JSONEq(t, `{"replayed":300,"delivered":300,"refused":0,"kept":0,"unreadable":0}`, string(body))
		})
	}
}

func TestRunningReplayBlocksReplayAndDelete(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	require.NoError(t, s.put(audit, lettersOf("e1")))
	require.NoError(t, s.put(other, lettersOf("o1")))
	entered, ended := make(chan struct{}), make(chan struct{})
	unregister := s.register("webhook/audit", "logs", hanging(entered))
	defer s.register("posthog", "logs", &fakeBackend{})()
	go func() {
		defer close(ended)
		_, err := s.folder(audit.String()).replay(context.Background(), deadletter.Filter{})
		assert.NoError(t, err)
	}()
	<-entered
	for method, path := range map[string]string{"POST": "webhook/audit/replay", "DELETE": "webhook/audit"} {
		status, body, _ := s.ask(t, method, "/v1/dead_letters/"+path)
		assert.Equal(t, 409, status)
		assert.JSONEq(t, `{"error":"webhook/audit: a replay or deletion of its dead letters is running; wait until it ends, or stop the replay"}`, body)
	}
	status, _, _ := s.ask(t, "POST", "/v1/dead_letters/posthog/replay")
	assert.Equal(t, 200, status, "another exporter can replay meanwhile")
	status, _, _ = s.ask(t, "GET", "/v1/dead_letters/webhook/audit")
	assert.Equal(t, 200, status)
	unregister()
	<-ended
}

func TestDelete(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	require.NoError(t, s.put(audit, lettersOf("e1", "e2")))
	require.NoError(t, s.put(other, lettersOf("o1")))
	status, body, _ := s.ask(t, "DELETE", "/v1/dead_letters/webhook%2Faudit")
	assert.Equal(t, 200, status)
	assert.JSONEq(t, `{"deleted":2}`, body)
	assert.Empty(t, s.filesOf(t, audit))
	assert.Equal(t, []string{"o1"}, s.ids(t, other))
	s.check(t)
	require.NoError(t, s.put(audit, lettersOf("e3")))
	assert.Equal(t, []string{"e3"}, s.ids(t, audit))
	s.check(t)
	s.ask(t, "DELETE", "/v1/dead_letters/webhook/audit")
	status, _, _ = s.ask(t, "DELETE", "/v1/dead_letters/webhook/audit")
	assert.Equal(t, 404, status)
}

func TestInvalidRequestsAreRefused(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	require.NoError(t, s.put(audit, lettersOf("e1")))
	defer s.register("webhook/audit", "logs", &fakeBackend{})()
	for _, tt := range []struct {
		method, path string
		status       int
		allow, text  string
	}{
		{"GET", "/", 404, "", "dead letters are at /v1/dead_letters"},
		{"GET", "/v1/dead_letters/", 404, "", "GET /v1/dead_letters lists the exporters with dead letters"},
		{"GET", "/v1/dead_letters/webhook", 404, "", `exporter \"webhook\": no exporter with this id is running or has dead letters`},
		{"DELETE", "/v1/dead_letters/webhook", 404, "", "no exporter with this id is running or has dead letters"},
		{"POST", "/v1/dead_letters/webhook/replay", 404, "", "no exporter with this id is running or has dead letters"},
		{"POST", "/v1/dead_letters", 405, "GET, HEAD", "use GET, HEAD"},
		{"DELETE", "/v1/dead_letters", 405, "GET, HEAD", "use GET, HEAD"},
		{"PUT", "/v1/dead_letters/webhook/audit", 405, "GET, HEAD, DELETE", "to replay, POST /v1/dead_letters/{exporter}/replay"},
		{"POST", "/v1/dead_letters/webhook/audit", 405, "GET, HEAD, DELETE", "to replay, POST"},
		{"GET", "/v1/dead_letters/webhook/audit/replay", 405, "POST", "use POST to replay"},
		{"DELETE", "/v1/dead_letters/webhook/audit/replay", 405, "POST", "use POST to replay"},
		{"GET", "/v1/dead_letters/webhook/audit?limit=0", 400, "", "limit: must be a number from 1 to 1000"},
		{"GET", "/v1/dead_letters/webhook/audit?limit=1001", 400, "", "limit: must be"},
		{"GET", "/v1/dead_letters/webhook/audit?limit=many", 400, "", "limit: must be"},
		{"GET", "/v1/dead_letters/webhook/audit?payload=yes", 400, "", "payload: must be true or false"},
		{"GET", "/v1/dead_letters/webhook/audit?reasn=refused", 400, "", `unknown parameter \"reasn\"; valid parameters: before, id, key, limit, name, reason, status, payload`},
		{"GET", "/v1/dead_letters?limit=1", 400, "", `unknown parameter \"limit\"; valid parameters: none`},
		{"DELETE", "/v1/dead_letters/webhook/audit?reasons=refused", 400, "", "unknown parameter"},
		{"POST", "/v1/dead_letters/webhook/audit/replay?limit=-1", 400, "", "limit: must be a number, 1 or more"},
		{"POST", "/v1/dead_letters/webhook/audit/replay?reson=refused", 400, "", "unknown parameter"},
		{"POST", "/v1/dead_letters/webhook/audit/replay?reason=refusd", 400, "", "valid reasons: encoding, refused, too_large"},
		{"POST", "/v1/dead_letters/webhook/audit/replay?reason=", 400, "", "reason: unknown reason"},
		{"POST", "/v1/dead_letters/webhook/audit/replay?a;b", 400, "", "malformed query"},
	} {
		status, body, header := s.ask(t, tt.method, tt.path)
		assert.Equal(t, tt.status, status, "%s %s: %s", tt.method, tt.path, body)
		assert.Contains(t, body, tt.text)
		assert.Contains(t, body, `{"error":`)
		assert.Equal(t, tt.allow, header.Get("Allow"), tt.path)
	}
	assert.Equal(t, []string{"e1"}, s.ids(t, audit))
}

func TestCrossOriginRequestsAreRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		headers   []string
		get, post int
	}{
		"a program":                                {nil, 200, 200},
		"a page of the API":                        {[]string{"Origin", "http://localhost:13134", "Sec-Fetch-Site", "same-origin"}, 200, 200},
		"an address typed into a browser":          {[]string{"Sec-Fetch-Site", "none"}, 200, 200},
		"a page of the API in an old browser":      {[]string{"Origin", "http://localhost:13134"}, 200, 200},
		"a page of another site":                   {[]string{"Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"}, 200, 403},
		"a page of another port":                   {[]string{"Origin", "http://localhost:8080", "Sec-Fetch-Site", "same-site"}, 200, 403},
		"a page of another site in an old browser": {[]string{"Origin", "https://evil.example"}, 200, 403},
		"a page without an origin":                 {[]string{"Origin", "null"}, 200, 403},
		"a rebound name":                           {[]string{"Host", "evil.example:13134"}, 403, 403},
		"a rebound name with a matching origin":    {[]string{"Host", "evil.example:13134", "Origin", "http://evil.example:13134"}, 403, 403},
		"a name that begins with localhost":        {[]string{"Host", "localhost.evil.example"}, 403, 403},
		"an address of another machine":            {[]string{"Host", "192.0.2.1:13134"}, 403, 403},
		"no name":                                  {[]string{"Host", ""}, 403, 403},
		"a loopback address":                       {[]string{"Host", "127.0.0.1:13134"}, 200, 200},
		"a loopback IPv6 address":                  {[]string{"Host", "[::1]:13134"}, 200, 200},
		"a loopback address without a port":        {[]string{"Host", "[::1]"}, 200, 200},
		"localhost in capitals":                    {[]string{"Host", "LocalHost"}, 200, 200},
	} {
		t.Run(name, func(t *testing.T) {
			s := openTestStore(t, t.TempDir())
			require.NoError(t, s.put(audit, lettersOf("e1")))
			defer s.register("webhook/audit", "logs", &fakeBackend{outcome: outcome(deadletter.OutcomeKept)})()
			status, _, _ := s.ask(t, "GET", "/v1/dead_letters/webhook/audit", tt.headers...)
			assert.Equal(t, tt.get, status)
			status, _, _ = s.ask(t, "POST", "/v1/dead_letters/webhook/audit/replay", tt.headers...)
			assert.Equal(t, tt.post, status)
			status, _, _ = s.ask(t, "DELETE", "/v1/dead_letters/webhook/audit", tt.headers...)
			assert.Equal(t, tt.post, status)
		})
	}
}

func TestHostIsCheckedOnLoopbackOnly(t *testing.T) {
	ok := http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})
	for _, tt := range []struct {
		endpoint  string
		listening net.Addr
		host      string
		want      int
	}{
		{"0.0.0.0:13134", &net.TCPAddr{IP: net.IPv4zero}, "collector.example", 200},
		{"/tmp/s", &net.UnixAddr{Name: "/tmp/s", Net: "unix"}, "anything", 200},
		{"myhost:13134", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}, "myhost:13134", 200},
		{"myhost:13134", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)}, "yourhost:13134", 403},
		{":13134", &net.TCPAddr{IP: net.IPv6loopback}, "", 403},
	} {
		request := httptest.NewRequest(http.MethodGet, "/", http.NoBody)
		request.Host = tt.host
		recorder := httptest.NewRecorder()
		guard(ok, tt.endpoint, tt.listening).ServeHTTP(recorder, request)
		assert.Equal(t, tt.want, recorder.Code, tt.host)
	}
}

func TestUnreadableFileAbortsResponse(t *testing.T) {
	s := openTestStore(t, t.TempDir())
	require.NoError(t, s.put(audit, lettersOf("e1")))
	path := s.filesOf(t, audit)[0]
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.Mkdir(path, 0o700)) // a folder can be opened but not read
	assert.PanicsWithValue(t, http.ErrAbortHandler, func() { s.ask(t, "GET", "/v1/dead_letters/webhook/audit") })
	require.NoError(t, os.Remove(path))
	status, body, _ := s.ask(t, "GET", "/v1/dead_letters/webhook/audit")
	assert.Equal(t, 200, status, "a missing file is skipped")
	assert.JSONEq(t, `{"exporter":"webhook/audit","events":1,"dead_letters":[]}`, body)
}
