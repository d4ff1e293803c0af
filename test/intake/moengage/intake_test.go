// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package moengageintake

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/otelcol-fanout/otelcol-fanout/test/intake/standin"
)

// noon is the tests' current time.
func noon() time.Time { return time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC) }

// event returns a body for the event route, with more members in its action.
func event(action string) string {
	return `{"type":"event","customer_id":"u1001","actions":[` + action + `]}`
}

const fine = `{"action":"order_placed","attributes":{"event_id":"e1","total":1.5},"platform":"iOS","app_version":"1","current_time":"2026-01-02T11:59:59.999Z"}`

// post sends a body as an exporter should; change modifies the request.
func post(t *testing.T, in *Intake, path, body string, change func(*http.Request)) (status int, received string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, in.URL()+path, strings.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("MOE-APPKEY", Workspace)
	req.Header.Set("Authorization", basic(Workspace, Key))
	if change != nil {
		change(req)
	}
	seen, err := standin.Send(req)
	if err != nil {
		return 0, err.Error()
	}
	return seen.Status, seen.Body
}

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

func TestValidRequestsAreAccepted(t *testing.T) {
	in := New(t)
	in.Clock(noon)
	for path, body := range map[string]string{
		"/v1/event/" + Workspace:                 event(fine),
		"/v1/customer/" + Workspace:              `{"type":"customer","customer_id":"u1001","attributes":{"name":"Ada","moe_unsubscribe":true,"tags":["a"]}}`,
		"/v1/device/" + Workspace:                `{"type":"device","customer_id":"u1001","device_id":"d1","attributes":{"platform":"ANDROID","push_id":"t1"}}`,
		"/v1/customer/merge?app_id=" + Workspace: `{"merge_data":[{"merged_user":"anon","retained_user":"u1001"}]}`,
		"/v1/transition/" + Workspace:            `{"type":"transition","elements":[` + event(fine) + `,{"type":"customer","customer_id":"u1001","attributes":{}},` + event(fine) + `]}`,
	} {
		status, received := post(t, in, path, body, nil)
		assert.Equal(t, http.StatusOK, status, path)
		assert.JSONEq(t, success, received)
	}
	taken := in.Taken()
	assert.Len(t, taken.Actions, 3)
	assert.Len(t, taken.Users, 2)
	assert.Len(t, taken.Devices, 1)
	assert.Equal(t, []Merge{{Merged: "anon", Retained: "u1001"}}, taken.Merges)
	assert.Equal(t, Action{
		Customer: "u1001", Name: "order_placed", ID: "e1", Time: time.Date(2026, 1, 2, 11, 59, 59, 999e6, time.UTC), Platform: "iOS",
		Attributes: map[string]any{"event_id": "e1", "total": json.Number("1.5")},
	}, in.Actions()[0])
}

