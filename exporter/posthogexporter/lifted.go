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
	propSession     = "$session_id"
	propWindow      = "$window_id"
	propProductTour = "$product_tour_id"
)

// lifted holds the attributes that capture v1 expects next to the properties of an event.
type lifted struct {
	session, window     string
	process, cookieless option
	productTour         pcommon.Value
	hasProductTour      bool
}

// option is a boolean option of an event.
type option struct{ isSet, value bool }

// lift stores an attribute that belongs next to the properties, and reports whether it is one. A
// value of a type that PostHog does not accept there stays a property.
func (l *lifted) lift(name string, v pcommon.Value) bool {
	switch name {
	case propSession:
		return liftText(&l.session, v)
	case propWindow:
		return liftText(&l.window, v)
	case propProductTour:
		return l.liftProductTour(v)
	}
	return false
}

// set stores a boolean option. It ignores $ignore_sent_at, because append always turns that on.
func (l *lifted) set(name string, value bool) {
	switch {
	case name == propProcessPerson && !l.process.isSet:
		l.process = option{isSet: true, value: value}
	case name == propCookieless && !l.cookieless.isSet:
		l.cookieless = option{isSet: true, value: value}
	}
}

func liftText(field *string, v pcommon.Value) bool {
	if v.Type() != pcommon.ValueTypeStr || *field != "" {
		return false
	}
	*field = v.Str()
	return true
}

func (l *lifted) liftProductTour(v pcommon.Value) bool {
	if v.Type() != pcommon.ValueTypeStr && v.Type() != pcommon.ValueTypeInt {
		return false
	}
	if !l.hasProductTour {
		l.productTour, l.hasProductTour = v, true
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
	case l.process.isSet:
		dst = jsonappend.Bool(append(dst, `,"process_person_profile":`...), l.process.value)
	case !profile:
		dst = append(dst, `,"process_person_profile":false`...)
	}
	if l.cookieless.isSet {
		dst = jsonappend.Bool(append(dst, `,"cookieless_mode":`...), l.cookieless.value)
	}
	if l.hasProductTour {
		dst = values.Value(append(dst, `,"product_tour_id":`...), l.productTour)
	}
	return append(dst, '}')
}
