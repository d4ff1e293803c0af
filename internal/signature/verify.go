// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package signature

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // some senders offer nothing but HMAC-SHA1
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The schemes that can only be verified.
const (
	// SchemeSvix is SchemeStandard with headers that begin with svix-.
	SchemeSvix Scheme = "svix"
	// SchemeSentry is Sentry-Hook-Signature: the hex HMAC of the body.
	SchemeSentry Scheme = "sentry"
	// SchemeMicrosoftGraph is the clientState of each notification in the body, which repeats a
	// secret. Graph signs nothing.
	SchemeMicrosoftGraph Scheme = "microsoft_graph"
)

// DefaultTolerance is how far a signed time may be in the past or in the future. The libraries of
// Stripe and Standard Webhooks use the same.
const DefaultTolerance = 5 * time.Minute

// VerifySettings configures a [Verifier].
type VerifySettings struct {
	Scheme Scheme
	// Secrets lists at least one secret. A signature with any of them is valid, so that secrets can be
	// rotated.
	Secrets []string
	// Tolerance is how far a signed time may be from now. GitHub and Sentry do not sign a time.
	Tolerance time.Duration

	// The fields below are for SchemeHMAC. Header has the signature after Prefix. Algorithm is sha256
	// (default), sha384, sha512 or sha1; Encoding is hex (default) or base64.
	Header, Prefix, Algorithm, Encoding string
	// Content is the signed text; default {body}. {body} is the body; {timestamp} and {id} are the
	// values of the headers TimestampHeader and IDHeader.
	Content, TimestampHeader, IDHeader string
}

// The errors of [Verifier.Verify]. Log them, but tell the sender only that verification failed.
var (
	// ErrMissing is returned if the webhook lacks the signature, or the signed time or ID.
	ErrMissing = errors.New("the signature is missing, or is not in the configured form")
	// ErrWrong is returned if the signature does not match the body with any of the secrets.
	ErrWrong = errors.New("the signature is for another body, or was made with another secret")
	// ErrOld is returned if the signed time is out of tolerance: the webhook may be a replay.
	ErrOld = errors.New("the signed time is too far from now; is a clock wrong?")
)

// Verifier verifies webhooks. Its methods are safe for concurrent use.
type Verifier struct {
	form      form
	keys      []StandardKey
	newHash   func() hash.Hash
	tolerance time.Duration
}

// form says which headers a scheme uses, and what it signs.
type form struct {
	signature, timestamp, id string // headers
	// read parses the signature header. The timestamp is empty if the header does not contain it.
	read func(value string) (timestamp string, candidates []candidate)
	// content is Content of [VerifySettings].
	content string
	// inBody is true if there is no signature, and the body contains the secret instead.
	inBody bool
}

// candidate is a signature with its version, which is empty in schemes without versions.
type candidate struct {
	version   string
	signature []byte
}

// maxCandidates limits how many signatures of a header are tried.
const maxCandidates = 16

// The placeholders of the signed content.
const (
	bodyPlaceholder      = "{body}"
	timestampPlaceholder = "{timestamp}"
	idPlaceholder        = "{id}"

	// standardForm is the content that Standard Webhooks and Svix sign.
	standardForm = idPlaceholder + "." + timestampPlaceholder + "." + bodyPlaceholder
)

// VerifySchemes returns the schemes that can be verified.
func VerifySchemes() []string {
	return []string{string(SchemeGitHub), string(SchemeStripe), string(SchemeStandard), string(SchemeSvix), string(SchemeSentry), string(SchemeMicrosoftGraph), string(SchemeHMAC)}
}

