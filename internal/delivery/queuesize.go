// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package delivery

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"unicode"

	"github.com/dustin/go-humanize"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/exporter/exporterhelper"

	"github.com/otelcol-fanout/otelcol-fanout/internal/strictconf"
)

const (
	queueKey     = "sending_queue"
	queueSizeKey = queueKey + "::queue_size"
	sizerKey     = queueKey + "::sizer"
	// maxRequests is the largest queue_size that counts requests without saying so. More are almost
	// certainly meant as bytes, as this key had them before.
	maxRequests = 100_000
)

// Unmarshal reads an exporter's configuration into cfg, a pointer to the struct that holds d; the
// Unmarshal method of the configuration calls it. Unknown keys are errors. A queue_size with a unit,
// such as 256MiB, is bytes; without a unit and without sizer it counts requests, as in the collector.
func Unmarshal(conf *confmap.Conf, cfg any, d *Config) error {
	unit, err := queueUnit(conf)
	if err != nil {
		return err
	}
	if unit.text != "" {
		if err := setQueueSize(conf, unit.number); err != nil {
			return err
		}
		defer func() { _ = setQueueSize(conf, unit.text) }() // the collector may read it again
	}
	if err := strictconf.Unmarshal(conf, cfg); err != nil {
		return err
	}
	if queue := d.QueueConfig.Get(); queue != nil && unit.requests {
		queue.Sizer = exporterhelper.RequestSizerTypeRequests
		if queue.QueueSize > maxRequests {
			return fmt.Errorf("%s: %d counts requests, because there is no sizer; write a unit for bytes, such as %s, or add the sizer that you mean (bytes, items or requests)", queueSizeKey, queue.QueueSize, exampleOf(queue.QueueSize))
		}
	}
	return nil
}

func setQueueSize(conf *confmap.Conf, size any) error {
	return conf.Merge(confmap.NewFromStringMap(map[string]any{queueKey: map[string]any{"queue_size": size}}))
}

// unitOfQueue says what a queue_size without sizer counts.
type unitOfQueue struct {
	requests bool
	number   int64  // the number that a text stands for
	text     string // empty if it is no text
}

func queueUnit(conf *confmap.Conf) (unitOfQueue, error) {
	value := conf.Get(queueSizeKey)
	if value == nil {
		return unitOfQueue{}, nil
	}
	text, isText := value.(string)
	if !isText {
		return unitOfQueue{requests: conf.Get(sizerKey) == nil}, nil
	}
	if n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64); err == nil {
		return unitOfQueue{requests: conf.Get(sizerKey) == nil, number: n, text: text}, nil
	}
	size, err := humanize.ParseBytes(text)
	hasUnit := strings.IndexFunc(text, unicode.IsLetter) > 0 && !strings.Contains(text, ",")
	if err != nil || !hasUnit || size == 0 || size > math.MaxInt64 {
		return unitOfQueue{}, fmt.Errorf("%s: %q is not a size; write a number of requests, such as 1000, or bytes with a unit, such as 256MiB", queueSizeKey, text)
	}
	if sizer := conf.Get(sizerKey); sizer != nil && sizer != "bytes" {
		return unitOfQueue{}, fmt.Errorf("%s: %s is a size in bytes, but sizer is %v; remove one of the two", queueSizeKey, text, sizer)
	}
	return unitOfQueue{number: int64(size), text: text}, nil
}

// exampleOf writes a number of bytes with a unit.
func exampleOf(bytes int64) string {
	return strings.ReplaceAll(humanize.IBytes(uint64(bytes)), " ", "") //nolint:gosec // it is positive
}
