// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

// Package eventjson converts application events between JSON and OpenTelemetry log records.
// Decoding and encoding are inverse, so that one instance can feed another without loss.
//
// An event is one object. All members are optional, but an event needs a name, a type other than
// track, an exception, a message or a body.
//
//	id                 string           two events with the same id are the same event
//	name               string           what happened: order_placed
//	type               string           track (default), identify, page, screen, group, alias
//	timestamp          string, number   RFC 3339, or time since 1970 in s, ms, us or ns by magnitude
//	severity           string           a level name as loggers use it: INFO, warning, fatal
//	severity_number    number           1 to 24, as in OpenTelemetry; derived from severity if absent
//	message            string           one line for a human reader
//	body               any              a log body that is not a string
//	source             string, object   name, namespace, version, environment of the application
//	subject            string           what the event is about: order/17
//	user               string, object   id, anonymous_id, email, name, full_name, roles
//	session_id         string
//	groups             object           group type to group key
//	properties         object           any values, nested
//	traits             object           properties to set on the user or group
//	traits_once        object           the same, but only if not set yet
//	previous_id        string           for alias: the id that becomes the user's
//	context            object           ip, user_agent, or any attribute by its OpenTelemetry name
//	exception          object           type, message, stacktrace, handled
//	trace              object           trace_id, span_id (hex), flags
//	destinations       object           backend to bool: which backends get this event
//	resource           object           attributes of the resource beyond source
//	scope              object           name, version, attributes of the instrumentation scope
//	value_types        object           JSON pointer to bytes or double: types that JSON lacks
package eventjson

// The members of an event.
const (
	fieldID             = "id"
	fieldName           = "name"
	fieldType           = "type"
	fieldTimestamp      = "timestamp"
	fieldSeverity       = "severity"
	fieldSeverityNumber = "severity_number"
	fieldMessage        = "message"
	fieldBody           = "body"
	fieldSource         = "source"
	fieldSubject        = "subject"
	fieldUser           = "user"
	fieldSessionID      = "session_id"
	fieldGroups         = "groups"
	fieldProperties     = "properties"
	fieldTraits         = "traits"
	fieldTraitsOnce     = "traits_once"
	fieldPreviousID     = "previous_id"
	fieldContext        = "context"
	fieldException      = "exception"
	fieldTrace          = "trace"
	fieldDestinations   = "destinations"
	fieldResource       = "resource"
	fieldScope          = "scope"
	fieldValueTypes     = "value_types"
)

// The types that value_types restores.
const (
	typeBytes  = "bytes"
	typeDouble = "double"
)
