// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"errors"
	"fmt"
	"strings"

	"go.opentelemetry.io/collector/pdata/pcommon"
)

// Boolean options of an event. The batch protocol reads them from the properties, and accepts only
// JSON's true and false; capture v1 reads them from the member options.
const (
	propProcessPerson = "$process_person_profile"
	propCookieless    = "$cookieless_mode"
	propIgnoreSentAt  = "$ignore_sent_at"
)

func isOption(name string) bool {
	return name == propProcessPerson || name == propCookieless || name == propIgnoreSentAt
}

// booleanOf reads a boolean as capture v1 does, and reports whether the value is one (coerce_bool in
// v1/analytics/types.rs in PostHog/posthog).
func booleanOf(v pcommon.Value) (value, ok bool) {
	switch v.Type() {
	case pcommon.ValueTypeBool:
		return v.Bool(), true
	case pcommon.ValueTypeInt:
		return v.Int() != 0, true
	case pcommon.ValueTypeDouble:
		return v.Double() != 0, v.Double()-v.Double() == 0 // JSON has no NaN and no infinities
	case pcommon.ValueTypeStr:
		switch strings.ToLower(strings.TrimSpace(v.Str())) {
		case "true", "1":
			return true, true
		case "false", "0":
			return false, true
		}
	}
	return false, false
}

// appendOption appends an option as a boolean, or stores it for capture v1.
func (enc *encoder) appendOption(dst []byte, ev *event, name string, v pcommon.Value) []byte {
	value, ok := booleanOf(v)
	if !ok {
		enc.notices.count(noticeInvalidOption, 1)
		return enc.appendInvalidOption(dst, ev, name, v)
	}
	ev.cookieless = ev.cookieless || name == propCookieless && value
	ev.noProfile = ev.noProfile || name == propProcessPerson && !value
	if ev.protocol == ProtocolV1 {
		ev.lifted.set(name, value)
		return dst
	}
	return ev.props.boolean(dst, name, value)
}

// appendInvalidOption appends an option without a boolean as a property. Capture v1 drops an event with
// such an option. The batch protocol ignores it, but refuses $cookieless_mode.
func (enc *encoder) appendInvalidOption(dst []byte, ev *event, name string, v pcommon.Value) []byte {
	switch {
	case ev.protocol == ProtocolV1:
	case name == propCookieless:
		ev.problem = errCookielessMode
		return dst
	case name == propProcessPerson && !enc.hasProfile(&ev.who):
		return dst // it would replace the false that close writes
	}
	return ev.props.Append(dst, name, v)
}

// errCookielessMode refuses an event for which PostHog would refuse the whole request
// (extract_is_cookieless_mode in rust/common/types of PostHog/posthog).
var errCookielessMode = errors.New("the attribute $cookieless_mode is neither true nor false, and PostHog refuses such events; send a boolean")

// checkDropped returns an error for an event that PostHog would accept and then drop. profile says
// whether the event has a person profile by default.
func (ev *event) checkDropped(profile bool) error {
	switch {
	case ev.problem != nil:
		return ev.problem
	case ev.title == "$performance_event":
		return errors.New("PostHog accepts events named $performance_event, but drops them; use another name, or map it to one in event_names::map")
	case !ev.needsProfile && setsPersons(ev.title) && (!profile || ev.noProfile):
		return fmt.Errorf("PostHog drops a %s without a person profile; set user.id and remove $process_person_profile, or see person_profiles", ev.title)
	case ev.cookieless:
		return ev.checkCookieless()
	}
	return nil
}

// setsPersons reports whether PostHog drops events of a name that have no person profile
// (nodejs/src/worker/ingestion/event-pipeline in PostHog/posthog,
// invalid_event_when_process_person_profile_is_false).
func setsPersons(title string) bool {
	switch title {
	case eventIdentify, eventAlias, eventGroup, "$merge_dangerously":
		return true
	}
	return false
}

// checkCookieless checks for the properties by which PostHog tells people apart in cookieless mode
// (nodejs/src/ingestion/common/cookieless/cookieless-manager.ts in PostHog/posthog).
func (ev *event) checkCookieless() error {
	for _, name := range [...]string{"$raw_user_agent", propHost} {
		if _, isMissing := ev.props.Name(nil, name); isMissing {
			return fmt.Errorf("the event has $cookieless_mode but no %s, and PostHog drops such events; set the attribute %s", name, name)
		}
	}
	return nil
}