// NewVerifier returns a verifier. Its errors begin with the key of a setting, and contain no
// secrets.
func NewVerifier(s *VerifySettings) (*Verifier, error) {
	if err := checkSecrets(s.Secrets); err != nil {
		return nil, err
	}
	if s.Tolerance <= 0 {
		return nil, fmt.Errorf("tolerance: %s is not positive; it is how far a signed time may be from now (default %s)", s.Tolerance, DefaultTolerance)
	}
	if s.Scheme != SchemeHMAC && slices.ContainsFunc([]string{s.Header, s.Prefix, s.Algorithm, s.Encoding, s.Content, s.TimestampHeader, s.IDHeader}, notEmpty) {
		return nil, fmt.Errorf("scheme: %q has a fixed form; header, prefix, algorithm, encoding, content, timestamp_header and id_header are for %s", s.Scheme, SchemeHMAC)
	}
	v := &Verifier{newHash: sha256.New, tolerance: s.Tolerance}
	switch s.Scheme {
	case SchemeStandard:
		v.form = form{signature: HeaderStandardSignature, timestamp: HeaderStandardTimestamp, id: HeaderStandardID, read: readStandard, content: standardForm}
	case SchemeSvix:
		v.form = form{signature: "Svix-Signature", timestamp: "Svix-Timestamp", id: "Svix-Id", read: readStandard, content: standardForm}
	case SchemeStripe:
		v.form = form{signature: HeaderStripe, read: readStripe, content: timestampPlaceholder + "." + bodyPlaceholder}
	case SchemeGitHub:
		v.form = form{signature: HeaderGitHub, read: reader("sha256=", hex.DecodeString), content: bodyPlaceholder}
	case SchemeSentry:
		v.form = form{signature: "Sentry-Hook-Signature", read: reader("", hex.DecodeString), content: bodyPlaceholder}
	case SchemeMicrosoftGraph:
		v.form = form{inBody: true}
	case SchemeHMAC:
		if err := v.setHMAC(s); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("scheme: %q is not a scheme; write one of %s", s.Scheme, strings.Join(VerifySchemes(), ", "))
	}
	if err := v.setKeys(s); err != nil {
		return nil, err
	}
	return v, nil
}

func notEmpty(s string) bool { return s != "" }

func (v *Verifier) setKeys(s *VerifySettings) error {
	for i, secret := range s.Secrets {
		key := StandardKey{symmetric: []byte(secret)}
		if s.Scheme == SchemeStandard || s.Scheme == SchemeSvix {
			var err error
			if key, err = parseVerifyingKey(secret); err != nil {
				return fmt.Errorf("secrets::%d: %w", i, err)
			}
		}
		v.keys = append(v.keys, key)
	}
	return nil
}

// parseVerifyingKey also accepts a symmetric key without its prefix, as some senders display it.
func parseVerifyingKey(secret string) (StandardKey, error) {
	if !strings.Contains(secret, "_") {
		secret = symmetricPrefix + secret
	}
	key, err := ParseStandardKey(secret)
	if key.private != nil {
		key.public = key.private.Public().(ed25519.PublicKey)
	}
	return key, err
}

// setHMAC sets the form of SchemeHMAC.
func (v *Verifier) setHMAC(s *VerifySettings) error {
	if s.Header == "" {
		return errors.New("header: is missing; write the header that contains the signature, such as X-Signature")
	}
	var err error
	if v.newHash, err = hashOf(s.Algorithm); err != nil && s.Algorithm != "sha1" {
		return err
	}
	if s.Algorithm == "sha1" {
		v.newHash = sha1.New
	}
	decode := hex.DecodeString
	switch s.Encoding {
	case "", "hex":
	case "base64":
		decode = base64.StdEncoding.DecodeString
	default:
		return fmt.Errorf("encoding: %q is not an encoding; write hex (default) or base64", s.Encoding)
	}
	content := s.Content
	if content == "" {
		content = bodyPlaceholder
	}
	switch {
	case !strings.Contains(content, bodyPlaceholder):
		return errors.New("content: has no {body}, so the body would not be protected; write content such as {timestamp}.{body}")
	case strings.Contains(content, timestampPlaceholder) != (s.TimestampHeader != ""):
		return errors.New("timestamp_header: requires {timestamp} in content and the other way around, because a time that is not signed proves nothing")
	case strings.Contains(content, idPlaceholder) != (s.IDHeader != ""):
		return errors.New("id_header: requires {id} in content and the other way around, because an ID that is not signed proves nothing")
	}
	v.form = form{signature: s.Header, timestamp: s.TimestampHeader, id: s.IDHeader, read: reader(s.Prefix, decode), content: content}
	return nil
}

// Verify returns nil if the headers contain a signature of this body by one of the secrets, made at
// about the given time. Otherwise it returns [ErrMissing], [ErrWrong] or [ErrOld].
func (v *Verifier) Verify(header http.Header, body []byte, now time.Time) error {
	_, err := v.Match(header, body, now)
	return err
}

