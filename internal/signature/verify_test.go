// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package signature

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func newVerifier(t testing.TB, s VerifySettings) *Verifier {
	t.Helper()
	if s.Tolerance == 0 {
		s.Tolerance = DefaultTolerance
	}
	v, err := NewVerifier(&s)
	require.NoError(t, err)
	return v
}

func headers(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}

// vectors are signatures that were not made by this package.
var vectors = map[string]struct {
	settings VerifySettings
	header   http.Header
	body     string
	at       int64
}{
	// github.com/standard-webhooks/standard-webhooks, libraries/go, TestWebhookSign.
	"Standard Webhooks, from its Go library": {
		VerifySettings{Scheme: SchemeStandard, Secrets: []string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}},
		headers("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek", "webhook-timestamp", "1614265330", "webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
		`{"test": 2432232314}`, 1614265330,
	},
	"Svix": {
		VerifySettings{Scheme: SchemeSvix, Secrets: []string{"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}},
		headers("svix-id", "msg_p5jXN8AQM9LWM0D4loKWxJek", "svix-timestamp", "1614265330", "svix-signature", "v1a,AAAA v1,AAAA v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
		`{"test": 2432232314}`, 1614265330,
	},
	// docs.github.com, "Validating webhook deliveries", "Testing the webhook payload validation".
	"GitHub, from its documentation": {
		VerifySettings{Scheme: SchemeGitHub, Secrets: []string{"It's a Secret to Everybody"}},
		headers("X-Hub-Signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"),
		"Hello, World!", 0,
	},
	// The following were made with openssl dgst -hmac.
	"Stripe, with an unknown version": {
		VerifySettings{Scheme: SchemeStripe, Secrets: []string{"whsec_test_secret"}},
		headers("Stripe-Signature", "t=1492774577,v1=654b43d3508ecadb3f8cefc4bc7d3d2bdc5ba9e03bf2c89b2d0657a8e24e4543,v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39"),
		`{"id":"evt_1","object":"event"}`, 1492774577,
	},
	"Sentry": {
		VerifySettings{Scheme: SchemeSentry, Secrets: []string{"client-secret"}},
		headers("Sentry-Hook-Signature", "1c20166a5a6576f55b72d626aefc22c6e73a252e1f4cc8e87dc0ede1cdf4b5bc"), `{"action":"created"}`, 0,
	},
	"HMAC with a time, as Slack signs": {
		VerifySettings{
			Scheme: SchemeHMAC, Secrets: []string{"8f742231b10e8888abcd99yyyzzz85a5"}, Header: "X-Slack-Signature", Prefix: "v0=",
			Content: "v0:{timestamp}:{body}", TimestampHeader: "X-Slack-Request-Timestamp",
		},
		headers("X-Slack-Signature", "v0=3eeaac3070533b0f5536145f88159d8e50277d9f01e4865f87e2d749f4789397", "X-Slack-Request-Timestamp", "1531420618"), "token=x", 1531420618,
	},
	"HMAC with an RFC 3339 time, as Twitch signs": {
		VerifySettings{
			Scheme: SchemeHMAC, Secrets: []string{"s3cre77890ab"}, Header: "Twitch-Eventsub-Message-Signature", Prefix: "sha256=",
			Content: "{id}{timestamp}{body}", TimestampHeader: "Twitch-Eventsub-Message-Timestamp", IDHeader: "Twitch-Eventsub-Message-Id",
		},
		headers("Twitch-Eventsub-Message-Signature", "sha256=0cdf30967e6088cfc4ebd8fd8af8db63971e8166821b73e0544e37c926db5464",
			"Twitch-Eventsub-Message-Timestamp", "2019-11-16T10:11:12.634234626Z", "Twitch-Eventsub-Message-Id", "e76c6bd4-55c9-4987-8304-da1588d8988b"),
		`{"challenge":"pogchamp"}`, 1573899072,
	},
	"HMAC-SHA512 in base64": {
		VerifySettings{Scheme: SchemeHMAC, Secrets: []string{"shop"}, Header: "X-Hmac", Algorithm: "sha512", Encoding: "base64"},
		headers("X-Hmac", "UCLi046Y7vE7saUSyuYAm83dxYGKxonfrgI7oo6yF0LnhJAOtfRkIz2oBdHZ+9r6eaaGzNpZIGscfaAGeiRGaQ=="), `{"id":1}`, 0,
	},
	"HMAC-SHA1": {
		VerifySettings{Scheme: SchemeHMAC, Secrets: []string{"shop"}, Header: "X-Hmac", Algorithm: "sha1"},
		headers("X-Hmac", "d35ee09c256454031ce6aff2e020f9030dffc3d1"), `{"id":1}`, 0,
	},
}

func TestTestVectorsVerify(t *testing.T) {
	for name, tt := range vectors {
		t.Run(name, func(t *testing.T) {
			now := time.Unix(tt.at, 0)
			assert.NoError(t, newVerifier(t, tt.settings).Verify(tt.header, []byte(tt.body), now))

			rolled := tt.settings
			rolled.Secrets = append([]string{base64.StdEncoding.EncodeToString(make([]byte, 32))}, rolled.Secrets...)
			assert.NoError(t, newVerifier(t, rolled).Verify(tt.header, []byte(tt.body), now), "any of the secrets verifies")

			rolled.Secrets = rolled.Secrets[:1]
			assert.ErrorIs(t, newVerifier(t, rolled).Verify(tt.header, []byte(tt.body), now), ErrWrong, "another secret does not")
		})
	}
}

func TestAnyChangeFailsVerification(t *testing.T) {
	for name, tt := range vectors {
		t.Run(name, func(t *testing.T) {
			now := time.Unix(tt.at, 0)
			v := newVerifier(t, tt.settings)
			assert.ErrorIs(t, v.Verify(http.Header{}, []byte(tt.body), now), ErrMissing)
			assert.ErrorIs(t, v.Verify(tt.header, []byte(tt.body+" "), now), ErrWrong)
			assert.ErrorIs(t, v.Verify(tt.header, nil, now), ErrWrong)
			for header := range tt.header {
				changed := tt.header.Clone()
				changed.Del(header)
				assert.ErrorIs(t, v.Verify(changed, []byte(tt.body), now), ErrMissing, "without %s", header)
				if isSignature := header == http.CanonicalHeaderKey(v.form.signature); !isSignature {
					changed.Set(header, tt.header.Get(header)[:len(tt.header.Get(header))-1]+"1")
					assert.Error(t, v.Verify(changed, []byte(tt.body), now), "another %s", header)
				}
			}
		})
	}
}

func TestToleranceLimitsSignedTime(t *testing.T) {
	for name, tt := range vectors {
		if !strings.Contains(newVerifier(t, tt.settings).form.content, timestampPlaceholder) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			settings := tt.settings
			settings.Tolerance = time.Minute
			v := newVerifier(t, settings)
			for after, want := range map[int64]error{-61: ErrOld, -60: nil, 0: nil, 60: nil, 61: ErrOld} {
				assert.Equal(t, want, v.Verify(tt.header, []byte(tt.body), time.Unix(tt.at+after, 0)), "%d seconds after", after)
			}
		})
	}
}

func TestSignaturesOfSignerVerify(t *testing.T) {
	secret := "whsec_" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{7}, 32))
	private := "whsk_" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{9}, 32))
	for name, tt := range map[string]Settings{
		"standard":           {Scheme: SchemeStandard, Secrets: []string{secret}},
		"standard, ed25519":  {Scheme: SchemeStandard, Secrets: []string{private}},
		"standard, two keys": {Scheme: SchemeStandard, Secrets: []string{private, secret}},
		"github":             {Scheme: SchemeGitHub, Secrets: []string{secret}},
		"stripe, two keys":   {Scheme: SchemeStripe, Secrets: []string{"other", secret}},
		"hmac":               {Scheme: SchemeHMAC, Secrets: []string{secret}, Header: "x-sig", Prefix: "v0=", Encoding: "base64", Algorithm: "sha384"},
	} {
		t.Run(name, func(t *testing.T) {
			signer, err := NewSigner(&tt)
			require.NoError(t, err)
			header, at, body := http.Header{}, time.Unix(1700000000, 0), []byte(`{"a":1}`)
			signer.Sign(header, "msg_1", at, body)
			v := newVerifier(t, VerifySettings{
				Scheme: tt.Scheme, Secrets: tt.Secrets[len(tt.Secrets)-1:], Header: tt.Header, Prefix: tt.Prefix, Encoding: tt.Encoding, Algorithm: tt.Algorithm,
			})
			assert.NoError(t, v.Verify(header, body, at))
			assert.ErrorIs(t, v.Verify(header, []byte(`{"a":2}`), at), ErrWrong)
		})
	}
}

