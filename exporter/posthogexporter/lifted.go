// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import (
	"go.opentelemetry.io/collector/pdata/pcommon"

	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// Fields that PostHog keeps as properties, but that capture v1 expects next to the properties
// (v1/analytics/types.rs in PostHog/posthog).
const (
	propSession       = "$session_id"
	propWindow        = "$window_id"
	propProcessPerson = "$process_person_profile"
	propCookieless    = "$cookieless_mode"
	propIgnoreSentAt  = "$ignore_sent_at"
	propProductTour   = "$product_tour_id"
)

// lifted holds the attributes that capture v1 expects next to the properties of an event.
type lifted struct {
	session, window                  string
	process, cookieless, productTour pcommon.Value
	has                              struct{ process, cookieless, productTour bool }
}

// lift stores an attribute that belongs next to the properties, and reports whether it is one.
func (l *lifted) lift(name string, v pcommon.Value) bool {
	switch name {
	case propSession:
		return liftText(&l.session, v)
	case propWindow:
		return liftText(&l.window, v)
	case propProcessPerson:
		return liftOption(&l.process, &l.has.process, v)
	case propCookieless:
		return liftOption(&l.cookieless, &l.has.cookieless, v)
	case propProductTour:
		return liftOption(&l.productTour, &l.has.productTour, v)
	case propIgnoreSentAt:
		return true // append always turns it on
	}
	return false
}

func liftText(field *string, v pcommon.Value) bool {
	if v.Type() != pcommon.ValueTypeStr || *field != "" {
		return false
	}
	*field = v.Str()
	return true
}

func liftOption(field *pcommon.Value, has *bool, v pcommon.Value) bool {
	switch v.Type() {
	case pcommon.ValueTypeBool, pcommon.ValueTypeStr, pcommon.ValueTypeInt:
	default:
		return false // PostHog would drop the event
	}
	if !*has {
		*field, *has = v, true
	}
	return true
}

// append appends the lifted attributes. It disables PostHog's clock skew correction, which relies
// on the clock of this machine, while the timestamps come from other machines.
func (l *lifted) append(dst []byte, values *jsonappend.Writer, profile bool) []byte {
	if l.session != "" {
		dst = jsonappend.String(append(dst, `,"session_id":`...), l.session)
	}
	if l.window != "" {
		dst = jsonappend.String(append(dst, `,"window_id":`...), l.window)
	}
	dst = append(dst, `,"options":{"disable_skew_correction":true`...)
	switch {
	case l.has.process:
		dst = values.Value(append(dst, `,"process_person_profile":`...), l.process)
	case !profile:
		dst = append(dst, `,"process_person_profile":false`...)
	}
	if l.has.cookieless {
		dst = values.Value(append(dst, `,"cookieless_mode":`...), l.cookieless)
	}
	if l.has.productTour {
		dst = values.Value(append(dst, `,"product_tour_id":`...), l.productTour)
	}
	return append(dst, '}')
}
