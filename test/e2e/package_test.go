// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package e2e tests the built binary from the outside: its command line, and how events of real
// clients arrive at webhooks. It runs the binary in OTELCOL_FANOUT, or builds one. All traffic
// stays on 127.0.0.1, on ports that the kernel picks.
package e2e

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

const (
	// binaryVariable names the binary under test.
	binaryVariable = "OTELCOL_FANOUT"
	// root is the relative path of the repository.
	root = "../.."
)

// binary is the path of the binary under test.
var binary string

func TestMain(m *testing.M) {
	os.Exit(testMain(m))
}

func testMain(m *testing.M) int {
	forgetSettings()
	folder, err := os.MkdirTemp("", "otelcol-fanout-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(folder) }()
	if binary, err = findBinary(folder); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

// forgetSettings keeps the developer's own OTEL_* variables out of the SDKs that the tests use.
func forgetSettings() {
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); strings.HasPrefix(name, "OTEL_") {
			_ = os.Unsetenv(name)
		}
	}
}

func findBinary(folder string) (string, error) {
	if path := os.Getenv(binaryVariable); path != "" {
		if !filepath.IsAbs(path) {
			return "", fmt.Errorf("%s=%s: is not an absolute path", binaryVariable, path)
		}
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("%s: %w; build it with: make build", binaryVariable, err)
		}
		return path, nil
	}
	return build(filepath.Join(folder, "otelcol-fanout"))
}

// build uses the flags of `make build`, so that it reuses the build cache.
func build(path string) (string, error) {
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", path, "./cmd/otelcol-fanout")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if output, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building the binary: %w\n%s", err, output)
	}
	return path, nil
}

// noteInputs reads the binary and the sources, so that `go test` does not reuse a cached result
// after they change. Files that TestMain reads do not count.
var noteInputs = sync.OnceValue(func() error {
	_ = os.Getenv(binaryVariable)
	if _, err := os.Stat(binary); err != nil {
		return err
	}
	return filepath.WalkDir(root, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && entry.IsDir() && (entry.Name() == "node_modules" || entry.Name() == "bin" || entry.Name() == ".git") {
			return fs.SkipDir
		}
		return err
	})
})
