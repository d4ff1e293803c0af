// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventreceiver

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/collector/config/configopaque"
	"go.opentelemetry.io/collector/confmap"
	"go.uber.org/zap"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/eventjson"
	"github.com/otelcol-fanout/otelcol-fanout/internal/signature"
	"github.com/otelcol-fanout/otelcol-fanout/internal/strictconf"
	"github.com/otelcol-fanout/otelcol-fanout/internal/throttle"
)

// WebhookConfig says how to verify the webhooks of one sender and how to turn them into events.
type WebhookConfig struct {
	// Scheme is the sender's signature scheme (required): github, stripe, standard, svix, sentry,
	// microsoft_graph or hmac.
	Scheme string `mapstructure:"scheme"`
	// Secrets are the sender's secrets (required). Any one of them matches, so that secrets can be
	// rotated.
	Secrets []configopaque.String `mapstructure:"secrets"`
	// Tolerance is how far a signed time may be from now, in either direction; default 5m. GitHub
	// and Sentry do not sign a time.
	Tolerance time.Duration `mapstructure:"tolerance"`

	// Only for scheme hmac: the header of the signature (required), the text before the signature
	// in it (default none), sha256 (default), sha384, sha512 or sha1, and hex (default) or base64.
	Header    string `mapstructure:"header"`
	Prefix    string `mapstructure:"prefix"`
	Algorithm string `mapstructure:"algorithm"`
	Encoding  string `mapstructure:"encoding"`
	// Content is the signed text: {body} (default), or a text with {timestamp} and {id} as well,
	// which are the values of TimestampHeader and IDHeader.
	Content         string `mapstructure:"content"`
	TimestampHeader string `mapstructure:"timestamp_header"`
	IDHeader        string `mapstructure:"id_header"`

	// Handshake is how the sender checks the URL before it sends webhooks there: slack, zoom, twitch,
	// meta, x, dropbox, microsoft_graph or none. Default: by VerifyToken, Scheme or Header.
	Handshake string `mapstructure:"handshake"`
	// VerifyToken is the text that Meta repeats in its handshake (required for meta).
	VerifyToken configopaque.String `mapstructure:"verify_token"`

	// Event says where the name, id and time of the event are. All schemes but hmac have defaults.
	Event WebhookEventConfig `mapstructure:"event"`
	// Resource holds attributes of the event's resource; default service.name: the name of the
	// webhook.
	Resource map[string]string `mapstructure:"resource"`
}

// WebhookEventConfig says where a webhook has the event's name, id and time. Paths are JSON
// pointers into the body.
type WebhookEventConfig struct {
	// NameHeader or NamePath says where the name is. If it is missing, the event has the name of the
	// webhook.
	NameHeader string `mapstructure:"name_header"`
	NamePath   string `mapstructure:"name_path"`
	// NamePrefix is prepended to the name; default none.
	NamePrefix string `mapstructure:"name_prefix"`
	// IDHeader or IDPath is where the id is. If it is missing, an id is generated.
	IDHeader string `mapstructure:"id_header"`
	IDPath   string `mapstructure:"id_path"`
	// TimePath says where the time is: RFC 3339, or a number since 1970. If it is missing, the time
	// of receipt is used.
	TimePath string `mapstructure:"time_path"`
}

// presets are the schemes' defaults for name, id and time.
var presets = map[signature.Scheme]WebhookEventConfig{
	signature.SchemeGitHub:   {NameHeader: "X-GitHub-Event", IDHeader: "X-GitHub-Delivery"},
	signature.SchemeStripe:   {NamePath: "/type", IDPath: "/id", TimePath: "/created"},
	signature.SchemeStandard: {NamePath: "/type", IDHeader: signature.HeaderStandardID, TimePath: "/timestamp"},
	signature.SchemeSvix:     {NamePath: "/type", IDHeader: "Svix-Id", TimePath: "/timestamp"},
	signature.SchemeSentry:   {NameHeader: "Sentry-Hook-Resource", IDHeader: "Request-ID"},
	signature.SchemeHMAC:     {},

	signature.SchemeMicrosoftGraph: {NamePath: "/changeType", IDPath: "/id"},
}

