// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package eventjson

import (
	"encoding/base64"
	"iter"
	"mime"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonread"
)

// Attributes for what an event has no field for. OpenTelemetry names some of them (cloudevents
// registry); the others get a prefix and their own names.
const (
	attrCloudID     = "cloudevents.event_id"
	attrCloudSource = "cloudevents.event_source"
	cloudPrefix     = "cloudevents."
	// attrData holds data that is neither an object nor text.
	attrData = "data"
)

// The attributes of a CloudEvent (CloudEvents 1.0.2, "Context Attributes"), and the documented
// extensions that map to fields of an event.
const (
	cloudSpecVersion     = "specversion"
	cloudID              = "id"
	cloudSource          = "source"
	cloudType            = "type"
	cloudTime            = "time"
	cloudSubject         = "subject"
	cloudContentType     = "datacontenttype"
	cloudSchema          = "dataschema"
	cloudData            = "data"
	cloudDataBase64      = "data_base64"
	cloudTraceparent     = "traceparent"
	cloudSeverityText    = "severitytext"
	cloudSeverityNumber  = "severitynumber"
	cloudVersionAccepted = "1.0"
)

// cloudEvent holds the attributes of a CloudEvent that are not in its record yet.
type cloudEvent struct {
	version, source, contentType, time, traceparent, severityText, severityNumber string

	data   span
	base64 []byte
}

// DecodeCloudEvents reads CloudEvents in the JSON format: one object (structured mode) or an array
// (batched mode). Invalid events are rejected individually, as by [Decoder.Decode].
func (d *Decoder) DecodeCloudEvents(body []byte, batched bool, received time.Time) (Result, error) {
	d.begin(received, len(body))
	d.decodeOne = (*Decoder).decodeCloudEvent
	return d.decodeWhole(body, func() error {
		switch kind := d.json.Kind(); {
		case kind == jsonread.Object && !batched:
			return d.element()
		case kind == jsonread.Array && batched:
			return d.array()
		case kind == jsonread.Object:
			return reject("a batch of CloudEvents is an array; send a single one as application/cloudevents+json")
		case kind == jsonread.Array:
			return reject("a CloudEvent is an object; send several as application/cloudevents-batch+json")
		default:
			return d.notEvents()
		}
	})
}

// DecodeCloudEvent reads a CloudEvent in binary mode. attributes yields its attributes; body is its
// data, of the media type contentType. received is the time of an event without one.
func (d *Decoder) DecodeCloudEvent(attributes iter.Seq2[string, string], contentType string, body []byte, received time.Time) (Result, error) {
	d.begin(received, len(body))
	d.beginEvent()
	d.cloud = cloudEvent{}
	err := d.binaryCloudEvent(attributes, contentType, body)
	if isTooMany(err) {
		return d.end(err)
	}
	d.settle(err)
	return d.end(nil)
}

func (d *Decoder) binaryCloudEvent(attributes iter.Seq2[string, string], contentType string, body []byte) error {
	for name, value := range attributes {
		if err := d.cloudAttribute(name, value); err != nil {
			return within(name, err)
		}
	}
	d.cloud.contentType = contentType
	if err := d.cloudDataOf(body); err != nil {
		return err
	}
	return d.completeCloudEvent()
}

// decodeCloudEvent reads a CloudEvent in the JSON format.
func (d *Decoder) decodeCloudEvent() error {
	d.beginEvent()
	d.cloud = cloudEvent{}
	if d.json.Kind() != jsonread.Object {
		return d.wrongKind("a CloudEvent is an object")
	}
	if err := d.members(d.cloudMember); err != nil {
		return err
	}
	if err := d.readCloudData(); err != nil {
		return err
	}
	return d.completeCloudEvent()
}

func (d *Decoder) cloudMember(name string) error {
	switch kind := d.json.Kind(); {
	case name == cloudData:
		if d.cloud.data.text != nil {
			return reject("given twice")
		}
		return d.cloud.data.capture(d, span{})
	case kind == jsonread.Null:
		return d.null()
	case name == cloudDataBase64:
		return d.readBase64()
	case kind == jsonread.String:
		s, err := d.string()
		if err != nil {
			return err
		}
		return d.cloudAttribute(name, s)
	case kind == jsonread.Number, kind == jsonread.True, kind == jsonread.False:
		return d.cloudScalar(name)
	}
	return d.wrongKind("put your own data under data; want a string, an integer or a bool")
}

