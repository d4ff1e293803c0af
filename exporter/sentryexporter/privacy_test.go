// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestSecretsAreRecognizedByName(t *testing.T) {
	for name, want := range map[string]bool{
		"password": true, "db.password": true, "dbPassword": true, "userpassword": true, "Passwords": true, "PASSWD": true, "access_token": true,
		"x-api-key": true, "apiKey": true, "apikey": true, "api..key": true, "private.keys": true, "accessKey": true, "http.request.header.set-cookie": true,
		"a\xfftoken": true, "credentials": true, "größe_secret": true,
		"": false, ".": false, "tokens": false, "output_tokens": false, "tokenizer": false, "key": false, "keyboard.api": false, "order.key": false, "cookies.count": true,
		"api.id.key": false, "pwdless": false,
	} {
		assert.Equal(t, want, isSecret(name), "%q", name)
	}
}

func TestPersonalDataIsRecognizedByName(t *testing.T) {
	for name, want := range map[string]bool{
		"user.email": true, "user": true, "request.user.email": true, "ENDUSER.id": true, "client.address": true, "http.client_ip": true, "http.client-ip": true,
		"a.client.address": true, "http.request.header.x_forwarded_for": true, "HTTP.request.header.Cookie": true,
		"": false, "db.user": false, "db.client.address": false, "users": false, "superuser.id": false, "client": false, "address": false, "user_agent.original": false,
	} {
		assert.Equal(t, want, isPersonal(name), "%q", name)
	}
}

// TestSecretCheckIsLinear would take minutes if the time grew with the square of the size.
func TestSecretCheckIsLinear(t *testing.T) {
	assert.False(t, isSecret(strings.Repeat("x", 8<<20)))
	assert.True(t, isSecret(strings.Repeat("x", 8<<20)+"token"))
}
