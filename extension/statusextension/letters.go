// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/collector/component"
	"go.uber.org/zap"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

// letters are the dead letter stores of the collector.
type letters []deadletter.Keeper

// findLetters returns the stores of a host, in the order of their ids.
func findLetters(host component.Host) letters {
	found := map[string]deadletter.Keeper{}
	for id, extension := range host.GetExtensions() {
		if keeper, ok := extension.(deadletter.Keeper); ok {
			found[id.String()] = keeper
		}
	}
	stores := make(letters, 0, len(found))
	for _, id := range slices.Sorted(maps.Keys(found)) {
		stores = append(stores, found[id])
	}
	return stores
}

// requireAuth reports whether a store asks its callers to authenticate.
func (l letters) requireAuth() bool {
	return slices.ContainsFunc(l, deadletter.Keeper.RequiresAuth)
}

// of returns the store of an exporter, and the summary of its dead letters there: the store that the
// exporter uses, or else the first that has dead letters of it. The error is a response.
func (l letters) of(exporter string) (deadletter.Keeper, deadletter.Summary, error) {
	var keeper deadletter.Keeper
	var summary deadletter.Summary
	for _, k := range l {
		for _, s := range k.Summaries() {
			if s.Exporter == exporter && (keeper == nil || s.Running && !summary.Running) {
				keeper, summary = k, s
			}
		}
	}
	if keeper == nil {
		return nil, summary, errUnknownExporter(exporter)
	}
	return keeper, summary, nil
}

// byExporter returns how many dead letters each exporter has.
func (l letters) byExporter() map[string]*deadLettersJSON {
	stored := map[string]*deadLettersJSON{}
	for _, keeper := range l {
		for _, s := range keeper.Summaries() {
			stored[s.Exporter] = &deadLettersJSON{s.Events, s.Bytes, moment{s.Oldest}, reasonCounts(s.Reasons)}
		}
	}
	return stored
}

func reasonCounts(reasons map[deadletter.Reason]int) map[string]int {
	counts := make(map[string]int, len(reasons))
	for reason, events := range reasons {
		counts[string(reason)] = events
	}
	return counts
}

func errUnknownExporter(exporter string) error {
	return apiErrorf(http.StatusNotFound, "exporter %q is not running and has no dead letters; GET /v1/dead_letters lists the exporters that do, and a dead_letter extension is needed for any", shorten(exporter))
}

// errOfLetters returns the response for an error of a store.
func errOfLetters(err error) error {
	status := http.StatusInternalServerError
	switch {
	case errors.Is(err, deadletter.ErrUnknownExporter), errors.Is(err, deadletter.ErrUnknownLetter):
		status = http.StatusNotFound
	case errors.Is(err, deadletter.ErrPaused), errors.Is(err, deadletter.ErrBusy):
		status = http.StatusConflict
	case errors.Is(err, deadletter.ErrInvalidPayload):
		status = http.StatusBadRequest
	case errors.Is(err, deadletter.ErrNotRunning):
		status = http.StatusServiceUnavailable
	}
	return apiErrorf(status, "%v", err)
}

// storesJSON is the response of GET /v1/dead_letters.
type storesJSON struct {
	Exporters []storedJSON   `json:"exporters"`
	MaxSize   int64          `json:"max_size"`
	Replays   []progressJSON `json:"replays"`
}

type storedJSON struct {
	Exporter   string         `json:"exporter"`
	Running    bool           `json:"running"`
	Events     int            `json:"events"`
	Bytes      int64          `json:"bytes"`
	Unreadable int            `json:"unreadable"`
	Oldest     moment         `json:"oldest,omitzero"`
	Newest     moment         `json:"newest,omitzero"`
	Reasons    map[string]int `json:"reasons"`
}

// showStores responds with a summary of each exporter's dead letters.
func (a *api) showStores(w http.ResponseWriter, r *http.Request, _ arguments) error {
	if _, err := query(r); err != nil {
		return err
	}
	shown := storesJSON{Exporters: []storedJSON{}, Replays: []progressJSON{}}
	for _, keeper := range a.letters {
		shown.MaxSize += keeper.MaxSize()
		for _, s := range keeper.Summaries() {
			shown.Exporters = append(shown.Exporters, storedJSON{
				s.Exporter, s.Running, s.Events, s.Bytes, s.Unreadable, moment{s.Oldest}, moment{s.Newest}, reasonCounts(s.Reasons),
			})
		}
		replays := keeper.Replays()
		for i := range replays {
			shown.Replays = append(shown.Replays, a.describeProgress(&replays[i]))
		}
	}
	slices.SortStableFunc(shown.Exporters, func(x, y storedJSON) int { return cmp.Compare(x.Exporter, y.Exporter) })
	writeJSON(w, http.StatusOK, shown)
	return nil
}

