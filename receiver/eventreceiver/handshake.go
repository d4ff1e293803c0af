// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventreceiver

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.uber.org/zap"

	"github.com/otelcol-fanout/otelcol-fanout/internal/signature"
	"github.com/otelcol-fanout/otelcol-fanout/internal/throttle"
)

// handshake is the check that a sender of webhooks makes before it sends any to a URL, to see that the
// owner of the URL wants them.
type handshake struct {
	name string
	// header is the sender's signature header. A webhook of scheme hmac with this header has the
	// handshake by default.
	header string

	// method is that of a request that asks in the query, and parameter has its challenge. Such a
	// request is not signed. Every GET is one, and a POST if it has the parameter.
	method, parameter string
	// answerQuery answers such a request.
	answerQuery func(cfg *WebhookConfig, query url.Values, parameter string) (*handshakeAnswer, error)

	// answerBody answers a request that asks in the body and is signed with the secret. It returns nil
	// if the request is an event.
	answerBody func(header http.Header, body []byte, secret string) (*handshakeAnswer, error)
}

// handshakes are the handshakes in the order in which errors list them.
func handshakes() []handshake {
	return []handshake{
		{name: "slack", header: "X-Slack-Signature", answerBody: answerSlack},
		{name: "zoom", header: "X-Zm-Signature", answerBody: answerZoom},
		{name: "twitch", header: "Twitch-Eventsub-Message-Signature", answerBody: answerTwitch},
		{name: handshakeMeta, method: http.MethodGet, parameter: "hub.challenge", answerQuery: answerMeta},
		{name: "x", header: "X-Twitter-Webhooks-Signature", method: http.MethodGet, parameter: "crc_token", answerQuery: answerX},
		{name: "dropbox", header: "X-Dropbox-Signature", method: http.MethodGet, parameter: "challenge", answerQuery: echo},
		{name: string(signature.SchemeMicrosoftGraph), method: http.MethodPost, parameter: "validationToken", answerQuery: echo},
	}
}

const (
	handshakeMeta = "meta"
	handshakeNone = "none"

	// maxChallenge is the maximum length of a challenge. Senders' are about 100 bytes.
	maxChallenge = 1024
)

// handshake returns the webhook's handshake: the configured one, else the one for its verify token,
// scheme or header, else nil.
func (cfg *WebhookConfig) handshake() (*handshake, error) {
	name := cfg.Handshake
	switch {
	case name != "":
	case cfg.VerifyToken != "":
		name = handshakeMeta
	case cfg.Scheme == string(signature.SchemeMicrosoftGraph):
		name = cfg.Scheme
	}
	if cfg.VerifyToken != "" && name != handshakeMeta {
		return nil, fmt.Errorf("verify_token: has no effect with handshake %q; it is for handshake %s", name, handshakeMeta)
	}
	if name == handshakeMeta && cfg.VerifyToken == "" {
		return nil, fmt.Errorf("verify_token: is missing; handshake %s compares it, so write the text that you entered at Meta (is an environment variable unset?)", handshakeMeta)
	}
	names := make([]string, 0, len(handshakes()))
	for _, known := range handshakes() {
		if known.name == name || name == "" && known.header != "" && strings.EqualFold(known.header, cfg.Header) {
			return &known, nil
		}
		names = append(names, known.name)
	}
	if name == "" || name == handshakeNone {
		return nil, nil
	}
	return nil, fmt.Errorf("handshake: %q is not a handshake; write one of %s, or %s", name, strings.Join(names, ", "), handshakeNone)
}

// asksInQuery reports whether the request asks for the handshake in its query.
func (hs *handshake) asksInQuery(r *http.Request) bool {
	if hs == nil || hs.answerQuery == nil || r.Method != hs.method {
		return false
	}
	return r.Method == http.MethodGet || r.URL.Query().Has(hs.parameter)
}

// allows lists the methods of a webhook with this handshake.
func (hs *handshake) allows() string {
	if hs != nil && hs.method == http.MethodGet {
		return http.MethodGet + ", " + http.MethodPost
	}
	return http.MethodPost
}

// handshakeAnswer is the response that the sender expects.
type handshakeAnswer struct{ contentType, body string }

// answerHandshake writes the answer. Anyone can ask in a query, so browsers must not show a challenge
// as a page.
func (h *webhookHandler) answerHandshake(w http.ResponseWriter, answer *handshakeAnswer) {
	h.handshakes.Add(1, nil)
	w.Header().Set("Content-Type", answer.contentType)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(http.StatusOK)
	_, _ = w.Write([]byte(answer.body)) //nolint:gosec // browsers show text and JSON as such
}

func (h *webhookHandler) logHandshakes(answered throttle.Summary, _ struct{}) {
	h.logger.Info("Answered the handshake of a sender of webhooks",
		append([]zap.Field{zap.String("webhook", h.name), zap.String("handshake", h.handshake.name)}, answered.Fields("requests")...)...)
}

