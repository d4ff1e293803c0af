// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"encoding/hex"

	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// encoder writes log records as Issues or logs. Its fields outlive an event. The event itself is read
// into an issue, a logItem or a spanItem, which is then written phase by phase.
type encoder struct {
	*backend
	names   *nameCache
	sources sources
	issues  issueReader
	scratch []byte // for ids and keys
}

var _ delivery.Encoder = (*encoder)(nil)

func newEncoder(b *backend) *encoder {
	destination := func(e *appevent.Event) string {
		text, _ := b.projects.destination(e.Attribute, e.Source.Resource.Attributes())
		return text
	}
	ns := newNameCache(newPrivacy(b.cfg))
	return &encoder{
		backend: b, names: ns,
		sources: sources{cfg: b.cfg, version: b.version, names: ns},
		issues:  newIssueReader(b.cfg, b.eventSDK, ns, destination),
	}
}

// Prepare implements delivery.Encoder: an Issue shows earlier records of its trace.
func (enc *encoder) Prepare(ld plog.Logs) { enc.issues.crumbs.prepare(appevent.Logs(ld)) }

// Reset implements delivery.Encoder.
func (enc *encoder) Reset() {
	enc.sources.reset()
	if enc.names.forgetIfLarge() {
		enc.sources.forget()
	}
	enc.issues.reset()
}

// Encode implements delivery.Encoder.
func (enc *encoder) Encode(w *delivery.Writer, e *appevent.Event) error {
	destination, err := enc.projects.destination(e.Attribute, e.Source.Resource.Attributes())
	switch {
	case err != nil:
		return err
	case enc.isIssue(e):
		if !enc.writeIssue(w, e, destination, nil) {
			return delivery.Skip(reasonDuplicate)
		}
	case !enc.cfg.Logs.Enabled:
		return delivery.Skip("logs_off")
	default:
		enc.writeLog(w, e, destination)
	}
	return nil
}

// isIssue reports whether a record becomes an Issue. A handled exception of a low severity does not:
// applications log exceptions that they expect at debug and info.
func (enc *encoder) isIssue(e *appevent.Event) bool {
	severity := e.SeverityLevel()
	switch {
	case !enc.cfg.Issues.Enabled:
		return false
	case !e.IsException():
		return severity >= enc.minSeverity
	case severity == plog.SeverityNumberUnspecified:
		severity = plog.SeverityNumberError
	}
	return severity >= enc.minExceptionSeverity || !e.Handled()
}

// reasonDuplicate is the reason why the second report of an exception is skipped.
const reasonDuplicate = "duplicate"

// writeIssue writes an Issue. It returns false, and writes nothing, if the exception was reported
// before. span is the span of a span event, and nil for a log record.
func (enc *encoder) writeIssue(w *delivery.Writer, e *appevent.Event, destination string, span *spanContext) bool {
	from := fromLogs
	if span != nil {
		from = fromTraces
	}
	id, duplicate := enc.pairing.identify(e, destination, from)
	if duplicate {
		return false
	}
	i := enc.issues.read(e, enc.sources.get(e.Source), id, span, destination)
	meta := delivery.Meta{ID: e.ID(), Name: e.Name, Time: e.Time, Category: categoryError, Destination: destination}
	payload := withinLimit(w.Begin(meta), enc.cfg.MaxEventBytes, func(dst []byte, t trim) []byte {
		i.values.trim = t
		return appendIssue(dst, &i)
	})
	enc.scratch = hex.AppendEncode(enc.scratch[:0], id[:])
	w.SetVendorID(enc.scratch)
	w.End(payload)
	return true
}

// writeLog writes an item of Sentry's logs.
func (enc *encoder) writeLog(w *delivery.Writer, e *appevent.Event, destination string) {
	var l logItem
	l.read(e, enc.sources.get(e.Source), enc.names)
	meta := delivery.Meta{ID: e.ID(), Name: e.Name, Time: e.Time, Category: categoryLog, Destination: destination}
	w.End(withinLimit(w.Begin(meta), enc.cfg.MaxEventBytes-containerOverhead, func(dst []byte, t trim) []byte {
		l.values.trim = t
		return appendLog(dst, &l)
	}))
}
