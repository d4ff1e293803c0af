// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

const (
	// scrapeInterval is how often the metrics are read at most.
	scrapeInterval = time.Second
	scrapeTimeout  = 2 * time.Second
	maxMetrics     = 8 << 20
)

// collectorMetrics reads the collector's own metrics for what is known of exporters and receivers that
// do not report. It reads them only when asked, and only from this machine.
type collectorMetrics struct {
	lock sync.Mutex
	url  string
	at   time.Time
	last *scraped
}

// from sets where the metrics are. Addresses of other machines are not read.
func (m *collectorMetrics) from(url string) {
	m.lock.Lock()
	defer m.lock.Unlock()
	if isLoopbackURL(url) {
		m.url = url
	}
}

// read returns the metrics, or nil if the collector offers no metrics.
func (m *collectorMetrics) read(ctx context.Context) *scraped {
	m.lock.Lock()
	defer m.lock.Unlock()
	if m.url == "" || time.Since(m.at) < scrapeInterval {
		return m.last
	}
	m.at = time.Now()
	// A failure leaves nothing: old numbers would look like new ones.
	m.last, _ = scrape(ctx, m.url)
	return m.last
}

// scraped has the metrics of exporters and receivers, by metric and id.
type scraped map[string]map[string]float64

// collectorJSON has the collector's own metrics of an exporter.
type collectorJSON struct {
	Sent          *int64 `json:"sent,omitempty"`
	SendFailed    *int64 `json:"send_failed,omitempty"`
	QueueSize     *int64 `json:"queue_size,omitempty"`
	QueueCapacity *int64 `json:"queue_capacity,omitempty"`
}

// exporter returns what is known of an exporter; nil if that is nothing.
func (s *scraped) exporter(id string) *collectorJSON {
	if s == nil {
		return nil
	}
	shown := collectorJSON{
		Sent: s.value("exporter_sent", id), SendFailed: s.value("exporter_send_failed", id),
		QueueSize: s.value("exporter_queue_size", id), QueueCapacity: s.value("exporter_queue_capacity", id),
	}
	if shown == (collectorJSON{}) {
		return nil
	}
	return &shown
}

// accepted returns the number of records that a receiver accepted; nil if it is unknown.
func (s *scraped) accepted(receiver string) *int64 {
	if s == nil {
		return nil
	}
	return s.value("receiver_accepted", receiver)
}

func (s *scraped) value(metric, id string) *int64 {
	value, known := (*s)[metric][id]
	if !known {
		return nil
	}
	n := int64(value)
	return &n
}

// scrape reads the metrics once.
func scrape(ctx context.Context, url string) (*scraped, error) {
	ctx, cancel := context.WithTimeout(ctx, scrapeTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return nil, err
	}
	// A connection that is kept open would outlive the extension; a proxy or a redirect would lead elsewhere.
	client := http.Client{
		Transport:     &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("status %d", response.StatusCode)
	}
	body := &io.LimitedReader{R: response.Body, N: maxMetrics}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(body)
	if err != nil {
		return nil, err
	}
	if body.N == 0 {
		return nil, errors.New("too large")
	}
	return summarize(families), nil
}

// summarize adds up the metrics of each component over its signals.
func summarize(families map[string]*dto.MetricFamily) *scraped {
	s := scraped{}
	for name, family := range families {
		metric, label := metricOf(strings.TrimSuffix(strings.TrimPrefix(name, "otelcol_"), "_total"))
		if metric == "" {
			continue
		}
		for _, m := range family.GetMetric() {
			for _, pair := range m.GetLabel() {
				if pair.GetName() != label {
					continue
				}
				if s[metric] == nil {
					s[metric] = map[string]float64{}
				}
				s[metric][pair.GetValue()] += m.GetCounter().GetValue() + m.GetGauge().GetValue() + m.GetUntyped().GetValue()
			}
		}
	}
	return &s
}

// metricOf returns what a metric of the collector counts, and the label that has the component's id.
func metricOf(name string) (metric, label string) {
	for _, prefix := range []string{"exporter_sent", "exporter_send_failed", "receiver_accepted"} {
		for _, records := range []string{"log_records", "spans", "metric_points"} {
			if name == prefix+"_"+records {
				label, _, _ = strings.Cut(name, "_")
				return prefix, label
			}
		}
	}
	if name == "exporter_queue_size" || name == "exporter_queue_capacity" {
		return name, "exporter"
	}
	return "", ""
}