// letterJSON is a dead letter in a response.
type letterJSON struct {
	Key           deadletter.Key    `json:"key"`
	Exporter      string            `json:"exporter"`
	ID            string            `json:"id"`
	Name          string            `json:"name"`
	Signal        string            `json:"signal"`
	Time          moment            `json:"time,omitzero"`
	Reason        deadletter.Reason `json:"reason"`
	Status        int               `json:"status,omitempty"`
	Message       string            `json:"message,omitempty"`
	Attempts      int               `json:"attempts"`
	FailedAt      moment            `json:"failed_at,omitzero"`
	Category      string            `json:"category,omitempty"`
	Destination   string            `json:"destination,omitempty"`
	Bytes         int               `json:"bytes"`
	Payload       *string           `json:"payload,omitempty"`
	PayloadBase64 []byte            `json:"payload_base64,omitempty"`
	OTLP          json.RawMessage   `json:"otlp,omitempty"`
}

// Limits of texts in a response, in bytes.
const (
	maxName    = 128
	maxMessage = 2 << 10
)

func (a *api) describeLetter(key deadletter.Key, l *deadletter.Letter, payload bool) letterJSON {
	shown := letterJSON{
		Key: key, Exporter: l.Exporter, ID: cut(l.ID, maxName), Name: cut(l.Name, maxName), Signal: l.Signal, Time: moment{l.Time},
		Reason: l.Reason, Status: l.Status, Message: a.answer(cut(l.Message, maxMessage)), Attempts: l.Attempts, FailedAt: moment{l.FailedAt},
		Category: cut(l.Category, maxName), Destination: cut(l.Destination, maxName), Bytes: max(len(l.Payload), len(l.OTLP)),
	}
	switch {
	case !payload:
	case len(l.OTLP) > 0:
		shown.OTLP = l.OTLP
	case utf8.Valid(l.Payload):
		text := string(l.Payload)
		shown.Payload = &text
	default:
		shown.PayloadBase64 = l.Payload
	}
	return shown
}

// showLetters responds with the newest dead letters of an exporter. It writes one at a time, since they
// may not fit into memory.
func (a *api) showLetters(w http.ResponseWriter, r *http.Request, in arguments) error {
	keeper, summary, err := a.letters.of(in["exporter"])
	if err != nil {
		return err
	}
	which, payload, err := readLetterFilter(r, &summary, "payload")
	if err != nil {
		return err
	}
	if which.Limit == 0 {
		which.Limit = defaultLimit
	}
	if which.Limit > maxLimit {
		return badRequest("limit: must be a number from 1 to %d", maxLimit)
	}
	id, err := json.Marshal(summary.Exporter)
	if err != nil {
		return err
	}
	control := hold(w)
	w.Header().Set("Content-Type", "application/json")
	separator := fmt.Appendf(nil, `{"exporter":%s,"events":%d,"dead_letters":[`+"\n", id, summary.Events)
	var failed error
	err = keeper.Find(r.Context(), summary.Exporter, which, func(key deadletter.Key, letter *deadletter.Letter) bool {
		var text []byte
		if text, failed = json.Marshal(a.describeLetter(key, letter, payload)); failed != nil {
			return false
		}
		_ = control.SetWriteDeadline(time.Now().Add(a.pace.write))
		_, failed = w.Write(append(separator, text...))
		separator = []byte(",\n")
		return failed == nil
	})
	_ = control.SetWriteDeadline(time.Now().Add(a.pace.write))
	return a.endLetters(w, separator, err, failed)
}

// endLetters ends a list of dead letters. If it is incomplete, it aborts the response, so that the client
// notices.
func (a *api) endLetters(w http.ResponseWriter, separator []byte, err, failed error) error {
	begun := string(separator) == ",\n"
	switch {
	case err != nil && !begun:
		return errOfLetters(err)
	case err != nil || failed != nil:
		a.logger.Warn("Cannot list all dead letters", zap.Error(errors.Join(err, failed)))
		panic(http.ErrAbortHandler)
	case !begun:
		_, _ = w.Write(append(separator, "]}\n"...))
	default:
		_, _ = w.Write([]byte("\n]}\n"))
	}
	return nil
}

