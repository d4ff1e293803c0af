// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/otelcol"
)

type exampleConfig struct {
	Endpoint string               `mapstructure:"endpoint"`
	Key      configopaque.String  `mapstructure:"api_key"`
	Headers  configopaque.MapList `mapstructure:"headers"`
	Password string               `mapstructure:"password"`
	Nested   map[string]any       `mapstructure:"nested"`
}

func redactorOf(cfg *exampleConfig, variables ...Variable) *redactor {
	id := component.MustNewIDWithName("webhook", "audit")
	return newRedactor(findSecrets(&otelcol.Config{Exporters: map[component.ID]component.Config{id: cfg}}, variables))
}

func TestRedact(t *testing.T) {
	r := redactorOf(&exampleConfig{
		Endpoint: "https://user:pass-word-1@hooks.example.com/services/T00/B00/token%2Fone?key=query-secret",
		Key:      `quo"ted/secret`, Password: "pw1",
		Headers: configopaque.MapList{{Name: "Authorization", Value: "Bearer header-token"}, {Name: "X", Value: "1"}},
		Nested:  map[string]any{"client_secret": []any{"nested-secret"}, "name": "public-name"},
	}, Variable{Name: "DB_PASSWORD", Value: "variable-secret"}, Variable{Name: "REGION", Value: "eu-central-1"})
	for text, want := range map[string]string{
		"https://hooks.example.com/services/T00/B00/token%2Fone?key=query-secret": "https://hooks.example.com/services/[REDACTED]/[REDACTED]/[REDACTED]?key=[REDACTED]",
		"token/one": "[REDACTED]",
		`{"a":"quo\"ted/secret","b":"quo\"ted\/secret"}`: `{"a":"[REDACTED]","b":"[REDACTED]"}`,
		"Bearer header-token":                            "Bearer [REDACTED]",
		`{"pw1":"pw1","n":1,"m":[1,1],"s":"1"}`:          `{"pw1":"[REDACTED]","n":1,"m":[1,1],"s":"[REDACTED]"}`,
		"pw12 pw1 xpw1":                                  "pw12 [REDACTED] xpw1",
		"nested-secret of public-name":                   "[REDACTED] of public-name",
		"variable-secret in eu-central-1":                "[REDACTED] in eu-central-1",
		"aGVhZGVyLXRva2Vu":                               "[REDACTED]",
		"":                                               "",
	} {
		assert.Equal(t, want, r.redact(text))
	}
}

func TestSecretsHaveVariables(t *testing.T) {
	cfg := &exampleConfig{Endpoint: "https://hooks.example.com/x-secret", Key: "literal-key", Password: "from-variable"}
	names := map[string]string{}
	for _, s := range redactorOf(cfg, Variable{"HOOK_URL", cfg.Endpoint}, Variable{"THE_PASSWORD", cfg.Password}).secrets {
		names[s.value] = s.variable
	}
	assert.Equal(t, map[string]string{
		"https://hooks.example.com/x-secret": "HOOK_URL", "x-secret": "WEBHOOK_AUDIT_ENDPOINT_PART_1",
		"literal-key": "WEBHOOK_AUDIT_API_KEY", "from-variable": "THE_PASSWORD",
	}, names)
}

func TestSecretsInEveryForm(t *testing.T) {
	const key = `p<ss&"w\rd-é/1+2=`
	r := redactorOf(&exampleConfig{Key: key, Nested: map[string]any{
		"statement": `set(x, "postgres://bob-user:db-pass-1@db/x, redis://:redis-pass-2@cache")`,
	}})
	quoted, err := json.Marshal(key)
	require.NoError(t, err)
	twice, err := json.Marshal(string(quoted))
	require.NoError(t, err)
	for name, text := range map[string]string{
		"plain": key, "JSON": string(quoted), "JSON without escapes for HTML": escape(key, false), "JSON in JSON": string(twice),
		"Go": fmt.Sprintf("%q", key), "Go in ASCII": fmt.Sprintf("%+q", key), "query": url.QueryEscape(key), "path": url.PathEscape(key),
		"base64": base64.StdEncoding.EncodeToString([]byte(key)), "base64 for URLs": base64.RawURLEncoding.EncodeToString([]byte(key)),
		"credentials in base64":         base64.StdEncoding.EncodeToString([]byte("bob:" + key)),
		"pair in base64":                base64.StdEncoding.EncodeToString([]byte("k=" + key + "&more")),
		"last in base64":                base64.StdEncoding.EncodeToString([]byte("abcde" + key)),
		"password of a URL in a text":   "db-pass-1",
		"password of a URL without one": "redis-pass-2",
	} {
		got := r.redact("before " + text + " after")
		assert.Contains(t, got, "[REDACTED]", name)
		assert.Less(t, len(got), len("before [REDACTED] after")+len(`\"\"`)*2+8, "%s: %s", name, got)
	}
}

func TestRedactorOfInvalidConfiguration(t *testing.T) {
	redact := Redactor(confmap.NewFromStringMap(map[string]any{"exporters": map[string]any{"webhook": map[string]any{
		"endpoint": "https://hooks.example.com/url-token", "headers": map[string]any{"X-Key": "header-token"},
		"password": 1234567890, "unknown": "public",
	}}}), []Variable{{"API_TOKEN", "variable-token"}})
	assert.Equal(t, "[REDACTED] [REDACTED] [REDACTED] [REDACTED] public", redact("url-token header-token 1234567890 variable-token public"))
	assert.Equal(t, "[REDACTED]", Redactor(nil, []Variable{{"API_TOKEN", "variable-token"}})("variable-token"))
}

func TestAcceptance(t *testing.T) {
	require.JSONEq(t, `{"status":1,"results":{"u":{"result":"ok"}}}`, string(acceptance("posthog", []byte(`{"batch":[{"uuid":"u"}]}`))))
	require.JSONEq(t, `{"status":"success"}`, string(acceptance("moengage", nil)))
	require.JSONEq(t, `{}`, string(acceptance("webhook", nil)))
}
