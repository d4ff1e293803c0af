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
	// Body is the body up to 64 KiB, and Truncated whether there was more of it.
	Body      []byte
	Truncated bool
	// ReceivedAt is when it came.
	ReceivedAt time.Time

	// request is what was sent, with all headers; nil where a test has made the response.
	request *http.Request
}

// maxQuoted is how many bytes of a response's body go into a message.
const maxQuoted = 256

// maxRead is how many bytes of a response's body are looked at for it: more, by the length of any
// secret.
const maxRead = maxQuoted + 4096

// StatusMessage is what the backend answered: the status, and the beginning of the body where that
// is text. It holds no secret.
func StatusMessage(response *Response) string {
	message := fmt.Sprintf("the backend answered %d", response.Status)
	// A secret is taken out before the text is cut, so that no part of it is left.
	text := response.Redact(string(response.Body[:min(len(response.Body), maxRead)]))
	body := strings.ToValidUTF8(text[:min(len(text), maxQuoted)], "")
	body = strings.Join(strings.Fields(body), " ")
	if body == "" || strings.HasPrefix(body, "<") || !utf8.ValidString(text[:min(len(text), maxQuoted-utf8.UTFMax)]) {
		return message
	}
	return message + ": " + body
}

// RetryAfter reads the Retry-After of a response (RFC 9110, section 10.2.3): seconds, with a
// fraction as some servers send them, or a date. It is 0 for a time that is past, and for what is
// neither. Delivery bounds it.
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
