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

	"github.com/google/uuid"
	"go.opentelemetry.io/collector/pdata/pcommon"
	"go.opentelemetry.io/collector/pdata/plog"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/jsonread"
)

// What a CloudEvent has that an event has no field for becomes attributes: those that OpenTelemetry has names for
// (cloudevents registry), and the others by their own names after a prefix.
const (
	attrCloudID     = "cloudevents.event_id"
	attrCloudSource = "cloudevents.event_source"
	cloudPrefix     = "cloudevents."
	// attrData is the data of an event where it is neither an object nor text.
	attrData = "data"
)

// The attributes of a CloudEvent (CloudEvents 1.0.2, "Context Attributes"), and the documented extensions that say what an
// event has a field for.
const (
	cloudSpecVersion     = "specversion"
	cloudID              = "id"
	cloudSource          = "source"
	cloudType            = "type"
	cloudTime            = "time"
	cloudSubject         = "subject"
	cloudContentType     = "datacontenttype"
	cloudData            = "data"
	cloudDataBase64      = "data_base64"
	cloudTraceparent     = "traceparent"
	cloudSeverityText    = "severitytext"
	cloudSeverityNumber  = "severitynumber"
	cloudVersionWeAccept = "1.0"
)

// cloudEvent is what of a CloudEvent is not in its record yet.
type cloudEvent struct {
	version, source, contentType, time, traceparent, severityText, severityNumber string

	data   span
	base64 []byte
}

// DecodeCloudEvents reads CloudEvents in their JSON format: one object (structured mode) or an array of them (batched
// mode). Bad ones are rejected one by one, as by [Decoder.Decode].
func (d *Decoder) DecodeCloudEvents(body []byte, batched bool, received time.Time) (Result, error) {
	d.begin(received, len(body))
	d.decodeOne = (*Decoder).decodeCloudEvent
	return d.whole(body, func() error {
		switch kind := d.json.Kind(); {
		case kind == jsonread.Object && !batched:
			return d.element()
		case kind == jsonread.Array && batched:
			return d.array()
		case kind == jsonread.Object:
			return reject("a batch of CloudEvents is an array; send one as application/cloudevents+json")
		case kind == jsonread.Array:
			return reject("a CloudEvent is an object; send several as application/cloudevents-batch+json")
		default:
			return d.notEvents()
		}
	})
}

// DecodeCloudEvent reads a CloudEvent in binary mode: its attributes come one by one, and the body is its data, whose media
// type contentType is.
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

// decodeCloudEvent reads a CloudEvent of the JSON format.
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
		return d.cloud.data.put(d, span{})
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
	return d.wrongKind("want a string, an integer or a bool, as the attributes of CloudEvents are; data of your own goes under data")
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
		return reject("want an integer of 32 bits, as CloudEvents has them; write it as a string")
	}
	v.SetInt(i)
	return nil
}

// cloudFields are the attributes that become something else than attributes of their own.
var cloudFields = map[string]bool{
	cloudSpecVersion: true, cloudID: true, cloudSource: true, cloudType: true, cloudTime: true, cloudSubject: true, cloudContentType: true,
	cloudTraceparent: true, cloudSeverityText: true, cloudSeverityNumber: true,
}

// cloudAttribute takes in an attribute in its string form.
func (d *Decoder) cloudAttribute(name, value string) error {
	e := &d.event
	switch name {
	case cloudSpecVersion:
		if value != cloudVersionWeAccept {
			return reject("want 1.0, the one version of CloudEvents that is taken")
		}
		return once(&d.cloud.version, value)
	case cloudID:
		return once(&e.id, value)
	case cloudSource:
		return once(&d.cloud.source, value)
	case cloudType:
		if strings.TrimSpace(value) == "" {
			return reject("is empty")
		}
		return once(&e.name, value)
	case cloudContentType:
		return once(&d.cloud.contentType, value)
	case cloudTime:
		t, err := time.Parse(time.RFC3339Nano, strings.ToUpper(value))
		if err != nil {
			return reject("want a time as RFC 3339 writes it, such as 2026-01-31T12:00:00Z")
		}
		if t.Before(firstTime) || t.After(lastTime) {
			return reject("is not between the years 1970 and 2262")
		}
		e.record.SetTimestamp(pcommon.NewTimestampFromTime(t))
		return once(&d.cloud.time, value)
	case cloudSubject:
		return d.putNotEmpty(appevent.AttrCloudEventsSubject, value)
	case cloudTraceparent:
		return d.cloudTrace(value)
	case cloudSeverityText:
		e.record.SetSeverityText(value)
		return once(&d.cloud.severityText, value)
	case cloudSeverityNumber:
		n, err := strconv.Atoi(value)
		if err != nil || n < 1 || n > int(plog.SeverityNumberFatal4) {
			return reject("%s", wantInteger(1, int64(plog.SeverityNumberFatal4)))
		}
		e.record.SetSeverityNumber(plog.SeverityNumber(n))
		return once(&d.cloud.severityNumber, value)
	}
	v, err := d.cloudExtension(name)
	if err == nil {
		v.SetStr(value)
	}
	return err
}

// once takes in an attribute that an event has once, and that is not empty.
func once(field *string, value string) error {
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

// cloudTrace keeps what is not a traceparent as what it is.
func (d *Decoder) cloudTrace(value string) error {
	trace, ok := ParseTraceparent(value)
	if !ok {
		return d.put(cloudPrefix+cloudTraceparent, value)
	}
	trace.Put(d.event.record)
	return once(&d.cloud.traceparent, value)
}

// cloudExtension is the place for an attribute that the specification does not know.
func (d *Decoder) cloudExtension(name string) (pcommon.Value, error) {
	if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789") != "" {
		return pcommon.Value{}, reject("is not a name of CloudEvents, which are of the letters a to z and digits; data of your own goes under data")
	}
	if len(name) > longName {
		return pcommon.Value{}, reject("is longer than %d characters", longName)
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

// readCloudData reads the data of the JSON format, now that its content type is known.
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

// cloudDataOf reads data that stands alone, whose content type says what it is.
func (d *Decoder) cloudDataOf(content []byte) error {
	if len(content) == 0 {
		return nil
	}
	mediaType, _, _ := mime.ParseMediaType(d.cloud.contentType)
	switch {
	case isJSON(mediaType):
		return within(cloudData, d.readPayload(content))
	case strings.HasPrefix(mediaType, "text/"):
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

// isJSON reports a media type whose content is JSON. None is JSON too (CloudEvents HTTP binding, section 3.1.1).
func isJSON(mediaType string) bool {
	return mediaType == "" || mediaType == "application/json" || mediaType == "text/json" || strings.HasSuffix(mediaType, "+json")
}

// readPayload reads JSON that stands alone.
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
		return reject("%v", err) // the JSON around it is sound
	}
	return err
}

// readData reads data: an object's members become attributes, a string the message.
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

// completeCloudEvent checks what a CloudEvent must have, and gives the record what it lacks.
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
		// An id is unique only together with its source.
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
