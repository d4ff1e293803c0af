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

// The places of a write key, besides the Authorization header and the body.
const (
	keyHeader    = "X-Write-Key"
	keyParameter = "write_key"
)

// keyring knows the write keys.
type keyring struct {
	keys []writeKey
	// ofAuth says that the Authorization header belongs to an auth extension.
	ofAuth bool
}

type writeKey struct {
	digest   [sha256.Size]byte
	resource resource
	scope    string // tells the ids of one application from those of another
}

func newKeyring(cfg *Config) keyring {
	ring := keyring{ofAuth: cfg.ServerConfig.Auth.HasValue()}
	for i := range cfg.Keys {
		ring.keys = append(ring.keys, writeKey{
			digest:   sha256.Sum256([]byte(cfg.Keys[i].Key)),
			resource: newResource(cfg.Keys[i].Resource),
			scope:    "key/" + strconv.Itoa(i),
		})
	}
	return ring
}

// resource is what a configuration knows of where events come from, in the order of the names.
type resource []struct{ name, value string }

func newResource(attributes map[string]string) resource {
	r := make(resource, 0, len(attributes))
	for _, name := range slices.Sorted(maps.Keys(attributes)) {
		r = append(r, struct{ name, value string }{name, attributes[name]})
	}
	return r
}

// put decides over what the events say.
func (r resource) put(ld plog.Logs) {
	if len(r) == 0 {
		return
	}
	for _, rl := range ld.ResourceLogs().All() {
		for _, attribute := range r {
			rl.Resource().Attributes().PutStr(attribute.name, attribute.value)
		}
	}
}

// needed reports whether events have to come with a key.
func (k *keyring) needed() bool { return len(k.keys) > 0 }

// find is the key of that text. It takes the same time for each text that is none.
func (k *keyring) find(text string) (*writeKey, bool) {
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

// given is the key that the request has outside of its body, or empty.
func (k *keyring) given(r *http.Request, query url.Values) string {
	if key := r.Header.Get(keyHeader); key != "" {
		return key
	}
	if user, _, ok := r.BasicAuth(); ok && !k.ofAuth {
		return user // as the track APIs have it: the key is the user, and there is no password
	}
	if scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && !k.ofAuth && strings.EqualFold(scheme, "bearer") {
		return strings.TrimSpace(token)
	}
	return query.Get(keyParameter)
}
