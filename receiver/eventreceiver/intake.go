// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventreceiver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
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

// dataFormat is the format in the receiver's own spans.
const dataFormat = "json"

// intake passes the events of requests to the pipeline. All handlers share it.
type intake struct {
	next      consumer.Logs
	logger    *zap.Logger
	report    *receiverhelper.ObsReport
	telemetry *metadata.TelemetryBuilder
	receiver  attribute.KeyValue
	keys      keyring
	bodies    bodyBudgets
	clients   clientInfo
	dedup     *deduplicator // nil if off
	now       func() time.Time
	// workspaces pools *workspace, the buffers of a request.
	workspaces sync.Pool
}

type workspace struct {
	body    bytes.Buffer
	decoder *eventjson.Decoder
}

// maxPooledBody is the size up to which a body buffer returns to the pool.
const maxPooledBody = 1 << 20

// responseTimeout is how long a client may take to read the response once the pipeline has
// returned.
const responseTimeout = 30 * time.Second

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
		bodies:    newBodyBudgets(cfg),
		clients:   clientInfo{enabled: cfg.ServerConfig.IncludeMetadata, proxies: proxies},
		dedup:     newDeduplicator(cfg.Deduplication),
		now:       time.Now,
		workspaces: sync.Pool{New: func() any {
			return &workspace{decoder: eventjson.NewDecoder(cfg.MaxEvents)}
		}},
	}, nil
}

// readBody reads the body into a workspace. The caller must release it, also after an error.
func (in *intake) readBody(r *http.Request) (*workspace, error) {
	ws, body := in.workspaces.Get().(*workspace), io.Reader(r.Body)
	a := admissionOf(r)
	if a.compressed { // its bytes as sent are counted before it is decompressed
		body = a.Count(r.Body)
	}
	_, err := ws.body.ReadFrom(body)
	switch {
	case a.Err() != nil:
		return ws, in.admissionProblem(r, a)
	case err != nil:
		return ws, bodyProblem(fmt.Errorf("reading the body: %w", err))
	}
	return ws, nil
}

func (in *intake) release(ws *workspace) {
	if ws.body.Cap() > maxPooledBody {
		ws.body = bytes.Buffer{}
	}
	ws.body.Reset()
	in.workspaces.Put(ws)
}

// submission is the events of one request.
type submission struct {
	result eventjson.Result
	// resource holds attributes that all events get.
	resource resource
	// scope is the application or webhook. Ids are unique within it.
	scope string
	// key is the idempotency key, or empty; body is the digest of the body sent with it.
	key  string
	body digest
	// wantsIDs is true if the response lists the events' ids.
	wantsIDs bool
	// beacon is true if the client never retries and ignores the response.
	beacon bool
	// mayBeEmpty is true if a body without events is valid.
	mayBeEmpty bool
}

// submit passes the valid events of a request to the pipeline and writes the response.
func (in *intake) submit(w http.ResponseWriter, r *http.Request, sub *submission) {
	in.count("rejected", len(sub.result.Rejected))
	if sub.mayBeEmpty && sub.result.Accepted == 0 && len(sub.result.Rejected) == 0 {
		writeResponse(w, http.StatusOK, responseBody{Rejected: []rejected{}})
		return
	}
	if sub.result.Accepted == 0 {
		writeResponse(w, http.StatusBadRequest, newResponseBody(&sub.result, nil))
		return
	}
	in.complete(r, sub)
	body := newResponseBody(&sub.result, idsOf(sub))

	// A pipeline that waits for a backend can exceed the write timeout. Without a response, the
	// client would send events again that were delivered.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{}) // if unsupported, the timeout stays
	err := in.deliver(r.Context(), sub)
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(responseTimeout))

	p, isProblem := errors.AsType[*problem](err)
	switch {
	case err == nil:
		writeResponse(w, http.StatusAccepted, body)
	case isProblem && sub.beacon && p.retryable:
		in.count("shed", sub.result.Accepted)
		body.Accepted, body.IDs, body.Shed = 0, nil, sub.result.Accepted
		writeResponse(w, http.StatusOK, body)
	default:
		writeProblem(w, err)
	}
}

