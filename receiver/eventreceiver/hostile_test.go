// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventreceiver

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/consumer/consumertest"
)

// TestHostileBodies checks that each body is refused with an error that says what is wrong.
func TestHostileBodies(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	for name, tt := range map[string]struct {
		body   string
		status int
		want   string
	}{
		"10,000 arrays in each other":     {deep(10_000), 400, "an event is an object, got an array"},
		"10,001 arrays in each other":     {deep(10_002), 400, "not JSON: at byte 10001: nested more than 10000 deep"},
		"10,000 objects in a property":    {`{"name":"a","properties":` + strings.Repeat(`{"a":`, 9_998) + "1" + strings.Repeat("}", 9_999), 400, "is nested more than 32 deep"},
		"a million arrays, never closed":  {strings.Repeat("[", 1_000_000), 400, "nested more than 10000 deep"},
		"a million objects, never closed": {strings.Repeat(`{"a":`, 1_000_000), 400, "nested more than 10000 deep"},
		"a name given twice":              {`{"name":"a","name":"b"}`, 400, "name: given twice"},
		"a property given twice":          {`{"name":"a","properties":{"p":1,"p":2}}`, 400, "properties.p: given twice"},
		"a name repeated with an escape":  {`{"name":"a","properties":{"p":1,"\u0070":2}}`, 400, "properties.p: given twice"},
		"a string that is not UTF-8":      {"{\"name\":\"\xff\"}", 400, "not JSON: at byte 9: a string that is not UTF-8"},
		"a name that is not UTF-8":        {"{\"\xc0\xaf\":1}", 400, "not JSON: at byte 2: a string that is not UTF-8"},
		"half a surrogate pair":           {`{"name":"\ud800"}`, 400, "unpaired surrogate"},
		"UTF-16":                          {"\xff\xfe{\x00}\x00", 400, "not JSON: at byte 0"},
		"a byte order mark":               {"\ufeff{}", 400, "not JSON: at byte 0"},
		"a NUL":                           {"{\"name\":\"a\x00\"}", 400, "control characters in a string must be escaped"},
		"a number of a million digits":    {`{"name":"a","properties":{"n":` + strings.Repeat("9", 1_000_000) + `}}`, 400, "properties.n: is beyond 64 bits"},
		"a number beyond a double":        {`{"name":"a","properties":{"n":1e999999999}}`, 400, "properties.n: is beyond the range of a double"},
		"too many values":                 {`{"name":"a","properties":{"n":[` + strings.Repeat("0,", 1_000_000) + `0]}}`, 413, "more than 1000000 values"},
		"too many events":                 {"[" + strings.Repeat(`{"name":"a"},`, 10_000) + `{"name":"a"}]`, 413, "more than 10000 events"},
		"NaN":                             {`{"name":"a","properties":{"n":NaN}}`, 400, "not JSON: at byte 30"},
		"a comment":                       {`{"name":"a"/* */}`, 400, "not JSON: at byte 11"},
		"a trailing comma":                {`{"name":"a",}`, 400, "not JSON: at byte 12"},
		"reserved attributes":             {`{"name":"a","properties":{"fanout.type":"identify"}}`, 400, "properties.fanout.type: names that start with fanout. are reserved"},
	} {
		t.Run(name, func(t *testing.T) {
			sink := new(consumertest.LogsSink)
			got := ask(t, newHandler(t, nil, sink), "/v1/events", jsonType, tt.body)
			assert.Equal(t, tt.status, got.status)
			problem := got.Error
			for _, r := range got.Rejected {
				problem += r.Error
			}
			assert.Contains(t, problem, tt.want)
			assert.Less(t, len(problem), 300)
			assert.Zero(t, sink.LogRecordCount())
		})
	}
}

