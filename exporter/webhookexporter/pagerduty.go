// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsontemplate"
	"github.com/otelcol-fanout/otelcol-fanout/internal/strictconf"
)

// maxDedupKey is how many characters a dedup_key may have (PagerDuty, "Events API v2").
const maxDedupKey = 255

const defaultAction = "trigger"

func (t *templates) parsePagerDuty(cfg *PagerDutyConfig) error {
	action := cfg.Action
	strictconf.Default(&action, defaultAction)
	var err error
	if t.action, err = jsontemplate.ParseText(action, "pagerduty::event_action"); err != nil || cfg.DedupKey == "" {
		return err
	}
	t.dedupKey, err = jsontemplate.ParseText(cfg.DedupKey, "pagerduty::dedup_key")
	return err
}

// appendTemplate appends what the templates make of the event.
func (enc *encoder) appendTemplate(dst []byte, e *appevent.Event) ([]byte, error) {
	document, err := enc.document(e)
	if err != nil {
		return nil, err
	}
	if enc.cfg.Format != FormatPagerDuty {
		return enc.templates.body.Append(dst, document)
	}
	if dst, err = enc.templates.renderPagerDuty(dst, document); err != nil {
		return nil, err
	}
	brace := len(dst)
	if dst, err = enc.templates.body.Append(dst, document); err != nil {
		return nil, err
	}
	dst[brace] = ',' // in the place of the brace with which the object began
	return dst, nil
}

var errNoAction = errors.New("pagerduty::event_action: does not become trigger, acknowledge or resolve; write a template that does for every event")

// renderPagerDuty appends the beginning of the event: what is done, and to which alert.
func (t *templates) renderPagerDuty(dst []byte, document map[string]any) ([]byte, error) {
	action, err := t.action.Render(document)
	if err != nil {
		return nil, err
	}
	switch action {
	case "trigger", "acknowledge", "resolve":
	default:
		return nil, errNoAction
	}
	dedupKey, _ := document["id"].(string) // it always has one
	if t.dedupKey != nil {
		if dedupKey, err = t.dedupKey.Render(document); err != nil {
			return nil, err
		}
	}
	dst = jsonappend.String(append(dst, `{"event_action":`...), action)
	return appendOptional(dst, "dedup_key", shortKey(dedupKey)), nil
}

// shortKey is a key, or a digest of one that is too long: to cut it off could make one alert of two.
func shortKey(key string) string {
	if len(key) <= maxDedupKey {
		return key
	}
	digest := sha256.Sum256([]byte(key))
	return hex.EncodeToString(digest[:])
}

// withRoutingKey puts the key into the body when it is sent, so that it is neither in the queue nor in dead letters.
func withRoutingKey(payload []byte, key string) []byte {
	body := make([]byte, 0, len(payload)+len(key)+len(`{"routing_key":"",`))
	body = jsonappend.String(append(body, `{"routing_key":`...), key)
	return append(append(body, ','), payload[1:]...)
}
