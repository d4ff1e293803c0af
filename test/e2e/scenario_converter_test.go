// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package e2e

import (
	"fmt"
	"maps"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/log"

	posthogintake "github.com/otelcol-fanout/otelcol-fanout/test/intake/posthog"
	sentryintake "github.com/otelcol-fanout/otelcol-fanout/test/intake/sentry"
)

// converter is a service that converts documents and reports each result with the OpenTelemetry SDK
// for Go. It knows no backend.
type converter struct{ *goApp }

// unreadable is the error of a document that cannot be converted.
type unreadable struct{ document string }

func (e unreadable) Error() string { return e.document + " is unreadable" }

// reportSuccess reports a converted document.
func (c *converter) reportSuccess(user, document string) {
	c.emitRecord("conversion_started", log.SeverityInfo, user, document)
	c.emitRecord("conversion_completed", log.SeverityInfo, user, document)
}

// reportFailure reports a failed document. It returns the line at which the error was created.
func (c *converter) reportFailure(user, document string) (line int) {
	c.emitRecord("conversion_started", log.SeverityInfo, user, document)
	c.emitRecord("conversion_failed", log.SeverityWarn, user, document)
	_, _, line, _ = runtime.Caller(0)
	thrown := exceptionAttributes(unreadable{document}, debug.Stack())
	c.emitRecord("error", log.SeverityError, user, document, thrown...)
	return line + 1
}

func (c *converter) emitRecord(name string, severity log.Severity, user, document string, more ...attribute.KeyValue) {
	var record log.Record
	record.SetEventName(name)
	record.SetTimestamp(time.Now())
	record.SetSeverity(severity)
	record.AddAttributes(attribute.String("user.id", user), attribute.String("document.id", document))
	record.AddAttributes(more...)
	c.logger.Emit(c.t.Context(), record)
}

// Both backends run and their addresses are set in all cases. Only the switches differ.
func TestScenarioConverterSwitchesBackendsByEnvironment(t *testing.T) {
	t.Parallel()
	const sentryOn, posthogOn = "SENTRY_ENABLED=true", "POSTHOG_ENABLED=true"
	for _, tt := range []struct {
		name     string
		switches []string
		sentry   bool
		posthog  bool
	}{
		{"none", nil, false, false},
		{"Sentry", []string{sentryOn}, true, false},
		{"PostHog", []string{posthogOn}, false, true},
		{"both", []string{sentryOn, posthogOn}, true, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			sentryAt, posthogAt := sentryintake.New(t), posthogintake.New(t)
			p := startShipped(t, append(addressesOf(sentryAt, posthogAt), tt.switches...)...)
			d := newFrontend(t, p)
			c := converter{newGoApp(t, d.address())}

			c.reportSuccess("ada", "letter.docx")
			line := c.reportFailure("bob", "broken.pdf")
			c.sendLogs()
			if tt.sentry {
				assert.Equal(t, map[string]int{"delivered": 5}, p.settled("sentry", 5).outcomes, "an Issue and four logs")
			}
			if tt.posthog {
				assert.Equal(t, map[string]int{"delivered": 6}, p.settled("posthog", 6).outcomes, "five events and an exception")
			}
			p.stop()

			assert.Empty(t, d.refusals(), "the converter's failed requests")
			assert.Equal(t, 1, strings.Count(p.stdout.String(), "conversion_failed"), "the console, which is on by default")
			if tt.sentry {
				assertConversionsAtSentry(t, sentryAt, line)
			} else {
				assert.Empty(t, sentryAt.Requests(), "requests to Sentry, which is off")
			}
			if tt.posthog {
				assertConversionsAtPostHog(t, posthogAt)
			} else {
				assert.Empty(t, posthogAt.Requests(), "requests to PostHog, which is off")
			}
		})
	}
}

// addressesOf returns the environment variables with the backends' addresses, without the switches.
func addressesOf(sentryAt *sentryintake.Intake, posthogAt *posthogintake.Intake) []string {
	return []string{
		"SENTRY_DSN=" + sentryAt.DSN(),
		"POSTHOG_API_KEY=" + posthogintake.Key, "POSTHOG_ENDPOINT=" + posthogAt.URL(),
	}
}

func assertConversionsAtSentry(t *testing.T, in *sentryintake.Intake, line int) {
	t.Helper()
	issues := issuesAt(t, in)
	require.Len(t, issues, 1)
	assert.Equal(t, "error", issues[0].Level)
	assert.Equal(t, "shop@1.2.3", issues[0].Release)
	thrown := issues[0].thrown(t)
	assert.Equal(t, thisPackage+".unreadable", thrown.Type)
	assert.Equal(t, "broken.pdf is unreadable", thrown.Value)
	top := thrown.top(t)
	assert.Equal(t, []any{thisPackage, "(*converter).reportFailure", line, true}, []any{top.Module, top.Function, top.Lineno, top.InApp})
	assert.True(t, strings.HasSuffix(top.Filename, "test/e2e/scenario_converter_test.go"), top.Filename)

	var reported []string
	for _, l := range logsAt(t, in) {
		assert.Equal(t, l.Attributes["event.name"].Value, l.Body)
		reported = append(reported, fmt.Sprint(l.Body, " ", l.Level, " ", l.Attributes["document.id"].Value))
	}
	assert.ElementsMatch(t, []string{
		"conversion_started info letter.docx", "conversion_completed info letter.docx",
		"conversion_started info broken.pdf", "conversion_failed warn broken.pdf",
	}, reported, "the logs")
}

