// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventreceiver

import (
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// cloudEventFormat returns the mode of a CloudEvent, and false if the request has none (CloudEvents
// HTTP binding, section 3).
func cloudEventFormat(r *http.Request, mediaType string) (bodyFormat, bool) {
	switch mediaType {
	case "application/cloudevents+json":
		return formatCloudEvent, true
	case "application/cloudevents-batch+json":
		return formatCloudEvents, true
	}
	isOtherFormat := strings.HasPrefix(mediaType, "application/cloudevents")
	return formatBinaryCloudEvent, !isOtherFormat && r.Header.Get(cloudHeaderPrefix+"Specversion") != ""
}

// asksPermission reports whether a sender of CloudEvents asks if it may send (CloudEvents webhook
// specification, section 4).
func asksPermission(r *http.Request) bool {
	return r.Method == http.MethodOptions && r.Header.Get("Webhook-Request-Origin") != ""
}

// servePermission lets any sender with a valid write key send at any rate.
func (h *eventsHandler) servePermission(w http.ResponseWriter, r *http.Request) {
	if err := h.authorize(r, &submission{}, h.keys.fromRequest(r, r.URL.Query())); err != nil {
		writeProblem(w, err)
		return
	}
	w.Header().Set("Webhook-Allowed-Origin", "*")
	w.Header().Set("Webhook-Allowed-Rate", "*")
	w.Header().Set("Allow", http.MethodPost)
	w.WriteHeader(http.StatusOK)
}

// cloudHeaderPrefix begins the headers of a CloudEvent in binary mode.
const cloudHeaderPrefix = "Ce-"

// binaryAttributes returns the attributes of a CloudEvent in binary mode, sorted by name.
func binaryAttributes(header http.Header) (iter.Seq2[string, string], error) {
	attributes := map[string]string{}
	for name, values := range header {
		name, ok := strings.CutPrefix(name, cloudHeaderPrefix)
		if !ok {
			continue
		}
		name = strings.ToLower(name)
		if len(values) > 1 {
			return nil, fmt.Errorf("ce-%.64s: given twice", name)
		}
		if name == "datacontenttype" {
			return nil, fmt.Errorf("ce-%s: not allowed in binary mode; use Content-Type", name)
		}
		value, err := decodeHeaderValue(values[0])
		if err != nil {
			return nil, fmt.Errorf("ce-%.64s: %w", name, err)
		}
		attributes[name] = value
	}
	return func(yield func(string, string) bool) {
		for _, name := range slices.Sorted(maps.Keys(attributes)) {
			if !yield(name, attributes[name]) {
				return
			}
		}
	}, nil
}

// decodeHeaderValue decodes quotes and percent-encoding in a header (section 3.1.3.2). A percent
// sign without two hexadecimal digits is kept: the CloudEvents SDK for Go does not encode it.
func decodeHeaderValue(text string) (string, error) {
	if quoted, ok := strings.CutPrefix(text, `"`); ok && len(quoted) > 0 && strings.HasSuffix(quoted, `"`) {
		text = unquoter.Replace(quoted[:len(quoted)-1])
	}
	value := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] == '%' && i+2 < len(text) {
			if octet, err := strconv.ParseUint(text[i+1:i+3], 16, 8); err == nil {
				value = append(value, byte(octet))
				i += 2
				continue
			}
		}
		value = append(value, text[i])
	}
	if !utf8.Valid(value) {
		return "", errors.New("is not UTF-8")
	}
	return string(value), nil
}

var unquoter = strings.NewReplacer(`\"`, `"`, `\\`, `\`)
