// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageintake

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/otelcol-fanout/otelcol-fanout/test/intake/standin"
)

// Route is the purpose of a request.
type Route string

// The routes.
const (
	RouteEvent  Route = "event"
	RouteUser   Route = "customer"
	RouteDevice Route = "device"
	RouteBulk   Route = "transition"
	RouteMerge  Route = "merge"
)

// Content is the content of a request, in order.
type Content struct {
	Actions []Action
	Users   []Object
	Devices []Object
	Merges  []Merge
	// Order lists, by customer id, the request's items in order: the id of an action, "user",
	// "device" or "merge".
	Order []Thing
}

// Action is an action of a user.
type Action struct {
	Customer, Device string
	Name             string
	ID               string // its attribute event_id
	Time             time.Time
	Platform         string
	Attributes       map[string]any
}

// Object is a user or a device.
type Object struct {
	Customer, Device string
	Attributes       map[string]any
}

// Merge is a merge of two users.
type Merge struct{ Merged, Retained string }

// Thing is an item of a request: the id of an action, or the kind of item.
type Thing struct{ Customer, What string }

// checker reads a body and collects violations.
type checker struct {
	standin.Checker
	now     time.Time
	content Content
}

// Check reads the body of a request for a route, and returns its content and violations. Times
// after now are in the future.
func Check(route Route, body []byte, now time.Time) (Content, []Violation) {
	c := &checker{now: now}
	if len(body) > maxBody {
		c.Violate(RuleSize, "body", "has %d bytes, and MoEngage takes %d", len(body), maxBody)
	}
	o, ok := c.DecodeObject(body, RuleJSON, "body")
	if !ok {
		return c.content, c.Violations
	}
	o.Rule = RuleMember
	switch route {
	case RouteBulk:
		c.bulk(o)
	case RouteMerge:
		c.merges(o)
	default:
		if text(o, "type") != string(route) {
			c.Violate(RuleType, "body", "has the type %q on the route %s", text(o, "type"), route)
		}
		c.element(o)
	}
	return c.content, c.Violations
}

// bulk reads the elements.
func (c *checker) bulk(o object) {
	o.Only(RuleMember, "type", "elements")
	if text(o, "type") != string(RouteBulk) {
		c.Violate(RuleType, o.Where, "has the type %q", text(o, "type"))
	}
	before := ""
	for _, element := range some(o, "elements") {
		after := ""
		if text(element, "type") == string(RouteEvent) {
			after = text(element, "customer_id") + "\x00" + text(element, "device_id")
		}
		if after != "" && after == before {
			c.Violate(RuleOneElement, element.Where, "has the same user and device as the previous element")
		}
		before = after
		c.element(element)
	}
}

// element reads an event, a user or a device.
func (c *checker) element(o object) {
	customer := text(o, "customer_id")
	c.customer(o.Where, customer)
	switch Route(text(o, "type")) {
	case RouteEvent:
		o.Only(RuleMember, "type", "customer_id", "device_id", "actions")
		optionalText(o, "device_id")
		for _, action := range some(o, "actions") {
			c.action(action, customer, text(o, "device_id"))
		}
	case RouteUser:
		o.Only(RuleMember, "type", "customer_id", "attributes")
		attributes := c.attributes(o)
		for _, name := range []string{"id", "_id"} {
			if _, ok := attributes[name]; ok {
				c.Violate(RuleName, o.Where, "has the attribute %s, which MoEngage blocks", name)
			}
		}
		c.content.Users = append(c.content.Users, Object{Customer: customer, Attributes: attributes})
		c.content.Order = append(c.content.Order, Thing{customer, "user"})
	case RouteDevice:
		o.Only(RuleMember, "type", "customer_id", "device_id", "attributes")
		if text(o, "device_id") == "" {
			c.Violate(RuleMember, o.Where, "has no device_id")
		}
		pushID := c.withoutPushID(o)
		attributes := c.attributes(o)
		c.platform(o.Where, attributes["platform"])
		if attributes != nil && pushID != nil {
			attributes["push_id"] = pushID
		}
		for _, name := range []string{"platform", "push_id"} {
			if text, _ := attributes[name].(string); text == "" || text == "unknown" {
				c.Violate(RuleDevice, o.Where, "has no %s, so MoEngage accepts and drops it", name)
			}
		}
		c.content.Devices = append(c.content.Devices, Object{Customer: customer, Device: text(o, "device_id"), Attributes: attributes})
		c.content.Order = append(c.content.Order, Thing{customer, "device"})
	default:
		c.Violate(RuleType, o.Where, "has the type %q", text(o, "type"))
	}
}

// withoutPushID removes the push ID, which has no maximum length, from a device's attributes, and
// returns it.
func (c *checker) withoutPushID(o object) any {
	attributes, _ := o.Members["attributes"].(map[string]any)
	pushID := attributes["push_id"]
	delete(attributes, "push_id")
	return pushID
}

