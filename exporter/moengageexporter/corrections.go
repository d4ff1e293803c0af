// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageexporter

import (
	"context"
	"math/bits"
	"slices"

	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/otelcol-fanout/otelcol-fanout/internal/throttle"
)

// correction is a change to an event, or the decision not to send it, where MoEngage would silently
// truncate or drop something.
type correction int

// The corrections, the worst first.
const (
	// correctedEventNames: an event was not sent at all, because there are too many names.
	correctedEventNames correction = iota
	// correctedCustomerID: an attribute had an ID that MoEngage refuses.
	correctedCustomerID
	// correctedUserAttributes, correctedAttributes: an attribute was left out, because there are
	// too many.
	correctedUserAttributes
	correctedAttributes
	// correctedDuplicate: an attribute was left out, because another one has the same name, possibly
	// only after a correction.
	correctedDuplicate
	// correctedDepth: a map was left out, because it is nested too deeply.
	correctedDepth
	// correctedNotANumber: an attribute was left out, because JSON cannot represent the number.
	correctedNotANumber
	// correctedURL: a URL lost its query, or was left out.
	correctedURL
	// correctedValue, correctedItems, correctedName: a value, an array or a name was truncated.
	correctedValue
	correctedItems
	correctedName
	// correctedTime: the time of an event was in the future, and became the current time.
	correctedTime
	// correctedArrayType: the items of an array became strings.
	correctedArrayType
	// correctedReserved: a name that MoEngage reserves got an additional underscore.
	correctedReserved

	// The corrections from here on lose nothing, and are counted but not logged.
	// correctedEmpty: an attribute without a name or a value was left out.
	correctedEmpty
	// correctedMap: the members of a map became attributes.
	correctedMap
	// correctedPeriod: periods in a name became underscores.
	correctedPeriod
	numCorrections

	firstHarmless = correctedEmpty
)

// correctionWords are the values of the metric's attribute reason.
var correctionWords = [numCorrections]string{
	correctedEventNames: "event_name_limit", correctedCustomerID: "refused_customer_id", correctedUserAttributes: "user_attribute_limit",
	correctedAttributes: "attribute_limit", correctedDuplicate: "duplicate_name", correctedDepth: "deep_map",
	correctedNotANumber: "not_a_number", correctedURL: "long_url", correctedValue: "long_value", correctedItems: "long_array",
	correctedName: "long_name", correctedTime: "future_time", correctedArrayType: "mixed_array", correctedReserved: "reserved_name",
	correctedEmpty: "empty_value", correctedMap: "flattened_map", correctedPeriod: "period_in_name",
}

// advice tells the operator what to do about each correction that is logged.
var advice = [numCorrections]string{
	correctedEventNames:     "events with further names are skipped: do the names contain IDs? list the names to send in event_names::allow, or have MoEngage raise the limit, and set event_names::max",
	correctedCustomerID:     "an attribute of customer_id::from has an ID that MoEngage refuses, such as null or 0: fix the application that sends it",
	correctedUserAttributes: "further user attributes are left out: send fewer, or have MoEngage raise the limit, and set max_user_attributes",
	correctedAttributes:     "MoEngage keeps 100 attributes per event, and the others are left out: send fewer",
	correctedDuplicate:      "two attributes of an event have the same name, possibly because periods become underscores: only the first is sent",
	correctedDepth:          "maps nested more than eight levels deep are left out: send flat attributes",
	correctedNotANumber:     "NaN and infinities are not valid in JSON: such attributes are left out",
	correctedURL:            "MoEngage refuses URLs of more than 512 characters: they are sent without their query, or not at all",
	correctedValue:          "MoEngage keeps 512 characters per value: send shorter ones",
	correctedItems:          "MoEngage keeps 50 items per array: send fewer",
	correctedName:           "MoEngage keeps 200 characters per name: shorten it",
	correctedTime:           "MoEngage refuses events from the future, so they get the current time: is the application's clock wrong?",
	correctedArrayType:      "MoEngage accepts arrays of numbers, of strings or of objects: items of other arrays become strings",
	correctedReserved:       "names that begin with moe_, and id and _id of users, are reserved for MoEngage: they are sent with another _",
}

// tally counts corrections.
type tally [numCorrections]int

// addBits counts each correction whose bit is set.
func (t *tally) addBits(made uint32) {
	for ; made != 0; made &= made - 1 {
		t[bits.TrailingZeros32(made)]++
	}
}

// losses is the part of a tally that is logged: the corrections that lose something.
type losses [firstHarmless]int

func (l *losses) add(more *losses) {
	for c, n := range more {
		l[c] += n
	}
}

func (l *losses) sum() int {
	total := 0
	for _, n := range l {
		total += n
	}
	return total
}

// corrections counts corrections, and logs the worst at most once a minute. Its methods are safe
// for concurrent use.
type corrections struct {
	counter metric.Int64Counter
	reasons [numCorrections]metric.AddOption
	logger  *zap.Logger
	lines   *throttle.Log[losses]
}

func newCorrections(set exporter.Settings) (*corrections, error) {
	meter := set.MeterProvider.Meter("github.com/otelcol-fanout/otelcol-fanout/exporter/moengageexporter")
	counter, err := meter.Int64Counter("otelcol_fanout_moengage_corrections_total", metric.WithUnit("{correction}"),
		metric.WithDescription("Corrections of events that MoEngage would silently truncate or drop, by reason."))
	c := &corrections{counter: counter, logger: set.Logger}
	c.lines = throttle.NewLog(c.logWorst)
	for i, word := range correctionWords {
		c.reasons[i] = metric.WithAttributeSet(attribute.NewSet(attribute.String("exporter", set.ID.String()), attribute.String("reason", word)))
	}
	return c, err
}

// add counts the corrections that were noted, and resets noted.
func (c *corrections) add(noted *tally) {
	for i, n := range noted {
		if n > 0 {
			c.counter.Add(context.Background(), int64(n), c.reasons[i])
		}
	}
	lost := losses(noted[:firstHarmless])
	*noted = tally{}
	if lost == (losses{}) {
		return
	}
	c.lines.Add(lost.sum(), func(pending *losses) { pending.add(&lost) })
}

// logWorst logs the worst of the corrections. There is at least one.
func (c *corrections) logWorst(made throttle.Summary, lost losses) {
	worst := slices.IndexFunc(lost[:], func(n int) bool { return n > 0 })
	c.logger.Warn("Events were corrected, because MoEngage would silently truncate or drop parts of them",
		append([]zap.Field{zap.String("worst", correctionWords[worst]), zap.String("what_to_do", advice[worst]), zap.Int("times", lost[worst])},
			made.Fields("corrections")...)...)
}
