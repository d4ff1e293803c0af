// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"fmt"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/attempt"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/batch"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/lifetime"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/outcome"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/pause"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/progress"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/replay"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/retry"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/transport"
	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery/upstream"
	"github.com/otelcol-fanout/otelcol-fanout/internal/statusfeed"
)

const (
	signalLogs   = "logs"
	signalTraces = "traces"
)

// base is the exporter of one signal, without the encoding of what it consumes.
type base struct {
	cfg     *Config
	client  confighttp.ClientConfig
	set     exporter.Settings
	signal  string
	options *Options

	encoders  encoders
	helper    *helper
	deliverer *deliverer
	recorder  *outcome.Recorder
	queueLoss *queueLoss
	lifetime  *lifetime.Lifetime
	pause     *pause.Switch
	closeLog  func()          // of exporterhelper's lines
	order     *order          // nil if the backend is not ordered
	progress  *progress.Notes // nil if the queue is not on disk
	content   *queueContent

	host      component.Host
	transport *transport.Client
	closed    sync.Once // closes the backend
}

// newBase returns a base without its helper, which depends on the signal.
func newBase(set exporter.Settings, cfg *Config, client confighttp.ClientConfig, signal string, backend Backend, options *Options) (*base, error) {
	recorder, err := outcome.NewRecorder(set, signal, options.OnLoss)
	if err != nil {
		return nil, err
	}
	e := &base{
		cfg: cfg, client: client, set: set, options: options, recorder: recorder, lifetime: lifetime.New(), pause: pause.New(), signal: signal, content: &queueContent{},
	}
	if options.Ordered {
		e.order = newOrder()
	}
	e.queueLoss = &queueLoss{recorder: recorder, storage: cfg.storage(), complete: options.CompleteMeta}
	async := cfg.async()
	e.deliverer = &deliverer{
		runner: attempt.Runner{
			Backend: backend, Slots: make(chan struct{}, cfg.MaxInFlight), MaxWait: 10 * cfg.RetryConfig.MaxInterval, RedactHost: !async,
			Ordered: options.Ordered, Pace: options.Pace, Handshake: e.handshake(), Disabled: options.Disabled, IsPaused: e.pause.IsPaused,
		},
		recorder: recorder, retry: retry.Policy{Backoff: cfg.RetryConfig, Waits: options.RetrySchedule, MaxRetries: cfg.MaxRetries}, lifetime: e.lifetime, pause: e.pause,
		maxAge: maxAge(cfg.MaxAge), async: async, durable: cfg.durable(), content: e.content,
	}
	if cfg.durable() {
		e.progress = progress.NewNotes()
		e.deliverer.progress, e.deliverer.runner.OnDelivered = e.progress, e.progress.Settle
	}
	return e, nil
}

// handshake returns the backend's handshake, made with the client that the exporter has once it is
// started.
func (e *base) handshake() func(context.Context) error {
	if e.options.Handshake == nil {
		return nil
	}
	return func(ctx context.Context) error {
		return e.options.Handshake(ctx, func(req *http.Request) (*http.Response, error) { return e.transport.Do(req) })
	}
}

// helperSettings returns the settings of exporterhelper's chain. Its logger omits what the recorder
// logs already.
func (e *base) helperSettings() (exporter.Settings, *helperSettings) {
	set := e.set
	set.Logger, e.closeLog = upstream.Quiet(set.Logger)
	return set, &helperSettings{
		retry: &e.deliverer.retry, async: e.deliverer.async, queue: e.cfg.QueueConfig, push: e.deliverer.push,
		encoding: encoding{corrupt: e.queueLoss.corrupt, complete: e.options.CompleteMeta, order: e.order, progress: e.progress, content: e.content},
	}
}

// Capabilities implements consumer.Logs and consumer.Traces. The events are encoded before the call
// returns and the pdata is only read, so the collector need not clone it for this exporter.
func (*base) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: false}
}