func TestBodyRules(t *testing.T) {
	many := func(n int, format string) string {
		parts := make([]string, n)
		for i := range parts {
			parts[i] = strings.ReplaceAll(format, "%", fmt.Sprint(i))
		}
		return strings.Join(parts, ",")
	}
	withAttributes := func(members string) string {
		return event(`{"action":"a","attributes":{` + members + `},"current_time":"2026-01-02T11:59:59Z"}`)
	}
	for name, c := range map[string]struct {
		route Route
		body  string
		want  Rule
	}{
		"not JSON":                        {RouteEvent, `{`, RuleJSON},
		"a duplicate name":                {RouteEvent, `{"type":"event","type":"event"}`, RuleDuplicateName},
		"not UTF-8":                       {RouteEvent, "{\"type\":\"\xff\"}", RuleUTF8},
		"data after the object":           {RouteEvent, event(fine) + `{}`, RuleJSON},
		"an array":                        {RouteEvent, `[]`, RuleJSON},
		"the type of another route":       {RouteUser, event(fine), RuleType},
		"a type in capitals":              {RouteEvent, strings.Replace(event(fine), `"event"`, `"Event"`, 1), RuleType},
		"a bulk request on its own route": {RouteBulk, event(fine), RuleType},
		"an element of no type":           {RouteBulk, `{"type":"transition","elements":[{"customer_id":"u1001"}]}`, RuleType},
		"no elements":                     {RouteBulk, `{"type":"transition","elements":[]}`, RuleMember},
		"an element that is a number":     {RouteBulk, `{"type":"transition","elements":[1]}`, RuleMember},
		"no actions":                      {RouteEvent, `{"type":"event","customer_id":"u1001","actions":[]}`, RuleMember},
		"an unknown member":               {RouteEvent, event(strings.Replace(fine, `"action"`, `"time":1,"action"`, 1)), RuleMember},
		"an empty device":                 {RouteEvent, strings.Replace(event(fine), `"actions"`, `"device_id":"","actions"`, 1), RuleMember},
		"no attributes":                   {RouteEvent, event(`{"action":"a","current_time":"2026-01-02T11:59:59Z"}`), RuleMember},
		"a device without id":             {RouteDevice, `{"type":"device","customer_id":"u1001","attributes":{}}`, RuleMember},
		"no customer":                     {RouteUser, `{"type":"customer","attributes":{}}`, RuleCustomer},
		"a customer of one character":     {RouteUser, `{"type":"customer","customer_id":"x","attributes":{}}`, RuleCustomer},
		"a shared customer id":            {RouteUser, `{"type":"customer","customer_id":"Guest","attributes":{}}`, RuleCustomer},
		"a customer that is a number":     {RouteUser, `{"type":"customer","customer_id":7,"attributes":{}}`, RuleCustomer},
		"a time in the future":            {RouteEvent, event(strings.Replace(fine, "11:59:59.999", "12:00:00.001", 1)), RuleTime},
		"a time without zone":             {RouteEvent, event(strings.Replace(fine, ".999Z", "", 1)), RuleTime},
		"nanoseconds":                     {RouteEvent, event(strings.Replace(fine, ".999Z", ".999999Z", 1)), RuleTime},
		"a time that is a number":         {RouteEvent, event(`{"action":"a","attributes":{},"current_time":1700000000}`), RuleTime},
		"an unknown platform":             {RouteEvent, event(strings.Replace(fine, "iOS", "Windows", 1)), RulePlatform},
		"a name with a period":            {RouteEvent, event(strings.Replace(fine, "order_placed", "order.placed", 1)), RuleName},
		"a name with MoEngage's prefix":   {RouteEvent, event(strings.Replace(fine, "order_placed", "moe_order", 1)), RuleName},
		"no name":                         {RouteEvent, event(strings.Replace(fine, "order_placed", "", 1)), RuleName},
		"a long name":                     {RouteEvent, event(strings.Replace(fine, "order_placed", strings.Repeat("é", 201), 1)), RuleName},
		"an attribute with a period":      {RouteEvent, withAttributes(`"a.b":1`), RuleName},
		"a hundred and one attributes":    {RouteEvent, withAttributes(many(101, `"a%":1`)), RuleAttributes},
		"a user's attribute named id":     {RouteUser, `{"type":"customer","customer_id":"u1001","attributes":{"id":"7"}}`, RuleName},
		"a device without push_id":        {RouteDevice, `{"type":"device","customer_id":"u1001","device_id":"d1","attributes":{"platform":"iOS"}}`, RuleDevice},
		"a device without platform":       {RouteDevice, `{"type":"device","customer_id":"u1001","device_id":"d1","attributes":{"push_id":"t1"}}`, RuleDevice},
		"an offset of 16 hours":           {RouteEvent, event(strings.Replace(fine, `"platform"`, `"user_timezone_offset":57600,"platform"`, 1)), RuleTime},
		"objects among strings":           {RouteEvent, withAttributes(`"a":[{"b":1},"c"]`), RuleArray},
		"strings among objects":           {RouteEvent, withAttributes(`"a":["c",{"b":1}]`), RuleArray},
		"an empty object in an array":     {RouteEvent, withAttributes(`"a":[{}]`), RuleValue},
		"a period in an object":           {RouteEvent, withAttributes(`"a":{"b.c":1}`), RuleName},
		"a long value in an object":       {RouteEvent, withAttributes(`"a":{"b":"` + strings.Repeat("é", 513) + `"}`), RuleValue},
		"a long value":                    {RouteEvent, withAttributes(`"a":"` + strings.Repeat("é", 513) + `"`), RuleValue},
		"null":                            {RouteEvent, withAttributes(`"a":null`), RuleValue},
		"a map":                           {RouteEvent, withAttributes(`"a":{}`), RuleValue},
		"an invalid number":               {RouteEvent, withAttributes(`"a":1e999`), RuleValue},
		"an empty array":                  {RouteEvent, withAttributes(`"a":[]`), RuleArray},
		"a mixed array":                   {RouteEvent, withAttributes(`"a":[1,"b"]`), RuleArray},
		"an array of booleans":            {RouteEvent, withAttributes(`"a":[true]`), RuleArray},
		"fifty-one items":                 {RouteEvent, withAttributes(`"a":[` + many(51, `%`) + `]`), RuleArray},
		"a long item":                     {RouteEvent, withAttributes(`"a":["` + strings.Repeat("x", 513) + `"]`), RuleArray},
		"a user merged into itself":       {RouteMerge, `{"merge_data":[{"merged_user":"u1001","retained_user":"u1001"}]}`, RuleMerge},
		"a merge of a shared id":          {RouteMerge, `{"merge_data":[{"merged_user":"null","retained_user":"u1001"}]}`, RuleCustomer},
		"two elements for one user":       {RouteBulk, `{"type":"transition","elements":[` + event(fine) + `,` + event(fine) + `]}`, RuleOneElement},
		"too large":                       {RouteEvent, event(fine) + strings.Repeat(" ", maxBody), RuleSize},
	} {
		t.Run(name, func(t *testing.T) {
			_, violations := Check(c.route, []byte(c.body), noon())
			require.NotEmpty(t, violations)
			var rules []Rule
			for i := range violations {
				rules = append(rules, violations[i].Rule)
				assert.NotEmpty(t, violations[i].Error())
			}
			assert.Contains(t, rules, c.want)
		})
	}
}

