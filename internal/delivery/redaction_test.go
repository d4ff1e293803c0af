// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

// secret is a credential with characters that are escaped in a URL or in JSON.
const secret = "hunter2+0123/456789=abcdef"

// maxQuoted is how many bytes of a response are in a message.
const maxQuoted = 256

// echo answers with a status and what the request told, for which %s stands.
func echo(status int, said string, told func(*http.Request) string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, said, told(r))
	}
}

func theHeader(name string) func(*http.Request) string {
	return func(r *http.Request) string { return r.Header.Get(name) }
}

// TestCredentialsInResponsesAreRedacted leaves the assertions to deliverytest: it searches the dead
// letters, the caller's error, the log and the component status for the secret and for parts of it.
func TestCredentialsInResponsesAreRedacted(t *testing.T) {
	keyed := options{key: secret}
	theKey := theHeader("X-Key")
	for name, tt := range map[string]struct {
		options options
		answer  http.HandlerFunc
	}{
		"the backend's own header":        {keyed, echo(401, `{"error":"unknown key %s"}`, theKey)},
		"a temporary failure":             {keyed, echo(503, `not now, %s`, theKey)},
		"a refused event":                 {keyed, echo(400, `bad event from %s`, theKey)},
		"any other status":                {keyed, echo(418, `%s?`, theKey)},
		"as a text in JSON":               {keyed, echo(401, `{"error":"unknown key %s"}`, func(r *http.Request) string { return strings.ReplaceAll(theKey(r), "/", `\/`) })},
		"as a text in a URL":              {keyed, echo(401, `see /keys?id=%s`, func(r *http.Request) string { return url.QueryEscape(theKey(r)) })},
		"where the message is cut off":    {keyed, echo(401, strings.Repeat("x", maxQuoted-len(`unknown key hunter2+0`))+`unknown key %s`, theKey)},
		"a header of the configuration":   {options{headers: http.Header{"X-Token": {secret}}}, echo(401, `unknown token %s`, theHeader("X-Token"))},
		"a bearer token":                  {options{headers: http.Header{"Authorization": {"Bearer " + secret}}}, echo(401, `unknown token %s`, func(r *http.Request) string { return strings.Fields(r.Header.Get("Authorization"))[1] })},
		"the password of basic auth":      {options{headers: http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte("us:"+secret))}}}, echo(401, `wrong password %s`, func(r *http.Request) string { _, password, _ := r.BasicAuth(); return password })},
		"the path":                        {options{path: "/hooks/" + url.PathEscape(secret)}, echo(404, `Cannot POST %s`, func(r *http.Request) string { return r.URL.EscapedPath() })},
		"the path, unescaped":             {options{path: "/hooks/" + url.PathEscape(secret)}, echo(404, `no hook %s`, func(r *http.Request) string { return strings.TrimPrefix(r.URL.Path, "/hooks/") })},
		"the query":                       {options{path: "/hook?token=" + url.QueryEscape(secret)}, echo(403, `Cannot POST %s`, func(r *http.Request) string { return r.URL.RequestURI() })},
		"the query, unescaped":            {options{path: "/hook?token=" + url.QueryEscape(secret)}, echo(403, `unknown token %s`, func(r *http.Request) string { return r.URL.Query().Get("token") })},
		"a status line, in a fine answer": {keyed, echo(200, `ok, %s`, theKey)},
	} {
		for _, dispatch := range []Dispatch{DispatchAsync, DispatchSync} {
			t.Run(name+", "+string(dispatch), func(t *testing.T) {
				o := tt.options
				o.credentials = []string{secret, "hunter2"}
				o.configure = func(cfg *Config) {
					cfg.Dispatch = dispatch
					cfg.RetryConfig.Enabled = false
				}
				f := newFixture(t, o)
				f.server.Config.Handler = tt.answer
				_ = f.Consume(t.Context(), records("a"))
				f.Settle()
			})
		}
	}
}

// TestCredentialsInClassificationsAreRedacted is of a backend that reads the answer itself.
func TestCredentialsInClassificationsAreRedacted(t *testing.T) {
	for name, classification := range map[string]func(message string) Classification{
		"of the request": func(message string) Classification {
			return Classification{Outcome: Outcome{Kind: Refused, Reason: deadletter.ReasonRefused, Message: message}}
		},
		"of an event": func(message string) Classification {
			return Classification{Events: []Outcome{{Kind: Refused, Reason: deadletter.ReasonRefused, Message: message}}}
		},
		"of an event that is pending": func(message string) Classification {
			return Classification{Events: []Outcome{{Kind: Retryable, Message: message}}}
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, options{
				key: secret, credentials: []string{secret, "hunter2"},
				configure: func(cfg *Config) { cfg.RetryConfig.Enabled = false },
				answer: func(_ *Request, response *Response) Classification {
					var said struct{ Error string }
					assert.NoError(t, json.Unmarshal(response.Body, &said), "the backend is given what was answered")
					assert.Contains(t, said.Error, secret)
					return classification(said.Error)
				},
			})
			f.server.Config.Handler = echo(200, `{"error":"the key %s is not for events of this kind"}`, theHeader("X-Key"))
			f.send("a")
			letters := f.Letters.All()
			require.Len(t, letters, 1)
			assert.Contains(t, letters[0].Message, "is not for events of this kind", "the rest is told")
		})
	}
}

func TestCredentialsInReplaysAreRedacted(t *testing.T) {
	f := newFixture(t, options{key: secret, configure: func(cfg *Config) { cfg.RetryConfig.Enabled = false }})
	f.server.always(http.StatusServiceUnavailable)
	f.send("a")
	f.server.Config.Handler = echo(401, `unknown key %s`, theHeader("X-Key"))
	for _, replayed := range f.Letters.Replay(context.Background()) {
		assert.Contains(t, replayed.Letters[0].Message, "the backend answered 401: unknown key")
		assert.NotContains(t, replayed.Letters[0].Message, "hunter2")
	}
}