// complete sets the events' source first, which their ids depend on, then the ids, and then
// attributes from the request.
func (in *intake) complete(r *http.Request, sub *submission) {
	sub.resource.applyTo(sub.result.Logs)
	if sub.key != "" {
		deriveIDs(sub)
	}
	appevent.StampIDs(sub.result.Logs)
	in.clients.addTo(r, sub.result.Records)
}

// deriveIDs derives the ids of events without one from the idempotency key, so that they are the
// same when the request is sent again.
func deriveIDs(sub *submission) {
	for _, accepted := range sub.result.Records {
		if accepted.RandomID {
			id := uuid.NewSHA1(uuid.NameSpaceOID, []byte(sub.scope+"\n"+sub.key+"\n"+strconv.Itoa(accepted.Index)))
			accepted.Record.Attributes().PutStr(appevent.AttrID, id.String())
		}
	}
}

// idsOf returns the ids of the events, if requested. Call it before the pipeline takes ownership.
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

// deliver passes the events to the pipeline, except those it accepted before.
func (in *intake) deliver(ctx context.Context, sub *submission) error {
	if in.dedup == nil {
		return in.consume(ctx, sub, sub.result.Accepted)
	}
	claim, err := in.dedup.claim(ctx, in.dedupIDs(sub))
	if err != nil {
		return &problem{status: http.StatusServiceUnavailable, text: "the same events are being processed; send them again later", retryable: true}
	}
	accepted := false
	defer func() { claim.settle(accepted) }()
	if sub.key != "" && claim.duplicate[0] {
		if claim.acceptedBodies[0] != sub.body {
			return &problem{status: http.StatusUnprocessableEntity, text: "this Idempotency-Key was used with another body; a new request needs a new key"}
		}
		in.count("duplicate", sub.result.Accepted)
		return nil
	}
	fresh := removeDuplicates(sub, claim.duplicate)
	in.count("duplicate", sub.result.Accepted-fresh)
	if fresh > 0 {
		err = in.consume(ctx, sub, fresh)
	}
	accepted = err == nil
	return err
}

// dedupIDs returns the ids of a request: its idempotency key, if any, and those of its events.
func (in *intake) dedupIDs(sub *submission) []dedupID {
	ids := make([]dedupID, 0, len(sub.result.Records)+1)
	if sub.key != "" {
		ids = append(ids, dedupID{in.dedup.digest('k', sub.scope, sub.key), sub.body})
	}
	for i := range sub.result.Records {
		ids = append(ids, dedupID{id: in.dedup.digest('e', sub.scope, uidOf(sub.result.Records[i].Record))})
	}
	return ids
}

// removeDuplicates removes the events that were accepted before and returns the number of the
// others.
func removeDuplicates(sub *submission, duplicate []bool) int {
	records := sub.result.Records
	duplicate = duplicate[len(duplicate)-len(records):]
	drop := map[plog.LogRecord]bool{}
	for i := range records {
		if duplicate[i] {
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
		ctx = context.WithoutCancel(ctx) // the page may be gone before the pipeline returns
	}
	ctx = in.report.StartLogsOp(ctx)
	err := in.next.ConsumeLogs(ctx, sub.result.Logs)
	in.report.EndLogsOp(ctx, dataFormat, events, err)
	if err != nil {
		return pipelineProblem(err)
	}
	return nil
}

func (in *intake) count(outcome string, events int) {
	if events > 0 {
		in.telemetry.FanoutReceiverEventsTotal.Add(context.Background(), int64(events),
			metric.WithAttributes(in.receiver, attribute.String("outcome", outcome)))
	}
}

// countRefused counts a request that is refused for one of the reasons in metadata.yaml.
func (in *intake) countRefused(r *http.Request, reason string) {
	in.telemetry.FanoutReceiverRefusedRequestsTotal.Add(r.Context(), 1, metric.WithAttributes(in.receiver, attribute.String("reason", reason)))
}

func (in *intake) countUnauthorized(r *http.Request) {
	in.telemetry.FanoutReceiverUnauthorizedTotal.Add(r.Context(), 1, metric.WithAttributes(in.receiver))
}

// bodyDigest identifies a body sent with an idempotency key.
func bodyDigest(body []byte) digest { return xxh3.Hash128(body) }
