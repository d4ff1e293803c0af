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
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

const signalLogs = "logs"

// deliverer is one exporter of one signal.
type deliverer struct {
	cfg     *Config
	http    confighttp.ClientConfig
	set     exporter.Settings
	backend Backend
	async   bool
	durable bool
	signal  string

	client     *http.Client
	compressor *compressor
	userAgent  string
	encoders   sync.Pool // *workspace
	slots      chan struct{}
	ledger     *ledger
	health     *health

	stopping stopping
	backoff  backoffs
}

// workspace is what encoding needs.
type workspace struct {
	encoder Encoder
	writer  Writer
}

// keptMemory is the size up to which a workspace's memory is kept for the next call.
const keptMemory = 1 << 20

// NewLogs returns an exporter of logs that delivers to the backend. client is the exporter's HTTP client; its endpoint is
// for the backend to use.
func NewLogs(ctx context.Context, set exporter.Settings, cfg *Config, client confighttp.ClientConfig, backend Backend) (exporter.Logs, error) {
	d := &deliverer{
		cfg: cfg, http: client, set: set, backend: backend,
		async: cfg.async(), durable: cfg.durable(), signal: signalLogs,
		userAgent: set.BuildInfo.Command + "/" + set.BuildInfo.Version,
		slots:     make(chan struct{}, cfg.MaxInFlight),
		encoders:  sync.Pool{New: func() any { return &workspace{encoder: backend.NewEncoder()} }},
	}
	d.stopping.init()
	var err error
	if d.ledger, err = newLedger(set, d.signal); err != nil {
		return nil, err
	}
	helperSet := set
	helperSet.Logger = withoutHelper(set.Logger)
	helper, err := newHelper(ctx, helperSet, d)
	if err != nil {
		return nil, err
	}
	return &logsExporter{deliverer: d, helper: helper}, nil
}

// withoutHelper leaves out what exporterhelper logs of each failed request: the ledger says it, once a minute.
func withoutHelper(logger *zap.Logger) *zap.Logger {
	return logger.WithOptions(zap.WrapCore(func(core zapcore.Core) zapcore.Core { return quietCore{core} }))
}

type quietCore struct{ zapcore.Core }

func (c quietCore) With(fields []zapcore.Field) zapcore.Core { return quietCore{c.Core.With(fields)} }

func (c quietCore) Check(entry zapcore.Entry, checked *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	const said = "Exporting failed. "
	if len(entry.Message) >= len(said) && entry.Message[:len(said)] == said {
		return checked
	}
	return c.Core.Check(entry, checked)
}

// logsExporter is the exporter that the pipeline sees, with exporterhelper's inside.
type logsExporter struct {
	*deliverer
	helper exporter.Logs
}

// Capabilities implements consumer.Logs. The events are encoded before the call returns and the pdata is only read, so
// the collector need not clone it for this exporter.
func (*logsExporter) Capabilities() consumer.Capabilities {
	return consumer.Capabilities{MutatesData: false}
}

// Start implements component.Component.
func (e *logsExporter) Start(ctx context.Context, host component.Host) error {
	if err := e.start(ctx, host); err != nil {
		return err
	}
	if err := e.helper.Start(ctx, host); err != nil {
		return errors.Join(err, e.stop(ctx))
	}
	return nil
}

// ConsumeLogs implements consumer.Logs.
func (e *logsExporter) ConsumeLogs(ctx context.Context, ld plog.Logs) error {
	return e.encodeLogs(ld, func(p part) error { return e.deliver(ctx, p) })
}

// deliver queues encoded events, or sends them where the caller waits.
func (e *logsExporter) deliver(ctx context.Context, p part) error {
	b := newBatch(p)
	if !e.async {
		b.account = &account{events: p.count}
	}
	err := e.helper.ConsumeLogs(withBatch(ctx, b), plog.NewLogs())
	switch {
	case err == nil:
		return nil
	case e.async:
		e.shed(b, err)
		return nil
	default:
		e.ledger.returned(b.account.events - b.account.settled)
		return err
	}
}

