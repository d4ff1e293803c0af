// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package privacyprocessor

import (
	"bytes"
	"maps"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/otelcol-fanout/otelcol-fanout/internal/appevent"
	"github.com/otelcol-fanout/otelcol-fanout/internal/detect"
	"github.com/otelcol-fanout/otelcol-fanout/internal/pattern"
)

// rules are the compiled rules. They are safe for concurrent use.
type rules struct {
	actions []Action // by rule
	keys    []keyPattern
	texts   []textRule
	// features are those of all rules of texts; all is true if one of them needs none, and so has to look
	// at every text.
	features detect.Features
	all      bool

	// known remembers names. It is replaced as a whole.
	known    atomic.Pointer[map[string]nameRule]
	learning sync.Mutex
}

// keyPattern is a pattern of names, in lower case.
type keyPattern struct {
	pattern string
	rule    int // or kept
}

// textRule finds parts of texts.
type textRule struct {
	rule     int
	find     detect.Detector
	features detect.Features // without all of them, there is nothing to find
}

// nameRule says what happens to an attribute or a member because of its name.
type nameRule struct {
	rule int // or kept, or noRule
	// personal is true if the name itself may hold personal data.
	personal bool
}

const (
	noRule = -1
	kept   = -2
)

// maxPath is the maximum length of a path that is compared as a whole, in bytes.
const maxPath = 512

// maxKnownNames limits the names that are remembered: applications have few, unless names are data.
const maxKnownNames = 4096

func newRules(cfg *Config) (*rules, error) {
	rs := &rules{}
	for _, key := range cfg.Keep {
		rs.keys = append(rs.keys, keyPattern{strings.ToLower(key), kept})
	}
	for i := range cfg.Rules {
		rule := &cfg.Rules[i]
		rs.actions = append(rs.actions, rule.Action)
		for _, key := range append(presetKeys(rule.Preset), rule.Keys...) {
			rs.keys = append(rs.keys, keyPattern{strings.ToLower(key), i})
		}
		if find, features := presetText(rule.Preset); find != nil {
			rs.texts = append(rs.texts, textRule{i, find, features})
			rs.features |= features
		}
		for _, text := range rule.Values {
			expression, err := regexp.Compile(text)
			if err != nil {
				return nil, err
			}
			rs.texts = append(rs.texts, textRule{i, matches(expression), 0})
			rs.all = true
		}
	}
	rs.known.Store(&map[string]nameRule{})
	return rs, nil
}

// presetKeys returns the names of a preset's attributes.
func presetKeys(preset Preset) []string {
	switch preset {
	case PresetEmail:
		return []string{"email", "e_mail", "email_address", "emailaddress"}
	case PresetIPAddress:
		return []string{"client.address", "ip", "ip_address", "ipaddress", "x-forwarded-for", "x-real-ip"}
	case PresetCard:
		return []string{"card_number", "cardnumber", "credit_card", "creditcard"}
	case PresetPhone:
		return []string{"phone", "phone_number", "phonenumber", "mobile_number", "mobilenumber", "telephone"}
	case PresetToken:
		var keys []string
		for _, end := range detect.SecretNames() {
			keys = append(keys, "*"+end)
		}
		return keys
	case PresetUserID:
		return []string{
			appevent.AttrUserID, appevent.AttrEndUserID, appevent.AttrAnonymousID, appevent.AttrPreviousID, appevent.AttrGroups,
			"user_id", "userid", "anonymous_id", "anonymousid", "previous_id", "previousid", "distinct_id", "distinctid",
		}
	default:
		return nil
	}
}

// presetText returns what finds a preset in texts, and the features of such texts.
func presetText(preset Preset) (detect.Detector, detect.Features) {
	switch preset {
	case PresetEmail:
		return detect.Emails, detect.At | detect.Dot
	case PresetIPAddress:
		return detect.IPAddresses, detect.Address
	case PresetCard:
		return detect.Cards, detect.ManyDigits
	case PresetPhone:
		return detect.Phones, detect.ManyDigits
	case PresetToken:
		return detect.Tokens, detect.Token
	default:
		return nil, 0
	}
}

// matches finds what a regular expression matches.
func matches(expression *regexp.Regexp) detect.Detector {
	return func(dst []detect.Extent, text string) []detect.Extent {
		for _, at := range expression.FindAllStringIndex(text, -1) {
			if at[0] < at[1] {
				dst = append(dst, detect.Extent{Start: at[0], End: at[1]})
			}
		}
		return dst
	}
}

// nameRule returns what happens to the attribute or member at the path, by its name. Of a path that is
// longer than maxPath, only the end counts.
func (rs *rules) nameRule(path []byte, name string) nameRule {
	if len(path) > maxPath {
		_, end, _ := bytes.Cut(path[len(path)-maxPath:], []byte("."))
		return nameRule{rule: rs.ruleOf(string(end)), personal: true}
	}
	if v, known := (*rs.known.Load())[string(path)]; known {
		return v
	}
	v := nameRule{rule: rs.ruleOf(string(path)), personal: rs.mayMatch(name)}
	rs.learn(string(path), v)
	return v
}

func (rs *rules) ruleOf(path string) int {
	path = strings.ToLower(path)
	for _, key := range rs.keys {
		if key.matches(path) {
			return key.rule
		}
	}
	return noRule
}

// matches reports whether the path, or its end after a dot, matches.
func (k keyPattern) matches(path string) bool {
	if strings.HasPrefix(k.pattern, "*") { // it matches the path if it matches the end
		return pattern.Match(k.pattern, path)
	}
	if !strings.Contains(k.pattern, "*") {
		rest, ok := strings.CutSuffix(path, k.pattern)
		return ok && (rest == "" || strings.HasSuffix(rest, "."))
	}
	for rest, more := path, true; more; _, rest, more = strings.Cut(rest, ".") {
		if pattern.Match(k.pattern, rest) {
			return true
		}
	}
	return false
}

func (rs *rules) learn(path string, v nameRule) {
	if !rs.learning.TryLock() { // another time
		return
	}
	defer rs.learning.Unlock()
	known := *rs.known.Load()
	if len(known) >= maxKnownNames {
		return
	}
	more := maps.Clone(known)
	more[path] = v
	rs.known.Store(&more)
}

// mayMatch reports whether a rule may find something in the text.
func (rs *rules) mayMatch(text string) bool {
	return rs.all || len(text) > 0 && len(rs.texts) > 0 && detect.FeaturesOf(text)&rs.features != 0
}
