// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package signature

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Scheme is a signature scheme.
type Scheme string

// The schemes that can sign.
const (
	// SchemeStandard is Standard Webhooks 1.0.0: webhook-id, webhook-timestamp and webhook-signature.
	SchemeStandard Scheme = "standard"
	// SchemeGitHub is X-Hub-Signature-256: sha256= and the hex HMAC of the body.
	SchemeGitHub Scheme = "github"
	// SchemeStripe is Stripe-Signature: t= and the time, v1= and the hex HMAC of time, dot and body.
	SchemeStripe Scheme = "stripe"
	// SchemeHMAC is an HMAC of the body in a custom header.
	SchemeHMAC Scheme = "hmac"
)

// The headers of the schemes.
const (
	HeaderStandardID        = "Webhook-Id"
	HeaderStandardTimestamp = "Webhook-Timestamp"
	HeaderStandardSignature = "Webhook-Signature"
	HeaderGitHub            = "X-Hub-Signature-256"
	HeaderStripe            = "Stripe-Signature"
)

// Settings configures a [Signer].
type Settings struct {
	Scheme Scheme
	// Secrets lists the secrets, the current one first. Only SchemeStandard and SchemeStripe accept
	// more than one.
	Secrets []string
	// Header, Algorithm (sha256, sha384, sha512), Encoding (hex, base64) and Prefix are for
	// SchemeHMAC.
	Header, Algorithm, Encoding, Prefix string
}

// Signer signs requests. Its methods are safe for concurrent use.
type Signer interface {
	// Sign sets the signature headers of a request that is sent at the given time. Only SchemeStandard
	// uses the ID, which must come from [SafeID] or [SafeIDs].
	Sign(header http.Header, id string, at time.Time, body []byte)

	// Headers returns the names of the headers that Sign sets.
	Headers() []string
}

// NewSigner returns a signer. Its errors begin with the key of a setting, and contain no secrets.
func NewSigner(s *Settings) (Signer, error) {
	if err := checkSecrets(s.Secrets); err != nil {
		return nil, err
	}
	if s.Scheme != SchemeHMAC && (s.Header != "" || s.Algorithm != "" || s.Encoding != "" || s.Prefix != "") {
		return nil, fmt.Errorf("scheme: %q has a fixed header; header, algorithm, encoding and prefix are for %s", s.Scheme, SchemeHMAC)
	}
	if len(s.Secrets) > 1 && (s.Scheme == SchemeGitHub || s.Scheme == SchemeHMAC) {
		return nil, fmt.Errorf("secrets: there are %d, but scheme %s has one signature per request; write one, or use scheme %s or %s, which allow several", len(s.Secrets), s.Scheme, SchemeStandard, SchemeStripe)
	}
	switch s.Scheme {
	case SchemeStandard:
		return newStandard(s.Secrets)
	case SchemeStripe:
		return newStripe(s.Secrets), nil
	case SchemeGitHub:
		return &bodyHMAC{header: HeaderGitHub, prefix: "sha256=", key: []byte(s.Secrets[0]), hash: sha256.New, encode: hex.AppendEncode}, nil
	case SchemeHMAC:
		return newHMAC(s)
	default:
		return nil, fmt.Errorf("scheme: %q is not a scheme; write %s, %s, %s or %s", s.Scheme, SchemeStandard, SchemeGitHub, SchemeStripe, SchemeHMAC)
	}
}

func checkSecrets(secrets []string) error {
	if len(secrets) == 0 {
		return errors.New("secrets: are missing; write at least one (is an environment variable unset?)")
	}
	for i, secret := range secrets {
		if secret == "" {
			return fmt.Errorf("secrets::%d: is empty (is an environment variable unset?)", i)
		}
		if strings.TrimSpace(secret) != secret {
			return fmt.Errorf("secrets::%d: begins or ends with a space or a line feed; remove it", i)
		}
	}
	return nil
}

// standard signs for SchemeStandard (spec/standard-webhooks.md, "Signature scheme").
type standard struct{ keys []StandardKey }

func newStandard(secrets []string) (*standard, error) {
	s := &standard{}
	for i, secret := range secrets {
		key, err := ParseStandardKey(secret)
		if err != nil {
			return nil, fmt.Errorf("secrets::%d: %w", i, err)
		}
		if key.public != nil {
			return nil, fmt.Errorf("secrets::%d: is a public key, which can only verify; write the private key, which begins with %s", i, privatePrefix)
		}
		s.keys = append(s.keys, key)
	}
	return s, nil
}

