// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"
)

// judge says what an answer means for the events of its request: nil for delivered, a *retryError for what may
// pass, any other error for a refusal.
func judge(response *http.Response, maxWait time.Duration, now time.Time) error {
	status := response.StatusCode
	switch {
	case status >= 200 && status < 300:
		return nil
	case status >= 300 && status < 400:
		return fmt.Errorf("the webhook answered %d: redirects are not followed, write the URL it redirects to as the endpoint", status)
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return fmt.Errorf("the webhook answered %d: check the credentials in headers or auth", status)
	}
	err := fmt.Errorf("the webhook answered %d", status)
	if !isRetryable(status) {
		return err
	}
	return &retryError{err: err, wait: min(parseRetryAfter(response.Header.Get("Retry-After"), now), maxWait)}
}

func isRetryable(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// parseRetryAfter reads a Retry-After header (RFC 9110, section 10.2.3), be it seconds, with a fraction as some
// servers send, or a date. It is 0 for what is neither, or past.
func parseRetryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseFloat(value, 64); err == nil {
		switch {
		case math.IsNaN(seconds) || seconds <= 0:
			return 0
		case seconds > math.MaxInt64/float64(time.Second):
			return math.MaxInt64
		}
		return time.Duration(seconds * float64(time.Second))
	}
	if date, err := http.ParseTime(value); err == nil {
		return max(0, date.Sub(now))
	}
	return 0
}
