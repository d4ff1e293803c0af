// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletter

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonappend"
)

// AppendLine appends the dead letter as a JSON object and a line feed. A payload that is a JSON
// object or array is embedded, so that users can read and edit it; other text becomes a string, and
// binary data becomes base64 in payload_base64. All three parse back to the same bytes.
func (l *Letter) AppendLine(dst []byte) []byte {
	dst = append(dst, `{"exporter":`...)
	dst = jsonappend.String(dst, l.Exporter)
	dst = appendText(dst, "signal", l.Signal)
	dst = appendText(dst, "id", l.ID)
	dst = appendText(dst, "name", l.Name)
	dst = appendTime(dst, "time", l.Time)
	dst = appendText(dst, "reason", string(l.Reason))
	if l.Status != 0 {
		dst = append(dst, `,"status":`...)
		dst = strconv.AppendInt(dst, int64(l.Status), 10)
	}
	dst = appendText(dst, "message", l.Message)
	dst = append(dst, `,"attempts":`...)
	dst = strconv.AppendInt(dst, int64(l.Attempts), 10)
	dst = appendTime(dst, "failed_at", l.FailedAt)
	dst = appendText(dst, "category", l.Category)
	dst = appendText(dst, "destination", l.Destination)
	if len(l.OTLP) > 0 {
		dst = append(dst, `,"otlp":`...)
		dst = append(dst, l.OTLP...)
	}
	dst = appendPayload(dst, l.Payload)
	return append(dst, '}', '\n')
}

func appendPayload(dst, payload []byte) []byte {
	switch {
	case len(payload) == 0:
		return dst
	case isLineOfJSON(payload):
		dst = append(dst, `,"payload":`...)
		return append(dst, payload...)
	case utf8.Valid(payload):
		dst = append(dst, `,"payload":`...)
		return jsonappend.String(dst, string(payload))
	default:
		dst = append(dst, `,"payload_base64":"`...)
		dst = base64.StdEncoding.AppendEncode(dst, payload)
		return append(dst, '"')
	}
}

// isLineOfJSON reports whether the payload is a JSON object or array without line breaks.
func isLineOfJSON(payload []byte) bool {
	if c := payload[0]; c != '{' && c != '[' {
		return false
	}
	for _, c := range payload {
		if c == '\n' || c == '\r' {
			return false
		}
	}
	last := payload[len(payload)-1]
	return (last == '}' || last == ']') && jsontext.Value(payload).IsValid(jsontext.AllowDuplicateNames(true))
}

func appendText(dst []byte, name, s string) []byte {
	if s == "" {
		return dst
	}
	dst = append(dst, ',', '"')
	dst = append(dst, name...)
	dst = append(dst, '"', ':')
	return jsonappend.String(dst, s)
}

func appendTime(dst []byte, name string, t time.Time) []byte {
	if t.IsZero() {
		return dst
	}
	return appendText(dst, name, t.UTC().Format(time.RFC3339Nano))
}

// line is the JSON form of a dead letter.
type line struct {
	Exporter      string          `json:"exporter"`
	Signal        string          `json:"signal"`
	ID            string          `json:"id"`
	Name          string          `json:"name"`
	Time          time.Time       `json:"time"`
	Reason        Reason          `json:"reason"`
	Status        int             `json:"status"`
	Message       string          `json:"message"`
	Attempts      int             `json:"attempts"`
	FailedAt      time.Time       `json:"failed_at"`
	Category      string          `json:"category"`
	Destination   string          `json:"destination"`
	OTLP          json.RawMessage `json:"otlp"`
	Payload       json.RawMessage `json:"payload"`
	PayloadBase64 []byte          `json:"payload_base64"`
}

// ParseLine is the inverse of [Letter.AppendLine]. It also accepts edited lines: it ignores unknown
// members and white space.
func ParseLine(text []byte) (Letter, error) {
	var in line
	if err := json.Unmarshal(text, &in); err != nil {
		return Letter{}, fmt.Errorf("not a dead letter: %w", err)
	}
	payload, err := in.payload()
	if err != nil {
		return Letter{}, err
	}
	if in.Exporter == "" || len(payload) == 0 && len(in.OTLP) == 0 {
		return Letter{}, errors.New("not a dead letter: it needs an exporter, and a payload or otlp")
	}
	return Letter{
		Exporter: in.Exporter, Signal: in.Signal, ID: in.ID, Name: in.Name, Time: in.Time,
		Reason: in.Reason, Status: in.Status, Message: in.Message, Attempts: in.Attempts, FailedAt: in.FailedAt,
		Category: in.Category, Destination: in.Destination, Payload: payload, OTLP: in.OTLP,
	}, nil
}

func (in *line) payload() ([]byte, error) {
	if len(in.PayloadBase64) > 0 {
		return in.PayloadBase64, nil
	}
	if len(in.Payload) == 0 || in.Payload[0] != '"' {
		return in.Payload, nil
	}
	var text string
	if err := json.Unmarshal(in.Payload, &text); err != nil {
		return nil, fmt.Errorf("not a dead letter: payload: %w", err)
	}
	return []byte(text), nil
}
