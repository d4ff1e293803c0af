// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package main writes one file per case into the folder that is its argument.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
	"go.uber.org/zap"

	"shop/cart"
)

var out string

func main() {
	if len(os.Args) > 2 {
		crash(os.Args[2])
		return
	}
	out = os.Args[1]
	withTracer("opentelemetry_record_error", func(span trace.Span) {
		span.RecordError(errors.New("sold out"), trace.WithStackTrace(true))
	})
	withTracer("opentelemetry_end_of_panic", func(span trace.Span) {
		defer func() { _ = recover() }()
		defer span.End(trace.WithStackTrace(true))
		cart.New[string]().Add(-1)
	})
	write("debug_stack", "", "", string(debug.Stack()))
	write("zap_stack", "", "", zap.Stack("stack").String)
	recovered("recovered_nil_map", func() { var m map[string]int; m["a"] = 1 })
	recovered("recovered_index", func() { s := []int{}; i := 5; fmt.Println(s[i]) })
	recovered("recovered_nil_pointer", func() { var c *cart.Cart[int]; c.Add(1) })
	recovered("recovered_generic", func() { cart.Map([]int{1, -1}, func(n int) int { return cart.New[int]().Add(n) }) })
	handler()
	goroutineDump()
	for _, how := range []string{"error", "value", "repanic", "nil_pointer", "fatal", "goroutine", "system", "overflow", "all"} {
		command := exec.Command(os.Args[0], out, how)
		command.Env = append(os.Environ(), "GOTRACEBACK=single")
		if how == "system" || how == "all" {
			command.Env = append(os.Environ(), "GOTRACEBACK="+how)
		}
		text, _ := command.CombinedOutput()
		write("crash_"+how, "", "", string(text))
	}
}

func write(name, typ, message, text string) {
	must(os.WriteFile(filepath.Join(out, name+".txt"), []byte(text), 0o644))
	if typ == "" && message == "" {
		return
	}
	given, err := json.Marshal(map[string]string{"type": typ, "message": message})
	must(err)
	must(os.WriteFile(filepath.Join(out, name+".given.json"), append(given, '\n'), 0o644))
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func withTracer(name string, f func(trace.Span)) {
	recorder := tracetest.NewSpanRecorder()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(recorder))
	_, span := provider.Tracer("shop").Start(context.Background(), "checkout")
	f(span)
	span.End()
	given := map[string]string{}
	for _, kv := range recorder.Ended()[0].Events()[0].Attributes {
		given[string(kv.Key)] = kv.Value.AsString()
	}
	write(name, given["exception.type"], given["exception.message"], given["exception.stacktrace"])
}

func recovered(name string, f func()) {
	defer func() {
		r := recover()
		write(name, fmt.Sprintf("%T", r), fmt.Sprint(r), string(debug.Stack()))
	}()
	f()
}

func handler() {
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		recovered("http_handler", func() { cart.New[int]().Add(-1) })
	}))
	defer server.Close()
	_, err := http.Get(server.URL)
	must(err)
}

func goroutineDump() {
	var ready sync.WaitGroup
	done := make(chan int)
	for range 2 {
		ready.Add(1)
		go func() { ready.Done(); <-done }()
	}
	ready.Wait()
	time.Sleep(50 * time.Millisecond) // until both wait
	buffer := make([]byte, 1<<20)
	write("goroutine_dump", "", "", string(buffer[:runtime.Stack(buffer, true)]))
	close(done)
}

type outOfStock struct{ sku string }

func crash(how string) {
	switch how {
	case "error":
		panic(fmt.Errorf("checkout: %w", errors.New("sold out\nof two lines")))
	case "value":
		panic(outOfStock{"mug"})
	case "repanic":
		defer func() {
			panic(fmt.Sprint("while handling: ", recover()))
		}()
		cart.New[int]().Add(-1)
	case "nil_pointer", "system", "all":
		var c *cart.Cart[int]
		c.Add(1)
	case "fatal":
		new(sync.Mutex).Unlock()
	case "goroutine":
		go func() { cart.New[int]().Add(-1) }()
		time.Sleep(time.Second)
	case "overflow":
		debug.SetMaxStack(1 << 16)
		fmt.Println(recurse(strings.Repeat("x", 100)))
	}
}

func recurse(s string) string { return recurse(s+"x") + "y" }
