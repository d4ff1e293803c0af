// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configauth"
	"go.opentelemetry.io/collector/config/confighttp"
	"go.opentelemetry.io/collector/config/configmiddleware"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/config/configtls"
	"go.opentelemetry.io/collector/exporter"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/processor"
	"go.opentelemetry.io/collector/receiver"
	"go.opentelemetry.io/collector/service"
	"go.opentelemetry.io/collector/service/extensions"
	"go.opentelemetry.io/collector/service/pipelines"

	"github.com/otelcol-fanout/otelcol-fanout/internal/delivery"
)

// ownType is the type of the components that this package adds.
var ownType = component.MustNewType("explain") //nolint:gochecknoglobals // a constant

// rewire returns the settings and the configuration of a service that touches neither the network nor
// a disk.
func (r *run) rewire() (service.Settings, service.Config) {
	set := service.Settings{
		BuildInfo:           r.set.BuildInfo,
		ReceiversConfigs:    r.cfg.Receivers,
		ReceiversFactories:  map[component.Type]receiver.Factory{},
		ProcessorsConfigs:   maps.Clone(r.cfg.Processors),
		ProcessorsFactories: map[component.Type]processor.Factory{ownType: newStageFactory()},
		ExportersConfigs:    r.cfg.Exporters,
		ExportersFactories:  map[component.Type]exporter.Factory{},
		ConnectorsConfigs:   r.cfg.Connectors,
		ConnectorsFactories: r.set.Factories.Connectors,
		ExtensionsConfigs:   map[component.ID]component.Config{},
		ExtensionsFactories: map[component.Type]extension.Factory{ownType: r.newExtensionFactory()},
		AsyncErrorChannel:   r.fatal,
		TelemetryFactory:    r.metrics.factory(),
	}
	for _, f := range r.set.Factories.Receivers {
		set.ReceiversFactories[f.Type()] = r.entranceFactory(f)
	}
	for _, f := range r.set.Factories.Processors {
		set.ProcessorsFactories[f.Type()] = &processorFactory{Factory: f, decidesAtOnce: r.decidesAtOnce}
	}
	for _, f := range r.set.Factories.Exporters {
		if isOwn(f.CreateDefaultConfig()) {
			set.ExportersFactories[f.Type()] = &ownFactory{Factory: f, run: r}
		} else {
			set.ExportersFactories[f.Type()] = r.otlpFactory(f)
		}
	}
	cfg := service.Config{Pipelines: r.insertStages(set.ProcessorsConfigs)}
	cfg.Extensions = r.disconnect(set.ExtensionsConfigs)
	return set, cfg
}

// insertStages returns the pipelines with a stage before, between and after their processors, and adds
// the stages' configurations.
func (r *run) insertStages(configs map[component.ID]component.Config) pipelines.Config {
	all := pipelines.Config{}
	for id, p := range r.cfg.Service.Pipelines {
		t := &track{id: id, processors: p.Processors}
		var processors []component.ID
		for i := range len(p.Processors) + 1 {
			s := &stage{}
			stageID := component.NewIDWithName(ownType, id.String()+" "+strconv.Itoa(i))
			configs[stageID] = &stageConfig{s, r.metrics.read}
			t.stages = append(t.stages, s)
			processors = append(processors, stageID)
			if i < len(p.Processors) {
				processors = append(processors, p.Processors[i])
			}
		}
		r.tracks = append(r.tracks, t)
		all[id] = &pipelines.PipelineConfig{Receivers: p.Receivers, Processors: processors, Exporters: p.Exporters}
	}
	return all
}