func TestRequestRules(t *testing.T) {
	for name, c := range map[string]struct {
		path   string
		change func(*http.Request)
		want   Rule
		status int
	}{
		"a PUT":                     {"/v1/event/" + Workspace, func(r *http.Request) { r.Method = http.MethodPut }, RuleMethod, 405},
		"no version":                {"/event/" + Workspace, nil, RulePath, 404},
		"no workspace":              {"/v1/event", nil, RulePath, 404},
		"another route":             {"/v1/events/" + Workspace, nil, RulePath, 404},
		"a query":                   {"/v1/event/" + Workspace + "?a=b", nil, RulePath, 404},
		"a merge without workspace": {"/v1/customer/merge", nil, RulePath, 404},
		"another workspace":         {"/v1/event/OTHER", nil, RuleHeaders, 401},
		"another content type":      {"/v1/event/" + Workspace, func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }, RuleHeaders, 400},
		"no credentials":            {"/v1/event/" + Workspace, func(r *http.Request) { r.Header.Del("Authorization") }, RuleHeaders, 401},
		"a bearer":                  {"/v1/event/" + Workspace, func(r *http.Request) { r.Header.Set("Authorization", "Bearer x") }, RuleHeaders, 401},
		"no MOE-APPKEY":             {"/v1/event/" + Workspace, func(r *http.Request) { r.Header.Del("MOE-APPKEY") }, RuleHeaders, 401},
		"a compressed body":         {"/v1/event/" + Workspace, func(r *http.Request) { r.Header.Set("Content-Encoding", "gzip") }, RuleEncoding, 400},
	} {
		t.Run(name, func(t *testing.T) {
			in := NewRecording(t)
			in.Clock(noon)
			status, received := post(t, in, c.path, event(fine), c.change)
			assert.Equal(t, c.status, status)
			assert.Contains(t, received, `"status":"fail"`)
			violations := in.Violations()
			require.NotEmpty(t, violations)
			assert.Equal(t, c.want, violations[0].Rule)
			assert.Empty(t, in.Actions())
		})
	}
}

func TestUnknownKeyIsNotViolation(t *testing.T) {
	in := New(t)
	in.Clock(noon)
	status, _ := post(t, in, "/v1/event/"+Workspace, event(fine), func(r *http.Request) { r.Header.Set("Authorization", basic(Workspace, "other")) })
	assert.Equal(t, http.StatusUnauthorized, status)
	assert.Empty(t, in.Actions())
}

