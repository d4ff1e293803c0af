// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"go.opentelemetry.io/collector/component"
)

// directoryMistakes returns the directories of the extensions in use, such as file_storage, in which
// this process cannot write. It creates nothing.
func directoryMistakes(root map[string]any) []mistake {
	extensions, svc := mapOf(root["extensions"]), newService(root)
	var found []mistake
	for _, name := range slices.Sorted(maps.Keys(extensions)) {
		var id component.ID
		directory, _ := mapOf(extensions[name])["directory"].(string)
		if id.UnmarshalText([]byte(name)) != nil || !svc.starts[id] || directory == "" {
			continue
		}
		if err := checkWritable(directory); err != nil {
			found = append(found, at([]string{"extensions", name, "directory"}, "%v", err))
		}
	}
	return found
}

// checkWritable returns an error that says what to do, unless the process can write in a directory,
// or create it.
func checkWritable(directory string) error {
	for path := filepath.Clean(directory); ; path = filepath.Dir(path) {
		info, err := os.Stat(path)
		switch {
		case err != nil && path != filepath.Dir(path):
			if errors.Is(err, fs.ErrPermission) {
				return fmt.Errorf("this user may not enter the folder %s; grant it access, or choose another directory", filepath.Dir(path))
			}
			continue // it may be created
		case err != nil:
			return fmt.Errorf("cannot be created: %w", err)
		case !info.IsDir():
			return fmt.Errorf("%s is not a folder; choose another directory", path)
		}
		if err := mayWrite(path); err != nil {
			return fmt.Errorf("this user (%d) cannot write in the folder %s (%w); grant it access, or choose another directory", os.Getuid(), path, err)
		}
		return nil
	}
}
