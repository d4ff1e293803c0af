// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package otlprepairextension

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/collector/component"
	"go.opentelemetry.io/collector/component/componenttest"
	"go.opentelemetry.io/collector/confmap"
	"go.opentelemetry.io/collector/extension"
	"go.opentelemetry.io/collector/pdata/plog/plogotlp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	"go.opentelemetry.io/otel/sdk/metric/metricdata/metricdatatest"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/otelcol-fanout/otelcol-fanout/extension/otlprepairextension/internal/metadata"
	"github.com/otelcol-fanout/otelcol-fanout/extension/otlprepairextension/internal/metadatatest"
)

// setup is an extension with its telemetry.
type setup struct {
	*repairExtension
	telemetry *componenttest.Telemetry
	logs      *observer.ObservedLogs
}

func start(t testing.TB) setup {
	t.Helper()
	telemetry := componenttest.NewTelemetry()
	core, logs := observer.New(zap.DebugLevel)
	settings := extension.Settings{ID: component.NewID(metadata.Type), TelemetrySettings: telemetry.NewTelemetrySettings()}
	settings.Logger = zap.New(core)
	r, err := newRepair(settings)
	require.NoError(t, err)
	require.NoError(t, r.Start(context.Background(), componenttest.NewNopHost()))
	t.Cleanup(func() {
		require.NoError(t, r.Shutdown(context.Background()))
		require.NoError(t, telemetry.Shutdown(context.Background()))
	})
	return setup{r, telemetry, logs}
}

// receiver decodes logs as the OTLP receiver does.
type receiver struct {
	bodies [][]byte // of all calls
	status int      // after a body that was accepted; default 200
	refuse int      // after a body that was refused; default 400
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err == nil {
		err = req.Body.Close()
	}
	r.bodies = append(r.bodies, body)
	request := plogotlp.NewExportRequest()
	if err == nil {
		err = request.UnmarshalJSON(body)
	}
	w.Header().Set("Content-Type", "application/json")
	if err != nil {
		w.Header().Set("X-Refused", "yes")
		w.WriteHeader(cmp.Or(r.refuse, http.StatusBadRequest))
		_, _ = io.WriteString(w, err.Error())
		return
	}
	if r.status != 0 {
		w.WriteHeader(r.status)
	}
	_, _ = io.WriteString(w, strconv.Itoa(request.Logs().LogRecordCount())+" records of "+strconv.FormatInt(req.ContentLength, 10)+" bytes")
}

// handler returns the middleware before another handler.
func (s setup) handler(t testing.TB, next http.Handler) http.Handler {
	t.Helper()
	wrap, err := s.GetHTTPHandler(t.Context())
	require.NoError(t, err)
	handler, err := wrap(t.Context(), next)
	require.NoError(t, err)
	return handler
}

func (s setup) post(t testing.TB, next http.Handler, contentType string, body io.Reader) *httptest.ResponseRecorder {
	t.Helper()
	return postTo(s.handler(t, next), contentType, body)
}

func postTo(handler http.Handler, contentType string, body io.Reader) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	request := httptest.NewRequest(http.MethodPost, "/v1/logs", body)
	request.Header.Set("Content-Type", contentType)
	handler.ServeHTTP(recorder, request)
	return recorder
}

func TestBadValuesDoNotCostTheirNeighbors(t *testing.T) {
	s, next := start(t), &receiver{}
	varying := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Vary", "Origin") // as CORS does, before middleware
		s.handler(t, next).ServeHTTP(w, r)
	})
	body := strings.Replace(valueRequest, "%", `{"arrayValue":{"values":[{"doubleValue":null},{"doubleValue":NaN},{"intValue":null}]}}`, 1)
	for _, contentType := range []string{"application/json", "application/JSON; charset=utf-8"} {
		response := postTo(varying, contentType, strings.NewReader(body))
		assert.Equal(t, http.StatusOK, response.Code)
		assert.Equal(t, "Origin", response.Header().Get("Vary"))
		assert.Regexp(t, "^2 records of [0-9]+ bytes$", response.Body.String())
		assert.Equal(t, "application/json", response.Header().Get("Content-Type"))
		assert.Empty(t, response.Header().Get("X-Refused"), "nothing remains of the refusal")
		assert.Equal(t, "2 records of "+strconv.Itoa(len(next.bodies[len(next.bodies)-1]))+" bytes", response.Body.String())
	}
	require.Len(t, next.bodies, 4)
	assert.Equal(t, body, string(next.bodies[0]), "the receiver decodes the body as it is first")

	metadatatest.AssertEqualFanoutOtlpRepairValues(t, s.telemetry, []metricdata.DataPoint[int64]{
		{Attributes: attribute.NewSet(attribute.String("fault", "null")), Value: 4},
		{Attributes: attribute.NewSet(attribute.String("fault", "not_finite")), Value: 2},
	}, metricdatatest.IgnoreTimestamp())
	require.Equal(t, 1, s.logs.Len(), "at most once a minute")
	const path = "resourceLogs.scopeLogs.logRecords.attributes.value.arrayValue.values."
	assert.Equal(t, map[string]any{"values": int64(3), "faults": []any{
		"not_finite at " + path + "doubleValue", "null at " + path + "doubleValue", "null at " + path + "intValue",
	}}, s.logs.All()[0].ContextMap())
}