func TestPublicKeyVerifies(t *testing.T) {
	seed := bytes.Repeat([]byte{9}, 32)
	key, err := ParseStandardKey("whsk_" + base64.StdEncoding.EncodeToString(seed))
	require.NoError(t, err)
	signer, err := NewSigner(&Settings{Scheme: SchemeStandard, Secrets: []string{"whsk_" + base64.StdEncoding.EncodeToString(seed)}})
	require.NoError(t, err)
	header, at := http.Header{}, time.Unix(1700000000, 0)
	signer.Sign(header, "msg_1", at, []byte("{}"))

	public := "whpk_" + base64.StdEncoding.EncodeToString(key.private[32:])
	assert.NoError(t, newVerifier(t, VerifySettings{Scheme: SchemeStandard, Secrets: []string{public}}).Verify(header, []byte("{}"), at))
	header.Set("webhook-signature", strings.Replace(header.Get("webhook-signature"), "v1a,", "v1,", 1))
	assert.ErrorIs(t, newVerifier(t, VerifySettings{Scheme: SchemeStandard, Secrets: []string{public}}).Verify(header, []byte("{}"), at), ErrWrong, "v1 is not v1a")
}

func TestOnlyFirstSignaturesAreTried(t *testing.T) {
	tt := vectors["Standard Webhooks, from its Go library"]
	good := tt.header.Get("webhook-signature")
	for n, want := range map[int]error{maxCandidates - 1: nil, maxCandidates: ErrWrong} {
		header := tt.header.Clone()
		header.Set("webhook-signature", strings.Repeat("v1,AAAA ", n)+good)
		assert.Equal(t, want, newVerifier(t, tt.settings).Verify(header, []byte(tt.body), time.Unix(tt.at, 0)))
	}
}

