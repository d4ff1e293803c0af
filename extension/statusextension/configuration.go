// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"maps"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"go.opentelemetry.io/collector/confmap"
)

// configuration is the part of the collector's configuration that the API shows.
type configuration struct {
	receivers []configuredReceiver
	pipelines []configuredPipeline
	exporters []configuredExporter
	// metrics is the URL of the collector's own metrics in Prometheus' format; empty if it has none.
	metrics string
}

type configuredReceiver struct {
	id                   string
	pipelines, endpoints []string
}

type configuredPipeline struct {
	id                               string
	receivers, processors, exporters []string
}

type configuredExporter struct {
	id        string
	pipelines []string
	endpoint  string
}

// readConfiguration reads the effective configuration, in which the collector has replaced secrets.
func readConfiguration(conf *confmap.Conf) configuration {
	root := conf.ToStringMap()
	service := table(root["service"])
	c := configuration{
		pipelines: readPipelines(table(service["pipelines"])),
		metrics:   metricsURL(table(table(service["telemetry"])["metrics"])),
	}
	c.receivers = readReceivers(table(root["receivers"]), c.pipelines)
	c.exporters = readExporters(table(root["exporters"]), c.pipelines)
	return c
}

func readPipelines(pipelines map[string]any) []configuredPipeline {
	read := make([]configuredPipeline, 0, len(pipelines))
	for _, id := range slices.Sorted(maps.Keys(pipelines)) {
		p := table(pipelines[id])
		read = append(read, configuredPipeline{id: id, receivers: texts(p["receivers"]), processors: texts(p["processors"]), exporters: texts(p["exporters"])})
	}
	return read
}

// readReceivers leaves out the connectors, which are in the receivers of pipelines, too.
func readReceivers(receivers map[string]any, pipelines []configuredPipeline) []configuredReceiver {
	read := make([]configuredReceiver, 0, len(receivers))
	for _, id := range slices.Sorted(maps.Keys(receivers)) {
		r := configuredReceiver{id: id, endpoints: endpoints(receivers[id])}
		for i := range pipelines {
			if slices.Contains(pipelines[i].receivers, id) {
				r.pipelines = append(r.pipelines, pipelines[i].id)
			}
		}
		if len(r.pipelines) > 0 {
			read = append(read, r)
		}
	}
	return read
}

// readExporters leaves out nop, which discards events where a pipeline would have no exporter left.
func readExporters(exporters map[string]any, pipelines []configuredPipeline) []configuredExporter {
	read := make([]configuredExporter, 0, len(exporters))
	for _, id := range slices.Sorted(maps.Keys(exporters)) {
		e := configuredExporter{id: id}
		for i := range pipelines {
			if slices.Contains(pipelines[i].exporters, id) {
				e.pipelines = append(e.pipelines, pipelines[i].id)
			}
		}
		if found := endpoints(exporters[id]); len(found) > 0 {
			e.endpoint = found[0]
		}
		if len(e.pipelines) > 0 && id != "nop" {
			read = append(read, e)
		}
	}
	return read
}

// endpoints returns the values of the keys named endpoint, at any depth.
func endpoints(config any) []string {
	var found []string
	t := table(config)
	for _, key := range slices.Sorted(maps.Keys(t)) {
		text, isText := t[key].(string)
		switch {
		case key == "endpoint" && isText:
			if shown := withoutSecrets(text); shown != "" {
				found = append(found, shown)
			}
		case !isText:
			found = append(found, endpoints(t[key])...)
		}
	}
	return found
}

// withoutSecrets returns scheme and host of a URL, since a path may be a secret, and any other address
// as it is. It returns nothing for what the collector has replaced.
func withoutSecrets(endpoint string) string {
	if !strings.Contains(endpoint, "://") {
		if _, _, err := net.SplitHostPort(endpoint); err != nil {
			return ""
		}
		return endpoint
	}
	u, err := url.Parse(endpoint)
	if err != nil || u.Host == "" {
		return ""
	}
	return u.Scheme + "://" + u.Host
}

// metricsURL returns the URL of the first Prometheus reader.
func metricsURL(metrics map[string]any) string {
	readers, _ := metrics["readers"].([]any)
	for _, reader := range readers {
		exporter := table(table(table(reader)["pull"])["exporter"])
		for _, name := range []string{"prometheus", "prometheus/development"} {
			prometheus := table(exporter[name])
			host, _ := prometheus["host"].(string)
			if port := number(prometheus["port"]); port > 0 {
				return "http://" + net.JoinHostPort(host, strconv.Itoa(port)) + "/metrics"
			}
		}
	}
	return ""
}

// isLoopbackURL reports whether the host of a URL is a loopback address or localhost. Other names may lead
// to other machines.
func isLoopbackURL(text string) bool {
	u, err := url.Parse(text)
	if err != nil {
		return false
	}
	address, err := netip.ParseAddr(u.Hostname())
	return err == nil && address.IsLoopback() || u.Hostname() == "localhost"
}

func table(value any) map[string]any {
	t, _ := value.(map[string]any)
	return t
}

func texts(value any) []string {
	items, _ := value.([]any)
	read := make([]string, 0, len(items))
	for _, item := range items {
		if text, ok := item.(string); ok {
			read = append(read, text)
		}
	}
	return read
}

// number returns a whole number, or 0.
func number(value any) int {
	switch n := value.(type) {
	case int:
		return n
	case int64:
		return int(n)
	case float64:
		return int(n)
	}
	return 0
}