// Sign implements Signer.
func (s *standard) Sign(header http.Header, id string, at time.Time, body []byte) {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	content := standardContent(id, timestamp, body)
	var value []byte
	for i := range s.keys {
		if i > 0 {
			value = append(value, ' ')
		}
		value = s.keys[i].append(value, content)
	}
	header.Set(HeaderStandardID, id)
	header.Set(HeaderStandardTimestamp, timestamp)
	header.Set(HeaderStandardSignature, string(value))
}

// Headers implements Signer.
func (*standard) Headers() []string {
	return []string{HeaderStandardID, HeaderStandardTimestamp, HeaderStandardSignature}
}

// standardContent returns the text to sign.
func standardContent(id, timestamp string, body []byte) []byte {
	content := make([]byte, 0, len(id)+len(timestamp)+len(body)+len(".."))
	content = append(append(content, id...), '.')
	content = append(append(content, timestamp...), '.')
	return append(content, body...)
}

// append appends the version and the signature of the content.
func (k *StandardKey) append(dst, content []byte) []byte {
	if k.private != nil {
		return base64.StdEncoding.AppendEncode(append(dst, versionAsymmetric+","...), ed25519.Sign(k.private, content))
	}
	return base64.StdEncoding.AppendEncode(append(dst, versionSymmetric+","...), sum(sha256.New, k.symmetric, content))
}

// stripe signs for SchemeStripe (docs.stripe.com/webhooks, "Verify manually"). It writes one v1 per
// secret, so that secrets can be rotated.
type stripe struct{ keys [][]byte }

func newStripe(secrets []string) *stripe {
	s := &stripe{}
	for _, secret := range secrets {
		s.keys = append(s.keys, []byte(secret)) // its whsec_ is part of the key
	}
	return s
}

// Sign implements Signer.
func (s *stripe) Sign(header http.Header, _ string, at time.Time, body []byte) {
	timestamp := strconv.FormatInt(at.Unix(), 10)
	content := append(append(make([]byte, 0, len(timestamp)+1+len(body)), timestamp+"."...), body...)
	value := []byte("t=" + timestamp)
	for _, key := range s.keys {
		value = hex.AppendEncode(append(value, ",v1="...), sum(sha256.New, key, content))
	}
	header.Set(HeaderStripe, string(value))
}

// Headers implements Signer.
func (*stripe) Headers() []string { return []string{HeaderStripe} }

// bodyHMAC signs the body alone.
type bodyHMAC struct {
	header, prefix string
	key            []byte
	hash           func() hash.Hash
	encode         func(dst, src []byte) []byte
}

func newHMAC(s *Settings) (*bodyHMAC, error) {
	b := &bodyHMAC{header: http.CanonicalHeaderKey(s.Header), prefix: s.Prefix, key: []byte(s.Secrets[0])}
	if s.Header == "" {
		return nil, errors.New("header: is missing; write the header that the receiver reads, such as X-Signature")
	}
	var err error
	if b.hash, err = hashOf(s.Algorithm); err != nil {
		return nil, err
	}
	switch s.Encoding {
	case "", "hex":
		b.encode = hex.AppendEncode
	case "base64":
		b.encode = base64.StdEncoding.AppendEncode
	default:
		return nil, fmt.Errorf("encoding: %q is not an encoding; write hex (default) or base64", s.Encoding)
	}
	if strings.ContainsFunc(s.Prefix, func(r rune) bool { return r < ' ' || r > '~' }) {
		return nil, errors.New("prefix: contains a character that is not allowed in a header; write a prefix such as sha256=")
	}
	return b, nil
}

func hashOf(algorithm string) (func() hash.Hash, error) {
	switch algorithm {
	case "", "sha256":
		return sha256.New, nil
	case "sha384":
		return sha512.New384, nil
	case "sha512":
		return sha512.New, nil
	default:
		return nil, fmt.Errorf("algorithm: %q is not an algorithm; write sha256 (default), sha384 or sha512", algorithm)
	}
}

// Sign implements Signer.
func (b *bodyHMAC) Sign(header http.Header, _ string, _ time.Time, body []byte) {
	header.Set(b.header, string(b.encode([]byte(b.prefix), sum(b.hash, b.key, body))))
}

// Headers implements Signer.
func (b *bodyHMAC) Headers() []string { return []string{b.header} }

func sum(newHash func() hash.Hash, key, content []byte) []byte {
	mac := hmac.New(newHash, key)
	_, _ = mac.Write(content) // it cannot fail
	return mac.Sum(nil)
}
