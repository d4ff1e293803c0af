// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package explain

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/config/configauth"
	"go.opentelemetry.io/collector/config/configoptional"
	"go.opentelemetry.io/collector/otelcol"
	"go.opentelemetry.io/collector/service"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

// maxWait is how long a processor may hold events back.
const maxWait = 2 * time.Second

// run is one run of a configuration's pipelines.
type run struct {
	set Settings
	cfg *otelcol.Config
	// secrets are those of the configuration, found before it is changed.
	secrets []secret

	service       *service.Service
	metrics       *metrics
	fatal         chan error // of components; nothing reads it, so it has room for some
	entrances     map[component.ID]*entrance
	tracks        []*track
	decidesAtOnce map[component.ID]bool
	auth          map[component.ID]configoptional.Optional[configauth.Config] // of exporters

	rejected []string // by the receiver
	waited   []heldBack

	mu         sync.Mutex
	admitted   int // events of the input
	recordings map[component.ID][]recording
	otlp       map[component.ID]*otlp   // of exporters of other distributions
	taken      map[component.ID][]Event // what each exporter got
	refused    map[component.ID][]deadletter.Letter
	failed     map[component.ID]error
}

// heldBack is a processor that still held events after maxWait.
type heldBack struct {
	track *track
	index int
}

func newRun(set Settings, cfg *otelcol.Config) *run {
	return &run{
		set: set, cfg: cfg, secrets: findSecrets(cfg, set.Variables), metrics: newMetrics(), fatal: make(chan error, 16),
		entrances: map[component.ID]*entrance{}, decidesAtOnce: map[component.ID]bool{},
		auth:       map[component.ID]configoptional.Optional[configauth.Config]{},
		recordings: map[component.ID][]recording{}, otlp: map[component.ID]*otlp{}, taken: map[component.ID][]Event{},
		refused: map[component.ID][]deadletter.Letter{}, failed: map[component.ID]error{},
	}
}

func (r *run) recorded(exporter component.ID, made recording) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.recordings[exporter] = append(r.recordings[exporter], made)
}

// stageInCycle matches a stage in the collector's message about pipelines that form a cycle.
var stageInCycle = regexp.MustCompile(`processor "` + ownType.String() + `/[^"]*" in pipeline "[^"]*" -> `)

// start starts the service.
func (r *run) start(ctx context.Context) error {
	set, cfg := r.rewire()
	var err error
	if r.service, err = service.New(ctx, set, cfg); err != nil {
		return errors.New(stageInCycle.ReplaceAllString(err.Error(), ""))
	}
	slices.SortFunc(r.tracks, func(a, b *track) int { return strings.Compare(a.id.String(), b.id.String()) })
	if err := r.service.Start(ctx); err != nil {
		return errors.Join(err, r.service.Shutdown(context.WithoutCancel(ctx)))
	}
	return nil
}

// wait waits until every event has come out of the processors, or maxWait is over.
func (r *run) wait(ctx context.Context) {
	const interval = 2 * time.Millisecond
	for began := time.Now(); ; {
		r.waited = r.heldBack()
		if len(r.waited) == 0 || time.Since(began) > maxWait {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(interval):
		}
	}
}

// heldBack returns the processors that hold events which they may still pass on.
func (r *run) heldBack() []heldBack {
	var held []heldBack
	for _, t := range r.tracks {
		for i, id := range t.processors {
			if !r.decidesAtOnce[id] && len(t.stages[i].events()) > len(t.stages[i+1].events()) {
				held = append(held, heldBack{t, i})
			}
		}
	}
	return held
}

// stop stops the service. Queues send what they hold, and so may processors that wait.
func (r *run) stop(ctx context.Context) error {
	r.metrics.read()
	_ = r.service.Shutdown(context.WithoutCancel(ctx)) // what could be sent is recorded
	r.metrics.read()
	for id, got := range r.otlp {
		made, err := got.recordings()
		if err != nil {
			return err
		}
		r.recordings[id] = made
	}
	return nil
}

// selectReceiver sets the input's receiver, if it is not named.
func (r *run) selectReceiver(in *Input) error {
	fits := r.takesOTLP
	if in.OTLP == nil {
		fits = r.takesEvents
	}
	var fitting []component.ID
	for id := range r.usedReceivers() {
		if fits(id) {
			fitting = append(fitting, id)
		}
	}
	slices.SortFunc(fitting, compareIDs)
	names := namesOf(fitting)
	switch {
	case in.Receiver != "" && slices.Contains(names, in.Receiver):
	case in.Receiver != "" && len(names) == 0:
		return InputError(fmt.Sprintf("no receiver of a pipeline takes this input, so %q does not either", in.Receiver))
	case in.Receiver != "":
		return InputError(fmt.Sprintf("%q is not a receiver of a pipeline that takes this input; write one of %s", in.Receiver, strings.Join(names, ", ")))
	case len(names) == 1:
		in.Receiver = names[0]
	case len(names) > 1:
		return InputError(fmt.Sprintf("several receivers take this input; write one of them as receiver (--receiver): %s", strings.Join(names, ", ")))
	case in.OTLP == nil:
		return InputError("the configuration has no event receiver in a pipeline; write OTLP JSON as otlp (--otlp) instead of an event")
	default:
		return InputError("the configuration has no receiver in a pipeline")
	}
	return nil
}

func namesOf(ids []component.ID) []string {
	names := make([]string, len(ids))
	for i := range ids {
		names[i] = ids[i].String()
	}
	return names
}