// Unmarshal implements confmap.Unmarshaler. Unknown keys are errors.
func (cfg *WebhookConfig) Unmarshal(conf *confmap.Conf) error { return strictconf.Unmarshal(conf, cfg) }

func isWebhookName(name string) bool {
	return name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") == ""
}

func (cfg *WebhookConfig) validate() error {
	if _, err := cfg.verifier(); err != nil {
		return err
	}
	if _, err := cfg.handshake(); err != nil {
		return err
	}
	if err := validateResource(cfg.Resource); err != nil {
		return err
	}
	return cfg.Event.validate()
}

func (cfg *WebhookEventConfig) validate() error {
	for _, path := range []struct{ key, pointer string }{{"name_path", cfg.NamePath}, {"id_path", cfg.IDPath}, {"time_path", cfg.TimePath}} {
		if path.pointer != "" && !strings.HasPrefix(path.pointer, "/") {
			return fmt.Errorf("event::%s: %q is not a JSON pointer; write one such as /data/type", path.key, path.pointer)
		}
	}
	if cfg.NameHeader != "" && cfg.NamePath != "" {
		return errors.New("event::name_path: set either name_path or name_header, not both")
	}
	if cfg.IDHeader != "" && cfg.IDPath != "" {
		return errors.New("event::id_path: set either id_path or id_header, not both")
	}
	return nil
}

func (cfg *WebhookConfig) verifier() (*signature.Verifier, error) {
	settings := &signature.VerifySettings{
		Scheme: signature.Scheme(cfg.Scheme), Tolerance: cfg.Tolerance, Header: cfg.Header, Prefix: cfg.Prefix, Algorithm: cfg.Algorithm,
		Encoding: cfg.Encoding, Content: cfg.Content, TimestampHeader: cfg.TimestampHeader, IDHeader: cfg.IDHeader,
	}
	if settings.Tolerance == 0 {
		settings.Tolerance = signature.DefaultTolerance
	}
	for _, secret := range cfg.Secrets {
		settings.Secrets = append(settings.Secrets, string(secret))
	}
	return signature.NewVerifier(settings)
}

// event returns where the name, id and time are: as configured, else the scheme's default.
func (cfg *WebhookConfig) event() WebhookEventConfig {
	event, preset := cfg.Event, presets[signature.Scheme(cfg.Scheme)]
	if event.NameHeader == "" && event.NamePath == "" {
		event.NameHeader, event.NamePath = preset.NameHeader, preset.NamePath
	}
	if event.IDHeader == "" && event.IDPath == "" {
		event.IDHeader, event.IDPath = preset.IDHeader, preset.IDPath
	}
	if event.IDHeader == "" && event.IDPath == "" {
		event.IDHeader = cfg.IDHeader
	}
	if event.TimePath == "" {
		event.TimePath = preset.TimePath
	}
	return event
}

// webhookHandler serves /v1/webhooks/<name>.
type webhookHandler struct {
	*intake
	name      string
	cfg       *WebhookConfig
	verifier  *signature.Verifier
	handshake *handshake // nil if there is none
	event     WebhookEventConfig
	resource  resource
	// trusted is true if requests need no signature, because they do not come over the network.
	trusted bool

	refused    *throttle.Log[error] // the latest error
	handshakes *throttle.Log[struct{}]
}

func newWebhookHandler(in *intake, name string, cfg *WebhookConfig) (*webhookHandler, error) {
	verifier, err := cfg.verifier()
	if err != nil {
		return nil, err
	}
	handshake, err := cfg.handshake()
	if err != nil {
		return nil, err
	}
	attributes := map[string]string{appevent.AttrServiceName: name}
	maps.Copy(attributes, cfg.Resource)
	h := &webhookHandler{
		intake: in, name: name, cfg: cfg, verifier: verifier, handshake: handshake, event: cfg.event(), resource: newResource(attributes),
	}
	h.refused, h.handshakes = throttle.NewLog(h.logRefused), throttle.NewLog(h.logHandshakes)
	return h, nil
}

