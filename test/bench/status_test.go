// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package bench

import "testing"

// BenchmarkStatus reports the collector's median CPU time per record with the status extension (on)
// and without it (off): OTLP JSON comes in, and the fanout connector sends it to two webhooks. Use at
// least -benchtime 20x. The target of on/off is 1.03.
func BenchmarkStatus(b *testing.B) {
	binary, request := findBinary(b), jsonRequest(b)
	off, on := contestant{"off", routedConfig("")}, contestant{"on", routedConfig("status")}
	turn := map[string]float64{}
	measured := measurements{}
	for b.Loop() {
		for _, c := range [...]contestant{off, on} {
			turn[c.name] = run(b, binary, c.config, request)
			measured.add(c.name+"-cpu-ns/record", turn[c.name])
		}
		measured.add("on/off", turn["on"]/turn["off"])
		off, on = on, off // each goes first in every other turn
	}
	measured.report(b)
}

// routedConfig returns a configuration that routes OTLP to two webhooks, with an extension or none.
func routedConfig(extension string) string {
	return `
receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:0"}}}}
connectors: {fanout: {default_pipelines: [logs/a, logs/b]}}
exporters:
` + webhook("a") + webhook("b") + `
extensions: {status: {endpoint: "127.0.0.1:0"}}
service:
  telemetry: {metrics: {level: none}}
  extensions: [` + extension + `]
  pipelines:
    logs/in: {receivers: [otlp], exporters: [fanout]}
    logs/a: {receivers: [fanout], exporters: [webhook/a]}
    logs/b: {receivers: [fanout], exporters: [webhook/b]}
`
}
