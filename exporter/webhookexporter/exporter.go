// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package webhookexporter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/consumer/consumererror"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/exporter/exporterhelper"
	"go.opentelemetry.io/collector/pdata/plog"
	"go.uber.org/zap"
)

// maxAnswer is how much of an answer is read, so that the connection can be used again.
const maxAnswer = 64 << 10

// webhookExporter posts events. Its push runs concurrently.
type webhookExporter struct {
	cfg       *Config
	set       exporter.Settings
	userAgent string
	client    *http.Client
	encoders  sync.Pool // *encoder
	refusals  refusalLog
}

func newExporter(set exporter.Settings, cfg *Config) *webhookExporter {
	return &webhookExporter{
		cfg:       cfg,
		set:       set,
		userAgent: set.BuildInfo.Command + "/" + set.BuildInfo.Version,
		encoders:  sync.Pool{New: func() any { return &encoder{} }},
		refusals:  refusalLog{logger: set.Logger, now: time.Now},
	}
}

func (e *webhookExporter) start(ctx context.Context, host component.Host) error {
	client, err := e.cfg.ClientConfig.ToClient(ctx, host.GetExtensions(), e.set.TelemetrySettings)
	if err != nil {
		return err
	}
	// A client that follows turns the POST into a GET without a body and reports the answer to that as success.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	e.client = client
	return nil
}

// push sends the events of ld. What can be sent again comes back as a retryable error that holds just these
// events; what the webhook refuses is logged and given up.
func (e *webhookExporter) push(ctx context.Context, ld plog.Logs) error {
	enc := e.encoders.Get().(*encoder)
	defer func() {
		enc.reset()
		e.encoders.Put(enc)
	}()
	enc.encode(ld, e.cfg.Batching)

	sent, refused := 0, 0
	var refusal error
	for _, req := range enc.requests {
		err := e.post(ctx, enc.buf[req.start:req.end])
		if retryable, ok := errors.AsType[*retryError](err); ok {
			// The rest would fare no better, and each of its requests would wait for its own timeout.
			e.refusals.add(refusal, refused)
			return retryable.owing(ld, sent)
		}
		if err != nil {
			refusal = err
			refused += req.events
		}
		sent += req.events
	}
	if refused == sent && refused > 0 {
		return consumererror.NewPermanent(refusal)
	}
	e.refusals.add(refusal, refused)
	return nil
}

// post makes one request. Its error never holds the URL, whose path or query may be a secret.
func (e *webhookExporter) post(ctx context.Context, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.cfg.ClientConfig.Endpoint, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("making the request: %w", withoutURL(err))
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", e.userAgent)

	response, err := e.client.Do(req)
	if err != nil {
		return &retryError{err: fmt.Errorf("posting to the webhook: %w", withoutURL(err))}
	}
	defer response.Body.Close()
	_, _ = io.CopyN(io.Discard, response.Body, maxAnswer)
	return judge(response, e.maxWait(), time.Now())
}

// maxWait is the longest a webhook can have itself left alone for.
func (e *webhookExporter) maxWait() time.Duration { return 10 * e.cfg.RetryConfig.MaxInterval }

// withoutURL takes the URL out of an error of net/http.
func withoutURL(err error) error {
	if urlErr, ok := errors.AsType[*url.Error](err); ok {
		return urlErr.Err
	}
	return err
}

// retryError is a failure that may pass.
type retryError struct {
	err error
	// wait is how long the webhook wants to be left alone; 0 is for the exporter to choose.
	wait time.Duration
}

func (r *retryError) Error() string { return r.err.Error() }
func (r *retryError) Unwrap() error { return r.err }

// owing is the error for exporterhelper, which tries again with the events after the first sent ones.
func (r *retryError) owing(ld plog.Logs, sent int) error {
	err := r.err
	if sent > 0 {
		err = consumererror.NewLogs(err, after(ld, sent))
	}
	if r.wait > 0 {
		err = exporterhelper.NewThrottleRetry(err, r.wait)
	}
	return err
}

// after is a copy of ld without its first records.
func after(ld plog.Logs, skip int) plog.Logs {
	rest := plog.NewLogs()
	ld.CopyTo(rest)
	rest.ResourceLogs().RemoveIf(func(rl plog.ResourceLogs) bool {
		rl.ScopeLogs().RemoveIf(func(sl plog.ScopeLogs) bool {
			sl.LogRecords().RemoveIf(func(plog.LogRecord) bool {
				skip--
				return skip >= 0
			})
			return sl.LogRecords().Len() == 0
		})
		return rl.ScopeLogs().Len() == 0
	})
	return rest
}

// refusalLog tells the operator of refused events, at most once a minute.
type refusalLog struct {
	logger *zap.Logger
	now    func() time.Time

	mu     sync.Mutex
	last   time.Time
	events int
}

const refusalLogInterval = time.Minute

func (l *refusalLog) add(err error, events int) {
	if events == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events += events
	if now := l.now(); now.Sub(l.last) >= refusalLogInterval {
		l.logger.Error("The webhook refused events; they are given up", zap.Error(err), zap.Int("events", l.events))
		l.last, l.events = now, 0
	}
}
