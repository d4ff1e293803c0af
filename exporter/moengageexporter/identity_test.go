// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageexporter

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

// TestUsualCustomerEqualsCustomerOf compares the fast path with the slow one, for every combination
// of values of the attributes that may hold the customer ID.
func TestUsualCustomerEqualsCustomerOf(t *testing.T) {
	values := []any{nil, "", "u1", "null", "x", " ", "a\xff\x00b", int64(7), int64(42), true, 2.5, []byte("u"), map[string]any{}}
	enc := newEncoder(newTestBackend(t, validConfig()))
	require.True(t, enc.usualIDs)
	choices := 1
	for range usualIDs() {
		choices *= len(values)
	}
	ld := plog.NewLogs()
	r := record(ld, "e", "", "id")
	for choice := range choices {
		r.Attributes().RemoveIf(func(string, pcommon.Value) bool { return true })
		for i, rest := 0, choice; i < len(usualIDs()); i, rest = i+1, rest/len(values) {
			if v := values[rest%len(values)]; v != nil {
				require.NoError(t, r.Attributes().PutEmpty(usualIDs()[i]).FromRaw(v))
			}
		}
		for e := range appevent.Logs(ld) {
			if usual := enc.usualCustomer(e); usual != "" {
				enc.noted = tally{}
				require.Equal(t, enc.customerOf(e.Attributes()), usual)
				require.Zero(t, enc.noted)
			}
		}
	}
	assert.Equal(t, "u1", usualOf(enc, "user.id", "u1"))
	assert.Empty(t, usualOf(enc, "enduser.pseudo.id", "u1"), "left to the slow path")
}

func usualOf(enc *encoder, attribute, id string) string {
	ld := plog.NewLogs()
	record(ld, "e", "", "id").Attributes().PutStr(attribute, id)
	for e := range appevent.Logs(ld) {
		return enc.usualCustomer(e)
	}
	return ""
}

func TestConfiguredCustomerIDsHaveNoFastPath(t *testing.T) {
	cfg := validConfig()
	cfg.CustomerID.From = []string{"account"}
	assert.Empty(t, usualOf(newEncoder(newTestBackend(t, cfg)), "user.id", "u1"))
}

// TestDeviceHintsAreRecognizedByName compares isDeviceHint with add, which is called for no other
// attribute.
func TestDeviceHintsAreRecognizedByName(t *testing.T) {
	for name, value := range map[string]string{
		attrDeviceID: "d", attrInstallationID: "i", attrOSName: "iOS", appevent.AttrSDKLanguage: "webjs", "browser.mobile": "x",
		attrPushID: "p", attrPushPreference: "x", attrCustomerID: "c", "device.model.name": "x", "os.version": "1", "order_id": "7", "": "x",
	} {
		var hints deviceHints
		hasOwnPlace := hints.add(name, pcommon.NewValueStr(value))
		assert.Equal(t, hasOwnPlace || hints != deviceHints{}, isDeviceHint(name), name)
	}
}
