// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package signature

import (
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// The prefixes of keys and the versions of signatures (spec/standard-webhooks.md, "Signature
// scheme").
const (
	symmetricPrefix = "whsec_"
	privatePrefix   = "whsk_"
	publicPrefix    = "whpk_"

	versionSymmetric  = "v1"
	versionAsymmetric = "v1a"

	minSymmetric, maxSymmetric = 24, 64 // bytes
)

// StandardKey is a symmetric, private or public key of Standard Webhooks.
type StandardKey struct {
	symmetric []byte
	private   ed25519.PrivateKey
	public    ed25519.PublicKey
}

// ParseStandardKey parses a key in base64 after its prefix: whsec_ with 24 to 64 bytes
// (HMAC-SHA256), whsk_ with an ed25519 private key (32 bytes of seed, or 64 bytes), or whpk_ with
// an ed25519 public key (32 bytes). Its errors do not repeat the key.
func ParseStandardKey(text string) (StandardKey, error) {
	prefix, encoded, _ := strings.Cut(text, "_")
	prefix += "_"
	switch prefix {
	case symmetricPrefix, privatePrefix, publicPrefix:
	default:
		return StandardKey{}, fmt.Errorf("is not a key of Standard Webhooks; write one that begins with %s (make one: echo %s$(openssl rand -base64 32)) or %s", symmetricPrefix, symmetricPrefix, privatePrefix)
	}
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return StandardKey{}, fmt.Errorf("is not standard base64 with padding after %s", prefix)
	}
	switch {
	case prefix == symmetricPrefix && (len(key) < minSymmetric || len(key) > maxSymmetric):
		return StandardKey{}, fmt.Errorf("has %d bytes; Standard Webhooks requires %d to %d", len(key), minSymmetric, maxSymmetric)
	case prefix == symmetricPrefix:
		return StandardKey{symmetric: key}, nil
	case prefix == privatePrefix:
		return parsePrivate(key)
	case len(key) != ed25519.PublicKeySize:
		return StandardKey{}, fmt.Errorf("has %d bytes; an ed25519 public key has %d", len(key), ed25519.PublicKeySize)
	default:
		return StandardKey{public: key}, nil
	}
}

func parsePrivate(key []byte) (StandardKey, error) {
	switch len(key) {
	case ed25519.SeedSize:
		return StandardKey{private: ed25519.NewKeyFromSeed(key)}, nil
	case ed25519.PrivateKeySize:
		private := ed25519.PrivateKey(key)
		if !private.Equal(ed25519.NewKeyFromSeed(private.Seed())) {
			return StandardKey{}, errors.New("is not an ed25519 private key: its seed and its public key do not match")
		}
		return StandardKey{private: private}, nil
	default:
		return StandardKey{}, fmt.Errorf("has %d bytes; an ed25519 private key has %d or %d", len(key), ed25519.SeedSize, ed25519.PrivateKeySize)
	}
}

// maxID is the longest ID that SafeID returns unchanged.
const maxID = 128

// SafeID returns an ID that is safe to sign: with a dot in it, the signed text could be split into
// another ID and time. IDs of letters, digits, -, _ and : are returned unchanged; of others, a
// digest.
func SafeID(id string) string {
	if id != "" && len(id) <= maxID && !strings.ContainsFunc(id, isUnsafe) {
		return id
	}
	digest := sha256.Sum256([]byte(id))
	return "id_" + hex.EncodeToString(digest[:16])
}

func isUnsafe(r rune) bool {
	isSafe := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' || r == ':'
	return !isSafe
}

// SafeIDs returns an ID for a request that contains several events.
func SafeIDs(ids []string) string {
	if len(ids) == 1 {
		return SafeID(ids[0])
	}
	all := sha256.New()
	for _, id := range ids {
		one := sha256.Sum256([]byte(id)) // all of one length, so that different lists differ
		_, _ = all.Write(one[:])         // it cannot fail
	}
	return "batch_" + hex.EncodeToString(all.Sum(nil)[:16])
}
