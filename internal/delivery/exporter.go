// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/extension/xextension/storage"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

const (
	signalLogs   = "logs"
	signalTraces = "traces"
)

// deliverer is one exporter of one signal.
type deliverer struct {
	cfg     *Config
	http    confighttp.ClientConfig
	set     exporter.Settings // whose logger leaves out what exporterhelper says
	logger  *zap.Logger
	backend Backend
	async   bool
	durable bool
	ordered bool
	turns   *turns // nil where it is not ordered
	signal  string
	// schedule is the zero value where retry_on_failure says all.
	schedule Schedule

	client     *http.Client
	compressor *compressor
	userAgent  string
	encoders   sync.Pool // *workspace
	memories   memories
	slots      chan struct{}
	ledger     *ledger
	health     *health

	stopping stopping
	backoff  backoffs
}

// NewLogs returns an exporter of logs that delivers to the backend. client is the exporter's HTTP client; its endpoint is
// for the backend to use.
func NewLogs(ctx context.Context, set exporter.Settings, cfg *Config, client confighttp.ClientConfig, backend Backend) (exporter.Logs, error) {
	d, err := newDeliverer(set, cfg, client, backend, signalLogs)
	if err != nil {
		return nil, err
	}
	d.encoders.New = func() any { return &workspace{logs: backend.NewEncoder(), writer: Writer{memories: &d.memories}} }
	c, err := newLogsHelper(ctx, d.set, d)
	if err != nil {
		return nil, err
	}
	return &logsExporter{c}, nil
}

// NewTraces is NewLogs for traces.
func NewTraces(ctx context.Context, set exporter.Settings, cfg *Config, client confighttp.ClientConfig, backend TracesBackend) (exporter.Traces, error) {
	d, err := newDeliverer(set, cfg, client, backend, signalTraces)
	if err != nil {
		return nil, err
	}
	d.encoders.New = func() any {
		return &workspace{traces: backend.NewTracesEncoder(), writer: Writer{memories: &d.memories}}
	}
	c, err := newTracesHelper(ctx, d.set, d)
	if err != nil {
		return nil, err
	}
	return &tracesExporter{c}, nil
}

func newDeliverer(set exporter.Settings, cfg *Config, client confighttp.ClientConfig, backend Backend, signal string) (*deliverer, error) {
	d := &deliverer{
		cfg: cfg, http: client, set: set, logger: set.Logger, backend: backend,
		async: cfg.async(), durable: cfg.durable(), signal: signal,
		userAgent: set.BuildInfo.Command + "/" + set.BuildInfo.Version,
		slots:     make(chan struct{}, cfg.MaxInFlight),
	}
	d.stopping.init()
	var err error
	if d.ledger, err = newLedger(set, signal); err != nil {
		return nil, err
	}
	d.ledger.observer, _ = backend.(LossObserver)
	if _, d.ordered = backend.(Ordered); d.ordered {
		d.turns = newTurns()
	}
	if scheduled, ok := backend.(Scheduled); ok {
		d.schedule = scheduled.RetrySchedule()
	}
	d.set.Logger = withoutHelper(set.Logger)
	return d, nil
}

// withoutHelper leaves out what exporterhelper logs of each failed request: the ledger says it, once a minute. So it is with what else
// exporterhelper says, such as of each batch that a full disk does not let go of.
func withoutHelper(logger *zap.Logger) *zap.Logger {
	return logger.WithOptions(zap.AddStacktrace(zapcore.FatalLevel), zap.WrapCore(func(core zapcore.Core) zapcore.Core {
		return quietCore{zapcore.NewSamplerWithOptions(core, lossInterval, 1, 0)}
	}))
}

type quietCore struct{ zapcore.Core }

// With implements zapcore.Core.
func (c quietCore) With(fields []zapcore.Field) zapcore.Core { return quietCore{c.Core.With(fields)} }

// Check implements zapcore.Core.
func (c quietCore) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	const said = "Exporting failed. "
	if len(entry.Message) >= len(said) && entry.Message[:len(said)] == said {
		return checked
	}
	return c.Core.Check(entry, checked)
}

// chain is exporterhelper's queue, batcher and retry, with the deliverer at its end and its beginning.
type chain struct {
	*deliverer
	helper component.Component
	// offer gives exporterhelper the batch that the context holds.
	offer  func(context.Context) error
	host   component.Host
	closed sync.Once // the backend
}

func (c *chain) foretell(since time.Time) { c.stopping.foretell(since) }

// Capabilities implements consumer.Logs and consumer.Traces. The events are encoded before the call returns and the pdata
// is only read, so the collector need not clone it for this exporter.
func (*chain) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: false}
}

// Start implements component.Component.
func (c *chain) Start(ctx context.Context, host component.Host) error {
	c.host = host
	if err := c.start(ctx, host); err != nil {
		return err
	}
	if c.durable {
		host = queueHost{host, c.deliverer, *c.cfg.QueueConfig.Get().StorageID}
	}
	if err := c.helper.Start(ctx, host); err != nil {
		c.stop()
		return err
	}
	return nil
}

