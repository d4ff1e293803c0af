// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import "strings"

// SecretNames returns how the names of members and attributes end whose values are secrets, in
// lower case.
func SecretNames() []string {
	return []string{
		"password", "passwd", "passphrase", "secret", "secret_key", "secretkey", "token", "authorization", "cookie", "cookies", "api_key", "apikey", "api-key",
		"credentials", "private_key", "privatekey", "access_key", "accesskey",
	}
}

// IsSecretName reports whether a name ends with one of [SecretNames], in any case.
func IsSecretName(name string) bool {
	for _, end := range SecretNames() {
		if len(name) >= len(end) && strings.EqualFold(name[len(name)-len(end):], end) {
			return true
		}
	}
	return false
}
