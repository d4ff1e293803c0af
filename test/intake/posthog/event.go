// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogintake

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/test/intake/standin"
)

// Limits in bytes.
const (
	maxBatchBody  = 20_000_000
	maxV1Body     = 10 << 20
	maxEvent      = 900_000
	maxName       = 200
	maxDistinctID = 200
)

// object is a JSON object that is checked against the rules.
type object = standin.Object

// Event is one event of a request.
type Event struct {
	UUID, Name, DistinctID string
	Timestamp              string
	// SessionID is the property $session_id in batch, and the member session_id in v1.
	SessionID  string
	Properties map[string]any
	// Options are the members of options; only v1 has them.
	Options map[string]any
	// Raw is the unchanged JSON of the event.
	Raw json.RawMessage
}

// key identifies an event: PostHog drops a later event with the same key.
func (e *Event) key() [4]string { return [4]string{e.UUID, e.Name, e.DistinctID, e.Timestamp} }

// illegalIDs are distinct ids that PostHog gives no person profile, in upper or lower case.
var illegalIDs = []string{
	"0", "00000000-0000-0000-0000-000000000000", "[object object]", "anonymous", "anonymous-user", "backend", "distinct_id",
	"distinctid", "email", "false", "guest", "id", "nan", "none", "not_authenticated", "null", "system", "true", "undefined", "user",
}

func isIllegal(id string) bool {
	return slices.Contains(illegalIDs, strings.ToLower(strings.TrimSpace(id))) || strings.TrimSpace(id) == ""
}

var uuidPattern = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// lifted are properties that v1 moves out of an event's properties.
var lifted = []string{"$session_id", "$window_id", "$cookieless_mode", "$ignore_sent_at", "$product_tour_id", "$process_person_profile"}

// checkEvent checks an event.
func checkEvent(o object, protocol Protocol) Event {
	e := Event{}
	requireText(o, "uuid", "event", "distinct_id", "timestamp")
	o.Require("properties")
	e.UUID, _ = o.Text("uuid")
	e.Name, _ = o.Text("event")
	e.DistinctID, _ = o.Text("distinct_id")
	e.Timestamp, _ = o.Text("timestamp")
	if e.UUID != "" && !uuidPattern.MatchString(e.UUID) {
		o.Breaks(RuleUUID, "uuid", "is %q, not a UUID in lower case", e.UUID)
	}
	if len(e.Name) > maxName {
		o.Breaks(RuleName, "event", "has %d bytes; the limit is %d", len(e.Name), maxName)
	}
	if len(e.DistinctID) > maxDistinctID {
		o.Breaks(RuleDistinctID, "distinct_id", "has %d bytes; the limit is %d", len(e.DistinctID), maxDistinctID)
	}
	if isIllegal(e.DistinctID) {
		o.Breaks(RuleIllegalID, "distinct_id", "is %q, which many people share", e.DistinctID)
	}
	if at, err := time.Parse(time.RFC3339Nano, e.Timestamp); e.Timestamp != "" && (err != nil || at.Location() != time.UTC) {
		o.Breaks(RuleTimestamp, "timestamp", "is %q, not RFC 3339 in UTC", e.Timestamp)
	}
	properties, ok := o.Nested("properties", RuleEvent)
	if !ok {
		return e
	}
	properties.Rule = RuleProperty
	e.Properties = properties.Members
	if protocol == V1 {
		checkV1Event(o, properties, &e)
	} else {
		checkBatchEvent(o, properties, &e)
	}
	checkProperties(properties)
	checkSpecial(properties, &e, protocol)
	return e
}

func checkBatchEvent(o, properties object, e *Event) {
	o.Only(RuleUnknownField, "uuid", "event", "distinct_id", "timestamp", "properties", "$set", "$set_once")
	e.SessionID, _ = properties.Text("$session_id")
	library := properties
	library.Rule = RuleLibrary
	requireText(library, "$lib", "$lib_version")
	properties.Booleans("$cookieless_mode")
	for _, name := range []string{"$ignore_sent_at", "$process_person_profile"} {
		value, ok := properties.Members[name]
		if _, isBool := value.(bool); ok && !isBool && isBoolean(value) {
			properties.Breaks(RuleProperty, name, "is %#v, which PostHog ignores; write a boolean", value)
		}
	}
	properties.Texts("$window_id")
	checkCookieless(properties, properties.Members["$cookieless_mode"])
}

