// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// Real senders need more than Go. Scripts install the tools or say what to install; without them
// the tests fail rather than skip.

// needNode is for tests that run scripts of the folder node.
func needNode(t *testing.T) {
	t.Helper()
	require.NoError(t, installNode())
}

// needChromium is for tests with a browser.
func needChromium(t *testing.T) {
	t.Helper()
	require.NoError(t, installChromium())
}

// needPython returns the path of a Python that has the SDK's packages.
func needPython(t *testing.T) string {
	t.Helper()
	require.NoError(t, installPython())
	python, err := filepath.Abs("python/.venv/bin/python")
	require.NoError(t, err)
	return python
}

// needCurl returns the path of curl. `make tools` installs it.
func needCurl(t *testing.T) string {
	t.Helper()
	curl, err := exec.LookPath("curl")
	require.NoError(t, err, "make tools installs curl where apt-get can; else install it")
	return curl
}

// Tests run in parallel, but an installation must run once.
var (
	installNode     = sync.OnceValue(func() error { return install("node/install.sh") })
	installPython   = sync.OnceValue(func() error { return install("python/install.sh") })
	installChromium = sync.OnceValue(func() error { return install("browser/install.sh") })
)

// install runs a script, which does nothing if everything is installed.
func install(script string) error {
	if printed, err := exec.Command(script).CombinedOutput(); err != nil {
		return &installError{script: script, printed: string(printed)}
	}
	return nil
}

type installError struct{ script, printed string }

func (e *installError) Error() string { return e.script + ": " + e.printed }

func inNodeFolder(t *testing.T, name string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = "node"
	output, err := cmd.CombinedOutput()
	return string(output), err
}
