// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package appevent

// Attributes of an application event, named as in the OpenTelemetry semantic conventions v1.44.0.
// Each comment names the registry.
const (
	// AttrID is the event's id (log registry: log.record.uid). Records that share it are the same
	// event.
	AttrID = "log.record.uid"

	// AttrEventName carries the name if a producer cannot set EventName (otel registry).
	AttrEventName = "otel.event.name"
	// AttrPlainEventName is read when [AttrEventName] is absent (event registry). Sentry's logs have the
	// name under it.
	AttrPlainEventName = "event.name"

	// AttrCloudEventsSubject is read when [AttrSubject] is absent (cloudevents registry).
	AttrCloudEventsSubject = "cloudevents.event_subject"

	// The actor (user and enduser registries), all strings except AttrUserRoles.
	AttrUserID       = "user.id"
	AttrUserEmail    = "user.email"
	AttrUserName     = "user.name"
	AttrUserFullName = "user.full_name"
	// AttrUserRoles is an array of strings.
	AttrUserRoles = "user.roles"
	// AttrAnonymousID identifies an actor who has no user.id yet.
	AttrAnonymousID = "enduser.pseudo.id"
	// AttrEndUserID is read when [AttrUserID] is absent.
	AttrEndUserID = "enduser.id"

	// AttrSessionID is the session the event belongs to (session registry).
	AttrSessionID = "session.id"

	// The exception (exception registry).
	AttrExceptionType       = "exception.type"
	AttrExceptionMessage    = "exception.message"
	AttrExceptionStacktrace = "exception.stacktrace"
	// These describe the cause of the exception. OpenTelemetry's SDK for JavaScript records none, but
	// an application may.
	AttrCauseType       = "exception.cause.type"
	AttrCauseMessage    = "exception.cause.message"
	AttrCauseStacktrace = "exception.cause.stacktrace"
	// AttrExceptionEscaped is deprecated, but the only attribute of a span event that says whether
	// the exception was handled.
	AttrExceptionEscaped = "exception.escaped"

	// The client that the event comes from (client and user_agent registries).
	AttrClientAddress = "client.address"
	AttrUserAgent     = "user_agent.original"
)

// Attributes that OpenTelemetry has no name for. None of them reaches a vendor under its own name.
const (
	// FanoutPrefix begins each of their names. [Event.Properties] skips every attribute with it.
	FanoutPrefix = "fanout."

	// AttrKind is the event's kind, one of the strings of [Kind].
	AttrKind = "fanout.type"
	// AttrSubject is a string: what the event is about, such as an order, a document or a job.
	AttrSubject = "fanout.subject"
	// AttrGroups is a map of group type to group key.
	AttrGroups = "fanout.groups"
	// AttrTraits is a map of properties to set on the actor or the group.
	AttrTraits = "fanout.traits"
	// AttrTraitsOnce is a map of properties to set only if they are not set yet.
	AttrTraitsOnce = "fanout.traits_once"
	// AttrPreviousID is a string: the id that an alias event merges into the actor's.
	AttrPreviousID = "fanout.previous_id"
	// AttrDestinations is a map of backend to bool: which backends get this event.
	AttrDestinations = "fanout.destinations"
	// AttrHandled is a bool: whether the application caught the exception.
	AttrHandled = "fanout.handled"
	// AttrFingerprint is an array of strings, or one string: an error tracker groups events with
	// the same fingerprint into one issue.
	AttrFingerprint = "fanout.fingerprint"
)

// Attributes of the resource that name an event's source (service and deployment registries, unless
// noted).
const (
	AttrServiceName      = "service.name"
	AttrServiceNamespace = "service.namespace"
	AttrServiceVersion   = "service.version"
	AttrEnvironment      = "deployment.environment.name"
	// AttrLegacyEnvironment is the deprecated form of [AttrEnvironment].
	AttrLegacyEnvironment = "deployment.environment"
	// AttrSDKLanguage is the language of the SDK that produced the event (telemetry registry).
	AttrSDKLanguage = "telemetry.sdk.language"
	// AttrRuntimeName implies the language if [AttrSDKLanguage] is absent (process registry).
	AttrRuntimeName = "process.runtime.name"
	// AttrProcessCommand is the main script in Node.js, AttrWorkingDirectory the folder that the
	// process runs in (process registry).
	AttrProcessCommand   = "process.command"
	AttrWorkingDirectory = "process.working_directory"
)

// ExceptionEventName is the name of a span event that records an exception, and the default name of
// an exception event (semantic conventions, exceptions in spans).
const ExceptionEventName = "exception"