func TestRequestsPerMinuteAreLimited(t *testing.T) {
	in := New(t)
	now := noon()
	in.Clock(func() time.Time { return now })
	in.Limit(Limits{Events: 2})
	var statuses []int
	for _, wait := range []time.Duration{0, 30 * time.Second, 0, 29 * time.Second, 31 * time.Second} {
		now = now.Add(wait)
		status, received := post(t, in, "/v1/event/"+Workspace, event(fine), nil)
		statuses = append(statuses, status)
		if status != http.StatusOK {
			assert.Contains(t, received, `"type":"Rate Limits Exceeded"`)
		}
	}
	assert.Equal(t, []int{200, 200, 429, 429, 200}, statuses, "what was refused counts too")
}

func TestEventNamesPerWorkspaceAreLimited(t *testing.T) {
	in := NewRecording(t)
	in.Clock(noon)
	for i := range maxEventNames + 1 {
		status, _ := post(t, in, "/v1/event/"+Workspace, event(strings.Replace(fine, "order_placed", fmt.Sprint("e", i), 1)), nil)
		if i < maxEventNames {
			require.Equal(t, http.StatusOK, status)
		}
	}
	attributes := make([]string, maxUserAttributes+2)
	for i := range attributes {
		attributes[i] = fmt.Sprintf(`"a%d":1`, i)
	}
	attributes[0] = `"email":"x"` // not counted
	_, _ = post(t, in, "/v1/customer/"+Workspace, `{"type":"customer","customer_id":"u1001","attributes":{`+strings.Join(attributes, ",")+`}}`, nil)
	violations := in.Violations()
	require.Len(t, violations, 3)
	assert.Equal(t, RuleEventNames, violations[0].Rule)
	assert.Equal(t, RuleUserAttributes, violations[2].Rule)
}

func TestRepliesMatchMoEngage(t *testing.T) {
	in := New(t)
	in.Clock(noon)
	in.LimitBody(100)
	status, received := post(t, in, "/v1/event/"+Workspace, event(fine), nil)
	assert.Equal(t, http.StatusRequestEntityTooLarge, status)
	assert.JSONEq(t, `{"status":"fail","error":{"message":"Payload too large","type":"Payload too large","request_id":"fbkHZtPx"}}`, received)
	in.LimitBody(maxBody)

	for _, c := range []struct {
		reply  Reply
		status int
		taken  bool
	}{
		{Reply{}, 200, true},
		{BadRequest("x"), 400, false},
		{Forbidden(), 403, false},
		{Unavailable(), 503, false},
		{Reply{Status: 502, Taken: true}, 502, true},
		{Reset(), 0, false},
		{Reply{Reset: true, Taken: true}, 0, true},
	} {
		before := len(in.Actions())
		in.ReplyWith(func(Request) Reply { return c.reply })
		status, _ := post(t, in, "/v1/event/"+Workspace, event(fine), nil)
		assert.Equal(t, c.status, status)
		assert.Equal(t, c.taken, len(in.Actions()) > before)
	}
}

func TestHangingRequestIsReceivedButNotAccepted(t *testing.T) {
	in := New(t)
	in.Clock(noon)
	ctx, cancel := context.WithCancel(t.Context())
	in.ReplyWith(func(Request) Reply {
		cancel()
		return Hung()
	})
	status, _ := post(t, in, "/v1/event/"+Workspace, event(fine), func(r *http.Request) { *r = *r.WithContext(ctx) })
	assert.Zero(t, status)
	require.Eventually(t, func() bool { return len(in.Requests()) == 1 }, time.Minute, time.Millisecond)
	assert.Zero(t, in.Requests()[0].Status)
	assert.Empty(t, in.Actions())
}

func TestBrokenRuleFailsTest(t *testing.T) {
	f := &standin.Failing{TB: t}
	in := New(f)
	in.Clock(noon)
	_, _ = post(t, in, "/v1/event/"+Workspace, event(strings.Replace(fine, "order_placed", "a.b", 1)), nil)
	assert.Len(t, f.Failures, 1)
}
