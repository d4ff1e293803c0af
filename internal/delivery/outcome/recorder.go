// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

// scopeName is the instrumentation scope of the metrics.
const scopeName = "github.com/otelcol-fanout/otelcol-fanout/internal/delivery"

// ledger counts what became of every event, and puts what was given up into the dead letters. For each exporter
//
//	accepted = delivered + skipped + dead_lettered + dropped + returned
//
// holds whenever nothing is queued or under way.
type ledger struct {
	logger   *zap.Logger
	exporter component.ID
	signal   string
	metrics  metrics
	loss     lossLog

	store      deadletter.Store
	unregister func()
	// observer may be nil.
	observer LossObserver
}

type metrics struct {
	exporter attribute.KeyValue
	// ofExporter is the exporter alone, made once.
	ofExporter metric.MeasurementOption

	accepted  metric.Int64Counter
	events    metric.Int64Counter
	replayed  metric.Int64Counter
	durations metric.Float64Histogram
	requests  metric.Int64Histogram
}

func newLedger(set exporter.Settings, signal string) (*ledger, error) {
	m, err := newMetrics(set.MeterProvider.Meter(scopeName), set.ID)
	if err != nil {
		return nil, err
	}
	return &ledger{
		logger: set.Logger, exporter: set.ID, signal: signal, metrics: m,
		// A stack trace would tell where in the code events are lost, which is always the same place.
		loss: lossLog{logger: set.Logger.WithOptions(zap.AddStacktrace(zapcore.FatalLevel)), now: time.Now},
	}, nil
}

func newMetrics(meter metric.Meter, id component.ID) (metrics, error) {
	exporter := attribute.String("exporter", id.String())
	m := metrics{exporter: exporter, ofExporter: metric.WithAttributeSet(attribute.NewSet(exporter))}
	var errs [5]error
	m.accepted, errs[0] = meter.Int64Counter("otelcol_fanout_accepted_events_total",
		metric.WithUnit("{event}"), metric.WithDescription("Events that the exporter was handed."))
	m.events, errs[1] = meter.Int64Counter("otelcol_fanout_events_total",
		metric.WithUnit("{event}"), metric.WithDescription("Events that came to an end, by outcome and reason."))
	m.replayed, errs[2] = meter.Int64Counter("otelcol_fanout_replayed_events_total",
		metric.WithUnit("{event}"), metric.WithDescription("Dead letters that were sent again, by outcome."))
	m.durations, errs[3] = meter.Float64Histogram("otelcol_fanout_request_duration_seconds",
		metric.WithUnit("s"), metric.WithDescription("How long requests to the backend took."),
		metric.WithExplicitBucketBoundaries(.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30))
	m.requests, errs[4] = meter.Int64Histogram("otelcol_fanout_request_events",
		metric.WithUnit("{event}"), metric.WithDescription("How many events a request to the backend held."),
		metric.WithExplicitBucketBoundaries(1, 2, 5, 10, 25, 50, 100, 250, 500, 1000))
	return m, errors.Join(errs[:]...)
}

func (l *ledger) start(store deadletter.Store, id component.ID, replayer deadletter.Replayer) {
	if store != nil {
		l.store = store
		l.unregister = store.Register(id, l.signal, replayer)
	}
}

func (l *ledger) stop() {
	l.loss.flush()
	if l.unregister != nil {
		l.unregister()
		l.unregister = nil
	}
}

func (l *ledger) accepted(n int) {
	if n > 0 {
		l.metrics.accepted.Add(context.Background(), int64(n), l.metrics.ofExporter)
	}
}

func (l *ledger) delivered(n int)       { l.count("delivered", "", n) }
func (l *ledger) skipped(reason string) { l.count("skipped", reason, 1) }

// returned counts events whose failure a waiting caller was told.
func (l *ledger) returned(n int) { l.count("returned", "", n) }

// torn counts a batch that the queue's storage could not give back as one event.
func (l *ledger) torn(storageError string) {
	l.count("dropped", string(reasonTorn), 1)
	l.loss.add(lossTopic{"dropped", reasonTorn}, 1, lossCause{storage: storageError})
}

