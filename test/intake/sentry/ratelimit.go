// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryintake

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// bareLimit is how long a 429 lasts that does not say it (sentry-docs: transport/rate-limiting.mdx).
const bareLimit = 60 * time.Second

// rateLimits are the limits that were answered, by project and category. The category "" is all of them.
type rateLimits map[*Project]map[string]rateLimit

// rateLimit is what a project may not send for a while.
type rateLimit struct {
	category string
	until    time.Time // by the intake's clock
	answered time.Time // by the real clock
}

// header is the limit as X-Sentry-Rate-Limits, with what is left of it.
func (l rateLimit) header(now time.Time) string {
	return fmt.Sprintf("%.3f:%s:organization:", l.until.Sub(now).Seconds(), l.category)
}

// forbids finds a limit for one of the items. Reports of what was dropped are never limited.
func (l rateLimits) forbids(project *Project, items []Item, now time.Time) (rateLimit, bool) {
	for i := range items {
		for _, category := range categoriesOf(&items[i]) {
			for _, name := range []string{category, ""} {
				if limit, ok := l[project][name]; ok && now.Before(limit.until) {
					return limit, true
				}
			}
		}
	}
	return rateLimit{}, false
}

// learn keeps what an answer limits: X-Sentry-Rate-Limits with any status; without it, Retry-After of a 429, and without
// that, a minute.
func (l rateLimits) learn(project *Project, reply *Reply, now time.Time) {
	if reply.Reset {
		return
	}
	if values := reply.Header.Values("X-Sentry-Rate-Limits"); len(values) > 0 {
		for _, limit := range parseRateLimits(strings.Join(values, ",")) {
			l.keep(project, limit.category, now.Add(limit.after))
		}
		return
	}
	if reply.Seen() != http.StatusTooManyRequests {
		return
	}
	l.keep(project, "", now.Add(parseRetryAfter(reply.Header.Get("Retry-After"), now)))
}

// keep keeps the longer one of two limits.
func (l rateLimits) keep(project *Project, category string, until time.Time) {
	if l[project] == nil {
		l[project] = map[string]rateLimit{}
	}
	if until.After(l[project][category].until) {
		l[project][category] = rateLimit{category: category, until: until, answered: time.Now()}
	}
}

// announced is a limit of a category as it stands in a header.
type announced struct {
	category string
	after    time.Duration
}

// parseRateLimits reads X-Sentry-Rate-Limits: retry_after:categories:scope:reason:namespaces, and so on. Categories that are
// not known are passed over; none at all are all of them.
func parseRateLimits(value string) []announced {
	var limits []announced
	for limit := range strings.SplitSeq(strings.ReplaceAll(value, " ", ""), ",") {
		fields := strings.Split(limit, ":")
		seconds, err := strconv.ParseFloat(fields[0], 64)
		if err != nil || seconds < 0 {
			continue
		}
		after := time.Duration(seconds * float64(time.Second))
		if len(fields) == 1 || fields[1] == "" {
			limits = append(limits, announced{"", after})
			continue
		}
		for category := range strings.SplitSeq(fields[1], ";") {
			if categories[category] {
				limits = append(limits, announced{category, after})
			}
		}
	}
	return slices.Clip(limits)
}

// parseRetryAfter reads Retry-After: seconds, with a fraction or without one, or a date.
func parseRetryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseFloat(value, 64); err == nil && seconds >= 0 {
		return time.Duration(seconds * float64(time.Second))
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now))
	}
	return bareLimit
}
