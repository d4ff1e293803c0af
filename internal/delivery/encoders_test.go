// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
)

// nameEncoder writes the names of events. It skips private ones, and refuses bad ones.
type nameEncoder struct{}

func (nameEncoder) Prepare(plog.Logs) {}
func (nameEncoder) Reset()            {}

func (nameEncoder) Encode(w *Writer, e *appevent.Event) error {
	w.End(append(w.Begin(Meta{Name: e.Name}), e.Name...))
	switch e.Name {
	case "private":
		return Skip("private")
	case "bad":
		return errors.New("it cannot be encoded")
	}
	return nil
}

// A record that is skipped takes none of the others of its dead letter with it.
func TestDeadLetterWithSeveralRecords(t *testing.T) {
	var all encoders
	all.new = func(w *Writer) *workspace { return &workspace{writer: w, logs: nameEncoder{}} }
	letter := func(names ...string) []byte {
		ld := plog.NewLogs()
		records := ld.ResourceLogs().AppendEmpty().ScopeLogs().AppendEmpty().LogRecords()
		for _, name := range names {
			records.AppendEmpty().SetEventName(name)
		}
		otlp, err := (&plog.JSONMarshaler{}).MarshalLogs(ld)
		require.NoError(t, err)
		return otlp
	}

	events, err := all.encodeOTLP(letter("first", "private", "last"))
	require.NoError(t, err)
	require.Len(t, events, 2)
	assert.Equal(t, "first", string(events[0].Payload))
	assert.Equal(t, "last", string(events[1].Payload))

	events, err = all.encodeOTLP(letter("private"))
	require.NoError(t, err)
	assert.Empty(t, events)

	_, err = all.encodeOTLP(letter("first", "bad"))
	require.EqualError(t, err, "it cannot be encoded")
}
