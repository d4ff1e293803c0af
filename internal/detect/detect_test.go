// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package detect

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func detectors() map[string]Detector {
	return map[string]Detector{"email": Emails, "ip": IPAddresses, "card": Cards, "phone": Phones, "token": Tokens}
}

// masked returns the text with what the detector finds in square brackets.
func masked(find Detector, text string) string {
	var b strings.Builder
	end := 0
	for _, e := range find(nil, text) {
		b.WriteString(text[end:e.Start] + "[" + text[e.Start:e.End] + "]")
		end = e.End
	}
	return b.String() + text[end:]
}

func TestDetectors(t *testing.T) {
	for kind, cases := range map[string][]string{
		"email": {
			"[ada@example.com]", "Ada <[ada@example.com]>, [b.c+d@mail.example.co.uk].", "mailto:[ada@example.com]?subject=x",
			"?email=[ada%40example.com]&x=1", `{"email":"[ada@example.com]"}`, "[o'brien@example.com]", "'[ada@example.com]'",
			"[grace_hopper-1@sub.example.museum]:", "[josé@exämple.de]", "[ada@xn--exmple-cua.de]", "([ada@example.com])",
			"ada@localhost", "@decorator.name", "react@18.2.0", "icon@2x.png", "a@b", "me @ example.com", "gopkg.in/yaml.v3@v3.0.1/x.go",
			"a@@example.com", "@", "%40", "x@.com", "x@-a.com", "ada@example", "[ada@example.com],[bob@example.com]",
			`["ada lovelace"@example.com]`, "[ada~@example.com]", "[ada!x$y@example.com]", "[ada=@example.com]", "[ada@my_host.example.com]", "[ada@example.com]-", "[ada@example.com]_2024", "[ada@example.com]--[bob@example.com]",
			"react@18.3.0-canary.abcdef", "pkg@v1.0.0-rc.beta", "signUp@app.js:10:5", "value@index.android.bundle:1:1", "icon@2x.PNG", "user@1000.service", "@media (min-width: 1px)", "[ada@1.example.com]",
		},
		"ip": {
			"[192.0.2.7]", "[192.0.2.7]:8080", "from [192.0.2.7].", "[2001:db8::1]", "[[2001:db8::1]]:443", "[::1]", "http://[192.0.2.7]/x",
			"[::ffff:192.0.2.7]", "[fe80::1]%eth0", "[2001:db8:0:0:0:0:0:1]", "addr=[192.0.2.7],[198.51.100.1]",
			"1.2.3", "256.1.1.1", "1.2.3.4.5", "v1.2.3.4", "A::B", "std::vector", "12:34:56", "00:1b:44:11:3a:b7", "::", "a.b.c.d", "1.2.3.4a",
			"ipv4:[192.0.2.7]:443", "ip:[192.0.2.7]", "addr:[192.0.2.7]", "face:[192.0.2.7]", "ipv6:[[2001:db8::1]]:443", "ipv6:[2001:db8::1]", "...[192.0.2.7]...", "“[192.0.2.7]”", "地址[192.0.2.7]", "IP：[192.0.2.7]", "example.com/[192.0.2.7]:80",
			"Chrome/120.0.0.0 Safari/537.36", "Version=8.0.0.0, Culture=neutral", "[10.0.0.0]/8", "std::a1::b2", "at Foo::bar(1)",
		},
		"card": {
			"[4111111111111111]", "card [4111 1111 1111 1111] ok", "[4111-1111-1111-1111].", "[378282246310005]", "[3782 822463 10005]", "[30569309025904]",
			"[6011111111111117]", "[3530111333300000]", "[5555555555554444]", "[2223003122003222]", "[6304000000000000] 2024", "[4222222222222]",
			"4111111111111112", "x4111111111111111", "4111 1111-1111 1111", "1732924800000", "1732924800000000000", "41111111 11111111",
			"12345678-1234-1234-1234-123456789012", "00000000000000", "4111_1111_1111_1111", "1 [4111 1111 1111 1111] 1",
			"[4111.1111.1111.1111]", "[4111\u00a01111\u00a01111\u00a01111]", "[4111\u20091111\u20091111\u20091111]", "[4111+1111+1111+1111]", "[4111\u20111111\u20111111\u20111111]", "卡号[4111111111111111]", "“[4111111111111111]”",
			"took 0.4111111111111111 s", "52.4111111111111111", "4111.1111 1111.1111",
		},
		"phone": {
			"[+49 30 1234567]", "tel:[+4930123456789]", "[+1 (212) 555-0123]", "[+44 (0)20 7946 0958],", "[(212) 555-0123]", "[212-555-0123].", "call [212.555.0123]",
			"[+33-1-23-45-67-89]", "2024-01-01T00:00:00+08:00", "+0800", "+1234567890123456", "1+2", "a+49301234567", "112-555-0123", "192.168.555.0123",
			"555-0123", "2024-12-31", "212-555-01234", "0192f0c0-212-555-0123",
			"[+49 30 1234567 2024]-12-31", "[+4915112345678] 12345", "[+49 30 1234567] 8x", "[+49 (30) / 123 456]", "[+33\u00a01\u00a023\u00a045\u00a067\u00a089]", "[+44\u201120\u20117946\u20110958]", "tel=[%2B4930123456]", "电话[+8613800138000]", "([+49) 30 1234567]",
			"[+1.2125550123]", "[1-212-555-0123]", "[212–555–0123]", "[(212)\u00a0555-0123]", "[+49 30 1234567]x12", "[1 (212) 555-0123]", "[+81-3-1234-5678]", "[+91 98765 43210]", "[+55 (11) 91234-5678]", "[+39 06 1234567]", "[+61 2 1234 5678]",
			"[+48 22 123 45 67]", "+0000 12345678", "m=+12.345678901", "+52.520008+013.404954/", "200 112 1234", "2024-01-01 00:00:00 +0100 CET", "1.2.3+20240101",
		},
		"token": {
			"Authorization: Bearer [abc.def-123]", "Basic [dXNlcjpwYXNz]", "[sk_live_abcdefghij0123456789]", "token=[ghp_0123456789abcdefghijABCDEFGHIJ012345]",
			"[eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc123_-XYZ].", "[AKIAIOSFODNN7EXAMPLE]", "postgres://[ada:secret]@db/x", "https://db/x?u=a:b@c",
			"https://ada@example.com", "[xoxb-123456789012-abcdef]", "sk-button-of-the-page-and-more", "Bearer x", "Bearer [planted-token==]", "bearer tokens are used", "task_live_abcdefghijkl",
			"[glpat-0123456789abcdefghij]", "eyJhbGciOiJIUzI1NiJ9aaaaaaaaaaaaaaaaa", "the eyJ word",
			"x://[u:p]@h", "db://[u:p@ss]@h", "?access_token=[abcdef123]&x=1", `{"password":"[hunter2]"}`, `{"api_key": "[abcdef]","x":"hunter2"}`, "pwd='[hunter2]'", "token=****", "Unexpected token: identifier", "tokens=100000", "“[sk_live_abcdefghij0123456789]”", `{\"password\":\"[hunter22]\"}`, "{'password': '[hunter22]'}", `"password" : "[hunter22]"`, `{"token":[1234567]}`, `{"token":null,"secret":{"a":"b"}}`, "secret_key=[abcdefg]", "Bearer%20[abc123def]",
			"Basic Authentication", "Basic information about", "PublicKeyToken=adb9793829ddae60", "[hf_abcdefghijABCDEFGHIJ0123]", "[xoxe.xoxp-1-abcdefghijk]",
		},
	} {
		for _, want := range cases {
			text := strings.NewReplacer("[", "", "]", "").Replace(want)
			text = strings.ReplaceAll(text, "2001:db8::1:443", "[2001:db8::1]:443")
			assert.Equal(t, want, masked(detectors()[kind], text), kind)
		}
	}
}

