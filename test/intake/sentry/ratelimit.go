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

// bareLimit is the duration of a 429 without one (sentry-docs: transport/rate-limiting.mdx).
const bareLimit = 60 * time.Second

// rateLimits are the announced limits, by project and category. The category "" means all.
type rateLimits map[*Project]map[string]rateLimit

// rateLimit is a limit of one category.
type rateLimit struct {
	category  string
	until     time.Time // by the intake's clock
	announced time.Time // by the real clock
}

// header returns the rest of the limit as a value of X-Sentry-Rate-Limits.
func (l rateLimit) header(now time.Time) string {
	return fmt.Sprintf("%.3f:%s:organization:", l.until.Sub(now).Seconds(), l.category)
}

// forbids returns a limit for one of the items, if any. Client reports are never limited.
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

// learn records the limits in a response: X-Sentry-Rate-Limits with any status, or the Retry-After of
// a 429, or one minute for a bare 429.
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

// keep records a limit, unless a longer one is already recorded.
func (l rateLimits) keep(project *Project, category string, until time.Time) {
	if l[project] == nil {
		l[project] = map[string]rateLimit{}
	}
	if until.After(l[project][category].until) {
		l[project][category] = rateLimit{category: category, until: until, announced: time.Now()}
	}
}

// headerLimit is the limit of a category in a header.
type headerLimit struct {
	category string
	after    time.Duration
}

// parseRateLimits parses X-Sentry-Rate-Limits: retry_after:categories:scope:reason:namespaces, and
// more of them after commas. It ignores unknown categories. An empty list means all categories.
func parseRateLimits(value string) []headerLimit {
	var limits []headerLimit
	for limit := range strings.SplitSeq(strings.ReplaceAll(value, " ", ""), ",") {
		fields := strings.Split(limit, ":")
		seconds, err := strconv.ParseFloat(fields[0], 64)
		if err != nil || seconds < 0 {
			continue
		}
		after := time.Duration(seconds * float64(time.Second))
		if len(fields) == 1 || fields[1] == "" {
			limits = append(limits, headerLimit{"", after})
			continue
		}
		for category := range strings.SplitSeq(fields[1], ";") {
			if categories[category] {
				limits = append(limits, headerLimit{category, after})
			}
		}
	}
	return slices.Clip(limits)
}

// parseRetryAfter parses Retry-After: seconds, which may have a fraction, or a date.
func parseRetryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseFloat(value, 64); err == nil && seconds >= 0 {
		return time.Duration(seconds * float64(time.Second))
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now))
	}
	return bareLimit
}
