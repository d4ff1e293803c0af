// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package appevent

// Attributes of an application event. Names without the fanout prefix are those of the OpenTelemetry semantic
// conventions v1.44.0; docs of each say where it is found there.
const (
	// AttrID is the event's id (log registry: log.record.uid). Records that share it are the same event.
	AttrID = "log.record.uid"

	// AttrEventName carries the name where a producer could not set EventName (otel registry).
	AttrEventName = "otel.event.name"
	// AttrLegacyEventName is the deprecated form of [AttrEventName].
	AttrLegacyEventName = "event.name"

	// AttrCloudEventsSubject is read when [AttrSubject] is absent (cloudevents registry).
	AttrCloudEventsSubject = "cloudevents.event_subject"

	// The actor (user and enduser registries).
	AttrUserID       = "user.id"
	AttrUserEmail    = "user.email"
	AttrUserName     = "user.name"
	AttrUserFullName = "user.full_name"
	// AttrUserRoles is an array of strings.
	AttrUserRoles = "user.roles"
	// AttrAnonymousID identifies an actor who is not known by name.
	AttrAnonymousID = "enduser.pseudo.id"
	// AttrEndUserID is read when [AttrUserID] is absent.
	AttrEndUserID = "enduser.id"

	// AttrSessionID is the session the event belongs to (session registry).
	AttrSessionID = "session.id"

	// The exception (exception registry).
	AttrExceptionType       = "exception.type"
	AttrExceptionMessage    = "exception.message"
	AttrExceptionStacktrace = "exception.stacktrace"
	// AttrExceptionEscaped is deprecated, but the only word of a span event on whether the exception was handled.
	AttrExceptionEscaped = "exception.escaped"

	// What the event was seen on (client, user_agent registries).
	AttrClientAddress = "client.address"
	AttrUserAgent     = "user_agent.original"
)

// Attributes of ours: what OpenTelemetry has no name for. None of them reaches a vendor under its own name.
const (
	// FanoutPrefix starts the name of each of them; [Event.Properties] hides whatever starts with it.
	FanoutPrefix = "fanout."

	// AttrKind is the event's kind, one of the strings of [Kind].
	AttrKind = "fanout.type"
	// AttrSubject is what the event is about: an order, a document, a job.
	AttrSubject = "fanout.subject"
	// AttrGroups is a map of group type to group key.
	AttrGroups = "fanout.groups"
	// AttrTraits is a map of properties to set on the actor or the group.
	AttrTraits = "fanout.traits"
	// AttrTraitsOnce is a map of properties to set only where they are not set yet.
	AttrTraitsOnce = "fanout.traits_once"
	// AttrPreviousID is the id that an alias event merges into the actor's.
	AttrPreviousID = "fanout.previous_id"
	// AttrDestinations is a map of backend to bool: a switch for this one event.
	AttrDestinations = "fanout.destinations"
	// AttrHandled is a bool: whether the application caught the exception.
	AttrHandled = "fanout.handled"
	// AttrFingerprint is an array of strings, or one: events with the same are one issue to an error tracker.
	AttrFingerprint = "fanout.fingerprint"
)

// Attributes of the resource that name an event's source (service and deployment registries, where not said).
const (
	AttrServiceName      = "service.name"
	AttrServiceNamespace = "service.namespace"
	AttrServiceVersion   = "service.version"
	AttrEnvironment      = "deployment.environment.name"
	// AttrLegacyEnvironment is the deprecated form of [AttrEnvironment].
	AttrLegacyEnvironment = "deployment.environment"
	// AttrSDKLanguage is the language of the SDK that made the event (telemetry registry).
	AttrSDKLanguage = "telemetry.sdk.language"
	// AttrRuntimeName tells the language where [AttrSDKLanguage] is absent (process registry).
	AttrRuntimeName = "process.runtime.name"
)

// ExceptionEventName is the name of a span event that records an exception, and of an exception event that was
// given no other name (semantic conventions, exceptions in spans).
const ExceptionEventName = "exception"