func TestDetectorsTakeLinearTime(t *testing.T) {
	for _, part := range []string{
		"a", "1", ".", "@", "a@", "a@b.", "%40", ":", "://", "a://b:", "1.", "1:", "4111 ", "1-", "+", "+1 ", "(212) ", "212-555-", "Bearer ", "eyJ", "eyJ.", "sk-", "eyJ-", "sk-a1.", "'", "é", "::",
	} {
		for kind, find := range detectors() {
			text := strings.Repeat(part, 256<<10/len(part))
			began := time.Now()
			find(nil, text)
			// Linear time is some milliseconds, quadratic time several minutes.
			assert.Less(t, time.Since(began), time.Minute, "%s of %q", kind, part)
		}
	}
}

func FuzzDetectors(f *testing.F) {
	for _, seed := range []string{
		"Ada <ada@example.com>", "a%40b.de", "192.0.2.7 ::1 2001:db8::1", "4111 1111 1111 1111 4222222222222", "+49 30 1234567 (212) 555-0123",
		"Bearer abc.def https://a:b@c/ eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc123",
	} {
		f.Add(seed)
	}
	features := map[string]Features{"email": At | Dot, "ip": Address, "card": ManyDigits, "phone": ManyDigits, "token": Token}
	f.Fuzz(func(t *testing.T, text string) {
		for kind, find := range detectors() {
			end := 0
			found := find(nil, text)
			for _, e := range found {
				if e.Start < end || e.End <= e.Start || e.End > len(text) {
					t.Fatalf("%s: %v in %q", kind, found, text)
				}
				end = e.End
			}
			if len(found) > 0 && FeaturesOf(text)&features[kind] != features[kind] {
				t.Fatalf("%s: %v in %q, which lacks its features", kind, found, text)
			}
		}
	})
}
