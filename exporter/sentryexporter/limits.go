// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package sentryexporter

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// Categories of data (Sentry's SDK documentation, "Rate Limiting", "Definitions").
const (
	categoryError       = "error"
	categoryTransaction = "transaction"
	categorySpan        = "span"
	categoryLog         = "log_item"
	categoryLogBytes    = "log_byte"
	categoryAll         = ""
)

// defaultLimit is the duration of a rate limit if the 429 response does not specify one (Sentry's SDK
// documentation, "Rate Limiting", "Stage 1").
const defaultLimit = 60 * time.Second

// maxLimit keeps a limit from blocking a project forever.
const maxLimit = 24 * time.Hour

// limits are the rate limits of a project: until when to send nothing of a category. Its methods are
// safe for concurrent use.
type limits struct {
	mu    sync.Mutex
	until map[string]time.Time
}

// of returns when items of the category may be sent again; the zero time if they may be sent now.
func (l *limits) of(category string, now time.Time) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	latest := time.Time{}
	for _, c := range governing(category) {
		if until := l.until[c]; until.After(now) && until.After(latest) {
			latest = until
		}
	}
	return latest
}

// governing returns the categories whose limits apply to items of a category. Logs are limited both by
// number and by bytes.
func governing(category string) []string {
	if category == categoryLog {
		return []string{categoryLog, categoryLogBytes, categoryAll}
	}
	return []string{category, categoryAll}
}

// learn reads the limits in a response of any status.
func (l *limits) learn(response *delivery.Response) {
	if header := strings.Join(response.Header.Values("X-Sentry-Rate-Limits"), ","); header != "" {
		l.extend(parseLimits(header, response.ReceivedAt))
		return
	}
	if response.Status != http.StatusTooManyRequests {
		return
	}
	wait := cmp.Or(delivery.RetryAfter(response), defaultLimit)
	l.extend(map[string]time.Time{categoryAll: response.ReceivedAt.Add(min(wait, maxLimit))})
}

// extend keeps the later of the old and the new limit of each category.
func (l *limits) extend(until map[string]time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.until == nil {
		l.until = map[string]time.Time{}
	}
	for category, t := range until {
		if t.After(l.until[category]) {
			l.until[category] = t
		}
	}
}

// parseLimits parses X-Sentry-Rate-Limits: retry_after:categories:scope:reason_code:namespaces, ...
// where semicolons separate the categories, and no category means all (Sentry's SDK documentation,
// "Rate Limiting"). It ignores invalid entries.
func parseLimits(header string, now time.Time) map[string]time.Time {
	until := map[string]time.Time{}
	for entry := range strings.SplitSeq(header, ",") {
		fields := strings.Split(strings.TrimSpace(entry), ":")
		seconds, err := strconv.ParseFloat(strings.TrimSpace(fields[0]), 64)
		if err != nil || !(seconds > 0) { // NaN is not greater than 0 either
			continue
		}
		wait := time.Duration(min(seconds, maxLimit.Seconds()) * float64(time.Second))
		for _, category := range limitedCategories(fields[1:]) {
			if t := now.Add(wait); t.After(until[category]) {
				until[category] = t
			}
		}
	}
	return until
}

func limitedCategories(fields []string) []string {
	if len(fields) == 0 || strings.TrimSpace(fields[0]) == "" {
		return []string{categoryAll}
	}
	var known []string
	for category := range strings.SplitSeq(fields[0], ";") {
		category = strings.TrimSpace(category)
		if slices.Contains([]string{categoryError, categoryTransaction, categorySpan, categoryLog, categoryLogBytes}, category) {
			known = append(known, category)
		}
	}
	return known
}