// readLetterFilter reads which dead letters to select. Only more may also be given.
func readLetterFilter(r *http.Request, summary *deadletter.Summary, more ...string) (which deadletter.Filter, payload bool, err error) {
	q, err := query(r, append([]string{"reason", "status", "id", "name", "before", "limit"}, more...)...)
	if err != nil {
		return which, false, err
	}
	const many = 1_000_000_000
	which = deadletter.Filter{
		Reason: deadletter.Reason(q.text("reason")), Status: q.status(), ID: q.text("id"), Name: q.text("name"),
		Before: q.time("before"), Limit: q.number("limit", 0, 1, many),
	}
	payload = q.flag("payload")
	for _, name := range []string{"reason", "id", "name"} {
		// An empty value would select everything.
		if q.values.Has(name) && q.text(name) == "" {
			q.fail("%s: is empty; give a value, or leave the parameter out", name)
		}
	}
	// An edited file may contain another reason.
	if which.Reason != "" && !slices.Contains(deadletter.Reasons(), which.Reason) && summary.Reasons[which.Reason] == 0 {
		q.fail("reason: %q is not a reason; valid are %s", shorten(string(which.Reason)), joinReasons())
	}
	return which, payload, q.err()
}

func joinReasons() string {
	reasons := deadletter.Reasons()
	words := make([]string, 0, len(reasons))
	for _, reason := range reasons {
		words = append(words, string(reason))
	}
	return strings.Join(words, ", ")
}

// showLetter responds with one dead letter and its payload.
func (a *api) showLetter(w http.ResponseWriter, r *http.Request, in arguments) error {
	if _, err := query(r); err != nil {
		return err
	}
	keeper, _, err := a.letters.of(in["exporter"])
	if err != nil {
		return err
	}
	key := deadletter.Key(in["key"])
	letter, err := keeper.Get(in["exporter"], key)
	if err != nil {
		return errOfLetters(err)
	}
	writeJSON(w, http.StatusOK, a.describeLetter(key, &letter, true))
	return nil
}

// deletedJSON is the response of a deletion.
type deletedJSON struct {
	Deleted int `json:"deleted"`
}

// deleteLetters deletes the dead letters that the parameters select.
func (a *api) deleteLetters(w http.ResponseWriter, r *http.Request, in arguments) error {
	keeper, summary, err := a.letters.of(in["exporter"])
	if err != nil {
		return err
	}
	which, _, err := readLetterFilter(r, &summary)
	if err == nil {
		err = refuseBody(r)
	}
	if err != nil {
		return err
	}
	return a.remove(w, r, keeper, summary.Exporter, which)
}

// deleteLetter deletes one dead letter.
func (a *api) deleteLetter(w http.ResponseWriter, r *http.Request, in arguments) error {
	if _, err := query(r); err != nil {
		return err
	}
	if err := refuseBody(r); err != nil {
		return err
	}
	keeper, summary, err := a.letters.of(in["exporter"])
	if err != nil {
		return err
	}
	return a.remove(w, r, keeper, summary.Exporter, deadletter.Filter{Key: deadletter.Key(in["key"])})
}

func (a *api) remove(w http.ResponseWriter, r *http.Request, keeper deadletter.Keeper, exporter string, which deadletter.Filter) error {
	control := hold(w)
	deleted, err := keeper.Delete(exporter, which)
	_ = control.SetWriteDeadline(time.Now().Add(a.pace.write))
	if err == nil && deleted == 0 && which.Key != "" {
		err = deadletter.ErrUnknownLetter
	}
	if err != nil {
		return errOfLetters(err)
	}
	a.logChange(r, "Deleted dead letters on request", zap.String("exporter", exporter), zap.Int("events", deleted))
	writeJSON(w, http.StatusOK, deletedJSON{deleted})
	return nil
}

// refuseBody returns an error if the request has a body: ignoring filters in it would select everything.
func refuseBody(r *http.Request) error {
	if n, _ := io.ReadFull(r.Body, make([]byte, 1)); n > 0 {
		return badRequest("the request has a body, which is not read; write filters as query parameters")
	}
	return nil
}
