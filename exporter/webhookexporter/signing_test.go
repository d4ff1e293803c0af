// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/deliverytest"
	"github.com/otelcol-fanout/otelcol-fanout/internal/signature"
)

const (
	currentSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	oldSecret     = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
)

// signed returns the requests of four events.
func signed(t *testing.T, conf map[string]any) []recorded {
	t.Helper()
	rec := newRecorder(t)
	cfg := testConfig(rec.URL+"/hook", "")
	require.NoError(t, confmap.NewFromStringMap(conf).Unmarshal(cfg))
	var credentials []string
	for _, secret := range cfg.Signing.Secrets {
		credentials = append(credentials, string(secret))
	}
	deliverytest.Setup{Factory: NewFactory(), Config: cfg, Credentials: credentials}.StartLogs(t).Send(formatLogs(t))
	return rec.all()
}

func TestStandardWebhooksLibraryVerifiesEachFormat(t *testing.T) {
	for _, format := range []Format{FormatEvent, FormatStandard, FormatCloudEvents, FormatSink, FormatOTLPJSON, FormatSlack} {
		for _, batching := range []Batching{BatchingSingle, BatchingArray, BatchingNDJSON} {
			if batching != BatchingSingle && (format == FormatCloudEvents || format == FormatSlack) {
				continue
			}
			t.Run(string(format)+", "+string(batching), func(t *testing.T) {
				requests := signed(t, map[string]any{
					"format": string(format), "batching": string(batching), "rate_limit": 1e6,
					"signing": map[string]any{"scheme": "standard", "secrets": []any{currentSecret, oldSecret}},
				})
				ids := map[string]bool{}
				for _, req := range requests {
					for _, secret := range []string{currentSecret, oldSecret} {
						verifier, err := standardwebhooks.NewWebhook(secret)
						require.NoError(t, err)
						require.NoError(t, verifier.Verify(req.body, req.header))
						require.Error(t, verifier.Verify(append(req.body, ' '), req.header))
					}
					stranger, err := standardwebhooks.NewWebhook("whsec_" + base64.StdEncoding.EncodeToString(make([]byte, 24)))
					require.NoError(t, err)
					require.Error(t, stranger.Verify(req.body, req.header))
					id := req.header.Get("webhook-id")
					assert.Regexp(t, `^[A-Za-z0-9_:-]+$`, id)
					ids[id] = true
				}
				assert.Len(t, ids, len(requests), "an id for each request")
			})
		}
	}
}

func TestAsymmetricAndSymmetricKeysSignTogether(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	requests := signed(t, map[string]any{"signing": map[string]any{
		"scheme": "standard", "secrets": []any{"whsk_" + base64.StdEncoding.EncodeToString(private.Seed()), currentSecret},
	}})
	for _, req := range requests {
		first, second, ok := strings.Cut(req.header.Get("webhook-signature"), " ")
		require.True(t, ok)
		assert.True(t, strings.HasPrefix(second, "v1,"))
		encoded, ok := strings.CutPrefix(first, "v1a,")
		require.True(t, ok)
		raw, err := base64.StdEncoding.DecodeString(encoded)
		require.NoError(t, err)
		content := req.header.Get("webhook-id") + "." + req.header.Get("webhook-timestamp") + "." + string(req.body)
		assert.True(t, ed25519.Verify(public, []byte(content), raw))
		verifier, err := standardwebhooks.NewWebhook(currentSecret)
		require.NoError(t, err)
		require.NoError(t, verifier.Verify(req.body, req.header), "a library that knows v1 alone passes over v1a")
	}
}

