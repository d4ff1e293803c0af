// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package enabledconverter

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/xconfmap"
	"go.yaml.in/yaml/v3"
)

// FuzzConvertText checks any YAML file: nothing panics, and no pipeline refers to a disabled
// component.
func FuzzConvertText(f *testing.F) {
	inputs, err := filepath.Glob(filepath.Join("testdata", "*", "input.yaml"))
	require.NoError(f, err)
	for _, input := range inputs {
		text, err := os.ReadFile(input)
		require.NoError(f, err)
		f.Add(string(text))
	}

	f.Fuzz(func(t *testing.T, text string) {
		var config map[string]any
		if len(text) > 4096 || yaml.Unmarshal([]byte(text), &config) != nil || config == nil {
			return
		}
		// Twice, because the collector splits the keys of a file at "::" before it runs converters.
		conf := confmap.NewFromStringMap(confmap.NewFromStringMap(config).ToStringMap())
		checkConversion(t, conf)
	})
}

// FuzzConvertPipelines draws pipelines from few components, so that chains, loops and shared
// connectors are common.
func FuzzConvertPipelines(f *testing.F) {
	f.Add([]byte{0x02, 0x00, 0x00, 0x11, 0x11, 0x22, 0x22})
	f.Add([]byte{0x2a, 0x2a, 0x2a, 0x31, 0x13, 0x74, 0x47, 0xff, 0xff})
	f.Add([]byte{0x08, 0x20, 0x02, 0x01, 0x10, 0x10, 0x20, 0x20, 0x01, 0x44, 0x88})
	drawn := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		choices := make([]byte, 3+3*(1+drawn.IntN(6)))
		for i := range choices {
			choices[i] = byte(drawn.Uint32())
		}
		f.Add(choices)
	}
	f.Fuzz(func(t *testing.T, choices []byte) {
		checkConversion(t, confmap.NewFromStringMap(drawConfig(choices)))
	})
}

func checkConversion(t *testing.T, conf *confmap.Conf) {
	t.Helper()
	before := conf.ToStringMap()
	written := readPipelines(before)
	switches, _ := readSwitches(before)
	off := disabledOf(switches)

	if err := convert(conf); err != nil {
		assert.NotContains(t, err.Error(), "\n")
		assert.Equal(t, before, conf.ToStringMap(), "the configuration changed despite: %v", err)
		return
	}
	after := conf.ToStringMap()

	left := readPipelines(after)
	for _, p := range left {
		assertOnly(t, p.receivers.written, func(r any) bool { return !off.has(r, receivers, connectors) })
		assertOnly(t, p.exporters.written, func(r any) bool { return r == nop || !off.has(r, exporters, connectors) })

		i := slices.IndexFunc(written, func(w *pipeline) bool { return w.id == p.id })
		require.GreaterOrEqual(t, i, 0, "pipeline %q is new", p.id)
		assert.Equal(t, len(written[i].receivers.written) == 0, len(p.receivers.written) == 0, "the receivers of %q", p.id)
		assert.Equal(t, len(written[i].exporters.written) == 0, len(p.exporters.written) == 0, "the exporters of %q", p.id)
	}
	for _, p := range left {
		onlyFanout := !slices.ContainsFunc(p.receivers.written, func(r any) bool { return r != "fanout" })
		onlyNop := slices.Equal(p.exporters.written, []any{nop})
		wasNop := slices.ContainsFunc(written, func(w *pipeline) bool { return w.id == p.id && slices.Contains(w.exporters.written, any(nop)) })
		if ends := linksOf(written, connectorIDs(before))[link{connector: fanout, signal: typeOf(p.id)}]; ends.both() && len(p.receivers.written) > 0 {
			assert.False(t, onlyFanout && onlyNop && !wasNop, "%q discards the events of the connector", p.id)
		}
		assertPipelinesEnabled(t, after, p)
	}
	assertOnly(t, listOf(table(after["service"])[extensions]), func(r any) bool { return !off.has(r, extensions) })

	ends := linksOf(written, connectorIDs(before))
	for link, now := range linksOf(left, connectorIDs(after)) {
		assert.Equal(t, ends[link].both(), now.both(), "%v has one end", link)
	}

	once := xconfmap.ToStringMapRaw(conf)
	require.NoError(t, convert(conf))
	assert.Equal(t, once, xconfmap.ToStringMapRaw(conf), "a second conversion changes something")
}

// assertPipelinesEnabled compares pipelines_enabled of the fanout connector with the pipeline.
func assertPipelinesEnabled(t *testing.T, after map[string]any, p *pipeline) {
	t.Helper()
	enabled, ok := table(table(table(after[connectors])[fanout])["pipelines_enabled"])[p.id]
	if ok {
		assert.Equal(t, slices.Contains(p.receivers.written, any(fanout)), enabled, "pipelines_enabled of %q", p.id)
	}
}

func assertOnly(t *testing.T, references []any, allowed func(any) bool) {
	t.Helper()
	for _, r := range references {
		assert.True(t, allowed(r), "a reference to %v is left", r)
	}
}

// drawConfig makes a configuration from choices: two bits for the switch of each component, then
// three bytes for each pipeline.
func drawConfig(choices []byte) map[string]any {
	next := func() byte {
		if len(choices) == 0 {
			return 0
		}
		choice := choices[0]
		choices = choices[1:]
		return choice
	}
	draw := func(ids ...string) map[string]any {
		bits, section := next(), map[string]any{}
		for i, id := range ids {
			section[id] = []any{nil, map[string]any{"enabled": true}, map[string]any{"enabled": false}, map[string]any{"url": 1}}[bits>>(2*i)&3]
		}
		return section
	}
	pick := func(bits byte, ids ...string) []any {
		picked := []any{}
		for i, id := range ids {
			if bits>>i&1 == 1 {
				picked = append(picked, id)
			}
		}
		return picked
	}

	config := map[string]any{
		receivers:  draw("otlp", "kafka", "otlp/b"),
		exporters:  draw("webhook/a", "webhook/b", "nop"),
		connectors: draw("forward", "forward/b", "count", "fanout"),
	}
	pipelines := map[string]any{}
	for i := 0; len(choices) > 0 && i < 6; i++ {
		pipelines[fmt.Sprintf("%s/%d", []string{"logs", "traces"}[next()&1], i)] = map[string]any{
			receivers: pick(next(), "otlp", "kafka", "otlp/b", "forward", "forward/b", "count", "fanout"),
			exporters: pick(next(), "webhook/a", "webhook/b", "nop", "forward", "forward/b", "count", "fanout"),
		}
	}
	config["service"] = map[string]any{"pipelines": pipelines}
	return config
}
