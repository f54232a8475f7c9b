package test

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// remains is held by a test that kills a lab, for as long as it looks at what is left of it: uswitch cleanup removes that
// for everybody.
var remains sync.Mutex

// kills must be called before the lab is made that the test will kill.
func kills(t *testing.T) {
	remains.Lock()
	t.Cleanup(remains.Unlock)
}

// checkNothingLeft looks for namespaces, files, processes and links that a lab has left behind.
func (l *lab) checkNothingLeft() {
	for _, pattern := range []string{"/run/netns/*", "/run/uswitch/*", "/run/uswitch/*/*", "/etc/netns/*"} {
		paths, _ := filepath.Glob(pattern)
		for _, path := range paths {
			if !strings.HasSuffix(strings.TrimSuffix(path, filepath.Ext(path)), l.suffix) {
				continue
			}
			if strings.HasSuffix(path, ".lock") { // a cleanup of another test's has it while it looks whether something is left
				eventually(l.t, "the lock "+path+" is gone", func() bool { _, err := os.Lstat(path); return err != nil })
				continue
			}
			l.t.Errorf("left behind: %s", path)
		}
	}
	if left, _ := filepath.Glob("/run/uswitch/" + l.name + ".d/*"); len(left) > 0 {
		l.t.Errorf("left behind: %v", left)
	}
	for pid, command := range processesOf(l.t, l.name) {
		l.t.Errorf("left running: process %d, %s", pid, command)
	}
	if now := links(); now != linksBefore {
		l.t.Errorf("links of the machine: %s; before the tests: %s", now, linksBefore)
	}
}

// processesOf finds the programs that run in a lab, by what uswitch puts into their environment.
func processesOf(t *testing.T, lab string) map[int]string {
	t.Helper()
	found := map[int]string{}
	paths, err := filepath.Glob("/proc/[0-9]*/environ")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		environment, _ := os.ReadFile(path) // empty for a process that has just ended
		if bytes.Contains(environment, []byte("USWITCH_LAB="+lab+"\x00")) {
			dir := filepath.Dir(path)
			pid, _ := strconv.Atoi(filepath.Base(dir))
			command, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
			found[pid] = string(bytes.ReplaceAll(command, []byte{0}, []byte{' '}))
		}
	}
	return found
}

// descriptors counts the open files of a process.
func (p *process) descriptors() int {
	entries, _ := os.ReadDir("/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/fd")
	return len(entries)
}

// memory returns the resident memory of a process in KiB.
func (p *process) memory() int {
	text, _ := os.ReadFile("/proc/" + strconv.Itoa(p.cmd.Process.Pid) + "/status")
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, _ := strconv.Atoi(strings.Fields(rest)[0])
			return kib
		}
	}
	return 0
}