func TestOtherSchemes(t *testing.T) {
	mac := func(key string, content ...string) string {
		h := hmac.New(sha256.New, []byte(key))
		h.Write([]byte(strings.Join(content, "")))
		return hex.EncodeToString(h.Sum(nil))
	}
	for _, req := range signed(t, map[string]any{"signing": map[string]any{"scheme": "github", "secrets": []any{"hunter2-hunter2"}}}) {
		assert.Equal(t, "sha256="+mac("hunter2-hunter2", string(req.body)), req.header.Get("X-Hub-Signature-256"))
	}
	for _, req := range signed(t, map[string]any{"signing": map[string]any{"scheme": "stripe", "secrets": []any{"whsec_one-one-one", "whsec_two-two-two"}}}) {
		parts := strings.Split(req.header.Get("Stripe-Signature"), ",")
		require.Len(t, parts, 3)
		timestamp := strings.TrimPrefix(parts[0], "t=")
		at, err := strconv.ParseInt(timestamp, 10, 64)
		require.NoError(t, err)
		assert.WithinDuration(t, time.Now(), time.Unix(at, 0), time.Minute)
		assert.Equal(t, "v1="+mac("whsec_one-one-one", timestamp, ".", string(req.body)), parts[1])
		assert.Equal(t, "v1="+mac("whsec_two-two-two", timestamp, ".", string(req.body)), parts[2])
	}
	for _, req := range signed(t, map[string]any{"signing": map[string]any{
		"scheme": "hmac", "secrets": []any{"hunter2-hunter2"}, "header": "x-my-signature", "prefix": "v1=",
	}}) {
		assert.Equal(t, "v1="+mac("hunter2-hunter2", string(req.body)), req.header.Get("X-My-Signature"))
	}
}

// TestRetriesAreSignedAnew checks that the body and the ID stay, and that the time is the
// attempt's.
func TestRetriesAreSignedAnew(t *testing.T) {
	w := newWebhook(t, status(503, "Retry-After", "1.1"))
	cfg := testConfig(w.URL, BatchingSingle)
	cfg.Delivery.RetryConfig.MaxInterval = time.Second
	cfg.Signing = SigningConfig{Scheme: signature.SchemeStandard, Secrets: opaque(currentSecret)}
	start(t, cfg).Send(eventsNamed("a"))
	first, second := w.request(0), w.request(1)
	assert.Equal(t, first.body, second.body)
	assert.Equal(t, first.header.Get("webhook-id"), second.header.Get("webhook-id"))
	assert.NotEqual(t, first.header.Get("webhook-timestamp"), second.header.Get("webhook-timestamp"))
	for _, req := range []received{first, second} {
		verifier, err := standardwebhooks.NewWebhook(currentSecret)
		require.NoError(t, err)
		require.NoError(t, verifier.Verify(req.body, req.header))
	}
}

// TestRequestsAreSignedWhenSent checks that each of several requests has its own time: a rate limit
// may send them minutes apart, and receivers refuse a signature that is five minutes old.
func TestRequestsAreSignedWhenSent(t *testing.T) {
	for _, format := range []Format{FormatEvent, FormatOTLPJSON, FormatPagerDuty} {
		b := testBackend(t, map[string]any{
			"format": string(format), "signing": map[string]any{"scheme": "standard", "secrets": []any{currentSecret}},
			"pagerduty": map[Format]any{FormatPagerDuty: map[string]any{"routing_key": "k"}}[format],
		})
		requests, _ := b.BuildRequests(encodeWith(t, b, eventsNamed("a", "b", "c")))
		require.Len(t, requests, 3)
		verifier, err := standardwebhooks.NewWebhook(currentSecret)
		require.NoError(t, err)
		for i := range requests {
			at := time.Unix(1700000000+int64(i)*200, 0)
			requests[i].Prepare(at)
			assert.Equal(t, strconv.FormatInt(at.Unix(), 10), requests[i].Header.Get("webhook-timestamp"))
			require.NoError(t, verifier.VerifyIgnoringTimestamp(requests[i].AppendBody(nil), requests[i].Header))
		}
	}
}

func TestSignatureCoversTheUncompressedBody(t *testing.T) {
	w := newWebhook(t)
	cfg := testConfig(w.URL, BatchingSingle)
	cfg.ClientConfig.Compression = "gzip"
	cfg.Signing = SigningConfig{Scheme: signature.SchemeStandard, Secrets: opaque(currentSecret)}
	start(t, cfg).Send(eventsNamed(strings.Repeat("a", 5000)))
	req := w.request(0)
	require.Equal(t, "gzip", req.header.Get("Content-Encoding"))
	verifier, err := standardwebhooks.NewWebhook(currentSecret)
	require.NoError(t, err)
	require.NoError(t, verifier.Verify(req.body, req.header))
}
