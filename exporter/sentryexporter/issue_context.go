// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"net/netip"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// appendIssueContext appends the user, and the request that was being served.
func appendIssueContext(dst []byte, i *issue) []byte {
	if i.values.trim >= trimAttributes {
		return dst
	}
	dst = appendUser(dst, i)
	return appendRequest(dst, &i.http, i.values)
}

// appendUser appends the actor, if personal data may be sent (Sentry's SDK documentation, "Event
// Payloads", "User Interface").
func appendUser(dst []byte, i *issue) []byte {
	if i.values.privacy.personal {
		return dst
	}
	id, u := i.User.ID, &i.User
	if id == "" {
		id = u.AnonymousID
	}
	start := len(dst)
	dst = append(dst, `,"user":{`...)
	members := len(dst)
	dst = textMember(dst, "id", id)
	dst = textMember(dst, "email", u.Email)
	dst = textMember(dst, "username", u.Name)
	dst = textMember(dst, "name", u.FullName)
	if address, err := netip.ParseAddr(i.http.clientAddress); err == nil { // it may be a name
		dst = textMember(dst, "ip_address", address.WithZone("").String()) // Sentry does not accept a zone
	}
	if u.Roles.Type() != pcommon.ValueTypeEmpty || i.Traits.Len() > 0 {
		dst = append(memberName(dst, "data"), '{')
		m := i.values.json.Members()
		if u.Roles.Type() != pcommon.ValueTypeEmpty {
			dst = m.Append(dst, "roles", u.Roles)
		}
		for name, v := range i.Traits.All() {
			dst = m.Append(dst, name, v)
		}
		m.End()
		dst = append(dst, '}')
	}
	if len(dst) == members {
		return dst[:start]
	}
	return append(dst, '}')
}
