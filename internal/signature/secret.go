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

// How Standard Webhooks writes keys, and names the signatures made with them (spec/standard-webhooks.md, "Signature scheme").
const (
	symmetricPrefix = "whsec_"
	privatePrefix   = "whsk_"
	publicPrefix    = "whpk_"

	versionSymmetric  = "v1"
	versionAsymmetric = "v1a"

	minSymmetric, maxSymmetric = 24, 64 // bytes
)

// StandardKey is a key of Standard Webhooks: a symmetric one, or one of a pair.
type StandardKey struct {
	symmetric []byte
	private   ed25519.PrivateKey
	public    ed25519.PublicKey
}

// ParseStandardKey reads a key as it is written: whsec_ and 24 to 64 bytes (HMAC-SHA256), whsk_ and a private key of ed25519
// (its seed of 32 bytes, or 64 bytes), or whpk_ and a public one of 32, all in base64. Its errors do not repeat the key.
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
		return StandardKey{}, fmt.Errorf("is not standard base64 with padding behind %s", prefix)
	}
	switch {
	case prefix == symmetricPrefix && (len(key) < minSymmetric || len(key) > maxSymmetric):
		return StandardKey{}, fmt.Errorf("has %d bytes; Standard Webhooks wants %d to %d", len(key), minSymmetric, maxSymmetric)
	case prefix == symmetricPrefix:
		return StandardKey{symmetric: key}, nil
	case prefix == privatePrefix:
		return parsePrivate(key)
	case len(key) != ed25519.PublicKeySize:
		return StandardKey{}, fmt.Errorf("has %d bytes; a public key of ed25519 has %d", len(key), ed25519.PublicKeySize)
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
			return StandardKey{}, errors.New("is not a private key of ed25519: its two halves do not belong together")
		}
		return StandardKey{private: private}, nil
	default:
		return StandardKey{}, fmt.Errorf("has %d bytes; a private key of ed25519 has %d or %d", len(key), ed25519.SeedSize, ed25519.PrivateKeySize)
	}
}

// maxID is how long an id may be that is used as it is.
const maxID = 128

// SafeID is an id as Standard Webhooks takes it: a dot would let one id and time be taken for another. An id of letters, digits, -,
// _ and : is itself, any other one is a digest of it, the same each time.
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

// SafeIDs is an id for a request that holds several events.
func SafeIDs(ids []string) string {
	if len(ids) == 1 {
		return SafeID(ids[0])
	}
	all := sha256.New()
	for _, id := range ids {
		one := sha256.Sum256([]byte(id)) // of one length, so that no two lists read the same
		_, _ = all.Write(one[:])         // it cannot fail
	}
	return "batch_" + hex.EncodeToString(all.Sum(nil)[:16])
}