func assertConversionsAtPostHog(t *testing.T, in *posthogintake.Intake) {
	t.Helper()
	var reported []string
	for _, e := range in.Events() {
		reported = append(reported, fmt.Sprint(e.DistinctID, " ", e.Name, " ", e.Properties["document.id"]))
		if e.Name != "$exception" {
			continue
		}
		thrown := e.Properties["$exception_list"].([]any)[0].(map[string]any)
		assert.Equal(t, thisPackage+".unreadable", thrown["type"])
		assert.Equal(t, "broken.pdf is unreadable", thrown["value"])
		frames := thrown["stacktrace"].(map[string]any)["frames"].([]any)
		assert.Equal(t, "(*converter).reportFailure", frames[len(frames)-1].(map[string]any)["function"])
	}
	assert.ElementsMatch(t, []string{
		"ada conversion_started letter.docx", "ada conversion_completed letter.docx",
		"bob conversion_started broken.pdf", "bob conversion_failed broken.pdf",
		"bob error broken.pdf", "bob $exception broken.pdf",
	}, reported)
}

func TestScenarioConverterSurvivesKill(t *testing.T) {
	t.Parallel()
	const batches, each, failing = 3, 20, 5 // one in five documents is unreadable
	sentryAt, posthogAt := sentryintake.New(t), posthogintake.New(t)
	posthogAt.AllowResending() // requests in flight during the kill, with the same events
	environment := append(addressesOf(sentryAt, posthogAt), "SENTRY_ENABLED=true", "POSTHOG_ENABLED=true", "FANOUT_DATA_DIR="+t.TempDir())
	p := startShipped(t, environment...)
	d := newFrontend(t, p)
	c := converter{newGoApp(t, d.address(), otlploghttp.WithRetry(otlploghttp.RetryConfig{
		Enabled: true, InitialInterval: 20 * time.Millisecond, MaxInterval: 100 * time.Millisecond, MaxElapsedTime: waitTimeout,
	}))}
	want := map[string]bool{}
	convert := func(batch int) {
		for n := range each {
			document := fmt.Sprintf("%d-%d.docx", batch, n)
			if n%failing == 0 {
				c.reportFailure("ada", document)
				maps.Copy(want, set("conversion_started "+document, "conversion_failed "+document, "error "+document))
			} else {
				c.reportSuccess("ada", document)
				maps.Copy(want, set("conversion_started "+document, "conversion_completed "+document))
			}
		}
	}

	// It is killed while some events are delivered, some are queued or in flight, and more are
	// coming.
	convert(0)
	c.sendLogs()
	p.waitFor("the first at Sentry", func() bool { return len(sentryAt.Raw("log")) > 0 })
	p.waitFor("the first at PostHog", func() bool { return len(posthogAt.Events()) > 0 })
	sentryAt.ReplyWith(func(sentryintake.Envelope) sentryintake.Reply { return sentryintake.Slow(time.Hour) })
	hung, release := posthogintake.Hung()
	t.Cleanup(release)
	posthogAt.ReplyWith(func(posthogintake.Request) posthogintake.Reply { return hung })
	convert(1)
	c.sendLogs()
	assert.Empty(t, d.refusals(), "the converter's failed requests so far")
	p.kill()
	sentryAt.ReplyWith(nil)
	posthogAt.ReplyWith(nil)
	convert(2)
	var sending sync.WaitGroup
	sending.Go(func() { assert.NoError(t, c.logs.ForceFlush(t.Context())) })
	require.Eventually(t, func() bool { return len(d.refusals()) > 0 }, waitTimeout, time.Millisecond, "the converter finds nobody there")
	p = startShipped(t, environment...)
	d.behind.Store(p)
	sending.Wait()
	require.Len(t, want, batches*each*2+batches*each/failing)

	p.waitFor("everything at PostHog", func() bool { return len(conversionsAtPostHog(t, posthogAt)) >= len(want) })
	p.waitFor("everything at Sentry", func() bool { return len(conversionsAtSentry(t, sentryAt)) >= len(want) })
	p.stop()
	assert.Equal(t, want, conversionsAtPostHog(t, posthogAt))
	assert.Equal(t, want, conversionsAtSentry(t, sentryAt))
	assert.Empty(t, p.folders.text(t), "dead letters")
	assertOneEventID(t, issuesAt(t, sentryAt))
	ids := map[string]string{}
	for _, e := range posthogAt.Events() {
		assert.Empty(t, ids[e.UUID], "events that share an id")
		ids[e.UUID] = e.Name
	}
}

func set(members ...string) map[string]bool {
	s := map[string]bool{}
	for _, m := range members {
		s[m] = true
	}
	return s
}

// conversionsAtPostHog returns the names of the events that arrived, with their documents.
func conversionsAtPostHog(t *testing.T, in *posthogintake.Intake) map[string]bool {
	t.Helper()
	reported := map[string]bool{}
	for _, e := range in.Events() {
		if e.Name != "$exception" {
			reported[fmt.Sprint(e.Name, " ", e.Properties["document.id"])] = true
		}
	}
	return reported
}

// conversionsAtSentry returns the same for Sentry, where errors are issues.
func conversionsAtSentry(t *testing.T, in *sentryintake.Intake) map[string]bool {
	t.Helper()
	reported := map[string]bool{}
	for _, l := range logsAt(t, in) {
		reported[fmt.Sprint(l.Body, " ", l.Attributes["document.id"].Value)] = true
	}
	for _, value := range valuesOf(issuesAt(t, in)) {
		reported["error "+strings.TrimSuffix(value, " is unreadable")] = true
	}
	return reported
}