// Shutdown implements component.Component. It takes little longer than shutdown_timeout.
func (e *logsExporter) Shutdown(ctx context.Context) error {
	e.stopping.begin(e.cfg.ShutdownTimeout)
	err := e.helper.Shutdown(ctx)
	e.finishBackoffs(ctx)
	return errors.Join(err, e.stop(ctx))
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
	d.health = newHealth(host, d.set.Logger)
	d.ledger.start(store, d.set.ID, d)
	if d.durable {
		d.set.Logger.Info("The queue is on disk: accepted events survive the end of this process; to survive a power failure too, set fsync: true on the storage extension",
			zap.Stringer("storage", d.cfg.QueueConfig.Get().StorageID))
	}
	return nil
}

// checkStorage refuses a storage that is not there at the start, rather than at the first event.
func (d *deliverer) checkStorage(host component.Host) error {
	if !d.durable {
		return nil
	}
	id := *d.cfg.QueueConfig.Get().StorageID
	if _, ok := host.GetExtensions()[id]; !ok {
		return fmt.Errorf("sending_queue::storage: there is no extension %q; configure it and add it to service::extensions", id)
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

func (d *deliverer) stop(context.Context) error {
	d.ledger.stop()
	d.stopping.end()
	if d.client != nil {
		d.client.CloseIdleConnections()
	}
	return nil
}

// encodedAtOnce is how many bytes are encoded before they are handed on: a small request can become a large one, where
// every event repeats what its resource says.
const encodedAtOnce = 4 << 20

// encodeLogs encodes the events and hands them on; those that cannot be encoded are settled here and now, without touching
// their neighbors.
func (d *deliverer) encodeLogs(ld plog.Logs, next func(part) error) error {
	ws := d.encoders.Get().(*workspace)
	defer d.release(ws)
	for e := range appevent.Logs(ld) {
		d.encodeOne(ws, e)
		if len(ws.writer.buf) < encodedAtOnce {
			continue
		}
		if err := d.handOn(ws, next); err != nil {
			return err
		}
	}
	return d.handOn(ws, next)
}

func (d *deliverer) handOn(ws *workspace, next func(part) error) error {
	p := ws.writer.take()
	if p.count == 0 {
		return nil
	}
	d.ledger.accepted(p.count)
	return next(p)
}

func (d *deliverer) encodeOne(ws *workspace, e *appevent.Event) {
	mark, count := len(ws.writer.buf), ws.writer.count
	err := ws.encoder.Encode(&ws.writer, e)
	if err == nil {
		return
	}
	ws.writer.rollback(mark, count)
	d.ledger.accepted(1)
	if skip, ok := errors.AsType[Skip](err); ok {
		d.ledger.skipped(string(skip))
		return
	}
	d.ledger.bury([]deadletter.Letter{d.unencodable(e, err)})
}

func (d *deliverer) release(ws *workspace) {
	ws.encoder.Reset()
	if cap(ws.writer.buf) > keptMemory {
		ws.writer.buf = nil
	}
	d.encoders.Put(ws)
}

// unencodable is the letter of an event that has no bytes of the backend's: it holds the record.
func (d *deliverer) unencodable(e *appevent.Event, err error) deadletter.Letter {
	letter := deadletter.Letter{
		ID: e.ID(), Name: e.Name, Reason: deadletter.ReasonEncoding, Message: err.Error(), FailedAt: time.Now(),
	}
	if e.Time != 0 {
		letter.Time = e.Time.AsTime()
	}
	letter.OTLP, _ = (&plog.JSONMarshaler{}).MarshalLogs(e.Logs()) // it cannot fail
	return letter
}

// shed settles events that the queue had no room for.
func (d *deliverer) shed(b *batch, err error) {
	message := err.Error()
	if errors.Is(err, exporterhelper.ErrQueueIsFull) {
		message = "the queue is full"
	}
	d.ledger.giveUp(b.events(), cause{reason: deadletter.ReasonQueueFull, message: message}, 0)
}

// torn counts a batch on disk that cannot be read. Nobody knows how many events it held.
func (d *deliverer) torn(err error) {
	d.ledger.drop(1, "torn")
	d.set.Logger.Error("A batch in the durable queue cannot be read and is lost", zap.Error(err))
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