func TestBodiesWhoseErrorIsNotUTF8AreRepaired(t *testing.T) {
	body := strings.Replace(valueRequest, "%", `{"doubleValue":NaN}`, 1)
	response := start(t).post(t, &receiver{refuse: http.StatusInternalServerError}, "application/json", strings.NewReader(body))
	assert.Equal(t, http.StatusOK, response.Code)
	assert.Regexp(t, "^2 records", response.Body.String())
}

func TestWhatIsAcceptedPassesUnchanged(t *testing.T) {
	s := start(t)
	for name, tt := range map[string]struct {
		body        string
		contentType string
		status      int
	}{
		"accepted":                  {strings.Replace(valueRequest, "%", `{"stringValue":null}`, 1), "application/json", 200},
		"refused by the pipeline":   {strings.Replace(valueRequest, "%", `{"intValue":1}`, 1), "application/json", 400},
		"failed in the pipeline":    {strings.Replace(valueRequest, "%", `{"intValue":1}`, 1), "application/json", 500},
		"accepted, pipeline busy":   {strings.Replace(valueRequest, "%", `{"intValue":1}`, 1), "application/json", 503},
		"not JSON":                  {strings.Replace(valueRequest, "%", `{"doubleValue":null}`, 1), "application/x-protobuf", 400},
		"a content type like JSON":  {strings.Replace(valueRequest, "%", `{"doubleValue":null}`, 1), "application/jsonp", 400},
		"malformed beyond repair":   {`{"resourceLogs":[{"scopeLogs":"`, "application/json", 400},
		"an array":                  {`[]`, "application/json", 400},
		"a request without records": {`{}`, "application/json", 200},
	} {
		t.Run(name, func(t *testing.T) {
			direct, next := &receiver{status: tt.status}, &receiver{status: tt.status}
			want := httptest.NewRecorder()
			direct.ServeHTTP(want, httptest.NewRequest(http.MethodPost, "/v1/logs", strings.NewReader(tt.body)))
			got := s.post(t, next, tt.contentType, strings.NewReader(tt.body))
			assert.Equal(t, tt.status, got.Code)
			assert.Equal(t, want.Code, got.Code)
			assert.Equal(t, want.Body.String(), got.Body.String(), "the receiver's own response")
			assert.Equal(t, want.Header(), got.Header())
			require.Len(t, next.bodies, 1, "is handled once")
			assert.Equal(t, tt.body, string(next.bodies[0]))
		})
	}
	assert.Zero(t, s.logs.Len())
}

func TestIncompleteBodiesAreNotRepaired(t *testing.T) {
	s, next := start(t), &receiver{}
	body := strings.Replace(valueRequest, "%", `{"doubleValue":null}`, 1)
	failing := io.MultiReader(strings.NewReader(body), iotest.ErrReader(errors.New("too large")))
	response := s.post(t, next, "application/json", failing)
	assert.Equal(t, http.StatusBadRequest, response.Code)
	assert.Equal(t, "too large", response.Body.String())
	assert.Equal(t, "yes", response.Header().Get("X-Refused"))
	assert.Len(t, next.bodies, 1)
}

func TestResponsesWithoutAStatusPass(t *testing.T) {
	response := start(t).post(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Handler", "yes")
	}), "application/json", http.NoBody)
	assert.Equal(t, http.StatusOK, response.Code)
	assert.Equal(t, "yes", response.Header().Get("X-Handler"))
}

func TestUnknownKeysAreRefused(t *testing.T) {
	cfg := createDefaultConfig()
	require.NoError(t, confmap.New().Unmarshal(cfg))
	assert.ErrorContains(t, confmap.NewFromStringMap(map[string]any{"enable": true}).Unmarshal(cfg), `unknown key "enable"`)
}

// FuzzRepair checks that what the receiver accepts reaches it unchanged and once, and that what is
// repaired is accepted.
func FuzzRepair(f *testing.F) {
	for _, around := range []string{recordRequest, spanRequest, metricRequest, valueRequest} {
		for _, seed := range []string{
			`{"doubleValue":null}`, `{"doubleValue":NaN}`, `{"intValue":1.5}`, `{"stringValue":"\q"}`, `{"traceId":null,"spanId":"x"}`, `[]`, `{"a":1,}`,
			`{"gauge":{"dataPoints":[{"asDouble":NaN}]}}`, `{"attributes":{"a":[1,"b"]}}`, `{"timeUnixNano":-1.5e3}`, `{"unknown":{"a":undefined}}`,
		} {
			f.Add([]byte(strings.Replace(around, "%", seed, 1)))
		}
	}
	s := start(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		next := &receiver{}
		accepted := plogotlp.NewExportRequest().UnmarshalJSON(body) == nil
		response := s.post(t, next, "application/json", bytes.NewReader(body))
		if accepted {
			assert.Equal(t, http.StatusOK, response.Code)
			assert.Len(t, next.bodies, 1)
		}
		assert.True(t, bytes.Equal(body, next.bodies[0]))
		repaired, findings := repairBody(body)
		if repaired == nil {
			return
		}
		assert.NotEmpty(t, findings)
		again, _ := repairBody(repaired)
		assert.Nil(t, again, "one repair is enough")
		assert.LessOrEqual(t, len(repaired), 3*len(body)+2*extraGrowth)
	})
}
