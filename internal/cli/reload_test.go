// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/confmap/provider/envprovider"
	"go.opentelemetry.io/collector/confmap/provider/fileprovider"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/otelcol"
)

const (
	readyLine   = "Everything is ready"
	refusedLine = "The configuration was not reloaded; the running one stays in use"
	failedLine  = "The new configuration does not start; running the previous one again"
)

// takeOver is how long after the start a runner surely handles each signal once.
const takeOver = 100 * time.Millisecond

// probe is an extension that fails or hangs as its configuration says.
type probe struct {
	cfg  *probeConfig
	hang <-chan struct{}
}

type probeConfig struct {
	Fail bool `mapstructure:"fail"`
	Hang bool `mapstructure:"hang"`
}

// Start implements component.Component.
func (p *probe) Start(context.Context, component.Host) error {
	if p.cfg.Fail {
		return errors.New("told to fail")
	}
	return nil
}

// Shutdown implements component.Component.
func (p *probe) Shutdown(context.Context) error {
	if p.cfg.Hang {
		<-p.hang
	}
	return nil
}

// running is a runner under test, with its configuration and its log.
type running struct {
	t            *testing.T
	config, log  string
	stopping     atomic.Bool
	stop         context.CancelFunc
	releaseProbe chan struct{}
	ended        chan error
}

// run runs a configuration until the test ends.
func run(t *testing.T, probeSettings string) *running {
	t.Helper()
	folder := t.TempDir()
	r := &running{
		t: t, config: filepath.Join(folder, "config.yaml"), log: filepath.Join(folder, "log"),
		releaseProbe: make(chan struct{}), ended: make(chan error, 1),
	}
	set := settings()
	set.DisableGracefulShutdown = true
	set.ConfigProviderSettings.ResolverSettings.ProviderFactories = append(set.ConfigProviderSettings.ResolverSettings.ProviderFactories, fileprovider.NewFactory())
	factories := set.Factories
	set.Factories = func() (otelcol.Factories, error) {
		all, err := factories()
		probes := extension.NewFactory(component.MustNewType("probe"), func() component.Config { return &probeConfig{} },
			func(_ context.Context, _ extension.Settings, cfg component.Config) (extension.Extension, error) {
				return &probe{cfg: cfg.(*probeConfig), hang: r.releaseProbe}, nil
			}, component.StabilityLevelStable)
		all.Extensions[probes.Type()] = probes
		return all, err
	}
	sources := noteSources(&set)
	addChecks(&set, sources)
	ctx, stop := context.WithCancel(t.Context())
	r.stop = stop
	r.write(probeSettings)
	go func() { r.ended <- newRunner(set, sources, []string{r.config}, r.stopping.Load).run(ctx) }()
	r.waitFor(readyLine, 1)
	return r
}

// write changes the configuration of the extension probe.
func (r *running) write(probeSettings string) {
	r.t.Helper()
	r.writeAll(fmt.Sprintf(`receivers: {nop: }
exporters: {nop: }
extensions: {probe: {%s}}
service:
  telemetry: {metrics: {level: none}, logs: {output_paths: [%q]}}
  extensions: [probe]
  pipelines: {logs: {receivers: [nop], exporters: [nop]}}
`, probeSettings, r.log))
}

func (r *running) writeAll(configuration string) {
	r.t.Helper()
	require.NoError(r.t, os.WriteFile(r.config, []byte(configuration), 0o600))
}

func (r *running) logged(text string) int {
	content, err := os.ReadFile(r.log)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		require.NoError(r.t, err)
	}
	return strings.Count(string(content), text)
}

func (r *running) waitFor(text string, times int) {
	r.t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for r.logged(text) < times {
		select {
		case err := <-r.ended:
			require.FailNow(r.t, "it has ended", "while waiting for %q: %v", text, err)
		case <-time.After(time.Millisecond):
		}
		if time.Now().After(deadline) {
			content, _ := os.ReadFile(r.log)
			require.FailNow(r.t, "waited in vain", "for %q:\n%s", text, content)
		}
	}
}

// end stops the collector, which must end without an error.
func (r *running) end() {
	r.t.Helper()
	r.stop()
	require.NoError(r.t, <-r.ended)
}

func TestBadConfigurationIsNotApplied(t *testing.T) {
	r := run(t, "")
	tests := []struct{ configuration, want string }{
		{"exporters: {nop: {a: 1}}", "exporters::nop: unknown key"},
		{"receivers: [", "it is not YAML"},
		{"receivers: {nop: }\nexporters: {nop: }\nservice: {extensions: [nope], pipelines: {logs: {receivers: [nop], exporters: [nop]}}}",
			`service::extensions: references extension \"nope\" which is not configured`},
		{"", "empty configuration file"},
	}
	for _, tt := range tests {
		r.writeAll(tt.configuration)
		sendToSelf(syscall.SIGHUP)
		r.waitFor(tt.want, 1)
	}
	assert.GreaterOrEqual(t, r.logged(refusedLine), len(tests))
	refused := r.logged(refusedLine)
	require.NoError(t, os.Remove(r.config))
	sendToSelf(syscall.SIGHUP)
	r.waitFor(refusedLine, refused+1)
	assert.Equal(t, 1, r.logged(readyLine), "it has not restarted")
	assert.Zero(t, r.logged("Starting shutdown"))
	r.end()
}

