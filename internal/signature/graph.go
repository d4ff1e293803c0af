// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package signature

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
)

// clientState is the member of a notification that repeats the subscription's secret.
const clientState = "clientState"

// matchClientStates returns the index of the secret that is the clientState of every notification in a
// body from Microsoft Graph. It compares in constant time.
func (v *Verifier) matchClientStates(body []byte) (secret int, err error) {
	var batch struct {
		Value []struct {
			ClientState string `json:"clientState"`
		} `json:"value"`
	}
	if json.Unmarshal(body, &batch) != nil || len(batch.Value) == 0 {
		return 0, ErrMissing
	}
	for i := range v.keys {
		equal := 1
		want := sha256.Sum256(v.keys[i].symmetric)
		for _, notification := range batch.Value {
			got := sha256.Sum256([]byte(notification.ClientState))
			equal &= subtle.ConstantTimeCompare(want[:], got[:])
		}
		if equal == 1 {
			return i, nil
		}
	}
	return 0, ErrWrong
}

// Notifications returns the notifications of a body from Microsoft Graph as a JSON array, without
// their secrets.
func Notifications(body []byte) ([]byte, error) {
	var batch struct {
		Value []map[string]json.RawMessage `json:"value"`
	}
	if err := json.Unmarshal(body, &batch); err != nil {
		return nil, errors.New("the body is not a collection of change notifications")
	}
	for _, notification := range batch.Value {
		delete(notification, clientState)
	}
	return json.Marshal(batch.Value)
}
