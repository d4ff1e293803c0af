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

// requestBody is the body of a request and how many events it holds.
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

// post posts a JSON body and returns the answer.
type post func(ctx context.Context, url, body string) ([]byte, error)

// sendWithCurl sends events as a user does who tries the collector out.
func (d *demo) sendWithCurl(ctx context.Context, url string) (total, error) {
	bodies := curlBodies()
	sent := total{requests: len(bodies)}
	for _, b := range bodies {
		sent.events += b.events
	}
	d.printf("\n%d events with curl:\n\n", sent.events)
	send := post(postWithCurl)
	if _, err := exec.LookPath("curl"); err != nil {
		d.printf("(curl is not installed here; the demo posts the same itself)\n")
		send = postWithGo
	}
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("waited for %s", patience))
	defer cancel()
	for _, b := range bodies {
		d.printf("$ %s\n", shown(curlCommand(url, b.json)))
		answer, err := send(ctx, url, b.json)
		if err != nil {
			return total{}, fmt.Errorf("posting to %s: %w", url, err)
		}
		d.printf("%s\n", answer)
		if err := checkAccepted(answer, b.events); err != nil {
			return total{}, err
		}
	}
	d.printf("\n")
	return sent, nil
}

// curlCommand is the command that posts body to url.
func curlCommand(url, body string) []string {
	return []string{"curl", "-sS", url, "-H", "content-type: application/json", "-d", body}
}

// shown is a command as it is typed into a shell, on two lines.
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
	cmd := exec.CommandContext(ctx, command[0], command[1:]...) //nolint:gosec // the words are the demo's own
	cmd.Env = append(os.Environ(), "NO_PROXY=*", "no_proxy=*")  // the collector is on this machine
	cmd.Stderr = os.Stderr
	answer, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("curl: %w", err)
	}
	return trimEnd(answer), nil
}

func postWithGo(ctx context.Context, url, body string) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	request.Close = true
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	return trimEnd(answer), err
}

func trimEnd(answer []byte) []byte { return []byte(strings.TrimRight(string(answer), "\n")) }

func checkAccepted(answer []byte, want int) error {
	var a struct {
		Accepted int `json:"accepted"`
	}
	if err := json.Unmarshal(answer, &a); err != nil {
		return fmt.Errorf("reading the collector's answer %q: %w", answer, err)
	}
	if a.Accepted != want {
		return fmt.Errorf("the collector accepted %d of %d events: %s", a.Accepted, want, answer)
	}
	return nil
}
