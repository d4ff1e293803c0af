// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package deadletterextension

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestFolderNames(t *testing.T) {
	for id, want := range map[string]string{
		"webhook":          "webhook",
		"webhook/audit":    "webhook%2Faudit",
		"webhook/v1.2":     "webhook%2Fv1.2",
		"webhook/Audit":    "webhook%2F%41udit",
		"webhook%2Faudit":  "webhook%252%46audit",
		"webhook/../../x":  "webhook%2F..%2F..%2Fx",
		"webhook/..":       "webhook%2F.%2E",
		".":                "%2E",
		"..":               "%2E%2E",
		".lock":            "%2Elock",
		"webhook/é":        "webhook%2F%C3%A9",
		"webhook/a\\b\x00": "webhook%2Fa%5Cb%00",
	} {
		assert.Equal(t, want, folderName(id), id)
		back, ok := exporterID(want)
		assert.True(t, ok, id)
		assert.Equal(t, id, back)
	}
}

func TestLongIDsAreShortened(t *testing.T) {
	a, b := "webhook/"+strings.Repeat("é", 500)+"a", "webhook/"+strings.Repeat("é", 500)+"b"
	assert.NotEqual(t, folderName(a), folderName(b))
	assert.LessOrEqual(t, len(folderName(a)), maxFolderName)
	id, ok := exporterID(folderName(a))
	assert.True(t, ok)
	assert.Empty(t, id, "only the dead letters have the id")
}

func TestForeignFoldersAreIgnored(t *testing.T) {
	for _, name := range []string{"Backup", "webhook%2faudit", "webhook%61", "%", "a%4", "lost+found", ".git", "a%-zz345678901234567890123456789012"} {
		_, ok := exporterID(name)
		assert.False(t, ok, name)
	}
}

var safeName = regexp.MustCompile(`^[a-z0-9_%-][a-zA-Z0-9._%-]*$`)

func FuzzFolderName(f *testing.F) {
	f.Add("webhook/audit", "webhook%2Faudit")
	f.Add(".", "..")
	f.Add("", "%-")
	f.Add(strings.Repeat("A", 67), strings.Repeat("a", 201))
	f.Fuzz(func(t *testing.T, a, b string) {
		name := folderName(a)
		if !safeName.MatchString(name) || len(name) > maxFolderName || strings.HasSuffix(name, ".") {
			t.Fatalf("folderName(%q) = %q", a, name)
		}
		if other := folderName(b); a != b && strings.EqualFold(name, other) {
			t.Fatalf("%q and %q share %q", a, b, name)
		}
		id, ok := exporterID(name)
		if !ok || id != "" && id != a {
			t.Fatalf("%q became %q, %t", a, id, ok)
		}
	})
}

func FuzzExporterID(f *testing.F) {
	f.Add("webhook%2Faudit")
	f.Add("%-0123456789abcdef0123456789abcdef")
	f.Fuzz(func(t *testing.T, name string) {
		if id, ok := exporterID(name); ok && id != "" && folderName(id) != name {
			t.Fatalf("%q is not the folder of %q", name, id)
		}
	})
}
