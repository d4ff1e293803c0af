// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package acmeexporter

import (
	"fmt"
	"math"
	"unicode/utf8"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// maxName is the maximum length of an event's name, in characters
// (https://docs.acme.example/ingest#event).
const maxName = 100

// encoder writes events as Acme's JSON objects.
type encoder struct{ values jsonappend.Writer }

// Encode implements delivery.Encoder.
func (enc *encoder) Encode(w *delivery.Writer, e *appevent.Event) error {
	if err := check(e); err != nil {
		return err
	}
	id := e.ID()
	dst := w.Begin(delivery.Meta{ID: id, Name: e.Name, Time: e.Time})
	dst = jsonappend.String(append(dst, `{"id":`...), id)
	dst = jsonappend.String(append(dst, `,"event":`...), e.Name)
	if user := userOf(e); user != "" {
		dst = jsonappend.String(append(dst, `,"user":`...), user)
	}
	if e.Time != 0 && e.Time <= math.MaxInt64 { // larger values are not dates
		dst = jsonappend.Time(append(dst, `,"time":`...), e.Time)
	}
	dst = enc.appendProps(append(dst, `,"props":`...), e)
	w.End(append(dst, '}'))
	return nil
}

// Prepare implements delivery.Encoder. It does nothing: each event is encoded on its own.
func (*encoder) Prepare(plog.Logs) {}

// Reset implements delivery.Encoder. It does nothing: the encoder keeps no data from events.
func (*encoder) Reset() {}

// check returns a Skip for events that are not meant for Acme, and an error for events that Acme
// would refuse.
func check(e *appevent.Event) error {
	switch {
	case !e.IsEvent():
		return delivery.Skip("plain_log")
	case e.Kind != appevent.KindTrack:
		return delivery.Skip("kind_" + e.Kind.String())
	case e.Name == "":
		return delivery.Skip("exception")
	}
	if n := utf8.RuneCountInString(e.Name); n > maxName {
		return fmt.Errorf("the name has %d characters, but Acme accepts %d; shorten it", n, maxName)
	}
	return nil
}

func userOf(e *appevent.Event) string {
	if e.User.ID != "" {
		return e.User.ID
	}
	return e.User.AnonymousID
}

func (enc *encoder) appendProps(dst []byte, e *appevent.Event) []byte {
	dst = append(dst, '{')
	props := enc.values.Members()
	for name, value := range e.Properties() {
		dst = props.Append(dst, name, value)
	}
	props.End()
	return append(dst, '}')
}