// replays counts what became of dead letters. They were counted as dead_lettered, so the count of events stays as it is.
func (l *ledger) replays(results []deadletter.Replayed) {
	counts := map[deadletter.Outcome]int64{}
	for i := range results {
		counts[results[i].Outcome]++
	}
	for outcome, name := range map[deadletter.Outcome]string{
		deadletter.OutcomeDelivered: "delivered", deadletter.OutcomeRefused: "refused", deadletter.OutcomeKept: "kept",
	} {
		if counts[outcome] > 0 {
			l.metrics.replayed.Add(context.Background(), counts[outcome], metric.WithAttributes(l.metrics.exporter, attribute.String("outcome", name)))
		}
	}
}

func (l *ledger) count(outcome, reason string, n int) {
	if n > 0 {
		l.metrics.events.Add(context.Background(), int64(n), metric.WithAttributes(
			l.metrics.exporter, attribute.String("outcome", outcome), attribute.String("reason", reason)))
	}
}

// requested counts a request; status 0 is one without an answer.
func (l *ledger) requested(status int, took time.Duration, events int) {
	class := "none"
	if status != 0 {
		class = strconv.Itoa(status/100) + "xx"
	}
	l.metrics.durations.Record(context.Background(), took.Seconds(),
		metric.WithAttributes(l.metrics.exporter, attribute.String("status_class", class)))
	l.metrics.requests.Record(context.Background(), int64(events), l.metrics.ofExporter)
}

// giveUp is the end of events that were not delivered, all for one cause.
func (l *ledger) giveUp(events []Event, c cause, attempts int) {
	letters := make([]deadletter.Letter, 0, len(events))
	for _, event := range events {
		letters = append(letters, newLetter(event, c, attempts))
	}
	l.bury(letters)
}

// bury puts letters into the store. Without one, or when it does not take them, they are dropped.
func (l *ledger) bury(letters []deadletter.Letter) {
	if len(letters) == 0 {
		return
	}
	if l.store == nil {
		l.lost("dropped", letters, nil)
		return
	}
	for i := range letters {
		letters[i].Exporter, letters[i].Signal = l.exporter.String(), l.signal
	}
	err := l.store.Put(l.exporter, letters)
	switch {
	case err == nil:
		l.lost("dead_lettered", letters, nil)
	case len(letters) == 1:
		l.lost("dropped", letters, err)
	default:
		// The store takes all of them or none, and one may be what it does not take.
		for i := range letters {
			l.bury(letters[i : i+1])
		}
	}
}

// discard is the end of events that are not to be kept.
func (l *ledger) discard(letters []deadletter.Letter) {
	if len(letters) > 0 {
		l.lost("dropped", letters, nil)
	}
}

// lost counts letters and tells the operator, and the backend of those that are gone.
func (l *ledger) lost(outcome string, letters []deadletter.Letter, problem error) {
	if l.observer != nil && outcome == "dropped" {
		l.observer.Lost(letters)
	}
	for len(letters) > 0 {
		first := &letters[0]
		n := slices.IndexFunc(letters, func(letter deadletter.Letter) bool { return letter.Reason != first.Reason })
		if n < 0 {
			n = len(letters)
		}
		l.count(outcome, string(first.Reason), n)
		c := lossCause{status: first.Status, deadLetter: problem}
		if first.Reason == deadletter.ReasonStorageFailed {
			c.storage = first.Message
		}
		l.loss.add(lossTopic{outcome, first.Reason}, n, c)
		letters = letters[n:]
	}
}

// told tells the operator of events that were refused, which only their callers have been told.
func (l *ledger) told(refused []refusedEvent) {
	for i := range refused {
		l.loss.add(lossTopic{"returned", refused[i].reason}, 1, lossCause{status: refused[i].status})
	}
}

// lossLog tells the operator of events that were not delivered, at most once a minute for each outcome and reason. It
// never repeats what the backend said, which may quote the event.
type lossLog struct {
	logger *zap.Logger
	now    func() time.Time

	mu     sync.Mutex
	topics map[lossTopic]*lossCount
}