func TestGoodConfigurationIsApplied(t *testing.T) {
	r := run(t, "")
	time.Sleep(takeOver)
	for i := range 3 {
		r.write("fail: false")
		sendToSelf(syscall.SIGHUP)
		r.waitFor("Running with the new configuration", i+1)
		time.Sleep(takeOver)
	}
	assert.Equal(t, 4, r.logged(readyLine), "one restart for each signal: the collector does not handle it as well")
	r.end()
}

func TestPreviousConfigurationRunsAgainIfNewOneDoesNotStart(t *testing.T) {
	r := run(t, "")
	for i := range 2 {
		time.Sleep(takeOver)
		r.write("fail: true")
		sendToSelf(syscall.SIGHUP)
		r.waitFor(failedLine, i+1)
		r.waitFor(readyLine, i+2)
	}
	assert.Equal(t, 2, r.logged("failed to start extensions: told to fail"), "one line each")
	assert.Zero(t, r.logged("Running with the new configuration"))
	r.write("fail: false")
	sendToSelf(syscall.SIGHUP)
	r.waitFor("Running with the new configuration", 1)
	r.end()
}

func TestSignalDuringReloadReloadsAgain(t *testing.T) {
	r := run(t, "hang: true")
	r.write("fail: true")
	sendToSelf(syscall.SIGHUP)
	r.waitFor("Stopping extensions", 1)
	r.write("fail: false")
	for range 3 {
		sendToSelf(syscall.SIGHUP)
	}
	time.Sleep(50 * time.Millisecond) // the signals arrive
	close(r.releaseProbe)
	r.waitFor(failedLine, 1)
	r.waitFor("Running with the new configuration", 1)
	r.end()
}

func TestStopDuringReloadEndsCleanly(t *testing.T) {
	for name, probeSettings := range map[string]string{"new configuration starts": "fail: false", "new configuration fails": "fail: true"} {
		t.Run(name, func(t *testing.T) {
			r := run(t, "hang: true")
			r.write(probeSettings)
			sendToSelf(syscall.SIGHUP)
			r.waitFor("Stopping extensions", 1)
			r.stopping.Store(true)
			close(r.releaseProbe)
			require.NoError(t, <-r.ended)
			assert.Equal(t, 1, r.logged(readyLine), "it has not started again")
			r.stop()
		})
	}
}

func TestFirstConfigurationThatDoesNotStartIsAnError(t *testing.T) {
	set := settings()
	set.DisableGracefulShutdown = true
	config := "yaml:receivers: {nop: }\nexporters: {nop: }\nservice: {telemetry: {metrics: {level: none}, logs: {output_paths: [/dev/null/x]}}, pipelines: {logs: {receivers: [nop], exporters: [nop]}}}"
	err := newRunner(set, &sources{}, []string{config}, func() bool { return false }).run(t.Context())
	assert.ErrorContains(t, err, "/dev/null/x")
}

// TestFlagsSayWhereTheConfigurationIs checks that both flags reach the collector that runs.
func TestFlagsSayWhereTheConfigurationIs(t *testing.T) {
	_, err := execute("service: 5", "--config", "yaml:"+validConfig, "--set", "service.pipelines.logs.exporters = [nope]")
	require.ErrorContains(t, err, `"nope" is not configured`)

	l := watchLocations(otelcol.NewCommand(settings()))
	assert.Empty(t, l.uris())
	root := otelcol.NewCommand(settings())
	l = watchLocations(root)
	require.NoError(t, root.ParseFlags([]string{"--set=a.b=c=d", "--config=x.yaml", "--config", "y.yaml"}))
	require.Error(t, root.ParseFlags([]string{"--set=a"}))
	assert.Equal(t, []string{"x.yaml", "y.yaml", "yaml:a::b: c=d"}, l.uris())
}

// TestSignalRightAfterStartIsNotLost sends the signal in the moment when the runner takes it over.
func TestSignalRightAfterStartIsNotLost(t *testing.T) {
	for range 10 {
		r := run(t, "")
		r.write("fail: false")
		sendToSelf(syscall.SIGHUP)
		r.waitFor("Running with the new configuration", 1)
		r.end()
	}
}

func TestSnapshotReadsEachSourceOnce(t *testing.T) {
	t.Setenv("PHONE", "0049123")
	t.Setenv("LIST", "[a, b]")
	s := newSnapshot()
	provider := s.providers([]confmap.ProviderFactory{envprovider.NewFactory()})[0].Create(confmap.ProviderSettings{Logger: s.logger})
	read := func(uri string) (raw any, text string) {
		retrieved, err := provider.Retrieve(t.Context(), uri, nil)
		require.NoError(t, err)
		raw, err = retrieved.AsRaw()
		require.NoError(t, err)
		text, _ = retrieved.AsString()
		return raw, text
	}
	for range 2 {
		_, text := read("env:PHONE")
		assert.Equal(t, "0049123", text)
		list, _ := read("env:LIST")
		assert.Equal(t, []any{"a", "b"}, list)
		list.([]any)[0] = "changed by the reader"
		unset, _ := read("env:SHOP_UNSET_VARIABLE")
		assert.Nil(t, unset)
		assert.False(t, s.isOutdated(t.Context()))
	}
	t.Setenv("PHONE", "changed")
	_, text := read("env:PHONE")
	assert.Equal(t, "0049123", text)
	assert.True(t, s.isOutdated(t.Context()))
}
