// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsontemplate"
	"github.com/otelcol-fanout/otelcol-fanout/internal/strictconf"
)

// maxDedupKey limits the characters of a dedup_key (PagerDuty, "Events API v2").
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

// appendTemplate appends the body that the templates render for the event.
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
	dst[brace] = ',' // replaces the brace that opens the second object: the two become one
	return dst, nil
}

var errNoAction = errors.New("pagerduty::event_action: must render trigger, acknowledge or resolve, but renders something else; write a template that renders one of them for every event")

// renderPagerDuty appends an open object with the action and the alert that it applies to.
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

// shortKey returns the key, or a digest of one that is too long. A truncated key could merge two
// alerts.
func shortKey(key string) string {
	if len(key) <= maxDedupKey {
		return key
	}
	digest := sha256.Sum256([]byte(key))
	return hex.EncodeToString(digest[:])
}

// withRoutingKey returns the body of an event: its payload with the key as the first member. The
// key is added here so that it is neither in the queue nor in dead letters.
func withRoutingKey(payload []byte, key string) []byte {
	body := make([]byte, 0, len(payload)+len(key)+len(`{"routing_key":"",`))
	body = jsonappend.String(append(body, `{"routing_key":`...), key)
	return append(append(body, ','), bytes.TrimPrefix(payload, []byte("{"))...)
}