// cloudScalar reads an extension that is a number or a bool.
func (d *Decoder) cloudScalar(name string) error {
	if cloudFields[name] && name != cloudSeverityNumber {
		return d.wrongKind("want a string")
	}
	raw, err := d.json.Value()
	if err != nil {
		return syntaxError(err)
	}
	if name == cloudSeverityNumber {
		return d.cloudAttribute(name, string(raw))
	}
	v, err := d.cloudExtension(name)
	if err != nil {
		return err
	}
	if kind := raw[0]; kind == 't' || kind == 'f' {
		v.SetBool(kind == 't')
		return nil
	}
	i, err := strconv.ParseInt(string(raw), 10, 32)
	if err != nil {
		return reject("want a 32-bit integer; write other numbers as strings")
	}
	v.SetInt(i)
	return nil
}

// cloudFields are the attributes that map to fields of the record instead of attributes of their
// own.
var cloudFields = map[string]bool{
	cloudSpecVersion: true, cloudID: true, cloudSource: true, cloudType: true, cloudTime: true, cloudSubject: true, cloudContentType: true, cloudSchema: true,
	cloudTraceparent: true, cloudSeverityText: true, cloudSeverityNumber: true,
}

// cloudAttribute sets an attribute from its string form.
func (d *Decoder) cloudAttribute(name, value string) error {
	e := &d.event
	switch name {
	case cloudSpecVersion:
		if value != cloudVersionAccepted {
			return reject("want 1.0, the only supported version of CloudEvents")
		}
		return setOnce(&d.cloud.version, value)
	case cloudID:
		return setOnce(&e.id, value)
	case cloudSource:
		return setOnce(&d.cloud.source, value)
	case cloudType:
		if strings.TrimSpace(value) == "" {
			return reject("is empty")
		}
		return setOnce(&e.name, value)
	case cloudContentType:
		return d.cloudMediaType(value)
	case cloudSchema:
		return d.putNotEmpty(cloudPrefix+cloudSchema, value)
	case cloudTime:
		t, err := parseTime(value, "want an RFC 3339 time, such as 2026-01-31T12:00:00Z")
		if err != nil {
			return err
		}
		e.record.SetTimestamp(t)
		return setOnce(&d.cloud.time, value)
	case cloudSubject:
		return d.putNotEmpty(appevent.AttrCloudEventsSubject, value)
	case cloudTraceparent:
		return d.cloudTrace(value)
	case cloudSeverityText:
		e.record.SetSeverityText(value)
		return setOnce(&d.cloud.severityText, value)
	case cloudSeverityNumber:
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 || n > int(plog.SeverityNumberFatal4) {
			return reject("%s", wantInteger(1, int64(plog.SeverityNumberFatal4)))
		}
		e.record.SetSeverityNumber(plog.SeverityNumber(n))
		return setOnce(&d.cloud.severityNumber, value)
	}
	v, err := d.cloudExtension(name)
	if err == nil {
		v.SetStr(value)
	}
	return err
}

// cloudMediaType sets the media type of the data.
func (d *Decoder) cloudMediaType(value string) error {
	if _, _, err := mime.ParseMediaType(value); err != nil || !strings.Contains(value, "/") {
		return reject("want a media type, such as application/json")
	}
	return setOnce(&d.cloud.contentType, value)
}

// setOnce sets a field that must not be empty and must not be set twice.
func setOnce(field *string, value string) error {
	if value == "" {
		return reject("is empty")
	}
	if *field != "" {
		return reject("given twice")
	}
	*field = value
	return nil
}

func (d *Decoder) putNotEmpty(attribute, value string) error {
	if value == "" {
		return reject("is empty")
	}
	return d.put(attribute, value)
}

// cloudTrace sets the trace context. An invalid traceparent is kept as an attribute.
func (d *Decoder) cloudTrace(value string) error {
	trace, ok := ParseTraceparent(value)
	if !ok {
		return d.put(cloudPrefix+cloudTraceparent, value)
	}
	trace.Put(d.event.record)
	return setOnce(&d.cloud.traceparent, value)
}

// maxExtensionName is the longest name of a CloudEvents extension, in bytes.
const maxExtensionName = 64

// cloudExtension adds an attribute for an extension that the specification does not define.
func (d *Decoder) cloudExtension(name string) (pcommon.Value, error) {
	if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
		return pcommon.Value{}, reject("not a valid CloudEvents attribute name (a to z, 0 to 9); put your own data under data")
	}
	if len(name) > maxExtensionName {
		return pcommon.Value{}, reject("is longer than %d characters", maxExtensionName)
	}
	return newMember(d.event.record.Attributes(), cloudPrefix+name)
}

func (d *Decoder) readBase64() error {
	if d.cloud.base64 != nil {
		return reject("given twice")
	}
	if d.json.Kind() != jsonread.String {
		return d.wrongKind("want a string")
	}
	raw, _, err := d.json.String()
	if err != nil {
		return syntaxError(err)
	}
	content, err := base64.StdEncoding.AppendDecode([]byte{}, jsonread.Unquote(nil, raw))
	if err != nil {
		return reject("is not base64")
	}
	d.cloud.base64 = content
	return nil
}

