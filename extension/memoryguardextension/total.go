// Copyright The otelcol-fanout Authors
// SPDX-License-Identifier: Apache-2.0

package memoryguardextension

import (
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/shirou/gopsutil/v4/mem"
)

// totalMemory returns the memory that the process may use: the limit of its cgroup (Linux), or else
// the memory of the machine.
func totalMemory() (uint64, error) {
	machine, err := mem.VirtualMemory()
	if err != nil {
		return 0, err
	}
	if limit, ok := cgroupLimit(os.DirFS("/")); ok {
		return min(limit, machine.Total), nil
	}
	return machine.Total, nil
}

// cgroupLimit returns the smallest memory limit of the process's cgroup and those above it. In a
// container the paths are usually relative to the container, so the last one read is the root.
func cgroupLimit(root fs.FS) (limit uint64, ok bool) {
	membership, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return 0, false
	}
	for line := range strings.Lines(string(membership)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3) // 0::/system.slice/x, or 5:memory:/x
		if len(fields) != 3 {
			continue
		}
		var mount, file string
		switch {
		case fields[0] == "0" && fields[1] == "":
			mount, file = "sys/fs/cgroup", "memory.max"
		case fields[1] == "memory":
			mount, file = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
		default:
			continue
		}
		for folder := path.Clean("/" + fields[2]); ; folder = path.Dir(folder) {
			if bytes, err := readNumber(root, path.Join(mount, folder, file)); err == nil && (!ok || bytes < limit) {
				limit, ok = bytes, true
			}
			if folder == "/" {
				break
			}
		}
	}
	return limit, ok
}

// readNumber fails on "max", which means that there is no limit.
func readNumber(root fs.FS, name string) (uint64, error) {
	content, err := fs.ReadFile(root, name)
	if err != nil {
		return 0, err
	}
	return strconv.ParseUint(strings.TrimSpace(string(content)), 10, 64)
}
