// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventreceiver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/google/uuid"
	"github.com/zeebo/xxh3"
	"go.opentelemetry.io/collector/consumer"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/receiver/receiverhelper"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.uber.org/zap"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/eventjson"
	"github.com/otelcol-fanout/otelcol-fanout/receiver/eventreceiver/internal/metadata"
)

// dataFormat is the format that the receiver's own spans name.
const dataFormat = "json"

// intake takes the events of requests to the pipeline. All paths share it.
type intake struct {
	next      consumer.Logs
	logger    *zap.Logger
	report    *receiverhelper.ObsReport
	telemetry *metadata.TelemetryBuilder
	receiver  attribute.KeyValue
	keys      keyring
	clients   clients
	known     *deduplicator // nil where it is off
	now       func() time.Time
	// workspaces are *workspace: what a request needs and the next one can use again.
	workspaces sync.Pool
}

type workspace struct {
	body    bytes.Buffer
	decoder *eventjson.Decoder
}

// keptBody is the size up to which the memory of a request's body is kept for the next one.
const keptBody = 1 << 20

// answerTime is how long the client may take to read an answer that the pipeline took its time for.
const answerTime = 30 * time.Second

func newIntake(set receiver.Settings, cfg *Config, next consumer.Logs) (*intake, error) {
	report, err := receiverhelper.NewObsReport(receiverhelper.ObsReportSettings{
		ReceiverID:             set.ID,
		Transport:              "http",
		ReceiverCreateSettings: set,
	})
	if err != nil {
		return nil, err
	}
	telemetry, err := metadata.NewTelemetryBuilder(set.TelemetrySettings)
	if err != nil {
		return nil, err
	}
	proxies, err := parseProxies(cfg.TrustedProxies)
	if err != nil {
		return nil, err
	}
	return &intake{
		next:      next,
		logger:    set.Logger,
		report:    report,
		telemetry: telemetry,
		receiver:  attribute.String("receiver", set.ID.String()),
		keys:      newKeyring(cfg),
		clients:   clients{described: cfg.ServerConfig.IncludeMetadata, proxies: proxies},
		known:     newDeduplicator(cfg.Deduplication),
		now:       time.Now,
		workspaces: sync.Pool{New: func() any {
			return &workspace{decoder: eventjson.NewDecoder(cfg.MaxEvents)}
		}},
	}, nil
}

// readBody reads the body of a request into a workspace, which has to be released.
func (in *intake) readBody(r *http.Request) (*workspace, error) {
	ws := in.workspaces.Get().(*workspace)
	if _, err := ws.body.ReadFrom(r.Body); err != nil {
		return ws, unreadable(fmt.Errorf("reading the body: %w", err))
	}
	return ws, nil
}

func (in *intake) release(ws *workspace) {
	if ws.body.Cap() > keptBody {
		ws.body = bytes.Buffer{}
	}
	ws.body.Reset()
	in.workspaces.Put(ws)
}

// submission is the events of one request on their way.
type submission struct {
	result eventjson.Result
	// resource are attributes that all of them get.
	resource resource
	// scope is whose they are: what their ids are unique in.
	scope string
	// key is the idempotency key, or empty, and body stands for what was sent with it.
	key  string
	body digest
	// wantsIDs says that the answer is to tell their ids.
	wantsIDs bool
	// beacon says that nobody will send them again, or read the answer.
	beacon bool
}

// take hands the sound events of a request to the pipeline, and answers.
func (in *intake) take(w http.ResponseWriter, r *http.Request, sub *submission) {
	in.count("rejected", len(sub.result.Rejected))
	if sub.result.Accepted == 0 {
		write(w, http.StatusBadRequest, newAnswer(&sub.result, nil))
		return
	}
	in.complete(r, sub)
	a := newAnswer(&sub.result, idsOf(sub))

	// A pipeline that waits for its backend takes its time. An answer that is late is better than none, after which the
	// client would send again what was delivered.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{}) // without it, the limit stays
	err := in.deliver(r.Context(), sub)
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(answerTime))

	p, isProblem := errors.AsType[*problem](err)
	switch {
	case err == nil:
		write(w, http.StatusAccepted, a)
	case isProblem && sub.beacon && p.later:
		in.count("shed", sub.result.Accepted)
		a.Accepted, a.IDs, a.Shed = 0, nil, sub.result.Accepted
		write(w, http.StatusOK, a)
	default:
		writeProblem(w, err)
	}
}

// complete gives the events their source, which their ids depend on, then their ids, and then what they do not say
// themselves.
func (in *intake) complete(r *http.Request, sub *submission) {
	sub.resource.put(sub.result.Logs)
	if sub.key != "" {
		nameAnonymous(sub)
	}
	appevent.StampIDs(sub.result.Logs)
	in.clients.describe(r, sub.result.Records)
}