// errVerifyToken is logged for a handshake without the configured verify token.
var errVerifyToken = errors.New("hub.verify_token is not the configured verify_token")

// answerMeta answers Meta's verification request of a callback URL (WhatsApp, Messenger, Instagram).
func answerMeta(cfg *WebhookConfig, query url.Values, parameter string) (*handshakeAnswer, error) {
	want, got := sha256.Sum256([]byte(cfg.VerifyToken)), sha256.Sum256([]byte(query.Get("hub.verify_token")))
	if query.Get("hub.mode") != "subscribe" || subtle.ConstantTimeCompare(want[:], got[:]) != 1 {
		return nil, errVerifyToken
	}
	return echo(cfg, query, parameter)
}

// echo answers a handshake with its challenge.
func echo(_ *WebhookConfig, query url.Values, parameter string) (*handshakeAnswer, error) {
	return echoed(parameter, query.Get(parameter))
}

// answerX answers X's challenge-response check with the token's HMAC by the first secret. This HMAC
// would be a valid signature of a body equal to the token. Anyone can ask for it, so the token must
// not be JSON.
func answerX(cfg *WebhookConfig, query url.Values, parameter string) (*handshakeAnswer, error) {
	token := query.Get(parameter)
	if err := checkChallenge(parameter, token); err != nil {
		return nil, err
	}
	if strings.ContainsAny(token, "{}[]\":") || json.Valid([]byte(strings.TrimPrefix(token, "\ufeff"))) {
		return nil, fmt.Errorf("%s: is JSON, or contains characters of JSON; want letters and digits", parameter)
	}
	mac := base64.StdEncoding.EncodeToString(hmacOf(string(cfg.Secrets[0]), token))
	return inJSON(map[string]string{"response_token": "sha256=" + mac})
}

// answerSlack answers the url_verification event of Slack's Events API.
func answerSlack(_ http.Header, body []byte, _ string) (*handshakeAnswer, error) {
	var request struct{ Type, Challenge string }
	if !decodeHandshake(body, "url_verification", &request) || request.Type != "url_verification" {
		return nil, nil
	}
	return echoed("challenge", request.Challenge)
}

// answerTwitch answers the verification request of an EventSub subscription.
func answerTwitch(header http.Header, body []byte, _ string) (*handshakeAnswer, error) {
	var request struct{ Challenge string }
	if header.Get("Twitch-Eventsub-Message-Type") != "webhook_callback_verification" || !decodeHandshake(body, "challenge", &request) {
		return nil, nil
	}
	return echoed("challenge", request.Challenge)
}

// answerZoom answers Zoom's endpoint.url_validation event.
func answerZoom(_ http.Header, body []byte, secret string) (*handshakeAnswer, error) {
	var request struct {
		Event   string
		Payload struct{ PlainToken string }
	}
	if !decodeHandshake(body, "endpoint.url_validation", &request) || request.Event != "endpoint.url_validation" {
		return nil, nil
	}
	token := request.Payload.PlainToken
	if err := checkChallenge("payload.plainToken", token); err != nil {
		return nil, err
	}
	return inJSON(map[string]string{"plainToken": token, "encryptedToken": hex.EncodeToString(hmacOf(secret, token))})
}

// decodeHandshake decodes a body that may ask for a handshake. It returns false for other bodies. A
// challenge that is not a string is read as none, so that nothing that asks for a handshake becomes an
// event.
func decodeHandshake(body []byte, marker string, request any) bool {
	if !bytes.Contains(body, []byte(marker)) {
		return false
	}
	err := json.Unmarshal(body, request)
	_, isMistyped := errors.AsType[*json.UnmarshalTypeError](err)
	return err == nil || isMistyped
}

// echoed returns the challenge as the answer.
func echoed(name, challenge string) (*handshakeAnswer, error) {
	if err := checkChallenge(name, challenge); err != nil {
		return nil, err
	}
	return &handshakeAnswer{"text/plain; charset=utf-8", challenge}, nil
}

// inJSON returns an object as the answer.
func inJSON(members map[string]string) (*handshakeAnswer, error) {
	body, err := json.Marshal(members)
	return &handshakeAnswer{"application/json", string(body)}, err
}

// checkChallenge returns an error for a challenge that no sender would send.
func checkChallenge(name, challenge string) error {
	switch {
	case challenge == "":
		return fmt.Errorf("%s: is missing; it is the challenge of the handshake", name)
	case len(challenge) > maxChallenge:
		return fmt.Errorf("%s: is longer than %d bytes", name, maxChallenge)
	case !utf8.ValidString(challenge) || strings.ContainsFunc(challenge, unicode.IsControl):
		return fmt.Errorf("%s: contains control characters, or is not UTF-8", name)
	}
	return nil
}

func hmacOf(secret, content string) []byte {
	mac := hmac.New(sha256.New, []byte(secret))
	_, _ = mac.Write([]byte(content)) // it cannot fail
	return mac.Sum(nil)
}