// Match is Verify, and returns the index of the secret that verified the body.
func (v *Verifier) Match(header http.Header, body []byte, now time.Time) (secret int, err error) {
	if v.form.inBody {
		return v.matchClientStates(body)
	}
	timestamp, candidates := v.form.read(header.Get(v.form.signature))
	if v.form.timestamp != "" {
		timestamp = header.Get(v.form.timestamp)
	}
	id := ""
	if v.form.id != "" {
		id = header.Get(v.form.id)
	}
	if len(candidates) == 0 || v.form.id != "" && id == "" {
		return 0, ErrMissing
	}
	if strings.Contains(v.form.content, timestampPlaceholder) {
		if err := v.checkTime(timestamp, now); err != nil {
			return 0, err
		}
	}
	content := v.form.fill(timestamp, id, body)
	for i := range v.keys {
		for _, c := range candidates[:min(len(candidates), maxCandidates)] {
			if v.matches(&v.keys[i], c, content) {
				return i, nil
			}
		}
	}
	return 0, ErrWrong
}

// ID returns the signed ID, or an empty string if the scheme signs none. Call it only after Verify
// has succeeded.
func (v *Verifier) ID(header http.Header) string {
	if v.form.id == "" {
		return ""
	}
	return header.Get(v.form.id)
}

func (v *Verifier) checkTime(timestamp string, now time.Time) error {
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		signed, err := time.Parse(time.RFC3339, timestamp) // Twitch's
		if err != nil {
			return ErrMissing
		}
		seconds = signed.Unix()
	}
	at, tolerance := now.Unix(), int64(v.tolerance/time.Second)
	if seconds < at-tolerance || seconds > at+tolerance {
		return ErrOld
	}
	return nil
}

// matches compares signatures in constant time.
func (v *Verifier) matches(key *StandardKey, c candidate, content []byte) bool {
	if key.public != nil {
		return c.version == versionAsymmetric && ed25519.Verify(key.public, content, c.signature)
	}
	return (c.version == versionSymmetric || c.version == "") && hmac.Equal(sum(v.newHash, key.symmetric, content), c.signature)
}

// fill returns the signed text. It does not replace placeholders within headers or the body.
func (f *form) fill(timestamp, id string, body []byte) []byte {
	content := make([]byte, 0, len(f.content)+len(timestamp)+len(id)+len(body))
	for rest := f.content; rest != ""; {
		switch {
		case strings.HasPrefix(rest, bodyPlaceholder):
			content, rest = append(content, body...), rest[len(bodyPlaceholder):]
		case strings.HasPrefix(rest, timestampPlaceholder):
			content, rest = append(content, timestamp...), rest[len(timestampPlaceholder):]
		case strings.HasPrefix(rest, idPlaceholder):
			content, rest = append(content, id...), rest[len(idPlaceholder):]
		default:
			content, rest = append(content, rest[0]), rest[1:]
		}
	}
	return content
}

// readStandard reads "v1,<base64> v1a,<base64>" (spec/standard-webhooks.md, "Signature scheme").
func readStandard(value string) (timestamp string, candidates []candidate) {
	for part := range strings.SplitSeq(value, " ") {
		version, encoded, _ := strings.Cut(part, ",")
		if signature, err := base64.StdEncoding.DecodeString(encoded); err == nil && len(signature) > 0 && version != "" {
			candidates = append(candidates, candidate{version, signature})
		}
	}
	return "", candidates
}

// readStripe reads "t=<seconds>,v1=<hex>,v0=<hex>" (docs.stripe.com/webhooks/signature).
func readStripe(value string) (timestamp string, candidates []candidate) {
	for part := range strings.SplitSeq(value, ",") {
		name, text, _ := strings.Cut(part, "=")
		if name == "t" {
			timestamp = text
			continue
		}
		if signature, err := hex.DecodeString(text); err == nil && len(signature) > 0 && name != "" {
			candidates = append(candidates, candidate{name, signature})
		}
	}
	return timestamp, candidates
}

// reader returns a function that reads one signature after a prefix.
func reader(prefix string, decode func(string) ([]byte, error)) func(string) (string, []candidate) {
	return func(value string) (string, []candidate) {
		text, ok := strings.CutPrefix(value, prefix)
		signature, err := decode(text)
		if !ok || err != nil || len(signature) == 0 {
			return "", nil
		}
		return "", []candidate{{signature: signature}}
	}
}