func (c *checker) action(o object, customer, device string) {
	o.Only(RuleMember, "action", "attributes", "platform", "app_version", "current_time", "user_timezone_offset")
	name := text(o, "action")
	c.name(o.Where+".action", name)
	attributes := c.attributes(o)
	if len(attributes) > maxAttributes {
		c.Violate(RuleAttributes, o.Where, "has %d attributes", len(attributes))
	}
	optionalText(o, "app_version")
	c.platform(o.Where, o.Members["platform"])
	if offset, ok := o.Integer("user_timezone_offset"); ok && (offset < -maxOffset || offset > maxOffset) {
		o.Breaks(RuleTime, "user_timezone_offset", "is %d seconds; the limit is %d", offset, maxOffset)
	}
	id, _ := attributes["event_id"].(string)
	c.content.Actions = append(c.content.Actions, Action{
		Customer: customer, Device: device, Name: name, ID: id, Time: c.time(o), Platform: text(o, "platform"), Attributes: attributes,
	})
	c.content.Order = append(c.content.Order, Thing{customer, id})
}

// time reads current_time. MoEngage's samples give it to the second or millisecond.
func (c *checker) time(o object) time.Time {
	written := text(o, "current_time")
	at, err := time.Parse("2006-01-02T15:04:05Z", written)
	if _, fraction, ok := strings.Cut(written, "."); err != nil || ok && len(fraction) > len("000Z") {
		c.Violate(RuleTime, o.Where, "has the current_time %q, which is not ISO 8601 in UTC, to the millisecond", written)
		return time.Time{}
	}
	if at.After(c.now) {
		c.Violate(RuleTime, o.Where, "is %s in the future", at.Sub(c.now))
	}
	return at
}

// merges reads the user pairs.
func (c *checker) merges(o object) {
	o.Only(RuleMember, "merge_data")
	for _, pair := range some(o, "merge_data") {
		pair.Only(RuleMember, "merged_user", "retained_user")
		m := Merge{Merged: text(pair, "merged_user"), Retained: text(pair, "retained_user")}
		c.customer(pair.Where, m.Merged)
		c.customer(pair.Where, m.Retained)
		if m.Merged == m.Retained {
			c.Violate(RuleMerge, pair.Where, "merges a user into itself")
		}
		c.content.Merges = append(c.content.Merges, m)
		c.content.Order = append(c.content.Order, Thing{m.Merged, "merge"}, Thing{m.Retained, "merge"})
	}
}

// shared are customer ids that MoEngage refuses.
var shared = [...]string{"unknown", "guest", "null", "0", "1", "true", "false", "user_attribute_unique_id"}

func (c *checker) customer(where, id string) {
	if utf8.RuneCountInString(id) < 2 || slices.Contains(shared[:], strings.ToLower(strings.TrimSpace(id))) {
		c.Violate(RuleCustomer, where, "has the customer id %q", id)
	}
}

func (c *checker) platform(where string, platform any) {
	switch platform {
	case nil, "ANDROID", "iOS", "web", "unknown":
	default:
		c.Violate(RulePlatform, where, "has the platform %v", platform)
	}
}

func (c *checker) name(where, name string) {
	switch n := utf8.RuneCountInString(name); {
	case n == 0 || n > maxName:
		c.Violate(RuleName, where, "has a name of %d characters", n)
	case strings.Contains(name, "."), strings.HasPrefix(name, "moe_") && name != "moe_unsubscribe":
		c.Violate(RuleName, where, "has the name %q", name)
	}
}

// attribute checks a value against the tracking policy.
func (c *checker) attribute(where string, value any) {
	switch v := value.(type) {
	case string:
		if utf8.RuneCountInString(v) > maxValue {
			c.Violate(RuleValue, where, "has %d characters", utf8.RuneCountInString(v))
		}
	case json.Number:
		if _, err := strconv.ParseFloat(v.String(), 64); err != nil {
			c.Violate(RuleValue, where, "is %s, which no float64 holds", v)
		}
	case bool:
	case []any:
		c.array(where, v)
	case map[string]any:
		c.nested(where, v)
	default:
		c.Violate(RuleValue, where, "is %T", value)
	}
}

func (c *checker) array(where string, items []any) {
	if len(items) == 0 || len(items) > maxItems {
		c.Violate(RuleArray, where, "has %d items", len(items))
		return
	}
	if _, ok := items[0].(map[string]any); ok && len(items) <= maxItems {
		c.objects(where, items)
		return
	}
	first := ""
	for _, item := range items {
		text, isText := item.(string)
		kind := fmt.Sprintf("%T", item)
		if first == "" {
			first = kind
		}
		if _, isNumber := item.(json.Number); kind != first || !isText && !isNumber || utf8.RuneCountInString(text) > maxValue {
			c.Violate(RuleArray, where, "has an item of %s of %d bytes among those of %s", kind, len(text), first)
			return
		}
	}
}

// nested checks an object in attributes.
func (c *checker) nested(where string, members map[string]any) {
	if len(members) == 0 {
		c.Violate(RuleValue, where, "is an empty object")
	}
	for name, value := range members {
		c.name(where+"."+name, name)
		c.attribute(where+"."+name, value)
	}
}

// objects checks an array of objects.
func (c *checker) objects(where string, items []any) {
	for i, item := range items {
		members, ok := item.(map[string]any)
		if !ok {
			c.Violate(RuleArray, where, "has an item of %T among objects", item)
			return
		}
		c.nested(fmt.Sprintf("%s[%d]", where, i), members)
	}
}
