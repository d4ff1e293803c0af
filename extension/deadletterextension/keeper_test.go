// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configauth"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/extension/extensiontest"

	"github.com/otelcol-fanout/otelcol-fanout/extension/deadletterextension/internal/metadata"
	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

func (e *started) keeper() deadletter.Keeper { return e.Store.(deadletter.Keeper) }

func TestKeeper(t *testing.T) {
	e := start(t, t.TempDir(), small)
	k := e.keeper()
	assert.Empty(t, k.Summaries())
	assert.Equal(t, int64(minMaxSize), k.MaxSize())
	require.NoError(t, e.Put(audit, lettersOf(numbered(5)...)))
	backend := &fakeBackend{}
	defer e.Register(audit, "logs", backend)()
	defer e.Register(other, "logs", backend)()
	info, err := os.Stat(e.Store.(*deadLetters).cfg.Directory + "/webhook%2Faudit/00000001.jsonl")
	require.NoError(t, err)
	assert.Equal(t, []deadletter.Summary{
		{Exporter: "posthog", Running: true},
		{
			Exporter: "webhook/audit", Running: true, Events: 5, Bytes: info.Size(), Oldest: noon, Newest: noon,
			Reasons: map[deadletter.Reason]int{deadletter.ReasonRefused: 5},
		},
	}, k.Summaries())

	var keys []deadletter.Key
	require.NoError(t, k.Find(t.Context(), "webhook/audit", deadletter.Filter{Limit: 4}, func(key deadletter.Key, letter *deadletter.Letter) bool {
		assert.Equal(t, numbered(5)[4-len(keys)], letter.ID, "newest first")
		keys = append(keys, key)
		return len(keys) < 3
	}))
	require.Len(t, keys, 3)
	letter, err := k.Get("webhook/audit", keys[2])
	require.NoError(t, err)
	assert.Equal(t, "e2", letter.ID)
	assert.JSONEq(t, `{"id":"e2"}`, string(letter.Payload))

	got, err := k.ReplayOne(t.Context(), "webhook/audit", keys[2], []byte(`{"edited":true}`))
	require.NoError(t, err)
	assert.Equal(t, "delivered", got.Outcome.String())
	assert.JSONEq(t, `{"edited":true}`, string(backend.got[0].Payload))
	n, err := k.Delete("webhook/audit", deadletter.Filter{Key: keys[1]})
	require.NoError(t, err)
	assert.Equal(t, 1, n)

	progress, err := k.StartReplay("webhook/audit", deadletter.Filter{Reason: deadletter.ReasonRefused})
	require.NoError(t, err)
	assert.Equal(t, "webhook/audit", progress.Exporter)
	assert.True(t, progress.Ended.IsZero())
	require.Eventually(t, func() bool {
		progress, err = k.StopReplay("webhook/audit")
		return err == nil && !progress.Ended.IsZero()
	}, time.Minute, time.Millisecond)
	require.Len(t, k.Replays(), 1)
	assert.Equal(t, progress, k.Replays()[0])
}

func TestKeeperErrors(t *testing.T) {
	e := start(t, t.TempDir())
	k := e.keeper()
	require.NoError(t, e.Put(audit, lettersOf("e0")))
	for exporter, want := range map[string]error{"webhook": deadletter.ErrUnknownExporter, "../etc": deadletter.ErrUnknownExporter, "webhook/audit": deadletter.ErrUnknownLetter} {
		_, err := k.Get(exporter, unknownKey)
		require.ErrorIs(t, err, want)
		_, err = k.ReplayOne(t.Context(), exporter, unknownKey, nil)
		require.ErrorIs(t, err, want)
	}
	require.ErrorIs(t, k.Find(t.Context(), "webhook", deadletter.Filter{}, nil), deadletter.ErrUnknownExporter)
	_, err := k.StartReplay("webhook", deadletter.Filter{})
	require.ErrorIs(t, err, deadletter.ErrUnknownExporter)
	_, err = k.StartReplay("webhook/audit", deadletter.Filter{})
	require.ErrorIs(t, err, deadletter.ErrNotRunning)
	_, err = k.StopReplay("webhook")
	require.ErrorIs(t, err, deadletter.ErrUnknownExporter)
	_, err = k.Delete("webhook", deadletter.Filter{})
	require.ErrorIs(t, err, deadletter.ErrUnknownExporter)
	assert.Empty(t, k.Replays())
}

func TestKeeperBeforeStart(t *testing.T) {
	created, err := NewFactory().Create(t.Context(), extensiontest.NewNopSettings(metadata.Type), createDefaultConfig())
	require.NoError(t, err)
	k := created.(deadletter.Keeper)
	assert.Empty(t, k.Summaries())
	assert.Empty(t, k.Replays())
	_, err = k.Get("webhook", unknownKey)
	require.ErrorIs(t, err, errClosed)
	_, err = k.StopReplay("webhook")
	require.ErrorIs(t, err, errClosed)
	_, err = k.Delete("webhook", deadletter.Filter{})
	require.ErrorIs(t, err, errClosed)
	assert.False(t, k.RequiresAuth())
}

func TestKeeperTellsWhetherItRequiresAuth(t *testing.T) {
	cfg := createDefaultConfig().(*Config)
	cfg.ServerConfig.Auth = configoptional.Some(confighttp.AuthConfig{Config: configauth.Config{AuthenticatorID: component.MustNewID("basicauth")}})
	created, err := NewFactory().Create(t.Context(), extensiontest.NewNopSettings(metadata.Type), cfg)
	require.NoError(t, err)
	assert.True(t, created.(deadletter.Keeper).RequiresAuth())
}

func TestShutdownWaitsForBackgroundReplay(t *testing.T) {
	e := start(t, t.TempDir())
	require.NoError(t, e.Put(audit, lettersOf("e0")))
	entered := make(chan struct{})
	defer e.Register(audit, "logs", hanging(entered))()
	_, err := e.keeper().StartReplay("webhook/audit", deadletter.Filter{})
	require.NoError(t, err)
	<-entered
	require.NoError(t, e.Shutdown(t.Context()))
	assert.Equal(t, errStopping.Error(), e.keeper().Replays()[0].Stopped)
	_, err = e.keeper().StartReplay("webhook/audit", deadletter.Filter{})
	require.ErrorIs(t, err, errStopping)
}

func TestBodySizeOfServerApplies(t *testing.T) {
	e := start(t, t.TempDir(), func(cfg *Config) { cfg.ServerConfig.MaxRequestBodySize = 1000 })
	require.NoError(t, e.Put(audit, lettersOf("e0")))
	defer e.Register(audit, "logs", &fakeBackend{})()
	var key deadletter.Key
	require.NoError(t, e.keeper().Find(t.Context(), "webhook/audit", deadletter.Filter{}, func(k deadletter.Key, _ *deadletter.Letter) bool {
		key = k
		return false
	}))
	path := "/webhook/audit/" + string(key) + "/replay"
	status, body := e.send(t, path, `{"payload":{"x":"`+strings.Repeat("x", 1000)+`"}}`)
	assert.Equal(t, 413, status)
	assert.JSONEq(t, `{"error":"the body is too large; raise max_request_body_size, or edit the file of the dead letter"}`, body)
	status, body = e.send(t, path, `{"payload":{"x":"x"}}`)
	assert.Equal(t, 200, status, body)
}