// Start implements component.Component.
func (e *base) Start(ctx context.Context, host component.Host) error {
	e.host = host
	store, err := e.cfg.findExtensions(host)
	if err != nil {
		return err
	}
	e.transport, err = transport.NewClient(ctx, transport.Settings{
		HTTP: e.client, MaxInFlight: e.cfg.MaxInFlight, Guard: e.options.Guard,
		UserAgent: e.set.BuildInfo.Command + "/" + e.set.BuildInfo.Version, Observe: e.recorder.Requested,
	}, host, e.set.TelemetrySettings)
	if err != nil {
		return err
	}
	e.deliverer.runner.Send = e.transport.Send
	e.deliverer.status = outcome.NewStatus(host, e.set.Logger)
	e.recorder.Start(e.register(host), store, e.replayer())
	e.logDispatch()
	if id := e.cfg.storage(); id != nil {
		queue := upstream.QueueStorage{
			SetAside: e.cfg.OnQueueDamage == QueueDamageSetAside, Aside: e.queueLoss.setAside,
			Open: e.progress.Open, Lost: e.queueLoss.corrupt, NotStored: e.queueLoss.notStored,
		}
		if e.content.tracked {
			queue.Changed = e.content.changed
		}
		host = upstream.WithQueueStorage(host, *id, queue)
	}
	if err := e.helper.Start(ctx, host); err != nil {
		e.stop()
		return err
	}
	return nil
}

// register registers with the status extension, which may pause the exporter at once. It returns the
// feed; nil if the host has none.
func (e *base) register(host component.Host) statusfeed.Feed {
	registry := statusfeed.Find(host)
	if registry == nil {
		return nil
	}
	d := e.deliverer
	described := &statusfeed.Exporter{
		ID: e.set.ID, Signal: e.signal, Endpoint: transport.PublicURL(e.options.Endpoint), Sync: !d.async, Durable: d.durable,
		DeadLetter: e.cfg.DeadLetter, InFlight: func() int { return len(d.runner.Slots) }, SetPaused: e.setPaused,
	}
	givenUp := statusfeed.Returned
	if d.async {
		e.content.track(e.cfg.QueueConfig.Get(), d.durable)
		described.Queue = e.content.content
		givenUp = statusfeed.Dropped
		if e.cfg.DeadLetter != nil {
			givenUp = statusfeed.DeadLettered
		}
	}
	feed := registry.AddExporter(described)
	d.runner.Detailed = true
	d.status.Feed(feed, d.retry.Limit(), givenUp)
	return feed
}

// setPaused pauses or resumes the exporter.
func (e *base) setPaused(paused bool) {
	switch signal := zap.String("signal", e.signal); {
	case !e.pause.Set(paused):
	case !paused:
		e.set.Logger.Info("The exporter is resumed", signal)
	case e.deliverer.async:
		e.set.Logger.Info("The exporter is paused: it sends nothing until it is resumed, and events wait in its queue", signal)
	default:
		e.set.Logger.Info("The exporter is paused: it sends nothing until it is resumed, and callers get a retryable error (503)", signal)
	}
}

func (e *base) replayer() *replay.Replayer {
	d := e.deliverer
	return &replay.Replayer{
		IsPaused: e.pause.IsPaused, Enable: e.options.Enable, Complete: e.options.CompleteMeta, Encode: e.encoders.encodeOTLP,
		Bound: e.lifetime.Bound, Sleep: d.sleepUntilPaused, Attempt: d.attemptOnly,
		Wait: e.cfg.RetryConfig.InitialInterval, Count: e.recorder.Replayed,
	}
}

