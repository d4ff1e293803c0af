// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package signature

import (
	"crypto/ed25519"
	"encoding/base64"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// signedHeader returns the headers with which the settings sign a body.
func signedHeader(t *testing.T, s Settings, id, body string) http.Header {
	t.Helper()
	signer, err := NewSigner(&s)
	require.NoError(t, err)
	header := http.Header{}
	signer.Sign(header, id, time.Unix(1614265330, 0), []byte(body))
	names := make([]string, 0, len(header))
	for name := range header {
		names = append(names, name)
	}
	assert.ElementsMatch(t, signer.Headers(), names)
	return header
}

func TestSignMatchesTestVectors(t *testing.T) {
	// From the Standard Webhooks libraries.
	const secret, id, want = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	standard := signedHeader(t, Settings{Scheme: SchemeStandard, Secrets: []string{secret}}, id, `{"test": 2432232314}`)
	assert.Equal(t, want, standard.Get("webhook-signature"))
	assert.Equal(t, id, standard.Get("webhook-id"))
	assert.Equal(t, "1614265330", standard.Get("webhook-timestamp"))
	both := signedHeader(t, Settings{Scheme: SchemeStandard, Secrets: []string{"whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", secret}}, id, `{"test": 2432232314}`)
	assert.Regexp(t, `^v1,[A-Za-z0-9+/]{43}= `+regexp.QuoteMeta(want)+`$`, both.Get("webhook-signature"))

	// From GitHub's documentation, "Validating webhook deliveries".
	header := signedHeader(t, Settings{Scheme: SchemeGitHub, Secrets: []string{"It's a Secret to Everybody"}}, "", "Hello, World!")
	assert.Equal(t, "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17", header.Get("X-Hub-Signature-256"))
	// RFC 4231, test case 2.
	for algorithm, want := range map[string]string{
		"":       "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
		"sha384": "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649",
		"sha512": "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
	} {
		header := signedHeader(t, Settings{Scheme: SchemeHMAC, Secrets: []string{"Jefe"}, Header: "x-sig", Algorithm: algorithm}, "", "what do ya want for nothing?")
		assert.Equal(t, want, header.Get("X-Sig"))
	}
	header = signedHeader(t, Settings{Scheme: SchemeHMAC, Secrets: []string{"Jefe"}, Header: "x-sig", Encoding: "base64", Prefix: "v0="}, "", "what do ya want for nothing?")
	assert.Equal(t, "v0=W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=", header.Get("X-Sig"))
}

func TestStandardWebhooksLibraryVerifiesSignatures(t *testing.T) {
	const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	signer, err := NewSigner(&Settings{Scheme: SchemeStandard, Secrets: []string{secret}})
	require.NoError(t, err)
	verifier, err := standardwebhooks.NewWebhook(secret)
	require.NoError(t, err)
	for _, id := range []string{"plain", "with.dot", "日本", "", strings.Repeat("x", 1000), "a b\nc"} {
		header := http.Header{}
		signer.Sign(header, SafeID(id), time.Now(), []byte("body"))
		require.NoError(t, verifier.Verify([]byte("body"), header), id)
	}
}

func TestSafeIDsAreValidAndDistinct(t *testing.T) {
	assert.Equal(t, "0198c0de-0000-7000-8000-000000000001", SafeID("0198c0de-0000-7000-8000-000000000001"))
	assert.Equal(t, "order:17_a-b", SafeID("order:17_a-b"))
	seen := map[string]string{}
	for _, id := range []string{"", "a.b", "a_b", "a b", "a\nb", "é", "\xff", strings.Repeat("x", 128), strings.Repeat("x", 129)} {
		safe := SafeID(id)
		assert.Regexp(t, `^[A-Za-z0-9_:-]{1,128}$`, safe)
		assert.Equal(t, safe, SafeID(id))
		assert.NotContains(t, seen, safe)
		seen[safe] = id
	}
	assert.Equal(t, SafeID("a.b"), SafeIDs([]string{"a.b"}))
	again := SafeIDs([]string{"a", "b"})
	assert.Equal(t, again, SafeIDs(strings.Fields("a b")))
	assert.NotEqual(t, SafeIDs([]string{"a", "b"}), SafeIDs([]string{"b", "a"}))
	assert.NotEqual(t, SafeIDs([]string{"a", "b"}), SafeIDs([]string{"ab", ""}))
	assert.Regexp(t, `^batch_[0-9a-f]{32}$`, SafeIDs([]string{"a", "b"}))
}

func TestInvalidSettingsAreRefused(t *testing.T) {
	public, private, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	encode := base64.StdEncoding.EncodeToString
	mismatched := append(append([]byte{}, private[:32]...), make([]byte, 32)...)
	const fine = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	for name, tt := range map[string]struct {
		settings Settings
		want     string
	}{
		"another scheme":           {Settings{Scheme: "rot13", Secrets: []string{"hunter2"}}, `scheme: "rot13" is not a scheme; write standard, github, stripe or hmac`},
		"no scheme":                {Settings{Secrets: []string{"hunter2"}}, `scheme: "" is not a scheme`},
		"no secret":                {Settings{Scheme: SchemeGitHub}, "secrets: are missing"},
		"an unset variable":        {Settings{Scheme: SchemeStripe, Secrets: []string{"hunter2", ""}}, "secrets::1: is empty"},
		"a line feed":              {Settings{Scheme: SchemeGitHub, Secrets: []string{"hunter2\n"}}, "secrets::0: begins or ends with a space or a line feed"},
		"two for github":           {Settings{Scheme: SchemeGitHub, Secrets: []string{"hunter2", "hunter22"}}, "secrets: there are 2, but scheme github has one signature per request"},
		"two for hmac":             {Settings{Scheme: SchemeHMAC, Header: "X-Sig", Secrets: []string{"hunter2", "hunter22"}}, "scheme hmac has one signature per request"},
		"a header for stripe":      {Settings{Scheme: SchemeStripe, Secrets: []string{"hunter2"}, Header: "X-Sig"}, `scheme: "stripe" has a fixed header`},
		"no header":                {Settings{Scheme: SchemeHMAC, Secrets: []string{"hunter2"}}, "header: is missing"},
		"another algorithm":        {Settings{Scheme: SchemeHMAC, Secrets: []string{"hunter2"}, Header: "X-Sig", Algorithm: "md5"}, `algorithm: "md5" is not an algorithm`},
		"another encoding":         {Settings{Scheme: SchemeHMAC, Secrets: []string{"hunter2"}, Header: "X-Sig", Encoding: "base32"}, `encoding: "base32" is not an encoding`},
		"a prefix with a control":  {Settings{Scheme: SchemeHMAC, Secrets: []string{"hunter2"}, Header: "X-Sig", Prefix: "a\n"}, "prefix: contains a character"},
		"not a standard key":       {Settings{Scheme: SchemeStandard, Secrets: []string{fine, "hunter2"}}, "secrets::1: is not a key of Standard Webhooks"},
		"no base64":                {Settings{Scheme: SchemeStandard, Secrets: []string{"whsec_hunter2!"}}, "secrets::0: is not standard base64"},
		"too short":                {Settings{Scheme: SchemeStandard, Secrets: []string{"whsec_" + encode(make([]byte, 23))}}, "has 23 bytes; Standard Webhooks requires 24 to 64"},
		"too long":                 {Settings{Scheme: SchemeStandard, Secrets: []string{"whsec_" + encode(make([]byte, 65))}}, "has 65 bytes"},
		"a public key":             {Settings{Scheme: SchemeStandard, Secrets: []string{"whpk_" + encode(public)}}, "is a public key, which can only verify"},
		"a mismatched private key": {Settings{Scheme: SchemeStandard, Secrets: []string{"whsk_" + encode(mismatched)}}, "its seed and its public key do not match"},
		"a short private key":      {Settings{Scheme: SchemeStandard, Secrets: []string{"whsk_" + encode(make([]byte, 31))}}, "has 31 bytes; an ed25519 private key has 32 or 64"},
		"a short public key":       {Settings{Scheme: SchemeStandard, Secrets: []string{"whpk_" + encode(make([]byte, 31))}}, "has 31 bytes; an ed25519 public key has 32"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := NewSigner(&tt.settings)
			require.ErrorContains(t, err, tt.want)
			assert.NotContains(t, err.Error(), "hunter2")
			assert.NotContains(t, err.Error(), encode(private))
		})
	}
}

func TestSeedAndPrivateKeySignAlike(t *testing.T) {
	_, private, err := ed25519.GenerateKey(nil)
	require.NoError(t, err)
	var values []string
	for _, key := range [][]byte{private, private.Seed()} {
		header := signedHeader(t, Settings{Scheme: SchemeStandard, Secrets: []string{"whsk_" + base64.StdEncoding.EncodeToString(key)}}, "id", "body")
		values = append(values, header.Get("webhook-signature"))
	}
	assert.Equal(t, values[0], values[1])
}
