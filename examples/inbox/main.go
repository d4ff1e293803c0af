// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Inbox is a webhook that prints the events it receives, one per line.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/otelcol-fanout/otelcol-fanout/examples/internal/inbox"
)

type options struct {
	listen, name string
	fail         int
}

func main() {
	var o options
	flag.StringVar(&o.listen, "listen", "localhost:9001", "`host:port` to listen on; port 0 picks a free port")
	flag.StringVar(&o.name, "name", "inbox", "the `name` of this inbox")
	flag.IntVar(&o.fail, "fail", 0, "respond with 503 to the first `n` requests")
	flag.Parse()

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, o, os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "inbox:", err)
		os.Exit(1)
	}
}

// run receives events until ctx ends.
func run(ctx context.Context, o options, out io.Writer) error {
	if o.fail < 0 {
		return fmt.Errorf("-fail: %d is negative; set how many requests to fail with 503", o.fail)
	}
	server, err := inbox.Listen(ctx, o.listen, inbox.New(o.name, out, o.fail))
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "%s receives on %s\n", o.name, server.URL)
	<-ctx.Done()
	server.Close()

	c := server.Counts()
	_, err = fmt.Fprintf(out, "%s received %d events (%d distinct ids) in %d requests, and refused %d requests\n",
		o.name, c.Events, c.IDs, c.Requests, c.Refused)
	return err
}