// isBoolean reports whether capture v1 reads an option's value as a boolean.
func isBoolean(value any) bool {
	switch value := value.(type) {
	case bool, json.Number:
		return true
	case string:
		return slices.Contains([]string{"true", "false", "1", "0"}, strings.ToLower(strings.TrimSpace(value)))
	}
	return false
}

// isLiftable reports whether capture v1 accepts the value of a property next to the properties.
func isLiftable(name string, value any) bool {
	_, isText := value.(string)
	switch name {
	case "$session_id", "$window_id":
		return isText
	case "$product_tour_id":
		_, err := strconv.ParseInt(fmt.Sprint(value), 10, 64)
		return isText || err == nil
	}
	return isBoolean(value)
}

// checkCookieless checks that PostHog can tell people apart in cookieless mode.
func checkCookieless(properties object, mode any) {
	if mode != true {
		return
	}
	cookieless := properties
	cookieless.Rule = RuleCookieless
	requireText(cookieless, "$raw_user_agent", "$host")
}

func checkV1Event(o, properties object, e *Event) {
	o.Only(RuleUnknownField, "uuid", "event", "distinct_id", "timestamp", "session_id", "window_id", "options", "properties")
	e.SessionID, _ = o.Text("session_id")
	o.Texts("window_id")
	for _, name := range lifted {
		if value, ok := properties.Members[name]; ok && isLiftable(name, value) {
			properties.Breaks(RuleLifted, name, "is not a property in v1; it belongs in the event or its options")
		}
	}
	o.Require("options")
	options, ok := o.Nested("options", RuleOptions)
	if !ok {
		return
	}
	e.Options = options.Members
	options.Only(RuleOptions, "cookieless_mode", "disable_skew_correction", "process_person_profile", "product_tour_id")
	for name, value := range options.Members {
		if !isLiftable("$"+name, value) {
			options.Breaks(RuleOptions, name, "is %#v, for which PostHog drops the event", value)
		}
	}
	checkCookieless(properties, options.Members["cookieless_mode"])
}

// hasProfile reports whether an event asks for a person profile.
func (e *Event) hasProfile(protocol Protocol) bool {
	if protocol == V1 {
		return e.Options["process_person_profile"] != false
	}
	return e.Properties["$process_person_profile"] != false
}

// checkProperties checks the properties that any event may have.
func checkProperties(properties object) {
	properties.Nested("$set", RuleProperty)
	properties.Nested("$set_once", RuleProperty)
	if unset, ok := properties.Members["$unset"]; ok {
		if _, ok := unset.([]any); !ok {
			properties.Breaks(RuleProperty, "$unset", "is %T, not an array", unset)
		}
	}
	if groups, ok := properties.Nested("$groups", RuleProperty); ok {
		for name, key := range groups.Members {
			if text, ok := key.(string); !ok || text == "" || name == "" {
				groups.Breaks(RuleProperty, name, "is %#v, not a group key", key)
			}
		}
	}
	properties.Texts("$current_url", "$host", "$pathname", "$referrer", "$lib", "$lib_version")
	properties.Booleans("$geoip_disable", "$is_server")
	ip, hasIP := properties.Text("$ip")
	if _, err := netip.ParseAddr(ip); hasIP && err != nil {
		properties.Breaks(RuleGeoIP, "$ip", "is %q, not an IP address", ip)
	}
	if !hasIP && properties.Members["$geoip_disable"] != true {
		properties.Breaks(RuleGeoIP, "$geoip_disable", "is not true, and there is no $ip")
	}
}

// requireText checks that members are strings and not empty.
func requireText(o object, names ...string) {
	o.Require(names...)
	for _, name := range names {
		if text, ok := o.Text(name); ok && text == "" {
			o.Breaks(o.Rule, name, "is empty")
		}
	}
}

// atLeast checks that members are integers that are not less than the minimum.
func atLeast(o object, minimum int64, names ...string) {
	for _, name := range names {
		if n, ok := o.Integer(name); ok && n < minimum {
			o.Breaks(o.Rule, name, "is %d, less than %d", n, minimum)
		}
	}
}
