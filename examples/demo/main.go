// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Demo starts the collector and two webhooks, sends events with the OpenTelemetry Go SDK and with
// curl, and shows them arriving at both.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"github.com/otelcol-fanout/otelcol-fanout/examples/internal/inbox"
)

// stepTimeout limits each wait: for the collector to start or stop, and for events to arrive.
const stepTimeout = 15 * time.Second

func main() {
	d := &demo{out: os.Stdout, log: newCollectorLog()}
	flag.StringVar(&d.binary, "binary", "bin/otelcol-fanout", "the collector's binary")
	flag.StringVar(&d.config, "config", "examples/demo/config.yaml", "the collector's configuration")
	flag.Parse()

	// However the demo is stopped (Ctrl-C, kill, a closed window, `| head`), the collector must
	// stop too.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the demo at once
	err := d.run(ctx)
	if err == nil {
		return
	}
	if ctx.Err() != nil {
		fmt.Fprintln(os.Stderr, "\ndemo: interrupted")
	} else {
		fmt.Fprintf(os.Stderr, "\ndemo: %v\n%s", err, d.log.tail())
	}
	os.Exit(1)
}

type demo struct {
	out            io.Writer
	binary, config string
	log            *collectorLog
}

// printf prints to the terminal. If the terminal is gone, a signal ends the demo.
func (d *demo) printf(format string, args ...any) { _, _ = fmt.Fprintf(d.out, format, args...) }

// run runs the demo. Everything it started has stopped when it returns.
func (d *demo) run(ctx context.Context) error {
	if _, err := exec.LookPath(d.binary); err != nil {
		return fmt.Errorf("%s does not exist or is not executable; build it with: make build", d.binary)
	}
	if _, err := os.Stat(d.config); err != nil {
		return fmt.Errorf("reading the configuration: %w; run the demo from the root of the repository", err)
	}
	audit, err := inbox.Listen(ctx, "127.0.0.1:0", inbox.New("audit", d.out, inbox.Failures{}))
	if err != nil {
		return err
	}
	defer audit.Close()
	analytics, err := inbox.Listen(ctx, "127.0.0.1:0", inbox.New("analytics", d.out, inbox.Failures{}))
	if err != nil {
		return err
	}
	defer analytics.Close()

	sent, err := d.fanOut(ctx, audit, analytics)
	if err != nil {
		return err
	}
	return d.summarize(sent, audit.Inbox, analytics.Inbox)
}

// fanOut runs the collector until all events are sent and have arrived.
func (d *demo) fanOut(ctx context.Context, audit, analytics *inbox.Server) (total, error) {
	env := []string{"AUDIT_URL=" + audit.URL, "ANALYTICS_URL=" + analytics.URL}
	d.printf("Two webhooks, and a collector that sends every event to both:\n\n$ %s \\\n  %s \\\n  %s --config %s\n",
		env[0], env[1], d.binary, d.config)
	running, c, err := startCollector(ctx, d.binary, d.config, env, d.log)
	if err != nil {
		return total{}, err
	}
	sent, err := d.send(running, audit.Inbox, analytics.Inbox)
	if running.Err() != nil {
		err = context.Cause(running) // the cause of any other failure
	}
	// The collector sends its queued events before it stops, so the inboxes are then complete.
	if stopErr := c.stop(); err == nil {
		err = stopErr
	}
	return sent, err
}

// total counts the events sent and the requests they were sent in.
type total struct{ events, requests int }

func (d *demo) send(ctx context.Context, inboxes ...*inbox.Inbox) (total, error) {
	at, err := d.log.awaitReady(ctx)
	if err != nil {
		return total{}, err
	}
	d.printf("\nIt receives OTLP on %s and event JSON on %s.\n", at.otlp, at.event)

	bySDK, err := d.sendWithSDK(ctx, at.otlp)
	if err != nil {
		return bySDK, err
	}
	if err := arrive(ctx, bySDK.events, inboxes); err != nil {
		return bySDK, err
	}
	byCurl, err := d.sendWithCurl(ctx, "http://"+at.event+"/v1/events")
	if err != nil {
		return byCurl, err
	}
	all := total{events: bySDK.events + byCurl.events, requests: bySDK.requests + byCurl.requests}
	return all, arrive(ctx, all.events, inboxes)
}

// arrive waits until every inbox has that many events.
func arrive(ctx context.Context, events int, inboxes []*inbox.Inbox) error {
	ctx, cancel := context.WithTimeoutCause(ctx, stepTimeout, fmt.Errorf("waited for %s", stepTimeout))
	defer cancel()
	for _, box := range inboxes {
		if err := box.Wait(ctx, events); err != nil {
			return err
		}
	}
	return nil
}
