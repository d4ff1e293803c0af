// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package standin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// intake is a stand-in that responds as the test says, and has a rule against PUT. It records
// requests by method.
type intake struct {
	Server[string]
	reply Reply
	held  chan Reply // the replies after Hold, if a test reads them
}

func newIntake(t testing.TB, recording bool, reply Reply) *intake {
	in := &intake{reply: reply, held: make(chan Reply, 1)}
	in.Start(t, "Acme", recording, in)
	return in
}

func (in *intake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var c Checker
	if r.Method == http.MethodPut {
		c.Violate("method", "request", "is a %s", r.Method)
	}
	in.Do(func() { in.Note(r.Method, c.Violations, r.RequestURI, []byte("its body")) })
	reply := in.Hold(r, in.reply)
	in.held <- reply
	reply.Write(w, "all is well")
}

func send(ctx context.Context, method, url string) (Response, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, nil)
	if err != nil {
		return Response{}, err
	}
	return Send(r)
}

func TestReplyControlsResponseAndAcceptance(t *testing.T) {
	released, release := Hung()
	release()
	release()
	for name, c := range map[string]struct {
		reply Reply
		want  string
		seen  int
		taken bool
	}{
		"nothing, which is success":     {Reply{}, "200 all is well", 200, true},
		"a body in the vendor's place":  {Reply{Body: "<html>"}, "200 <html>", 200, true},
		"a failure":                     {Reply{Status: 503}, "503 ", 503, false},
		"a failure of what was taken":   {Reply{Status: 503, Taken: true}, "503 ", 503, true},
		"success of what was not taken": {Reply{NotTaken: true}, "200 all is well", 200, false},
		"a redirect":                    {Redirect(307, "http://127.0.0.1:1/"), "307 ", 307, false},
		"a delay":                       {Reply{Delay: time.Millisecond}, "200 all is well", 200, true},
		"a response that is released":   {released, "200 all is well", 200, true},
	} {
		t.Run(name, func(t *testing.T) {
			in := newIntake(t, false, c.reply)
			got, err := send(t.Context(), http.MethodPost, in.URL())
			require.NoError(t, err)
			assert.Equal(t, c.want, fmt.Sprint(got.Status, " ", got.Body))
			reply := <-in.held
			assert.Equal(t, c.seen, reply.Seen())
			assert.Equal(t, c.taken, reply.Takes())
		})
	}
}

func TestResetSendsNoResponse(t *testing.T) {
	in := newIntake(t, false, Reply{Reset: true, Status: 200})
	_, err := send(t.Context(), http.MethodPost, in.URL())
	assert.True(t, errors.Is(err, syscall.ECONNRESET) || errors.Is(err, io.EOF), "%v", err)
	reply := <-in.held
	assert.Zero(t, reply.Seen())
	assert.False(t, reply.Takes())
}

func TestHangingResponseEndsWithClient(t *testing.T) {
	hung, _ := Hung()
	in := newIntake(t, false, hung)
	ctx, cancel := context.WithCancel(t.Context())
	gone := make(chan error, 1)
	go func() {
		_, err := send(ctx, http.MethodPost, in.URL())
		gone <- err
	}()
	require.Eventually(t, func() bool { return len(in.Requests()) == 1 }, time.Minute, time.Millisecond)
	cancel()
	require.ErrorIs(t, <-gone, context.Canceled)
	assert.Equal(t, Reply{Reset: true}, <-in.held)
}

func TestHangingResponseEndsWithTest(t *testing.T) {
	var held chan Reply
	gone := make(chan error, 1)
	t.Run("the test", func(t *testing.T) {
		hung, _ := Hung()
		in := newIntake(t, false, hung)
		held = in.held
		go func() {
			_, err := send(context.Background(), http.MethodPost, in.URL())
			gone <- err
		}()
		require.Eventually(t, func() bool { return len(in.Requests()) == 1 }, time.Minute, time.Millisecond)
	})
	require.Error(t, <-gone)
	assert.Equal(t, Reply{Reset: true}, <-held)
}

func TestWithinLimitsWait(t *testing.T) {
	reply := Reply{Header: http.Header{"Retry-After": {"60"}}}
	assert.Equal(t, "2.5", reply.Within("2.5").Header.Get("Retry-After"))
	assert.Equal(t, "60", reply.Header.Get("Retry-After"))
	assert.Equal(t, "1", Reply{}.Within("1").Header.Get("Retry-After"))
}

func TestViolationFailsTestUnlessRecorded(t *testing.T) {
	for recording, want := range map[bool][]string{
		false: {"the request breaks these rules of Acme:\n  request is a PUT (rule \"method\")\n/\nits body"},
		true:  nil,
	} {
		f := &Failing{TB: t}
		in := newIntake(f, recording, Reply{})
		for _, method := range []string{http.MethodPost, http.MethodPut} {
			_, err := send(t.Context(), method, in.URL())
			require.NoError(t, err)
			<-in.held
		}
		assert.Equal(t, want, f.Failures)
		assert.Equal(t, []string{"POST", "PUT"}, in.Requests())
		assert.Equal(t, []Violation{{Rule: "method", Where: "request", Message: "is a PUT"}}, in.Violations())
	}
}