// readCloudData reads the data of the JSON format, once its content type is known.
func (d *Decoder) readCloudData() error {
	cloud := &d.cloud
	if cloud.data.text != nil && cloud.base64 != nil {
		return within(cloudData, reject("given twice, as data and as data_base64"))
	}
	if cloud.base64 != nil {
		return d.cloudDataOf(cloud.base64)
	}
	if cloud.data.text == nil {
		return nil
	}
	end := d.json.Offset()
	defer func() { d.json.Return(end) }()
	d.json.Return(cloud.data.at)
	d.depth = 1
	return within(cloudData, d.readData())
}

// cloudDataOf reads data outside of the event's JSON, according to its content type.
func (d *Decoder) cloudDataOf(content []byte) error {
	if len(content) == 0 {
		return nil
	}
	mediaType, _, _ := mime.ParseMediaType(d.cloud.contentType)
	switch {
	case isJSON(mediaType):
		return within(cloudData, d.readPayload(content))
	case isText(mediaType, content):
		d.event.record.Body().SetStr(strings.ToValidUTF8(string(content), "\ufffd"))
		return nil
	default:
		v, err := newMember(d.event.record.Attributes(), attrData)
		if err != nil {
			return err
		}
		v.SetEmptyBytes().FromRaw(content)
		return nil
	}
}

// isJSON reports whether a media type is JSON. A missing one is (CloudEvents HTTP binding, section
// 3.1.1).
func isJSON(mediaType string) bool {
	return mediaType == "" || mediaType == "application/json" || mediaType == "text/json" || strings.HasSuffix(mediaType, "+json")
}

// isText reports whether data is text: any text/ type, and XML in UTF-8.
func isText(mediaType string, content []byte) bool {
	if strings.HasPrefix(mediaType, "text/") {
		return true
	}
	return (mediaType == "application/xml" || strings.HasSuffix(mediaType, "+xml")) && utf8.Valid(content)
}

// readPayload reads JSON data outside of the event's own JSON.
func (d *Decoder) readPayload(content []byte) error {
	before := d.json
	defer func() { d.json = before }()
	d.json = jsonread.Reader{}
	d.json.Reset(content)
	d.depth = 1
	err := d.readData()
	if err == nil {
		err = syntaxError(d.json.End())
	}
	if err != nil && !isRejection(err) && !isTooMany(err) {
		return reject("%v", err) // the event's own JSON is valid
	}
	return err
}

// readData reads data: the members of an object become attributes, a string becomes the body.
func (d *Decoder) readData() error {
	attributes := d.event.record.Attributes()
	switch d.json.Kind() {
	case jsonread.Object:
		return d.readAttributes(attributes)
	case jsonread.Null:
		return d.null()
	case jsonread.String:
		s, err := d.string()
		d.event.record.Body().SetStr(s)
		return err
	}
	v, err := newMember(attributes, attrData)
	if err != nil {
		return err
	}
	return d.value(v)
}

// completeCloudEvent checks the required attributes and completes the record.
func (d *Decoder) completeCloudEvent() error {
	e := &d.event
	for _, required := range []struct{ name, value string }{
		{cloudSpecVersion, d.cloud.version}, {cloudID, e.id}, {cloudSource, d.cloud.source}, {cloudType, e.name},
	} {
		if required.value == "" {
			return within(required.name, reject("is missing; a CloudEvent has specversion, id, source and type"))
		}
	}
	uid := e.id
	if _, err := uuid.Parse(e.id); err != nil || len(e.id) != len(uuid.Nil.String()) {
		// A CloudEvents id is unique only together with its source.
		uid = uuid.NewSHA1(uuid.NameSpaceURL, []byte(d.cloud.source+"\n"+e.id)).String()
		if err := d.put(attrCloudID, e.id); err != nil {
			return within(cloudData, within(attrCloudID, err))
		}
	}
	if err := d.put(appevent.AttrID, uid); err != nil {
		return within(cloudData, within(appevent.AttrID, err))
	}
	if err := d.put(attrCloudSource, d.cloud.source); err != nil {
		return within(cloudData, within(attrCloudSource, err))
	}
	if number, ok := severityNumber(e.record.SeverityText()); ok && e.record.SeverityNumber() == plog.SeverityNumberUnspecified {
		e.record.SetSeverityNumber(number)
	}
	e.record.SetEventName(e.name)
	e.record.SetObservedTimestamp(d.received)
	if e.record.Timestamp() == 0 {
		e.record.SetTimestamp(d.received)
	}
	return d.readOrigin()
}
