// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package statusextension

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"go.uber.org/zap"

	"github.com/otelcol-fanout/otelcol-fanout/internal/deadletter"
)

// editJSON is the body of the replay of an edited dead letter.
type editJSON struct {
	Payload *string `json:"payload"`
}

// resultJSON is the response of the replay of one dead letter.
type resultJSON struct {
	Outcome string `json:"outcome"`
	Status  int    `json:"status,omitempty"`
	Message string `json:"message,omitempty"`
}

// replayLetter replays one dead letter, which may be edited.
func (a *api) replayLetter(w http.ResponseWriter, r *http.Request, in arguments) error {
	if _, err := query(r); err != nil {
		return err
	}
	keeper, summary, err := a.letters.of(in["exporter"])
	if err != nil {
		return err
	}
	release, ok := a.editors.take()
	if !ok {
		return apiErrorf(http.StatusServiceUnavailable, "%d dead letters are being replayed one by one, which is the most; try again later", maxEditors)
	}
	defer release()
	payload, err := readEdit(w, r)
	if err != nil {
		return err
	}
	control := hold(w)
	replayed, err := keeper.ReplayOne(r.Context(), summary.Exporter, deadletter.Key(in["key"]), payload)
	_ = control.SetWriteDeadline(time.Now().Add(a.pace.write))
	if err != nil {
		return errOfLetters(err)
	}
	shown := resultJSON{Outcome: replayed.Outcome.String()}
	switch {
	case replayed.Outcome == deadletter.OutcomeKept: // its letters, if any, say why it was refused before
		shown.Message = "the backend does not accept it now; last_error in GET /v1/backends says why, if it is new; replay it again later"
	case len(replayed.Letters) > 0:
		shown.Status, shown.Message = replayed.Letters[0].Status, a.answer(cut(replayed.Letters[0].Message, maxMessage))
	}
	a.logChange(r, "Replayed a dead letter on request", zap.String("exporter", summary.Exporter), zap.String("key", shorten(in["key"])),
		zap.Bool("edited", payload != nil), zap.String("outcome", shown.Outcome))
	writeJSON(w, http.StatusOK, shown)
	return nil
}

// readEdit returns the edited payload, or nil if the request has no body.
func readEdit(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	// Quotes and line feeds take two bytes each in a JSON string.
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 2*deadletter.MaxEditedPayload))
	if err != nil {
		return nil, readError(err)
	}
	if len(body) == 0 {
		return nil, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.DisallowUnknownFields()
	var edit editJSON
	if err := decoder.Decode(&edit); err != nil || edit.Payload == nil || decoder.More() {
		return nil, badRequest(`the body must be {"payload": "..."} with the edited text as a string, or be absent`)
	}
	if len(*edit.Payload) > deadletter.MaxEditedPayload {
		return nil, apiErrorf(http.StatusRequestEntityTooLarge, "payload: is larger than %d bytes", deadletter.MaxEditedPayload)
	}
	if *edit.Payload == "" {
		return nil, badRequest("payload: is empty; write the edited text, or leave the body out to replay the dead letter as it is")
	}
	return []byte(*edit.Payload), nil
}

// progressJSON is the progress of a replay.
type progressJSON struct {
	Exporter   string           `json:"exporter"`
	Running    bool             `json:"running"`
	Filter     letterFilterJSON `json:"filter"`
	Begun      moment           `json:"begun,omitzero"`
	Ended      moment           `json:"ended,omitzero"`
	Total      int              `json:"total"`
	Replayed   int              `json:"replayed"`
	Delivered  int              `json:"delivered"`
	Refused    int              `json:"refused"`
	Kept       int              `json:"kept"`
	Unreadable int              `json:"unreadable"`
	PerSecond  float64          `json:"per_second,omitempty"`
	Left       *float64         `json:"left_s,omitempty"`
	Stopped    string           `json:"stopped,omitempty"`
}

type letterFilterJSON struct {
	Reason deadletter.Reason `json:"reason,omitempty"`
	Status int               `json:"status,omitempty"`
	ID     string            `json:"id,omitempty"`
	Name   string            `json:"name,omitempty"`
	Before moment            `json:"before,omitzero"`
	Limit  int               `json:"limit,omitempty"`
}

func (a *api) describeProgress(p *deadletter.Progress) progressJSON {
	shown := progressJSON{
		Exporter: p.Exporter, Running: !p.Begun.IsZero() && p.Ended.IsZero(), Begun: moment{p.Begun}, Ended: moment{p.Ended},
		Filter: letterFilterJSON{p.Filter.Reason, p.Filter.Status, cut(p.Filter.ID, maxName), cut(p.Filter.Name, maxName), moment{p.Filter.Before}, p.Filter.Limit},
		Total:  p.Total, Replayed: p.Replayed, Delivered: p.Delivered, Refused: p.Refused, Kept: p.Kept, Unreadable: p.Unreadable,
		Stopped: p.Stopped,
	}
	end := p.Ended
	if shown.Running {
		end = a.now()
	}
	if took := end.Sub(p.Begun).Seconds(); took > 0 {
		shown.PerSecond = round(float64(p.Replayed) / took)
	}
	if shown.Running && shown.PerSecond > 0 && p.Total > 0 {
		left := round(float64(max(p.Total-p.Replayed, 0)) / shown.PerSecond)
		shown.Left = &left
	}
	return shown
}

// showReplay responds with the progress of an exporter's last replay.
func (a *api) showReplay(w http.ResponseWriter, r *http.Request, in arguments) error {
	if _, err := query(r); err != nil {
		return err
	}
	keeper, summary, err := a.letters.of(in["exporter"])
	if err != nil {
		return err
	}
	replays := keeper.Replays()
	for i := range replays {
		if replays[i].Exporter == summary.Exporter {
			writeJSON(w, http.StatusOK, a.describeProgress(&replays[i]))
			return nil
		}
	}
	return errNoReplay(summary.Exporter)
}

func errNoReplay(exporter string) error {
	return apiErrorf(http.StatusNotFound, "no dead letters of %s have been replayed since the start; POST to this path replays them", exporter)
}

// startReplay starts to replay the dead letters that the parameters select.
func (a *api) startReplay(w http.ResponseWriter, r *http.Request, in arguments) error {
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
	progress, err := keeper.StartReplay(summary.Exporter, which)
	if err != nil {
		return errOfLetters(err)
	}
	a.logChange(r, "Started a replay of dead letters on request", zap.String("exporter", summary.Exporter))
	writeJSON(w, http.StatusAccepted, a.describeProgress(&progress))
	return nil
}

// stopReplay stops an exporter's running replay.
func (a *api) stopReplay(w http.ResponseWriter, r *http.Request, in arguments) error {
	if _, err := query(r); err != nil {
		return err
	}
	keeper, summary, err := a.letters.of(in["exporter"])
	if err != nil {
		return err
	}
	progress, err := keeper.StopReplay(summary.Exporter)
	switch {
	case err != nil:
		return errOfLetters(err)
	case progress.Begun.IsZero():
		return errNoReplay(summary.Exporter)
	}
	if progress.Ended.IsZero() {
		a.logChange(r, "Stopped a replay of dead letters on request", zap.String("exporter", summary.Exporter))
	}
	writeJSON(w, http.StatusOK, a.describeProgress(&progress))
	return nil
}