// TestDecompressionBombsAreRefused sends 16 MiB of spaces, compressed, to a receiver with a limit
// of 1 MiB, and measures the memory that it allocates.
func TestDecompressionBombsAreRefused(t *testing.T) {
	const decompressed, limit = 16 << 20, 1 << 20
	for encoding, compress := range map[string]func(io.Writer) io.WriteCloser{
		"gzip":    func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) },
		"deflate": func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) },
		"zstd": func(w io.Writer) io.WriteCloser {
			compressor, err := zstd.NewWriter(w)
			require.NoError(t, err)
			return compressor
		},
	} {
		t.Run(encoding, func(t *testing.T) {
			var bomb bytes.Buffer
			compressor := compress(&bomb)
			_, err := io.CopyN(compressor, spaces{}, decompressed)
			require.NoError(t, err)
			require.NoError(t, compressor.Close())

			h := newHandler(t, map[string]any{"max_request_body_size": limit}, consumertest.NewNop())
			before := allocated()
			got := ask(t, h, "/v1/events", jsonType, bomb.String(), "Content-Encoding", encoding)
			assert.Equal(t, http.StatusRequestEntityTooLarge, got.status, got.Error)
			assert.Less(t, allocated()-before, uint64(32<<20), "bytes allocated")
		})
	}
}

type spaces struct{}

func (spaces) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}

func TestLargeBodiesAreReleased(t *testing.T) {
	h := newHandler(t, nil, consumertest.NewNop())
	heap := func() uint64 {
		runtime.GC() // once only: the second collection empties a sync.Pool
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	for range 5 {
		body := `{"name":"a","message":"\n` + strings.Repeat("x", 2<<20) + `"}`
		assert.Equal(t, http.StatusAccepted, ask(t, h, "/v1/events", jsonType, body).status)
		assert.Equal(t, http.StatusBadRequest, ask(t, h, "/v1/events", jsonType, body[1:]).status)
	}
	assert.Less(t, int64(heap())-int64(before), int64(2<<20))
}

// TestSlowClients checks that clients that send too slowly are disconnected while others are
// served.
func TestSlowClients(t *testing.T) {
	r := start(t, setup{configure: func(cfg *Config) {
		cfg.ServerConfig.ReadHeaderTimeout = 200 * time.Millisecond
		cfg.ServerConfig.ReadTimeout = 200 * time.Millisecond
	}})
	address := strings.TrimSuffix(strings.TrimPrefix(r.url, "http://"), eventsPath)
	var slow []net.Conn
	for i := range 50 {
		conn, err := net.Dial("tcp", address)
		require.NoError(t, err)
		t.Cleanup(func() { conn.Close() })
		text := "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nX-Slow: "
		if i%2 == 0 {
			text = "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{"
		}
		_, err = io.WriteString(conn, text)
		require.NoError(t, err)
		slow = append(slow, conn)
	}
	assert.Equal(t, http.StatusAccepted, post(t, r.url, jsonType, `{"name":"a"}`).status)
	for _, conn := range slow {
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(20*time.Second)))
		_, err := io.ReadAll(conn)
		require.NoError(t, err, "the receiver closes the connection")
	}
	assert.Equal(t, http.StatusAccepted, post(t, r.url, jsonType, `{"name":"a"}`).status)
}

