// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogintake

import (
	"encoding/json"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Limits in bytes.
const (
	maxBatchBody  = 20_000_000
	maxV1Body     = 10 << 20
	maxEvent      = 900_000
	maxName       = 200
	maxDistinctID = 200
)

// Event is one event of a request.
type Event struct {
	UUID, Name, DistinctID string
	Timestamp              string
	// SessionID is $session_id with batch, and the member session_id with v1.
	SessionID  string
	Properties map[string]any
	// Options are those of v1.
	Options map[string]any
	// Raw is the event as it came.
	Raw json.RawMessage
}

// key is what PostHog drops repetitions by.
func (e *Event) key() [4]string { return [4]string{e.UUID, e.Name, e.DistinctID, e.Timestamp} }

// illegalIDs are distinct ids that PostHog processes no person for, in any case.
var illegalIDs = []string{
	"0", "00000000-0000-0000-0000-000000000000", "[object object]", "anonymous", "anonymous-user", "backend", "distinct_id",
	"distinctid", "email", "false", "guest", "id", "nan", "none", "not_authenticated", "null", "system", "true", "undefined", "user",
}

func isIllegal(id string) bool {
	return slices.Contains(illegalIDs, strings.ToLower(strings.TrimSpace(id))) || strings.TrimSpace(id) == ""
}

var uuidPattern = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// lifted are the properties that v1 wants beside the properties.
var lifted = []string{"$session_id", "$window_id", "$cookieless_mode", "$ignore_sent_at", "$product_tour_id", "$process_person_profile"}

// checkEvent looks at an event.
func checkEvent(o object, protocol Protocol) Event {
	e := Event{}
	o.filled("uuid", "event", "distinct_id", "timestamp")
	o.require("properties")
	e.UUID, _ = o.text("uuid")
	e.Name, _ = o.text("event")
	e.DistinctID, _ = o.text("distinct_id")
	e.Timestamp, _ = o.text("timestamp")
	if e.UUID != "" && !uuidPattern.MatchString(e.UUID) {
		o.breaks(RuleUUID, "uuid", "is %q, not a UUID in lower case", e.UUID)
	}
	if len(e.Name) > maxName {
		o.breaks(RuleName, "event", "has %d bytes; it may have %d", len(e.Name), maxName)
	}
	if len(e.DistinctID) > maxDistinctID {
		o.breaks(RuleDistinctID, "distinct_id", "has %d bytes; it may have %d", len(e.DistinctID), maxDistinctID)
	}
	if isIllegal(e.DistinctID) {
		o.breaks(RuleIllegalID, "distinct_id", "is %q, which many people share", e.DistinctID)
	}
	if at, err := time.Parse(time.RFC3339Nano, e.Timestamp); e.Timestamp != "" && (err != nil || at.Location() != time.UTC) {
		o.breaks(RuleTimestamp, "timestamp", "is %q, not RFC 3339 in UTC", e.Timestamp)
	}
	properties, ok := o.object("properties", RuleProperty)
	if !ok {
		return e
	}
	e.Properties = properties.members
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
	o.only(RuleUnknownField, "uuid", "event", "distinct_id", "timestamp", "properties", "$set", "$set_once")
	e.SessionID, _ = properties.text("$session_id")
	library := properties
	library.rule = RuleLibrary
	library.filled("$lib", "$lib_version")
	properties.bools("$cookieless_mode", "$ignore_sent_at", "$process_person_profile")
	properties.texts("$window_id")
}

func checkV1Event(o, properties object, e *Event) {
	o.only(RuleUnknownField, "uuid", "event", "distinct_id", "timestamp", "session_id", "window_id", "options", "properties")
	e.SessionID, _ = o.text("session_id")
	o.texts("window_id")
	for _, name := range lifted {
		if _, ok := properties.members[name]; ok {
			properties.breaks(RuleLifted, name, "stands beside the properties in v1")
		}
	}
	o.require("options")
	options, ok := o.object("options", RuleOptions)
	if !ok {
		return
	}
	e.Options = options.members
	options.only(RuleOptions, "cookieless_mode", "disable_skew_correction", "process_person_profile", "product_tour_id")
	for name, value := range options.members {
		switch value.(type) {
		case bool, string, json.Number:
		default:
			options.breaks(RuleOptions, name, "is %T, not a boolean, a string or a number", value)
		}
	}
}

// hasProfile reports whether an event asks for a person profile.
func (e *Event) hasProfile(protocol Protocol) bool {
	if protocol == V1 {
		return e.Options["process_person_profile"] != false
	}
	return e.Properties["$process_person_profile"] != false
}

// checkProperties looks at properties that any event may have.
func checkProperties(properties object) {
	properties.object("$set", RuleProperty)
	properties.object("$set_once", RuleProperty)
	if unset, ok := properties.members["$unset"]; ok {
		if _, ok := unset.([]any); !ok {
			properties.breaks(RuleProperty, "$unset", "is %T, not an array", unset)
		}
	}
	if groups, ok := properties.object("$groups", RuleProperty); ok {
		for name, key := range groups.members {
			if text, ok := key.(string); !ok || text == "" || name == "" {
				groups.breaks(RuleProperty, name, "is %#v, not the key of a group", key)
			}
		}
	}
	properties.texts("$current_url", "$host", "$pathname", "$referrer", "$lib", "$lib_version")
	properties.bools("$geoip_disable", "$is_server")
	ip, hasIP := properties.text("$ip")
	if _, err := netip.ParseAddr(ip); hasIP && err != nil {
		properties.breaks(RuleGeoIP, "$ip", "is %q, not an address", ip)
	}
	if !hasIP && properties.members["$geoip_disable"] != true {
		properties.breaks(RuleGeoIP, "$geoip_disable", "is not true, and there is no $ip")
	}
}