// nameAnonymous makes the ids of events that had none of the idempotency key, so that they are the same when the request is
// sent again.
func nameAnonymous(sub *submission) {
	for _, accepted := range sub.result.Records {
		if accepted.Anonymous {
			id := uuid.NewSHA1(uuid.NameSpaceOID, []byte(sub.scope+"\n"+sub.key+"\n"+strconv.Itoa(accepted.Index)))
			accepted.Record.Attributes().PutStr(appevent.AttrID, id.String())
		}
	}
}

// idsOf are the ids of the events, where they are asked for. The pipeline owns the events as soon as it has them.
func idsOf(sub *submission) []string {
	if !sub.wantsIDs {
		return nil
	}
	ids := make([]string, len(sub.result.Records))
	for i := range sub.result.Records {
		ids[i] = uidOf(sub.result.Records[i].Record)
	}
	return ids
}

func uidOf(record plog.LogRecord) string {
	id, _ := record.Attributes().Get(appevent.AttrID)
	return id.Str()
}

// deliver hands the events to the pipeline, but for those that it was handed before.
func (in *intake) deliver(ctx context.Context, sub *submission) error {
	if in.known == nil {
		return in.consume(ctx, sub, sub.result.Accepted)
	}
	claim, err := in.known.claim(ctx, in.claimedBy(sub))
	if err != nil {
		return &problem{status: http.StatusServiceUnavailable, text: "the same events are under way, send them again later", later: true}
	}
	accepted := false
	defer func() { claim.settle(accepted) }()
	if sub.key != "" && claim.seen[0] {
		if claim.before[0] != sub.body {
			return &problem{status: http.StatusUnprocessableEntity, text: "another body came with this Idempotency-Key; a new request needs a new key"}
		}
		in.count("duplicate", sub.result.Accepted)
		return nil
	}
	fresh := dropSeen(sub, claim.seen)
	in.count("duplicate", sub.result.Accepted-fresh)
	if fresh > 0 {
		err = in.consume(ctx, sub, fresh)
	}
	accepted = err == nil
	return err
}

// claimedBy are the ids that a request has: its idempotency key, if any, and those of its events.
func (in *intake) claimedBy(sub *submission) []claimed {
	ids := make([]claimed, 0, len(sub.result.Records)+1)
	if sub.key != "" {
		ids = append(ids, claimed{in.known.digest('k', sub.scope, sub.key), sub.body})
	}
	for i := range sub.result.Records {
		ids = append(ids, claimed{id: in.known.digest('e', sub.scope, uidOf(sub.result.Records[i].Record))})
	}
	return ids
}

// dropSeen leaves those events that are new, and tells how many they are.
func dropSeen(sub *submission, seen []bool) int {
	records := sub.result.Records
	seen = seen[len(seen)-len(records):]
	drop := map[plog.LogRecord]bool{}
	for i := range records {
		if seen[i] {
			drop[records[i].Record] = true
		}
	}
	if len(drop) == 0 {
		return len(records)
	}
	sub.result.Logs.ResourceLogs().RemoveIf(func(rl plog.ResourceLogs) bool {
		rl.ScopeLogs().RemoveIf(func(sl plog.ScopeLogs) bool {
			sl.LogRecords().RemoveIf(func(record plog.LogRecord) bool { return drop[record] })
			return sl.LogRecords().Len() == 0
		})
		return rl.ScopeLogs().Len() == 0
	})
	return len(records) - len(drop)
}

func (in *intake) consume(ctx context.Context, sub *submission, events int) error {
	if sub.beacon {
		ctx = context.WithoutCancel(ctx) // the page has gone, the event has not
	}
	ctx = in.report.StartLogsOp(ctx)
	err := in.next.ConsumeLogs(ctx, sub.result.Logs)
	in.report.EndLogsOp(ctx, dataFormat, events, err)
	if err != nil {
		return refusal(err)
	}
	return nil
}

func (in *intake) count(outcome string, events int) {
	if events > 0 {
		in.telemetry.FanoutReceiverEventsTotal.Add(context.Background(), int64(events),
			metric.WithAttributes(in.receiver, attribute.String("outcome", outcome)))
	}
}

func (in *intake) unauthorized(r *http.Request) {
	in.telemetry.FanoutReceiverUnauthorizedTotal.Add(r.Context(), 1, metric.WithAttributes(in.receiver))
}

// bodyDigest stands for a body that came with an idempotency key.
func bodyDigest(body []byte) digest { return xxh3.Hash128(body) }
