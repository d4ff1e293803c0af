// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageintake

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Route is what a request is for.
type Route string

// The routes.
const (
	RouteEvent  Route = "event"
	RouteUser   Route = "customer"
	RouteDevice Route = "device"
	RouteBulk   Route = "transition"
	RouteMerge  Route = "merge"
)

// Content is what a request holds, in its order.
type Content struct {
	Actions []Action
	Users   []Object
	Devices []Object
	Merges  []Merge
	// Order is what the users of the request did and are, each customer id with its things in their order: the id of an
	// action, "user", "device" or "merge".
	Order []Thing
}

// Action is something that a user did.
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

// Merge is two users who are one.
type Merge struct{ Merged, Retained string }

// Thing is one thing of a request: the id of an action, or the word for what else it is.
type Thing struct{ Customer, What string }

// checker reads a body, and collects what is wrong with it.
type checker struct {
	now        time.Time
	content    Content
	violations []Violation
}

// Check reads the body of a request for a route, and returns what it holds and which rules it breaks. What came is not from the
// future where it is not after now.
func Check(route Route, body []byte, now time.Time) (Content, []Violation) {
	c := &checker{now: now}
	if len(body) > maxBody {
		c.broke(RuleSize, "body", "has %d bytes, and MoEngage takes %d", len(body), maxBody)
	}
	members, ok := c.decode(body)
	if !ok {
		return c.content, c.violations
	}
	o := object{c, "body", members}
	switch route {
	case RouteBulk:
		c.bulk(o)
	case RouteMerge:
		c.merges(o)
	default:
		if o.text("type") != string(route) {
			c.broke(RuleType, "body", "has the type %q on the route %s", o.text("type"), route)
		}
		c.element(o)
	}
	return c.content, c.violations
}

func (c *checker) broke(rule Rule, where, format string, args ...any) {
	c.violations = append(c.violations, Violation{Rule: rule, Where: where, Message: fmt.Sprintf(format, args...)})
}

func (c *checker) decode(body []byte) (map[string]any, bool) {
	strict := jsontext.NewDecoder(bytes.NewReader(body))
	if _, err := strict.ReadValue(); err != nil {
		c.broke(RuleJSON, "body", "is not JSON as RFC 7493 has it: %v", err)
		return nil, false
	}
	if rest := bytes.TrimSpace(body[strict.InputOffset():]); len(rest) > 0 {
		c.broke(RuleJSON, "body", "has something after its object")
	}
	var members map[string]any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&members); err != nil || members == nil {
		c.broke(RuleJSON, "body", "is not an object")
		return nil, false
	}
	return members, true
}

// bulk reads the elements.
func (c *checker) bulk(o object) {
	o.only("type", "elements")
	if o.text("type") != string(RouteBulk) {
		c.broke(RuleType, o.where, "has the type %q", o.text("type"))
	}
	before := ""
	for _, element := range o.objects("elements") {
		after := ""
		if element.text("type") == string(RouteEvent) {
			after = element.text("customer_id") + "\x00" + element.text("device_id")
		}
		if after != "" && after == before {
			c.broke(RuleOneElement, element.where, "is of the user and device of the one before it")
		}
		before = after
		c.element(element)
	}
}

// element reads an event, a user or a device.
func (c *checker) element(o object) {
	customer := o.text("customer_id")
	c.customer(o.where, customer)
	switch Route(o.text("type")) {
	case RouteEvent:
		o.only("type", "customer_id", "device_id", "actions")
		o.optionalText("device_id")
		for _, action := range o.objects("actions") {
			c.action(action, customer, o.text("device_id"))
		}
	case RouteUser:
		o.only("type", "customer_id", "attributes")
		c.content.Users = append(c.content.Users, Object{Customer: customer, Attributes: o.attributes()})
		c.content.Order = append(c.content.Order, Thing{customer, "user"})
	case RouteDevice:
		o.only("type", "customer_id", "device_id", "attributes")
		if o.text("device_id") == "" {
			c.broke(RuleMember, o.where, "has no device_id")
		}
		attributes := o.attributes()
		c.platform(o.where, attributes["platform"])
		c.content.Devices = append(c.content.Devices, Object{Customer: customer, Device: o.text("device_id"), Attributes: attributes})
		c.content.Order = append(c.content.Order, Thing{customer, "device"})
	default:
		c.broke(RuleType, o.where, "has the type %q", o.text("type"))
	}
}

