// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
)

const secretKey = "0123456789abcdef0123456789abcdef"

func configOf(t *testing.T, conf map[string]any) (*Config, error) {
	t.Helper()
	cfg := createDefaultConfig().(*Config)
	if err := confmap.NewFromStringMap(conf).Unmarshal(cfg); err != nil {
		return nil, err
	}
	return cfg, confmap.Validate(cfg)
}

func TestDSNIsTheOnlyRequiredKey(t *testing.T) {
	cfg, err := configOf(t, map[string]any{"dsn": "https://key@sentry.example.com/42"})
	require.NoError(t, err)
	assert.Equal(t, 30*time.Second, cfg.ClientConfig.Timeout)
	assert.EqualValues(t, "gzip", cfg.ClientConfig.Compression)
	assert.True(t, cfg.Issues.Enabled)
	assert.Equal(t, severityError, cfg.Issues.MinSeverity)
	assert.Equal(t, severityWarn, cfg.Issues.MinExceptionSeverity)
	assert.Equal(t, []string{"*"}, cfg.Issues.Tags)
	assert.Equal(t, 100, cfg.Issues.MaxBreadcrumbs)
	assert.True(t, cfg.Logs.Enabled)
	assert.Equal(t, TracesConfig{Format: TracesSpans, SpanEvents: true}, cfg.Traces)
	assert.Equal(t, ReleaseNameVersion, cfg.ReleaseFormat)
	assert.Equal(t, RateLimitedDeadLetter, cfg.RateLimited)
	assert.Equal(t, 1<<20, cfg.MaxEventBytes)
	assert.False(t, cfg.SendDefaultPII)
	assert.True(t, cfg.MaskSecrets)
	assert.True(t, cfg.SendClientReports)
}

func TestConfigErrorsNameKeyAndRemedy(t *testing.T) {
	dsns := func(value string) map[string]any {
		return map[string]any{"routing": map[string]any{"from_attribute": "service.name", "dsns": map[string]any{"shop": value}}}
	}
	with := func(more map[string]any) map[string]any {
		more["dsn"] = "https://" + secretKey + "@sentry.example.com/42"
		return more
	}
	for name, c := range map[string]struct {
		conf map[string]any
		want string
	}{
		"no dsn":               {map[string]any{}, "dsn: is missing; write the project's DSN, which Sentry shows under Settings, Projects, Client Keys (is an environment variable unset?)"},
		"unresolved variable":  {map[string]any{"dsn": "${SENTRY_DSN"}, "dsn: contains an unexpanded ${...}; write environment variables as ${env:SENTRY_DSN}"},
		"embedded variable":    {map[string]any{"dsn": "https://" + secretKey + "@h/${PROJECT}"}, "dsn: contains an unexpanded ${...}; write environment variables as ${env:SENTRY_DSN}"},
		"line feed":            {map[string]any{"dsn": "https://" + secretKey + "@h/1\n"}, "dsn: contains a character that is not allowed; is there a space or a line feed at the end?"},
		"not a URL":            {map[string]any{"dsn": "https://" + secretKey + "@h:port/1"}, "dsn: is not a URL; write it as https://key@host/project, which Sentry shows under Settings, Projects, Client Keys"},
		"scheme":               {map[string]any{"dsn": "ftp://" + secretKey + "@h/1"}, "dsn: has a scheme other than https and http; write it as"},
		"no key":               {map[string]any{"dsn": "https://sentry.example.com/42"}, "dsn: has no key before an @; write it as"},
		"no host":              {map[string]any{"dsn": "https://" + secretKey + "@/42"}, "dsn: has no host; write it as"},
		"no project":           {map[string]any{"dsn": "https://" + secretKey + "@h/"}, "dsn: has no project at the end; write it as"},
		"no path":              {map[string]any{"dsn": "https://" + secretKey + "@h"}, "dsn: has no project at the end; write it as"},
		"odd port":             {map[string]any{"dsn": "https://" + secretKey + "@h:99999/1"}, "dsn: port 99999 is out of range; write 1 to 65535"},
		"query":                {map[string]any{"dsn": "https://" + secretKey + "@h/1?x=y"}, "dsn: has a query or a fragment, after ? or #; write it as"},
		"comma in the key":     {map[string]any{"dsn": "https://a,b@h/1"}, "dsn: has a key with a space, a comma, a quote or an equals sign"},
		"routed DSN":           {dsns("https://" + secretKey), "routing::dsns::shop: has no key before an @"},
		"routing in half":      {with(map[string]any{"routing": map[string]any{"from_attribute": "service.name"}}), "routing: needs both from_attribute (an attribute such as service.name) and dsns (a DSN for each of its values); write both or neither"},
		"endpoint":             {with(map[string]any{"endpoint": "http://h"}), "endpoint: not supported, since the DSN contains Sentry's address; remove it"},
		"proxy":                {with(map[string]any{"proxy_url": "http://a b"}), "proxy_url: is not a URL; write one such as http://proxy.example.com:3128"},
		"severity":             {with(map[string]any{"issues": map[string]any{"min_severity": "bad"}}), `issues::min_severity: "bad" is not valid; write trace, debug, info, warn, error, fatal or off`},
		"exception severity":   {with(map[string]any{"issues": map[string]any{"min_exception_severity": "bad"}}), `issues::min_exception_severity: "bad" is not valid; write trace, debug, info, warn, error, fatal or off`},
		"fingerprints":         {with(map[string]any{"issues": map[string]any{"fingerprints": map[string]any{"^payment_*": []any{"a"}}}}), `issues::fingerprints: "^payment_*": only * is special in a pattern, which matches the whole name; remove ^`},
		"tags":                 {with(map[string]any{"issues": map[string]any{"tags": []any{"http.[a-z]*"}}}), `issues::tags: "http.[a-z]*": only * is special in a pattern, so [...] matches only itself; write * for any text, such as signup_*`},
		"breadcrumbs":          {with(map[string]any{"issues": map[string]any{"max_breadcrumbs": -1}}), "issues::max_breadcrumbs: -1 is negative; write how many earlier records an Issue shows at most (default 100), or 0 for none"},
		"release format":       {with(map[string]any{"release_format": "name"}), `release_format: "name" is not valid; write name@version or version`},
		"rate limited":         {with(map[string]any{"rate_limited": "retry"}), `rate_limited: "retry" is not valid; write dead_letter or drop`},
		"traces format":        {with(map[string]any{"traces": map[string]any{"format": "otlp"}}), `traces::format: "otlp" is not valid; write spans, transactions or off`},
		"environment":          {with(map[string]any{"environment": "a/b"}), `environment: "a/b" is not valid in Sentry; write up to 64 characters without slashes and spaces; none, . and .. are reserved`},
		"event bytes":          {with(map[string]any{"max_event_bytes": 100}), "max_event_bytes: 100 is too small; write 32768 or more (default 1048576)"},
		"dispatch":             {with(map[string]any{"dispatch": "later"}), `dispatch: "later" is not supported`},
		"unknown key":          {with(map[string]any{"sample_rate": 1}), `sample_rate`},
		"unknown key in a map": {with(map[string]any{"issues": map[string]any{"min_sverity": "error"}}), `min_severity`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := configOf(t, c.conf)
			require.ErrorContains(t, err, c.want)
			assert.NotContains(t, err.Error(), secretKey)
		})
	}
}

