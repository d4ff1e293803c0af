// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"sync/atomic"
	"testing"

	"github.com/klauspost/compress/gzip"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/config/configcompression"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/exporter/exportertest"
)

// numberedBatch is a batch in memory of ms, whose events tell which batch they are of.
func numberedBatch(ms *memories, number, events int) *batch {
	w := Writer{memories: ms}
	for range events {
		w.End(fmt.Appendf(w.Begin(Meta{}), "batch %06d", number))
	}
	return newBatch(w.take())
}

func TestMemoryIsNotUsedAgainBeforeAllOfItsEventsAreDone(t *testing.T) {
	var ms memories
	r := rand.New(rand.NewPCG(1, 2))
	held := map[*batch]string{}
	for number := range 3000 {
		want := fmt.Sprintf("batch %06d", number)
		pieces, err := numberedBatch(&ms, number, 10).MergeSplit(context.Background(), 1+r.IntN(10), exporterhelper.RequestSizerTypeItems, nil)
		require.NoError(t, err)
		for _, piece := range pieces {
			held[piece.(*batch)] = want
		}
		for b, want := range held { // in no order
			for _, event := range b.events() {
				require.Equal(t, want, string(event.Payload))
			}
			if r.IntN(3) == 0 {
				delete(held, b)
				b.release()
				b.release() // to no effect
			}
		}
	}
}

func TestMemoryOfMergedBatchesIsNotUsedAgainBeforeAllOfItsEventsAreDone(t *testing.T) {
	var ms memories
	const size = 7
	rest, next := numberedBatch(&ms, 0, size), 0
	for number := 1; number < 1000; number++ {
		merged, err := rest.MergeSplit(context.Background(), 5, exporterhelper.RequestSizerTypeItems, numberedBatch(&ms, number, size))
		require.NoError(t, err)
		for _, piece := range merged[:len(merged)-1] {
			for _, event := range piece.(*batch).events() {
				require.Equal(t, fmt.Sprintf("batch %06d", next/size), string(event.Payload))
				next++
			}
			piece.(*batch).release()
		}
		rest = merged[len(merged)-1].(*batch)
	}
}

func TestMemoryIsAboutAsLargeAsWhatIsInIt(t *testing.T) {
	var ms memories
	numberedBatch(&ms, 1, 10_000).release()
	small := numberedBatch(&ms, 2, 1)
	assert.LessOrEqual(t, cap(small.parts[0].memory.buf), 2*small.BytesSize())
}

func TestDeadLettersStayAsTheyWere(t *testing.T) {
	f := newFixture(t, options{})
	f.server.refusing("poison")
	for range 50 {
		f.send("poison", "a", "b")
		f.send("others", "b", "c") // of the same size
	}
	for _, letter := range f.Letters.All() {
		require.Equal(t, "id-poison poison poison", fmt.Sprintf("%s %s %s", letter.ID, letter.Name, letter.Payload))
	}
}

// TestABodyStaysAsItIsWhileItIsRead reads bodies after others were made, as net/http does where the answer comes before the
// whole request was read.
func TestABodyStaysAsItIsWhileItIsRead(t *testing.T) {
	for _, encoding := range []string{"", "gzip"} {
		t.Run("encoding "+encoding, func(t *testing.T) {
			c, err := newCompressor(configcompression.Type(encoding), 0)
			require.NoError(t, err)
			bodies, want := map[string][]byte{}, bytes.Repeat([]byte("0123456789"), 500)
			for number := range 100 {
				text := fmt.Sprintf("%06d", number)
				body, got, err := c.compress(&Request{Body: append([]byte(text), want...)})
				require.NoError(t, err)
				require.Equal(t, encoding, got)
				bodies[text] = body
			}
			for text, body := range bodies {
				require.Equal(t, text+string(want), string(decoded(t, bytes.NewReader(body), encoding)))
			}
		})
	}
}