// findExtensions finds the extensions that the configuration names, so that a missing one is an
// error at start rather than at the first event.
func (cfg *Config) findExtensions(host component.Host) (deadletter.Store, error) {
	if id := cfg.storage(); id != nil {
		found, ok := host.GetExtensions()[*id]
		if !ok {
			return nil, fmt.Errorf("sending_queue::storage: there is no extension %q; configure it and add it to service::extensions", id)
		}
		if _, ok := found.(storage.Extension); !ok {
			return nil, fmt.Errorf("sending_queue::storage: extension %q stores nothing; name one that does, such as file_storage", id)
		}
	}
	if cfg.DeadLetter == nil {
		return nil, nil //nolint:nilnil // without a dead letter store
	}
	found, ok := host.GetExtensions()[*cfg.DeadLetter]
	if !ok {
		return nil, fmt.Errorf("dead_letter: there is no extension %q; configure it and add it to service::extensions", cfg.DeadLetter)
	}
	store, ok := found.(deadletter.Store)
	if !ok {
		return nil, fmt.Errorf("dead_letter: extension %q is not of type dead_letter", cfg.DeadLetter)
	}
	return store, nil
}

// longWait is how long the exporters of OpenTelemetry's SDKs wait by default.
const longWait = 10 * time.Second

// logDispatch logs consequences of the configuration that an operator may not expect.
func (e *base) logDispatch() {
	switch retry := e.cfg.RetryConfig; {
	case e.deliverer.durable:
		e.set.Logger.Info("The queue is on disk: accepted events survive a crash of this process; set fsync: true on the storage extension to survive a power failure too",
			zap.Stringer("storage", e.cfg.storage()))
	case !e.deliverer.async && retry.Enabled && len(e.options.RetrySchedule) == 0 && (retry.MaxElapsedTime == 0 || retry.MaxElapsedTime > longWait):
		e.set.Logger.Info("Callers wait for up to retry_on_failure::max_elapsed_time while the backend fails; set it below their own timeout so that they see the error",
			zap.Duration("max_elapsed_time", retry.MaxElapsedTime))
	}
}

// Shutdown implements component.Component. It returns within about shutdown_timeout, counted from
// when the collector stopped the first of its exporters.
func (e *base) Shutdown(ctx context.Context) error {
	e.announceShutdown()
	e.lifetime.Begin(e.cfg.ShutdownTimeout)
	err := e.helper.Shutdown(ctx)
	e.deliverer.sendWaiting(ctx)
	e.stop()
	e.closed.Do(func() {
		if e.options.Close != nil {
			e.options.Close()
		}
	})
	return err
}

// announceShutdown announces the shutdown to every exporter of this package in the process.
func (e *base) announceShutdown() {
	now := time.Now()
	for _, other := range upstream.Exporters(e.host) {
		if other, ok := other.(interface{ announce(since time.Time) }); ok {
			other.announce(now)
		}
	}
}

func (e *base) announce(since time.Time) { e.lifetime.Announce(since) }

func (e *base) stop() {
	e.recorder.Stop()
	e.closeLog()
	e.lifetime.End()
	if e.transport != nil {
		e.transport.Close()
	}
}

// offer queues encoded events. Events that the queue does not take are shed.
func (e *base) offer(ctx context.Context, b *batch.Batch) {
	r := &request{Batch: b, order: e.order}
	e.content.offered(b)
	err := e.helper.offer(ctx, r)
	if err == nil {
		err = r.notStored
	}
	if err != nil {
		e.queueLoss.shed(b, err)
		e.content.left(b, nil)
	}
}

// send sends encoded events of a call whose caller waits. After a failure the rest of the call is
// returned unsent: the caller sends all of it again.
func (e *base) send(ctx context.Context, c *call, b *batch.Batch) {
	c.events += b.Count()
	if c.failed != nil {
		c.fail(b.Events(), attempt.Cause{Message: "not sent, because an earlier part of the call failed"}, nil)
		return
	}
	// The call has the outcomes. The error is for exporterhelper's own metrics and spans.
	_ = e.helper.offer(ctx, &request{Batch: b, call: c})
}