func TestEmptyWordsMeanTheDefault(t *testing.T) {
	cfg, err := configOf(t, map[string]any{
		"dsn": "https://key@h/1", "rate_limited": "", "release_format": "",
		"traces": map[string]any{"format": ""}, "issues": map[string]any{"min_severity": "", "min_exception_severity": ""},
	})
	require.NoError(t, err)
	assert.Equal(t, TracesSpans, cfg.Traces.Format)
	assert.Equal(t, ReleaseNameVersion, cfg.ReleaseFormat)
	assert.Equal(t, severityError, cfg.Issues.MinSeverity)
	assert.Equal(t, severityWarn, cfg.Issues.MinExceptionSeverity)
}

func TestDSNBecomesURLAndCredentials(t *testing.T) {
	for text, want := range map[string][2]string{
		"https://pub@o1.ingest.sentry.io/42":             {"https://o1.ingest.sentry.io/api/42/envelope/", "sentry_key=pub"},
		"https://pub:sec@h.example.com:8443/sub/path/42": {"https://h.example.com:8443/sub/path/api/42/envelope/", "sentry_key=pub, sentry_secret=sec"},
		"http://pub@[::1]:9000/42/":                      {"http://[::1]:9000/api/42/envelope/", "sentry_key=pub"},
		"http://pub@localhost:9000/team-a/project-b":     {"http://localhost:9000/team-a/api/project-b/envelope/", "sentry_key=pub"},
		"https://pub:@h/42":                              {"https://h/api/42/envelope/", "sentry_key=pub"},
	} {
		d, err := parseDSN(text)
		require.NoError(t, err, text)
		assert.Equal(t, want[0], d.envelopeURL())
		assert.Equal(t, "Sentry sentry_version=7, sentry_client=otelcol-fanout/1.2.3, "+want[1], d.auth("otelcol-fanout/1.2.3"))
	}
}

func FuzzDSN(f *testing.F) {
	f.Add("https://pub:sec@h.example.com:8443/sub/path/42")
	f.Add("http://a@[::1]:9/1/")
	f.Fuzz(func(t *testing.T, text string) {
		d, err := parseDSN(text)
		if err != nil {
			return
		}
		if auth := d.auth("c/1"); strings.ContainsAny(auth, "\r\n") || strings.Contains(d.envelopeURL(), "@") && !strings.Contains(d.host+d.path+d.projectID, "@") {
			t.Fatalf("%q: %q %q", text, auth, d.envelopeURL())
		}
	})
}