func TestPlaceholdersInHeadersAreNotReplaced(t *testing.T) {
	v := newVerifier(t, VerifySettings{Scheme: SchemeHMAC, Secrets: []string{"s"}, Header: "x-sig", Content: "{id}:{body}", IDHeader: "x-id"})
	assert.Equal(t, "{body}:{id}", string(v.form.fill("", "{body}", []byte("{id}"))))
}

func TestInvalidVerifySettingsAreRefused(t *testing.T) {
	const secret = "hunter2hunter2"
	for name, tt := range map[string]struct {
		settings VerifySettings
		want     string
	}{
		"no secret":                  {VerifySettings{Scheme: SchemeGitHub}, "secrets: are missing"},
		"an empty secret":            {VerifySettings{Scheme: SchemeGitHub, Secrets: []string{"a", ""}}, "secrets::1: is empty"},
		"a secret with a line feed":  {VerifySettings{Scheme: SchemeGitHub, Secrets: []string{secret + "\n"}}, "secrets::0: begins or ends with"},
		"a secret that is not a key": {VerifySettings{Scheme: SchemeStandard, Secrets: []string{secret}}, "secrets::0: "},
		"an unknown scheme":          {VerifySettings{Scheme: "shopify", Secrets: []string{secret}}, `scheme: "shopify" is not a scheme; write one of github, stripe, standard, svix, sentry, microsoft_graph, hmac`},
		"header for github":          {VerifySettings{Scheme: SchemeGitHub, Secrets: []string{secret}, Header: "x"}, `scheme: "github" has a fixed form`},
		"no header":                  {VerifySettings{Scheme: SchemeHMAC, Secrets: []string{secret}}, "header: is missing"},
		"an unknown algorithm":       {VerifySettings{Scheme: SchemeHMAC, Secrets: []string{secret}, Header: "x", Algorithm: "md5"}, `algorithm: "md5"`},
		"an unknown encoding":        {VerifySettings{Scheme: SchemeHMAC, Secrets: []string{secret}, Header: "x", Encoding: "base32"}, `encoding: "base32"`},
		"content without a body":     {VerifySettings{Scheme: SchemeHMAC, Secrets: []string{secret}, Header: "x", Content: "{timestamp}", TimestampHeader: "t"}, "content: has no {body}"},
		"a time without a header":    {VerifySettings{Scheme: SchemeHMAC, Secrets: []string{secret}, Header: "x", Content: "{timestamp}{body}"}, "timestamp_header: requires {timestamp}"},
		"a time that is not signed":  {VerifySettings{Scheme: SchemeHMAC, Secrets: []string{secret}, Header: "x", TimestampHeader: "t"}, "timestamp_header: requires {timestamp}"},
		"an id that is not signed":   {VerifySettings{Scheme: SchemeHMAC, Secrets: []string{secret}, Header: "x", IDHeader: "t"}, "id_header: requires {id}"},
		"no tolerance":               {VerifySettings{Scheme: SchemeHMAC, Secrets: []string{secret}, Header: "x", Tolerance: -1}, "tolerance: -1ns is not positive"},
	} {
		t.Run(name, func(t *testing.T) {
			if tt.settings.Tolerance == 0 {
				tt.settings.Tolerance = time.Minute
			}
			_, err := NewVerifier(&tt.settings)
			require.ErrorContains(t, err, tt.want)
			assert.NotContains(t, err.Error(), secret)
		})
	}
}