func (c *checker) action(o object, customer, device string) {
	o.only("action", "attributes", "platform", "app_version", "current_time", "user_timezone_offset")
	name := o.text("action")
	c.name(o.where+".action", name)
	attributes := o.attributes()
	if len(attributes) > maxAttributes {
		c.broke(RuleAttributes, o.where, "has %d attributes", len(attributes))
	}
	o.optionalText("app_version")
	c.platform(o.where, o.members["platform"])
	id, _ := attributes["event_id"].(string)
	c.content.Actions = append(c.content.Actions, Action{
		Customer: customer, Device: device, Name: name, ID: id, Time: c.time(o), Platform: o.text("platform"), Attributes: attributes,
	})
	c.content.Order = append(c.content.Order, Thing{customer, id})
}

// time is current_time. MoEngage's samples have it to the second or the millisecond.
func (c *checker) time(o object) time.Time {
	written := o.text("current_time")
	at, err := time.Parse("2006-01-02T15:04:05Z", written)
	if _, fraction, ok := strings.Cut(written, "."); err != nil || ok && len(fraction) > len("000Z") {
		c.broke(RuleTime, o.where, "has the current_time %q, which is not ISO 8601 in UTC, to the millisecond", written)
		return time.Time{}
	}
	if at.After(c.now) {
		c.broke(RuleTime, o.where, "is %s in the future", at.Sub(c.now))
	}
	return at
}

// merges reads the pairs of users.
func (c *checker) merges(o object) {
	o.only("merge_data")
	for _, pair := range o.objects("merge_data") {
		pair.only("merged_user", "retained_user")
		m := Merge{Merged: pair.text("merged_user"), Retained: pair.text("retained_user")}
		c.customer(pair.where, m.Merged)
		c.customer(pair.where, m.Retained)
		if m.Merged == m.Retained {
			c.broke(RuleMerge, pair.where, "merges a user into itself")
		}
		c.content.Merges = append(c.content.Merges, m)
		c.content.Order = append(c.content.Order, Thing{m.Merged, "merge"}, Thing{m.Retained, "merge"})
	}
}

// shared are customer ids that MoEngage refuses.
var shared = [...]string{"unknown", "guest", "null", "0", "1", "true", "false", "user_attribute_unique_id"}

func (c *checker) customer(where, id string) {
	if utf8.RuneCountInString(id) < 2 || slices.Contains(shared[:], strings.ToLower(strings.TrimSpace(id))) {
		c.broke(RuleCustomer, where, "has the customer id %q", id)
	}
}

func (c *checker) platform(where string, platform any) {
	switch platform {
	case nil, "ANDROID", "iOS", "web", "unknown":
	default:
		c.broke(RulePlatform, where, "has the platform %v", platform)
	}
}

func (c *checker) name(where, name string) {
	switch n := utf8.RuneCountInString(name); {
	case n == 0 || n > maxName:
		c.broke(RuleName, where, "has a name of %d characters", n)
	case strings.Contains(name, "."), strings.HasPrefix(name, "moe_") && name != "moe_unsubscribe":
		c.broke(RuleName, where, "has the name %q", name)
	}
}

// attribute holds a value against the tracking policy.
func (c *checker) attribute(where string, value any) {
	switch v := value.(type) {
	case string:
		if utf8.RuneCountInString(v) > maxValue {
			c.broke(RuleValue, where, "has %d characters", utf8.RuneCountInString(v))
		}
	case json.Number:
		if _, err := strconv.ParseFloat(v.String(), 64); err != nil {
			c.broke(RuleValue, where, "is %s, which no float64 holds", v)
		}
	case bool:
	case []any:
		c.array(where, v)
	default:
		c.broke(RuleValue, where, "is %T", value)
	}
}

func (c *checker) array(where string, items []any) {
	if len(items) == 0 || len(items) > maxItems {
		c.broke(RuleArray, where, "has %d items", len(items))
	}
	first := ""
	for _, item := range items {
		text, isText := item.(string)
		kind := fmt.Sprintf("%T", item)
		if first == "" {
			first = kind
		}
		if _, isNumber := item.(json.Number); kind != first || !isText && !isNumber || utf8.RuneCountInString(text) > maxValue {
			c.broke(RuleArray, where, "has an item of %s of %d bytes among those of %s", kind, len(text), first)
			return
		}
	}
}
