// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Inbox is a webhook that prints the events it receives, one per line.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"

	"github.com/otelcol-fanout/otelcol-fanout/examples/internal/inbox"
)

type options struct {
	listen, name string
	fail, status int
}

// defaultStatus is that of a webhook that is down for a moment.
const defaultStatus = http.StatusServiceUnavailable

func main() {
	var o options
	flag.StringVar(&o.listen, "listen", "localhost:9001", "`host:port` to listen on; port 0 picks a free port")
	flag.StringVar(&o.name, "name", "inbox", "the `name` of this inbox")
	flag.IntVar(&o.fail, "fail", 0, "respond with an error to the first `n` requests")
	flag.IntVar(&o.status, "status", defaultStatus, "the `status` of these errors, 400 to 599")
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
		return fmt.Errorf("-fail: %d is negative; set how many requests to fail", o.fail)
	}
	if o.status < 400 || o.status > 599 {
		return fmt.Errorf("-status: %d is not the status of an error; use 400 to 599", o.status)
	}
	if o.status != defaultStatus && o.fail == 0 {
		return errors.New("-status: has no effect without -fail; set how many requests to fail")
	}
	server, err := inbox.Listen(ctx, o.listen, inbox.New(o.name, out, inbox.Failures{Requests: o.fail, Status: o.status}))
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
