// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package inbox

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"
)

// closeTimeout is how long Close waits for requests in progress.
const closeTimeout = time.Second

// Server is an inbox that listens.
type Server struct {
	*Inbox
	// URL is the address of the inbox.
	URL string

	server *http.Server
	served chan struct{} // closed when the server has ended
}

// Listen starts the inbox on address, host:port; port 0 picks a free port.
func Listen(ctx context.Context, address string, box *Inbox) (*Server, error) {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s inbox: %w", box.name, err)
	}
	s := &Server{
		Inbox:  box,
		URL:    "http://" + listener.Addr().String(),
		server: &http.Server{Handler: box, ReadHeaderTimeout: 10 * time.Second},
		served: make(chan struct{}),
	}
	go func() {
		defer close(s.served)
		_ = s.server.Serve(listener) // returns when the server is closed
	}()
	return s, nil
}

// Close stops listening, after requests in progress have ended.
func (s *Server) Close() {
	ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
	defer cancel()
	if s.server.Shutdown(ctx) != nil {
		_ = s.server.Close()
	}
	<-s.served
}
