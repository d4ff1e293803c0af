// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
)

// requestBody is the body of a request and the number of events in it.
type requestBody struct {
	json   string
	events int
}

func curlBodies() []requestBody {
	return []requestBody{
		{`{"name":"page_viewed","user":{"id":"u2"},"properties":{"path":"/pricing"}}`, 1},
		{`[{"name":"trial_started","user":{"id":"u2"},"properties":{"days":14}},
     {"name":"user_invited","user":{"id":"u2"},"properties":{"role":"admin"}}]`, 2},
	}
}

// post posts a JSON body and returns the response body.
type post func(ctx context.Context, url, body string) ([]byte, error)

// sendWithCurl sends events the way a user tries out the collector.
func (d *demo) sendWithCurl(ctx context.Context, url string) (total, error) {
	bodies := curlBodies()
	sent := total{requests: len(bodies)}
	for _, b := range bodies {
		sent.events += b.events
	}
	d.printf("\n%d events with curl:\n\n", sent.events)
	send := post(postWithCurl)
	if _, err := exec.LookPath("curl"); err != nil {
		d.printf("(curl is not installed; the demo sends the same requests itself)\n")
		send = postWithGo
	}
	ctx, cancel := context.WithTimeoutCause(ctx, stepTimeout, fmt.Errorf("waited for %s", stepTimeout))
	defer cancel()
	for _, b := range bodies {
		d.printf("$ %s\n", shown(curlCommand(url, b.json)))
		response, err := send(ctx, url, b.json)
		if err != nil {
			return total{}, fmt.Errorf("posting to %s: %w", url, err)
		}
		d.printf("%s\n", response)
		if err := checkAccepted(response, b.events); err != nil {
			return total{}, err
		}
	}
	d.printf("\n")
	return sent, nil
}

// curlCommand returns the command that posts body to url.
func curlCommand(url, body string) []string {
	return []string{"curl", "-sS", url, "-H", "content-type: application/json", "-d", body}
}

// shown returns a command as typed into a shell, on two lines.
func shown(command []string) string {
	words := make([]string, len(command))
	for i, word := range command {
		words[i] = word
		if strings.ContainsAny(word, " '\"[{") {
			words[i] = "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
		}
	}
	last := len(words) - 2
	return strings.Join(words[:last], " ") + " \\\n  " + strings.Join(words[last:], " ")
}

func postWithCurl(ctx context.Context, url, body string) ([]byte, error) {
	command := curlCommand(url, body)
	cmd := exec.CommandContext(ctx, command[0], command[1:]...) //nolint:gosec // the demo's own command
	cmd.Env = append(os.Environ(), "NO_PROXY=*", "no_proxy=*")  // the collector is on this machine
	cmd.Stderr = os.Stderr
	response, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("curl: %w", err)
	}
	return trimEnd(response), nil
}

func postWithGo(ctx context.Context, url, body string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Close = true
	reply, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer reply.Body.Close()
	response, err := io.ReadAll(reply.Body)
	return trimEnd(response), err
}

func trimEnd(response []byte) []byte { return []byte(strings.TrimRight(string(response), "\n")) }

func checkAccepted(response []byte, want int) error {
	var a struct {
		Accepted int `json:"accepted"`
	}
	if err := json.Unmarshal(response, &a); err != nil {
		return fmt.Errorf("reading the collector's response %q: %w", response, err)
	}
	if a.Accepted != want {
		return fmt.Errorf("the collector accepted %d of %d events: %s", a.Accepted, want, response)
	}
	return nil
}
