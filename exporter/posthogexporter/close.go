// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import "github.com/otelcol-fanout/otelcol-fanout/internal/delivery"

// close is the last phase. It writes whether the event has a person profile, the properties of its
// source and the fields next to the properties.
func (enc *encoder) close(w *delivery.Writer, dst []byte, ev *event) error {
	profile := ev.needsProfile || enc.hasProfile(&ev.who)
	if err := ev.checkDropped(profile); err != nil {
		ev.props.End()
		return err
	}
	if ev.protocol == ProtocolBatch && !profile {
		dst = ev.props.boolean(dst, propProcessPerson, false)
	}
	if ev.ofClient {
		ev.suffix = ev.source.withoutServer(ev.suffix)
	}
	dst = ev.suffix.append(dst, &ev.props, ev.overridden)
	ev.props.End()
	dst = append(dst, '}')
	if ev.protocol == ProtocolV1 {
		dst = ev.lifted.append(dst, &enc.values, profile)
	}
	w.End(append(dst, '}'))
	return nil
}

// hasProfile reports whether PostHog processes the person.
func (enc *encoder) hasProfile(who *identity) bool {
	switch enc.cfg.PersonProfiles {
	case ProfilesNever:
		return false
	case ProfilesIdentifiedOnly:
		return who.known() && !who.anonymous
	default:
		return who.known()
	}
}
