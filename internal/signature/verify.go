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

// The schemes that are verified, beside those that sign.
const (
	// SchemeSvix is SchemeStandard with headers that begin with svix-.
	SchemeSvix Scheme = "svix"
	// SchemeSentry is Sentry-Hook-Signature: the hex HMAC of the body.
	SchemeSentry Scheme = "sentry"
)

// DefaultTolerance is how far a signed time may be from now, either way: that of Stripe's and the Standard Webhooks libraries.
const DefaultTolerance = 5 * time.Minute

// VerifySettings say how webhooks are verified.
type VerifySettings struct {
	Scheme Scheme
	// Secrets are one or more. A webhook that any of them has signed is sound, so that secrets can be rolled.
	Secrets []string
	// Tolerance is how far a signed time may be from now. GitHub and Sentry sign no time.
	Tolerance time.Duration

	// The following are of SchemeHMAC. Header holds the signature, Prefix stands before it; Algorithm is sha256 (default),
	// sha384, sha512 or sha1, Encoding hex (default) or base64.
	Header, Prefix, Algorithm, Encoding string
	// Content is what is signed: a text in which {body}, {timestamp} and {id} stand for the body and for the values of the
	// headers TimestampHeader and IDHeader. Default {body}.
	Content, TimestampHeader, IDHeader string
}

// The errors of [Verifier.Verify]. They are for the log: whoever has sent the webhook is told no more than that it failed.
var (
	// ErrMissing is a webhook without a signature, or without the time or the id that is signed with it.
	ErrMissing = errors.New("the signature is missing, or not in the form that is configured")
	// ErrWrong is a signature of another body, or by another secret.
	ErrWrong = errors.New("the signature is of another body, or by another secret")
	// ErrOld is a webhook that may have been recorded and sent again.
	ErrOld = errors.New("the signed time is too far from now; is a clock wrong?")
)

// Verifier verifies webhooks. Its method is safe for concurrent use.
type Verifier struct {
	form      form
	keys      []StandardKey
	newHash   func() hash.Hash
	tolerance time.Duration
}

// form is where the parts of a signature are found, and what is signed.
type form struct {
	signature, timestamp, id string // headers
	// read takes the value of the signature header apart. The time is empty unless it stands there too.
	read func(value string) (timestamp string, candidates []candidate)
	// content is as in [VerifySettings].
	content string
}

// candidate is a signature, and the version that it says it has; none where there is but one.
type candidate struct {
	version   string
	signature []byte
}

// mostCandidates bounds the work that a header of many signatures makes.
const mostCandidates = 16

const (
	placeBody      = "{body}"
	placeTimestamp = "{timestamp}"
	placeID        = "{id}"
)

// VerifySchemes lists the schemes that are verified.
func VerifySchemes() []string {
	return []string{string(SchemeGitHub), string(SchemeStripe), string(SchemeStandard), string(SchemeSvix), string(SchemeSentry), string(SchemeHMAC)}
}