func (h *webhookHandler) logRefused(refused throttle.Summary, latest error) {
	h.logger.Warn("Refused webhooks with a missing or invalid signature",
		append([]zap.Field{zap.Error(latest), zap.String("webhook", h.name)}, refused.Fields("requests")...)...)
}

// ServeHTTP accepts a webhook with a valid signature, and answers the sender's handshake. The
// response does not say what is wrong with an invalid signature.
func (h *webhookHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.handshake.asksInQuery(r) {
		h.serveQuery(w, r)
		return
	}
	if r.Method != http.MethodPost {
		p := methodNotAllowed()
		p.allow = h.handshake.allows()
		writeProblem(w, p)
		return
	}
	sub, answer, err := h.read(r)
	switch {
	case err != nil:
		writeProblem(w, err)
	case answer != nil:
		h.answerHandshake(w, answer)
	default:
		h.submit(w, r, sub)
	}
}

// serveQuery answers a handshake that is asked for in the query.
func (h *webhookHandler) serveQuery(w http.ResponseWriter, r *http.Request) {
	answer, err := h.handshake.answerQuery(h.cfg, r.URL.Query(), h.handshake.parameter)
	switch {
	case errors.Is(err, errVerifyToken):
		h.countRefusal(r, err)
		writeProblem(w, &problem{status: http.StatusForbidden, text: "the verify token is missing or wrong"})
	case err != nil:
		writeProblem(w, err)
	default:
		h.answerHandshake(w, answer)
	}
}

func (h *webhookHandler) countRefusal(r *http.Request, err error) {
	h.countUnauthorized(r)
	h.refused.Add(1, func(latest *error) { *latest = err })
}

// read verifies a request. It returns either its events or the answer to a handshake.
func (h *webhookHandler) read(r *http.Request) (*submission, *handshakeAnswer, error) {
	ws, err := h.readBody(r)
	defer h.release(ws)
	if err != nil {
		return nil, nil, err
	}
	body, now := ws.body.Bytes(), h.now()
	secret := 0
	if !h.trusted {
		secret, err = h.verifier.Match(r.Header, body, now)
	}
	if err != nil {
		h.countRefusal(r, err)
		return nil, nil, &problem{status: http.StatusUnauthorized, text: "the signature is missing or wrong"}
	}
	if h.handshake != nil && h.handshake.answerBody != nil {
		answer, err := h.handshake.answerBody(r.Header, body, string(h.cfg.Secrets[secret]))
		if answer != nil || err != nil {
			return nil, answer, err
		}
	}
	admissionOf(r).Promote()
	if h.cfg.Scheme == string(signature.SchemeMicrosoftGraph) {
		if body, err = signature.Notifications(body); err != nil {
			return nil, nil, err
		}
	}
	result, err := ws.decoder.DecodePayload(body, h.payload(r), now)
	if err != nil {
		return nil, nil, bodyProblem(err)
	}
	return &submission{result: result, resource: h.resource, scope: "webhook/" + h.name}, nil, nil
}

// payload says where the event's name, id and time are.
func (h *webhookHandler) payload(r *http.Request) *eventjson.Payload {
	payload := &eventjson.Payload{
		Name: h.name, NamePath: h.event.NamePath, ID: headerValue(r, h.event.IDHeader),
		IDPath: h.event.IDPath, TimePath: h.event.TimePath, NamePrefix: h.event.NamePrefix,
	}
	if name := headerValue(r, h.event.NameHeader); name != "" {
		payload.Name = name
	}
	return payload
}

// maxHeaderLength is the maximum length of an idempotency key, and of a header used as a name or an
// id.
const maxHeaderLength = 256

func headerValue(r *http.Request, name string) string {
	value := ""
	if name != "" {
		value = r.Header.Get(name)
	}
	if len(value) > maxHeaderLength {
		return ""
	}
	return strings.ToValidUTF8(value, "\ufffd")
}