type lossTopic struct {
	outcome string
	reason  deadletter.Reason
}

type lossCount struct {
	last   time.Time
	events int
	cause  lossCause // of the last of them
}

// lossCause is what is known of a loss besides its reason.
type lossCause struct {
	status int
	// storage is the error of the queue's storage, and deadLetter that of the dead letter store.
	storage    string
	deadLetter error
}

const lossInterval = time.Minute

func (l *lossLog) add(topic lossTopic, events int, c lossCause) {
	l.mu.Lock()
	defer l.mu.Unlock()
	count, ok := l.topics[topic]
	if !ok {
		if l.topics == nil {
			l.topics = map[lossTopic]*lossCount{}
		}
		count = &lossCount{}
		l.topics[topic] = count
	}
	count.events += events
	count.cause = c
	if now := l.now(); !ok || now.Sub(count.last) >= lossInterval {
		count.last = now
		l.tell(topic, count)
	}
}

// flush tells what is yet untold.
func (l *lossLog) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for topic, count := range l.topics {
		if count.events > 0 {
			l.tell(topic, count)
		}
	}
}

func (l *lossLog) tell(topic lossTopic, count *lossCount) {
	c := count.cause
	fields := []zap.Field{
		zap.String("reason", string(topic.reason)), zap.String("what_to_do", whatToDo(topic)),
		zap.Int("status", c.status), zap.Int("events", count.events), zap.NamedError("dead_letter_error", c.deadLetter),
	}
	if c.storage != "" {
		fields = append(fields, zap.String("storage_error", c.storage))
	}
	if c.deadLetter != nil {
		fields = append(fields, zap.String("why_not_kept", "the dead letter store did not take them: see dead_letter_error, and free its disk if that is full"))
	}
	switch topic.outcome {
	case "dropped":
		l.logger.Error("Events were not delivered and are lost", fields...)
	case "returned":
		l.logger.Warn("Events were refused, and their callers were told", fields...)
	default:
		l.logger.Warn("Events were not delivered and are kept as dead letters", fields...)
	}
	count.events = 0
}

// thenReplay ends a sentence on what can be mended, where there is something to replay afterwards.
func (t lossTopic) thenReplay() string {
	if t.outcome == "dead_lettered" {
		return ", then replay the dead letters"
	}
	return ""
}

// whatToDo is a sentence for the operator.
func whatToDo(topic lossTopic) string {
	switch topic.reason {
	case deadletter.ReasonUnauthorized:
		return "check the credentials of this exporter" + topic.thenReplay()
	case deadletter.ReasonRedirected:
		return "redirects are not followed: write the URL that the backend redirects to as the endpoint"
	case deadletter.ReasonQueueFull:
		return "the backend is slower than the events come: raise sending_queue::queue_size or max_in_flight"
	case deadletter.ReasonStorageFailed:
		return "the storage of the queue failed, as storage_error says: free its disk, raise its max_size, or see that it can be written to" + topic.thenReplay()
	case reasonTorn:
		return "a batch could not be read from the storage of the queue, as storage_error says: see whether its disk is damaged"
	case deadletter.ReasonExhausted:
		return "the backend failed for longer than retry_on_failure::max_elapsed_time: see to it" + topic.thenReplay()
	case deadletter.ReasonShutdown:
		return "the collector stopped first: raise shutdown_timeout, or put the queue on disk with sending_queue::storage"
	case deadletter.ReasonRateLimited:
		return "the backend takes no more of this kind for now: raise the quota, or send less" + topic.thenReplay()
	case deadletter.ReasonGone:
		return "the endpoint is gone (410): write another one, or have it brought back" + topic.thenReplay()
	case deadletter.ReasonBlocked:
		return "the endpoint's host leads to an address that is not connected to: write another host, or see block_private_networks"
	case deadletter.ReasonTooLarge:
		return "the event alone is larger than the backend takes"
	}
	switch topic.outcome {
	case "dropped":
		return "set dead_letter to keep such events, and what the backend said of them"
	case "returned":
		return "the callers have what the backend said"
	default:
		return "see the dead letters for what the backend said"
	}
}