// NewVerifier returns the verifier of the settings. Its errors begin with the name of a setting, and repeat no secret.
func NewVerifier(s *VerifySettings) (*Verifier, error) {
	if err := checkSecrets(s.Secrets); err != nil {
		return nil, err
	}
	if s.Tolerance <= 0 {
		return nil, fmt.Errorf("tolerance: %s is not positive; it is how far a signed time may be from now (default %s)", s.Tolerance, DefaultTolerance)
	}
	if s.Scheme != SchemeHMAC && slices.ContainsFunc([]string{s.Header, s.Prefix, s.Algorithm, s.Encoding, s.Content, s.TimestampHeader, s.IDHeader}, notEmpty) {
		return nil, fmt.Errorf("scheme: the form of %q is known; header and what goes with it are for %s", s.Scheme, SchemeHMAC)
	}
	v := &Verifier{newHash: sha256.New, tolerance: s.Tolerance}
	switch s.Scheme {
	case SchemeStandard:
		v.form = form{HeaderStandardSignature, HeaderStandardTimestamp, HeaderStandardID, readStandard, placeID + "." + placeTimestamp + "." + placeBody}
	case SchemeSvix:
		v.form = form{"Svix-Signature", "Svix-Timestamp", "Svix-Id", readStandard, placeID + "." + placeTimestamp + "." + placeBody}
	case SchemeStripe:
		v.form = form{signature: HeaderStripe, read: readStripe, content: placeTimestamp + "." + placeBody}
	case SchemeGitHub:
		v.form = form{signature: HeaderGitHub, read: reader("sha256=", hex.DecodeString), content: placeBody}
	case SchemeSentry:
		v.form = form{signature: "Sentry-Hook-Signature", read: reader("", hex.DecodeString), content: placeBody}
	case SchemeHMAC:
		if err := v.setHMAC(s); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("scheme: %q is not a scheme; there are %s", s.Scheme, strings.Join(VerifySchemes(), ", "))
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

// parseVerifyingKey takes a symmetric key without its prefix too: some senders show it so.
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

// setHMAC sets the form of an HMAC that the settings describe.
func (v *Verifier) setHMAC(s *VerifySettings) error {
	if s.Header == "" {
		return errors.New("header: is missing; write the header that holds the signature, such as X-Signature")
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
		content = placeBody
	}
	switch {
	case !strings.Contains(content, placeBody):
		return errors.New("content: has no {body}, so that anybody could exchange it; write such as {timestamp}.{body}")
	case strings.Contains(content, placeTimestamp) != (s.TimestampHeader != ""):
		return errors.New("timestamp_header: goes together with {timestamp} in content, for a time that is not signed proves nothing")
	case strings.Contains(content, placeID) != (s.IDHeader != ""):
		return errors.New("id_header: goes together with {id} in content, for an id that is not signed proves nothing")
	}
	v.form = form{s.Header, s.TimestampHeader, s.IDHeader, reader(s.Prefix, decode), content}
	return nil
}

// Verify returns nil when the headers hold a signature of this body by one of the secrets, made about now; else one of
// [ErrMissing], [ErrWrong] and [ErrOld].
func (v *Verifier) Verify(header http.Header, body []byte, now time.Time) error {
	timestamp, candidates := v.form.read(header.Get(v.form.signature))
	if v.form.timestamp != "" {
		timestamp = header.Get(v.form.timestamp)
	}
	id := ""
	if v.form.id != "" {
		id = header.Get(v.form.id)
	}
	if len(candidates) == 0 || v.form.id != "" && id == "" {
		return ErrMissing
	}
	if strings.Contains(v.form.content, placeTimestamp) {
		if err := v.checkTime(timestamp, now); err != nil {
			return err
		}
	}
	content := v.form.fill(timestamp, id, body)
	for i := range v.keys {
		for _, c := range candidates[:min(len(candidates), mostCandidates)] {
			if v.matches(&v.keys[i], c, content) {
				return nil
			}
		}
	}
	return ErrWrong
}

// ID is the id that was signed with the body, or empty where the scheme signs none. It means something only after Verify.
func (v *Verifier) ID(header http.Header) string {
	if v.form.id == "" {
		return ""
	}
	return header.Get(v.form.id)
}

func (v *Verifier) checkTime(timestamp string, now time.Time) error {
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return ErrMissing
	}
	at, most := now.Unix(), int64(v.tolerance/time.Second)
	if seconds < at-most || seconds > at+most {
		return ErrOld
	}
	return nil
}

// matches compares in constant time.
func (v *Verifier) matches(key *StandardKey, c candidate, content []byte) bool {
	if key.public != nil {
		return c.version == versionAsymmetric && ed25519.Verify(key.public, content, c.signature)
	}
	return (c.version == versionSymmetric || c.version == "") && hmac.Equal(sum(v.newHash, key.symmetric, content), c.signature)
}

// fill is what is signed. What a header or the body holds is never read as a place of its own.
func (f *form) fill(timestamp, id string, body []byte) []byte {
	content := make([]byte, 0, len(f.content)+len(timestamp)+len(id)+len(body))
	for rest := f.content; rest != ""; {
		switch {
		case strings.HasPrefix(rest, placeBody):
			content, rest = append(content, body...), rest[len(placeBody):]
		case strings.HasPrefix(rest, placeTimestamp):
			content, rest = append(content, timestamp...), rest[len(placeTimestamp):]
		case strings.HasPrefix(rest, placeID):
			content, rest = append(content, id...), rest[len(placeID):]
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

// reader reads one signature behind a prefix.
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