// FuzzVerify checks that headers and a body that nobody signed never verify.
func FuzzVerify(f *testing.F) {
	for _, tt := range vectors {
		v := newVerifier(f, tt.settings)
		f.Add(string(tt.settings.Scheme), tt.header.Get(v.form.signature), "1614265330", "msg_1", []byte(tt.body))
	}
	f.Add("stripe", "t=1,v1=,v1=00,=,t", "", "", []byte(nil))
	f.Add("svix", "v1, v1,=, ,v1", "-1", ".", []byte("x"))
	f.Fuzz(func(t *testing.T, scheme, signature, timestamp, id string, body []byte) {
		settings := VerifySettings{Scheme: Scheme(scheme), Secrets: []string{"whsec_" + base64.StdEncoding.EncodeToString([]byte("a secret that nobody knows, of 40 bytes."))}, Tolerance: time.Hour}
		if !slices.Contains(VerifySchemes(), scheme) {
			settings.Scheme = SchemeHMAC
		}
		if settings.Scheme == SchemeHMAC {
			settings.Header, settings.Content, settings.TimestampHeader, settings.IDHeader = "x-signature", "{id}{timestamp}{body}", "x-timestamp", "x-id"
		}
		v, err := NewVerifier(&settings)
		if err != nil {
			t.Fatal(err)
		}
		header := http.Header{}
		for name, value := range map[string]string{v.form.signature: signature, v.form.timestamp: timestamp, v.form.id: id} {
			if name != "" {
				header.Set(name, value)
			}
		}
		if err := v.Verify(header, body, time.Unix(1614265330, 0)); err == nil {
			t.Fatal("an unsigned request verifies")
		}
	})
}

func TestClientStatesVerifyAndAreRemoved(t *testing.T) {
	v := newVerifier(t, VerifySettings{Scheme: SchemeMicrosoftGraph, Secrets: []string{"new", "old"}})
	for body, want := range map[string]error{
		`{"value":[{"clientState":"old"},{"clientState":"old"}]}`: nil,
		`{"value":[{"clientState":"new"},{"clientState":"old"}]}`: ErrWrong,
		`{"value":[{"clientState":"old"},{}]}`:                    ErrWrong,
		`{"value":[{"clientState":""}]}`:                          ErrWrong,
		`{"value":[{"clientState":1}]}`:                           ErrMissing,
		`{"value":[]}`:                                            ErrMissing,
		`{"value":{}}`:                                            ErrMissing,
		`[]`:                                                      ErrMissing,
		``:                                                        ErrMissing,
	} {
		assert.Equal(t, want, v.Verify(nil, []byte(body), time.Now()), body)
	}
	secret, err := v.Match(nil, []byte(`{"value":[{"clientState":"old"}]}`), time.Now())
	require.NoError(t, err)
	assert.Equal(t, 1, secret)

	array, err := Notifications([]byte(`{"value":[{"clientState":"old","n":9007199254740993},{"clientState":"old"}]}`))
	require.NoError(t, err)
	assert.Equal(t, `[{"n":9007199254740993},{}]`, string(array))
}
