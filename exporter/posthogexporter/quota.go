// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package posthogexporter

import "strings"

// The resources that PostHog bills separately, by their names in quota_limited
// (rust/capture/src/quota_limiters.rs in PostHog/posthog). Queues on disk hold them as Meta.Key: do
// not change them.
const (
	resourceExceptions = "exceptions"
	resourceLLM        = "llm_events"
	resourceSurveys    = "surveys"
)

// prefixSurvey is the prefix of the names of survey events.
const prefixSurvey = "survey "

// resourceOf returns the resource that PostHog bills an event of this name for. It is empty for
// ordinary events.
func resourceOf(event string) string {
	switch {
	case event == eventException:
		return resourceExceptions
	case strings.HasPrefix(event, prefixAI):
		return resourceLLM
	case strings.HasPrefix(event, prefixSurvey):
		return resourceSurveys
	}
	return ""
}

// isLimited reports whether events of the resource have reached their billing limit. An unknown
// name in limited applies to all events.
func isLimited(resource string, limited []string) bool {
	for _, name := range limited {
		switch name {
		case resourceExceptions, resourceLLM, resourceSurveys:
			if resource == name {
				return true
			}
		case "ai_events":
			if resource == resourceLLM {
				return true
			}
		case "recordings", "replays", "session_replays", "feature_flags", "feature_flag_requests", "logs":
			// This exporter sends none of these.
		default:
			return true
		}
	}
	return false
}