// disconnect makes this distribution's exporters call the client of this package, and neither store nor
// repeat anything. Their queues stay, since these put events into batches. It adds the configurations of
// the clients and of the store of dead letters, and returns their IDs.
func (r *run) disconnect(configs map[component.ID]component.Config) extensions.Config {
	storeID := component.NewID(ownType)
	configs[storeID] = &storeConfig{}
	ids := extensions.Config{storeID}
	for _, id := range slices.SortedFunc(maps.Keys(r.cfg.Exporters), compareIDs) {
		own, ok := partsOf(r.cfg.Exporters[id])
		if !ok {
			continue
		}
		clientID := component.NewIDWithName(ownType, id.String())
		configs[clientID] = &clientConfig{exporter: id, status: r.successStatus(id)}
		ids = append(ids, clientID)

		own.keepInMemory()
		own.keepOrder()
		own.delivery.DeadLetter = &storeID
		own.delivery.RetryConfig.Enabled = false
		own.delivery.MaxRetries = 0
		own.delivery.ShutdownTimeout = maxShutdown
		removeRateLimit(r.cfg.Exporters[id])

		r.auth[id] = own.client.Auth
		own.client.Auth = configoptional.None[configauth.Config]()
		own.client.Middlewares = []configmiddleware.Config{{ID: clientID}}
		own.client.Compression = "none"
		own.client.TLS = configtls.ClientConfig{}
		own.client.ProxyURL = ""
		own.client.HTTP2ReadIdleTimeout = 0
	}
	return ids
}

// successStatus returns a status that the exporter takes for success: 200, unless the configuration
// lists others.
func (r *run) successStatus(id component.ID) int {
	codes, _ := r.set.Config.Get(fmt.Sprintf("exporters::%s::success_codes", id)).([]any)
	if len(codes) == 0 {
		return http.StatusOK
	}
	status, err := strconv.Atoi(fmt.Sprint(codes[0]))
	if err != nil {
		return http.StatusOK
	}
	return status
}

// parts are the parts of an exporter's configuration that this distribution's exporters share.
type parts struct {
	delivery *delivery.Config
	client   *confighttp.ClientConfig
}

// keepInMemory moves a queue from disk to memory. Whether callers wait stays as it is.
func (p *parts) keepInMemory() {
	queue := p.delivery.QueueConfig.Get()
	if p.delivery.Dispatch == delivery.DispatchAuto {
		p.delivery.Dispatch = delivery.DispatchSync
		if queue != nil && queue.StorageID != nil {
			p.delivery.Dispatch = delivery.DispatchAsync
		}
	}
	if queue != nil {
		queue.StorageID = nil
	}
}

// keepOrder makes an exporter send one request after another, so that every run has the same order.
func (p *parts) keepOrder() {
	p.delivery.MaxInFlight = 1
	if queue := p.delivery.QueueConfig.Get(); queue != nil {
		queue.NumConsumers = 1
	}
}

// maxShutdown limits how long an exporter may send once the run is over. Without a network it needs
// milliseconds.
const maxShutdown = 5 * time.Second

// noLimit is a number of requests per second that is not reached.
const noLimit = 1e9

// removeRateLimit removes the key rate_limit, which delays requests and does not change them.
func removeRateLimit(cfg component.Config) {
	for field, value := range reflect.ValueOf(cfg).Elem().Fields() {
		if field.Tag.Get("mapstructure") == "rate_limit" && value.Kind() == reflect.Float64 {
			value.SetFloat(noLimit)
		}
	}
}

func isOwn(cfg component.Config) bool {
	_, ok := partsOf(cfg)
	return ok
}

// partsOf returns the parts of a configuration, and whether it is that of one of this distribution's
// exporters.
func partsOf(cfg component.Config) (parts, bool) {
	var p parts
	v := reflect.ValueOf(cfg)
	if v.Kind() != reflect.Pointer || v.Elem().Kind() != reflect.Struct {
		return p, false
	}
	for _, field := range v.Elem().Fields() {
		if !field.CanInterface() {
			continue
		}
		switch part := field.Addr().Interface().(type) {
		case *delivery.Config:
			p.delivery = part
		case *confighttp.ClientConfig:
			p.client = part
		}
	}
	return p, p.delivery != nil && p.client != nil
}

func compareIDs(a, b component.ID) int { return strings.Compare(a.String(), b.String()) }