// Shutdown implements component.Component. It takes little longer than shutdown_timeout, from when the first exporter of the collector
// was told to stop.
func (c *chain) Shutdown(ctx context.Context) error {
	foretellAll(c.host, time.Now())
	c.stopping.begin(c.cfg.ShutdownTimeout)
	err := c.helper.Shutdown(ctx)
	c.finishBackoffs(ctx)
	c.stop()
	c.closed.Do(func() {
		if closer, ok := c.backend.(Closer); ok {
			closer.Close()
		}
	})
	return err
}

// deliver queues encoded events, or sends them where the caller waits.
func (c *chain) deliver(ctx context.Context, p part) error {
	b := newBatch(p)
	b.turns = c.turns
	if !c.async {
		b.account = &account{events: p.count}
	}
	err := c.offer(withBatch(ctx, b))
	if err == nil {
		err = b.unstored
	}
	switch {
	case err == nil:
		return nil
	case c.async:
		c.shed(b, err)
		return nil
	default:
		c.ledger.returned(b.account.events - b.account.settled)
		return forCaller(err)
	}
}

func (d *deliverer) start(ctx context.Context, host component.Host) error {
	if err := d.checkStorage(host); err != nil {
		return err
	}
	store, err := d.store(host)
	if err != nil {
		return err
	}
	if err := d.startClient(ctx, host); err != nil {
		return err
	}
	d.health = newHealth(host, d.logger)
	d.ledger.start(store, d.set.ID, d)
	d.tellHowItDelivers()
	return nil
}

// longWait is longer than callers wait: the exporters of OpenTelemetry's SDKs do for 10 seconds.
const longWait = 10 * time.Second

// tellHowItDelivers logs what an operator may not expect.
func (d *deliverer) tellHowItDelivers() {
	switch retry := d.cfg.RetryConfig; {
	case d.durable:
		d.logger.Info("The queue is on disk: accepted events survive the end of this process; to survive a power failure too, set fsync: true on the storage extension",
			zap.Stringer("storage", d.cfg.QueueConfig.Get().StorageID))
	case !d.async && retry.Enabled && len(d.schedule.Waits) == 0 && (retry.MaxElapsedTime == 0 || retry.MaxElapsedTime > longWait):
		d.logger.Info("Callers wait while the backend fails, for as long as retry_on_failure::max_elapsed_time: to have them told of it, set that below their own timeout",
			zap.Duration("max_elapsed_time", retry.MaxElapsedTime))
	}
}

// checkStorage refuses a storage that is not there at the start, rather than at the first event.
func (d *deliverer) checkStorage(host component.Host) error {
	if !d.durable {
		return nil
	}
	id := *d.cfg.QueueConfig.Get().StorageID
	found, ok := host.GetExtensions()[id]
	if !ok {
		return fmt.Errorf("sending_queue::storage: there is no extension %q; configure it and add it to service::extensions", id)
	}
	if _, ok := found.(storage.Extension); !ok {
		return fmt.Errorf("sending_queue::storage: extension %q stores nothing; name one that does, such as file_storage", id)
	}
	return nil
}

func (d *deliverer) store(host component.Host) (deadletter.Store, error) {
	if d.cfg.DeadLetter == nil {
		return nil, nil //nolint:nilnil // there is none
	}
	found, ok := host.GetExtensions()[*d.cfg.DeadLetter]
	if !ok {
		return nil, fmt.Errorf("dead_letter: there is no extension %q; configure it and add it to service::extensions", d.cfg.DeadLetter)
	}
	store, ok := found.(deadletter.Store)
	if !ok {
		return nil, fmt.Errorf("dead_letter: extension %q is not of type dead_letter", d.cfg.DeadLetter)
	}
	return store, nil
}

func (d *deliverer) stop() {
	d.ledger.stop()
	d.stopping.end()
	if d.client != nil {
		d.client.CloseIdleConnections()
	}
}

// shed settles events that the queue had no room for, or that its storage could not take.
func (d *deliverer) shed(b *batch, err error) {
	c := cause{reason: deadletter.ReasonQueueFull, message: err.Error()}
	switch {
	case errors.Is(err, exporterhelper.ErrQueueIsFull):
		c.message = "the queue is full"
	case d.durable:
		c = cause{reason: deadletter.ReasonStorageFailed, message: d.inStorage(err)}
	}
	d.ledger.giveUp(b.events(), c, 0)
}

// torn counts a batch in the storage that cannot be read. It has no letter, since nobody knows what it held.
func (d *deliverer) torn(err error) {
	d.ledger.torn(d.inStorage(err))
}

// inStorage is an error of the queue's storage, and which that is.
func (d *deliverer) inStorage(err error) string {
	return fmt.Sprintf("%s: %s", d.cfg.QueueConfig.Get().StorageID, err)
}

// events are views of the events in the batch.
func (b *batch) events() []Event {
	events := make([]Event, 0, b.ItemsCount())
	for _, p := range b.parts {
		for event, err := range unpack(p.buf) {
			if err != nil {
				break // unmarshalBatch has looked
			}
			events = append(events, event)
		}
	}
	return events
}

// owing is a batch of those events of b that are owed after an attempt.
func (b *batch) owing(events []Event) *batch {
	var w Writer
	for _, event := range events {
		w.End(append(w.Begin(event.Meta), event.Payload...))
	}
	owed := newBatch(w.take())
	owed.attempts, owed.firstAttempt, owed.account = b.attempts, b.firstAttempt, b.account
	return owed
}
