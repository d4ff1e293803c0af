// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventreceiver

import (
	"crypto/sha256"
	"crypto/subtle"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/pdata/plog"
)

// Where a write key may be, besides the Authorization header and the body.
const (
	keyHeader    = "X-Write-Key"
	keyParameter = "write_key"
	// trackKeyParameter is the parameter of beacons of a track API.
	trackKeyParameter = "writeKey"
)

// keyring holds the write keys.
type keyring struct {
	keys []writeKey
	// hasAuth is true if the Authorization header belongs to an auth extension.
	hasAuth bool
}

type writeKey struct {
	digest   [sha256.Size]byte
	resource resource
	scope    string // ids are unique within it
}

func newKeyring(cfg *Config) keyring {
	ring := keyring{hasAuth: cfg.ServerConfig.Auth.HasValue()}
	for i := range cfg.Keys {
		ring.keys = append(ring.keys, writeKey{
			digest:   sha256.Sum256([]byte(cfg.Keys[i].Key)),
			resource: newResource(cfg.Keys[i].Resource),
			scope:    "key/" + strconv.Itoa(i),
		})
	}
	return ring
}

// resource holds configured resource attributes, sorted by name.
type resource []struct{ name, value string }

func newResource(attributes map[string]string) resource {
	r := make(resource, 0, len(attributes))
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		r = append(r, struct{ name, value string }{name, attributes[name]})
	}
	return r
}

// applyTo sets the attributes on every resource, overriding the events' own.
func (r resource) applyTo(ld plog.Logs) {
	if len(r) == 0 {
		return
	}
	for _, rl := range ld.ResourceLogs().All() {
		for _, attribute := range r {
			rl.Resource().Attributes().PutStr(attribute.name, attribute.value)
		}
	}
}

// required reports whether requests need a key.
func (k *keyring) required() bool { return len(k.keys) > 0 }

// knows reports whether a request shows who sent it before its body is read, or need not.
func (k *keyring) knows(r *http.Request) bool {
	if !k.required() || k.hasAuth {
		return true
	}
	_, ok := k.lookup(k.fromRequest(r, r.URL.Query()))
	return ok
}

// lookup returns the key with the given text. The comparison takes constant time.
func (k *keyring) lookup(text string) (*writeKey, bool) {
	digest := sha256.Sum256([]byte(text))
	found := -1
	for i := range k.keys {
		if subtle.ConstantTimeCompare(k.keys[i].digest[:], digest[:]) == 1 {
			found = i
		}
	}
	if found < 0 || text == "" {
		return nil, false
	}
	return &k.keys[found], true
}

// fromRequest returns the key in the headers or the query, or the empty string.
func (k *keyring) fromRequest(r *http.Request, query url.Values) string {
	if key := r.Header.Get(keyHeader); key != "" {
		return key
	}
	if user, _, ok := r.BasicAuth(); ok && !k.hasAuth {
		return user // as in track APIs: the key is the user name, the password is empty
	}
	if scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && !k.hasAuth && strings.EqualFold(scheme, "bearer") {
		return strings.TrimSpace(token)
	}
	if key := query.Get(keyParameter); key != "" {
		return key
	}
	return query.Get(trackKeyParameter)
}
