// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package transport

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// Response is a backend's response to a [Request].
type Response struct {
	Status int
	Header http.Header
	// Body is the body up to 64 KiB; Truncated is true if there was more.
	Body      []byte
	Truncated bool
	// ReceivedAt is when the response arrived.
	ReceivedAt time.Time

	// request is the request as it was sent, with all headers; nil in tests.
	request *http.Request
}

// maxQuoted is the number of bytes of a response's body that a message quotes.
const maxQuoted = 256

// maxRead is the number of bytes in which secrets are looked for: more than maxQuoted, so that a
// secret at the end is found whole.
const maxRead = maxQuoted + 4096

// StatusMessage describes a response: its status, and the beginning of the body if that is text. It
// holds no secret.
func StatusMessage(response *Response) string {
	message := fmt.Sprintf("the backend answered %d", response.Status)
	// Secrets are removed before the text is cut, so that no part of one is left.
	text := response.Redact(string(response.Body[:min(len(response.Body), maxRead)]))
	body := strings.ToValidUTF8(text[:min(len(text), maxQuoted)], "")
	body = strings.Join(strings.Fields(body), " ")
	if body == "" || strings.HasPrefix(body, "<") || !utf8.ValidString(text[:min(len(text), maxQuoted-utf8.UTFMax)]) {
		return message
	}
	return message + ": " + body
}

// RetryAfter returns the wait that the Retry-After header of a response asks for (RFC 9110, section
// 10.2.3): seconds, also with a fraction, or a date. It is 0 for a date in the past, and for anything
// else. It is not bounded here.
func RetryAfter(response *Response) time.Duration {
	value := response.Header.Get("Retry-After")
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
		return max(0, date.Sub(response.ReceivedAt))
	}
	return 0
}