// FuzzRequest checks that any request gets a documented response, and that the pipeline receives
// exactly the events reported as accepted.
func FuzzRequest(f *testing.F) {
	for _, seed := range []struct{ path, contentType, headers, body string }{
		{"/v1/events", jsonType, "", `{"events":[{"name":"a"},{"name":1}],"write_key":"k"}`},
		{"/v1/events?write_key=k&ids=1", ndjsonType, "Idempotency-Key: k\nTraceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "{\"name\":\"a\"}\n{\n"},
		{"/v1/track", jsonType, "Authorization: Basic azo=", `{"event":"a","userId":"u"}`},
		{"/v1/batch", jsonType, "Authorization: Basic azo=", `{"batch":[{"type":"track","event":"a"},{"type":"alias","userId":"u"}],"context":{},"messageId":"m"}`},
		{"/v1/exception", jsonType, "Authorization: Bearer k", `{"type":"E","stack":"s"}`},
		{"/v1/events", "text/plain", "Origin: https://shop.example\nX-Write-Key: k", `{"name":"a"}`},
		{"/v1/events", "application/cloudevents+json", "X-Write-Key: k", `{"specversion":"1.0","id":"1","source":"/s","type":"t","data":{"a":1}}`},
		{"/v1/events", jsonType, "X-Write-Key: k\nCe-Specversion: 1.0\nCe-Id: 1\nCe-Source: %2F\nCe-Type: \"t\"\nX-Forwarded-For: 1.2.3.4, ::1", `{"a":1}`},
		{"/v1/webhooks/github", jsonType, "X-Hub-Signature-256: sha256=00\nX-GitHub-Event: push", `{}`},
		{"/v1/webhooks/billing", jsonType, "Stripe-Signature: t=1700000000,v1=00", `{}`},
		{"/v1/webhooks/svix", jsonType, "svix-id: 1\nsvix-timestamp: 1700000000\nsvix-signature: v1,AAAA", `{}`},
	} {
		f.Add(seed.path, seed.contentType, seed.headers, []byte(seed.body))
	}
	sink := new(consumertest.LogsSink)
	h := newHandler(f, map[string]any{
		"max_events": 5, "max_request_body_size": 10_000, "include_metadata": true, "trusted_proxies": []any{"192.0.2.0/24"},
		"keys": []any{map[string]any{"key": "k", "resource": map[string]any{"service.name": "shop"}}},
		"cors": map[string]any{"allowed_origins": []any{"https://shop.example"}},
		"webhooks": map[string]any{
			"github":  map[string]any{"scheme": "github", "secrets": []any{"unknown to senders"}},
			"billing": map[string]any{"scheme": "stripe", "secrets": []any{"unknown to senders"}},
			"svix":    map[string]any{"scheme": "svix", "secrets": []any{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}},
		},
	}, sink)
	statuses := []int{200, 202, 400, 401, 403, 404, 405, 413, 415}
	f.Fuzz(func(t *testing.T, path, contentType, headers string, body []byte) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://events.example"+path, bytes.NewReader(body))
		if err != nil || !strings.HasPrefix(path, "/v1/") {
			return
		}
		r.RemoteAddr = client
		r.Header.Set("Content-Type", contentType)
		for line := range strings.SplitSeq(headers, "\n") {
			if name, value, ok := strings.Cut(line, ":"); ok {
				r.Header.Add(strings.TrimSpace(name), strings.TrimSpace(value))
			}
		}
		before := sink.LogRecordCount()
		recorder := httptest.NewRecorder()
		h.ServeHTTP(recorder, r)
		if location := recorder.Header().Get("Location"); location != "" { // a path with dots is redirected
			return
		}
		var response responseBody
		if err := json.Unmarshal(recorder.Body.Bytes(), &response); err != nil || !slices.Contains(statuses, recorder.Code) {
			t.Fatalf("response %d %s", recorder.Code, recorder.Body)
		}
		if (recorder.Code == http.StatusAccepted) != (response.Accepted > 0) || sink.LogRecordCount()-before != response.Accepted {
			t.Fatalf("response %d %s, but the pipeline got %d", recorder.Code, recorder.Body, sink.LogRecordCount()-before)
		}
		if strings.HasPrefix(r.URL.Path, webhooksPath) && response.Accepted > 0 {
			t.Fatal("an unsigned webhook was accepted")
		}
		sink.Reset()
	})
}

func TestMaxEventsInEveryFormat(t *testing.T) {
	h := newHandler(t, map[string]any{"max_events": 3}, consumertest.NewNop())
	for name, body := range map[string]string{
		"array": "[%s]", "events": `{"events":[%s]}`, "batch": `{"batch":[%s],"sentAt":1}`,
	} {
		t.Run(name, func(t *testing.T) {
			for n, want := range map[int]int{1: 202, 3: 202, 4: 413} {
				events := strings.TrimSuffix(strings.Repeat(`{"event":"a"},`, n), ",")
				got := ask(t, h, "/v1/track", jsonType, fmt.Sprintf(body, events))
				assert.Equal(t, want, got.status, "%d events", n)
			}
		})
	}
}