// decoded is what a backend reads.
func decoded(t *testing.T, r io.Reader, encoding string) []byte {
	t.Helper()
	if encoding == "gzip" {
		var err error
		r, err = gzip.NewReader(r)
		require.NoError(t, err)
	}
	text, err := io.ReadAll(r)
	require.NoError(t, err)
	return text
}

// TestARequestIsOneWrite holds what net/http does for bodies that it knows to be in memory, unless something is wrapped around them.
func TestARequestIsOneWrite(t *testing.T) {
	f := newFixture(t, options{})
	set := exportertest.NewNopSettings(component.MustNewType("line"))
	cfg := NewDefaultConfig(1)
	d, err := newDeliverer(set, &cfg, confighttp.NewDefaultClientConfig(), &lineBackend{}, signalLogs)
	require.NoError(t, err)
	require.NoError(t, d.startClient(t.Context(), componenttest.NewNopHost()))
	defer d.client.CloseIdleConnections()
	var writes atomic.Int64
	d.client.Transport.(withoutLocation).RoundTripper.(*http.Transport).DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
		return &countedConn{conn, &writes}, err
	}
	for range 5 {
		_, err := d.post(t.Context(), &Request{URL: f.server.URL, Body: []byte("body\n")})
		require.NoError(t, err)
	}
	assert.EqualValues(t, 5, writes.Load())
}

type countedConn struct {
	net.Conn
	writes *atomic.Int64
}

func (c *countedConn) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(p)
}

// transport is a http.RoundTripper.
type transport func(*http.Request) (*http.Response, error)

func (t transport) RoundTrip(req *http.Request) (*http.Response, error) { return t(req) }

func TestABodyCanBeSentAgainOnAnotherConnection(t *testing.T) {
	l, err := newLedger(exportertest.NewNopSettings(component.MustNewType("line")), signalLogs)
	require.NoError(t, err)
	c, err := newCompressor("none", 0)
	require.NoError(t, err)
	d := &deliverer{ledger: l, compressor: c}
	d.client = &http.Client{Transport: transport(func(req *http.Request) (*http.Response, error) {
		again, err := req.GetBody()
		require.NoError(t, err)
		for _, body := range []io.ReadCloser{req.Body, again} {
			assert.Equal(t, "body", string(decoded(t, body, "")))
			require.NoError(t, body.Close())
		}
		assert.EqualValues(t, len("body"), req.ContentLength)
		return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody, Header: http.Header{}}, nil
	})}
	response, err := d.post(t.Context(), &Request{URL: "http://localhost", Header: http.Header{}, Body: []byte("body")})
	require.NoError(t, err)
	assert.Equal(t, http.StatusOK, response.Status)
}

// TestAnAnswerBeforeTheBodyIsRead is for the race detector: net/http is still sending when the answer is there.
func TestAnAnswerBeforeTheBodyIsRead(t *testing.T) {
	f := newFixture(t, options{})
	f.server.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) })
	for i := range 50 {
		f.send(string(bytes.Repeat([]byte{byte('a' + i%26)}, 300_000)))
	}
	assert.Equal(t, map[string]int64{"delivered": 50}, f.Outcomes())
}

func TestABodyIsJoinedWhereThereIsNone(t *testing.T) {
	two := []Event{{Payload: []byte("a")}, {Payload: []byte("bc")}}
	join := Join{Head: "[", Separator: ", ", Tail: "]\n"}
	for name, tt := range map[string]struct {
		request Request
		want    string
	}{
		"two events":                   {Request{Join: join, Events: two}, "[a, bc]\n"},
		"one event":                    {Request{Join: join, Events: two[:1]}, "[a]\n"},
		"one event as it is":           {Request{Events: two[:1]}, "a"},
		"a body of the backend's own":  {Request{Body: []byte("x"), Join: join, Events: two}, "x"},
		"an empty body that is wanted": {Request{Body: []byte{}, Join: join, Events: two}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, "before"+tt.want, string(tt.request.AppendBody([]byte("before"))))
			assert.Equal(t, len(tt.want), tt.request.Size())
		})
	}
}
