// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

// DefaultAnswer is what an HTTP status means where a backend has no rules of its own: 2xx is delivered; 408, 425, 429,
// 500, 502, 503 and 504 may pass; 400, 413 and 422 are about some event of the request; all else is refused.
func DefaultAnswer(req *Request, response *Response) Verdict {
	status := response.Status
	said := Said(response)
	refused := func(kind Kind, reason deadletter.Reason, message string) Verdict {
		return Verdict{Outcome: Outcome{Kind: kind, Reason: reason, Message: message}}
	}
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return Verdict{Outcome: Outcome{Kind: Retry, Message: said}, Wait: RetryAfter(response)}
	case http.StatusUnauthorized, http.StatusForbidden:
		return refused(Refused, deadletter.ReasonUnauthorized, said+"; check the credentials")
	case http.StatusRequestEntityTooLarge:
		return refused(Unknown, deadletter.ReasonTooLarge, fmt.Sprintf("%s to a request of %d bytes", said, req.Size()))
	case http.StatusBadRequest, http.StatusUnprocessableEntity:
		return refused(Unknown, deadletter.ReasonRefused, said)
	}
	switch status / 100 {
	case 2:
		return Verdict{}
	case 3:
		return refused(Refused, deadletter.ReasonRedirected, said+"; redirects are not followed, write the URL it redirects to")
	default:
		return refused(Refused, deadletter.ReasonRefused, said)
	}
}

// maxSaid is how much of an answer's body goes into a message.
const maxSaid = 256

// maxRead is how much of an answer's body is looked at for it, which is more by the length of any secret.
const maxRead = maxSaid + 4096

// Said is what the backend said: the status, and the beginning of the body where that is text.
func Said(response *Response) string {
	said := fmt.Sprintf("the backend answered %d", response.Status)
	// A secret is taken out before the text is cut, so that no part of it is left.
	text := withoutSecrets(string(response.Body[:min(len(response.Body), maxRead)]), response.request)
	body := strings.ToValidUTF8(text[:min(len(text), maxSaid)], "")
	body = strings.Join(strings.Fields(body), " ")
	if body == "" || strings.HasPrefix(body, "<") || !utf8.ValidString(text[:min(len(text), maxSaid-utf8.UTFMax)]) {
		return said
	}
	return said + ": " + body
}

// RetryAfter reads the answer's Retry-After (RFC 9110, section 10.2.3), be it seconds, with a fraction as some servers
// send, or a date. It is 0 for what is neither, or past. Delivery bounds it.
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
