// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.yaml.in/yaml/v3"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/deliverytest"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsontemplate"
)

func page(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	require.NoError(t, err)
	return string(text)
}

func readme(t *testing.T) string {
	t.Helper()
	return page(t, "README.md")
}

// blocks returns the code blocks of a page in a language.
func blocks(text, language string) []string {
	var all []string
	for _, match := range regexp.MustCompile("(?s)```"+language+"\n(.*?)```").FindAllStringSubmatch(text, -1) {
		all = append(all, match[1])
	}
	return all
}

func TestReadmeExamplesAreValid(t *testing.T) {
	examples := blocks(readme(t), "yaml")
	require.Len(t, examples, 2)
	var conf struct{ Exporters map[string]map[string]any }
	require.NoError(t, yaml.Unmarshal([]byte(examples[0]), &conf))
	_, err := load(conf.Exporters["webhook"])
	require.NoError(t, err)

	var templates map[string]any
	require.NoError(t, yaml.Unmarshal([]byte(examples[1]), &templates))
	templates["format"] = "template"
	b := testBackend(t, templates)
	events := encodeWith(t, b, formatLogs(t))
	require.Len(t, events, 4)
	assert.Contains(t, string(events[0].Payload), `"what":"order_placed"`)
}

func TestReadmeListsEveryKey(t *testing.T) {
	cfg, err := load(map[string]any{"endpoint": "http://localhost", "compression_params": map[string]any{"level": 1}})
	require.NoError(t, err)
	printed := confmap.New()
	require.NoError(t, printed.Marshal(cfg))
	text := readme(t)
	for key, value := range printed.ToStringMap() {
		assert.Contains(t, text, "`"+key, key)
		inner, _ := value.(map[string]any)
		for name := range inner {
			switch key {
			case "cloudevents", "pagerduty", "request", "signing":
				assert.Regexp(t, "`("+key+"::)?"+name+"`", text, "%s::%s", key, name)
			}
		}
	}
}

func TestReadmeListsEveryFunction(t *testing.T) {
	_, list, _ := strings.Cut(readme(t), "- Functions: ")
	list, _, _ = strings.Cut(list, "There is no")
	var listed, known []string
	for _, quoted := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(list, -1) {
		listed = append(listed, strings.Fields(quoted[1])...)
	}
	for _, usage := range jsontemplate.Functions() {
		known = append(known, strings.Fields(usage)[0])
	}
	assert.ElementsMatch(t, known, listed)
}

func receive(verifier *standardwebhooks.Webhook) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
		if err != nil {
			http.Error(w, "the body cannot be read", http.StatusBadRequest)
			return
		}
		if err := verifier.Verify(body, r.Header); err != nil {
			http.Error(w, "the signature is wrong", http.StatusUnauthorized)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}
}

// TestReceiverOnPageVerifies checks that receive is the Go code of receiving.md, and that it accepts the
// exporter's requests. test/e2e does the same for JavaScript and Python.
func TestReceiverOnPageVerifies(t *testing.T) {
	source, err := os.ReadFile("readme_test.go")
	require.NoError(t, err)
	snippets := blocks(page(t, "receiving.md"), "go")
	require.Len(t, snippets, 1)
	require.Contains(t, string(source), "\n"+snippets[0]+"\n")

	verifier, err := standardwebhooks.NewWebhook(currentSecret)
	require.NoError(t, err)
	server := httptest.NewServer(receive(verifier))
	defer server.Close()
	for secret, want := range map[string]map[string]int64{
		currentSecret: {"delivered": 3}, oldSecret: {"dead_lettered/unauthorized": 3},
	} {
		cfg := async(server.URL, BatchingSingle)
		require.NoError(t, confmap.NewFromStringMap(map[string]any{
			"format": "standard", "signing": map[string]any{"scheme": "standard", "secrets": []any{secret}},
		}).Unmarshal(cfg))
		e := deliverytest.Setup{Factory: NewFactory(), Config: cfg, Credentials: []string{secret}}.StartLogs(t)
		e.Send(eventsNamed("a", "b", "c"))
		assert.Equal(t, want, e.Outcomes())
	}
}
