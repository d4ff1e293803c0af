// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageintake

import "github.com/otelcol-fanout/otelcol-fanout/test/intake/standin"

// Rule is one of MoEngage's rules for requests. In the sources, api stands for
// https://www.moengage.com/docs/api, old for https://developers.moengage.com/hc/en-us/articles, and
// help for https://help.moengage.com/hc/en-us/articles.
type Rule = standin.Rule

// Violation is a broken rule.
type Violation = standin.Violation //nolint:errname // see standin

// Rules of the request.
const (
	// RuleMethod: every request is a POST (api).
	RuleMethod Rule = "method"
	// RulePath: the path is /v1/event/, /v1/customer/, /v1/device/, /v1/transition/ or
	// /v1/customer/merge?app_id=, followed by the workspace (api: event/track-event,
	// user/merge-users, bulk).
	RulePath Rule = "path"
	// RuleHeaders: Content-Type is application/json, Authorization is Basic, and MOE-APPKEY is the
	// workspace (old: 4404674776724).
	RuleHeaders Rule = "headers"
	// RuleEncoding: MoEngage documents no content encoding.
	RuleEncoding Rule = "content-encoding"
	// RuleSize: a request has up to 100 kB (api: bulk/bulk-import-users-and-events).
	RuleSize Rule = "size"
	// RuleJSON: the body is one JSON object.
	RuleJSON Rule = "json"
	// RuleUTF8: the body is UTF-8.
	RuleUTF8 = standin.RuleUTF8
	// RuleDuplicateName: no object has duplicate names.
	RuleDuplicateName = standin.RuleDuplicateName
)

// Rules of the body.
const (
	// RuleType: type is event, customer, device or transition, matching the route (api).
	RuleType Rule = "type"
	// RuleMember: an object has its required members with the right types, and no others (api).
	RuleMember Rule = "member"
	// RuleCustomer: customer_id is a string of at least two characters, and not a placeholder that
	// many users would share (api: data/data-overview).
	RuleCustomer Rule = "customer_id"
	// RuleTime: current_time is ISO 8601 in UTC, and not in the future (old: 4413174104852).
	// user_timezone_offset is a number of seconds up to 15 hours (api: event/track-event).
	RuleTime Rule = "current_time"
	// RulePlatform: platform is ANDROID, iOS, web or unknown (old: 4413174104852).
	RulePlatform Rule = "platform"
	// RuleDevice: a device has a platform and a push_id. MoEngage accepts and drops it otherwise (api:
	// bulk/bulk-import-users-and-events).
	RuleDevice Rule = "device"
	// RuleOneElement: consecutive actions of one user and device share an element, in its list
	// actions.
	RuleOneElement Rule = "one-element"
	// RuleMerge: a merge names two different users (api: user/merge-users).
	RuleMerge Rule = "merge"
)

// Rules of the tracking policy (help: 360037314991, 31226180214804).
const (
	// RuleName: a name has 1 to 200 characters, no period, and does not begin with moe_ (api:
	// event/track-event). No attribute of a user is named id or _id (api: user/track-user).
	RuleName Rule = "name"
	// RuleAttributes: an event has up to 100 attributes.
	RuleAttributes Rule = "attributes"
	// RuleValue: a value is a string of up to 512 characters, a number, a boolean, an array, or an
	// object that is not empty and whose members keep the rules of attributes.
	RuleValue Rule = "value"
	// RuleArray: an array has 1 to 50 items, all of them numbers, all strings of up to 512 characters,
	// or all objects.
	RuleArray Rule = "array"
	// RuleEventNames: a workspace has up to 512 event names.
	RuleEventNames Rule = "event-names"
	// RuleUserAttributes: a workspace has up to 256 user attributes, not counting those that MoEngage
	// defines.
	RuleUserAttributes Rule = "user-attributes"
)

// MoEngage's limits.
const (
	maxBody           = 100_000
	maxEventNames     = 512
	maxUserAttributes = 256
	maxAttributes     = 100
	maxName           = 200
	maxValue          = 512
	maxItems          = 50
	maxOffset         = 54_000
)
