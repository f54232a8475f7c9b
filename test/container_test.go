package test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/moby/profiles/seccomp"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// container is one of an OCI runtime's, as Docker and podman make them, on this machine's own files.
type container struct {
	caps       []string // besides Docker's own fourteen
	none       bool     // no capability at all
	privileged bool     // all capabilities
	user       uint32
	tun        bool              // --device /dev/net/tun
	filter     string            // the seccomp profile: docker's, podman's, or unconfined if empty
	walls      []string          // system calls that a wall of a kernel's refuses besides, with EPERM
	unmasked   bool              // systempaths=unconfined
	readOnly   []string          // what is read-only besides: /, /run, /proc, /sys
	files      map[string]string // what stands in place of files of the kernel's
	env        []string
	noNewPriv  bool
}

// dockersCapabilities are what a container of Docker's has.
var dockersCapabilities = strings.Fields("CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE")

// way makes the container's bundle in dir, and returns the shell that runs it.
func (c *container) way(t *testing.T, dir string, argv []string) string {
	t.Helper()
	spec := c.spec(t, dir, argv)
	text, err := json.Marshal(spec)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "config.json"), text, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
	// Its files are the machine's, with what it writes on top: a copy on write, as an image's.
	return `mount -t tmpfs none /sys/fs/cgroup # crun wants to know one that it knows
mkdir -p "$D/image"; mount -t tmpfs none "$D/image"; cd "$D/image"; mkdir up work rootfs
mount -t overlay -o lowerdir=/,upperdir=up,workdir=work none rootfs; mv "$D/config.json" .
exec crun --root="$D/image" --cgroup-manager=disabled run u` + fmt.Sprint(os.Getpid()) + filepath.Base(dir)
}

func (c *container) spec(t *testing.T, dir string, argv []string) *specs.Spec {
	t.Helper()
	names := slices.Concat(dockersCapabilities, c.caps)
	if c.privileged {
		names = allCapabilities(t)
	}
	caps := []string{}
	for _, name := range names {
		if !c.none {
			caps = append(caps, "CAP_"+name)
		}
	}
	effective := caps
	if c.user != 0 {
		effective = nil
	}
	s := &specs.Spec{
		Version: "1.0.2",
		Root:    &specs.Root{Path: "rootfs", Readonly: c.isReadOnly("/")},
		Process: &specs.Process{Args: argv, Cwd: "/", User: specs.User{UID: c.user, GID: c.user}, NoNewPrivileges: c.noNewPriv,
			Env:          append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Join(dir, "home"), "TERM=xterm"}, c.env...),
			Capabilities: &specs.LinuxCapabilities{Bounding: caps, Effective: effective, Permitted: effective}},
		Mounts: []specs.Mount{
			{Destination: "/proc", Type: "proc", Source: "proc", Options: c.options("/proc", "nosuid", "noexec", "nodev")},
			{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "strictatime", "mode=755", "size=65536k"}},
			{Destination: "/dev/pts", Type: "devpts", Source: "devpts", Options: []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"}},
			{Destination: "/sys", Type: "sysfs", Source: "sysfs", Options: c.options("/sys", "nosuid", "noexec", "nodev")},
			{Destination: "/run", Type: "tmpfs", Source: "tmpfs", Options: c.options("/run", "nosuid", "mode=755")},
			{Destination: dir, Type: "bind", Source: dir, Options: []string{"rbind", "rw"}},
			{Destination: "/etc/hosts", Type: "bind", Source: "/etc/hosts", Options: []string{"bind", "ro"}},
		},
		Linux: &specs.Linux{Namespaces: []specs.LinuxNamespace{{Type: "pid"}, {Type: "network"}, {Type: "ipc"}, {Type: "uts"}, {Type: "mount"}}},
	}
	if c.tun {
		mode := os.FileMode(0o666)
		s.Linux.Devices = []specs.LinuxDevice{{Path: "/dev/net/tun", Type: "c", Major: 10, Minor: 200, FileMode: &mode}}
	}
	if !c.unmasked {
		s.Linux.MaskedPaths = strings.Fields("/proc/acpi /proc/asound /proc/interrupts /proc/kcore /proc/keys /proc/latency_stats /proc/sched_debug /proc/scsi /proc/timer_list /proc/timer_stats /sys/firmware")
		s.Linux.ReadonlyPaths = strings.Fields("/proc/bus /proc/fs /proc/irq /proc/sys /proc/sysrq-trigger")
	}
	for at, text := range c.files {
		file, from := filepath.Join(dir, "kernel", filepath.Base(at)), ""
		if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), 0o644)); err != nil {
			t.Fatal(err)
		}
		if from = file; strings.HasPrefix(at, "/proc/sys/") {
			at, from = filepath.Dir(at), filepath.Dir(file) // where this kernel has no such file, nothing can be mounted on it
		}
		s.Mounts = append(s.Mounts, specs.Mount{Destination: at, Type: "bind", Source: from, Options: []string{"bind", "ro"}})
	}
	s.Linux.Seccomp = c.seccomp(t, s)
	return s
}

func (c *container) isReadOnly(path string) bool { return slices.Contains(c.readOnly, path) }

// options are those of a mount; /sys is read-only unless the container's system paths are unconfined.
func (c *container) options(path string, options ...string) []string {
	if c.isReadOnly(path) || path == "/sys" && !c.unmasked {
		return append(options, "ro")
	}
	return options
}

// seccomp returns the filter.
func (c *container) seccomp(t *testing.T, s *specs.Spec) *specs.LinuxSeccomp {
	t.Helper()
	eperm := uint(1)
	profile := &specs.LinuxSeccomp{DefaultAction: specs.ActAllow}
	switch c.filter {
	case "docker":
		var err error
		if profile, err = seccomp.GetDefaultProfile(s); err != nil {
			t.Fatal(err)
		}
	case "podman":
		text, err := os.ReadFile("/usr/share/containers/seccomp.json")
		if err != nil {
			skip(t, "golang-github-containers-common: "+err.Error())
		}
		if profile, err = seccomp.LoadProfile(string(text), s); err != nil {
			t.Fatal(err)
		}
	case "":
		if len(c.walls) == 0 {
			return nil
		}
	}
	if len(c.walls) > 0 {
		enosys := uint(38)
		newUser := specs.LinuxSeccompArg{Index: 0, Value: 0x10000000, ValueTwo: 0x10000000, Op: specs.OpMaskedEqual}
		profile.Syscalls = append(profile.Syscalls,
			specs.LinuxSyscall{Names: []string{"clone3"}, Action: specs.ActErrno, ErrnoRet: &enosys},
			specs.LinuxSyscall{Names: c.walls, Action: specs.ActErrno, ErrnoRet: &eperm, Args: []specs.LinuxSeccompArg{newUser}})
	}
	return profile
}

// allCapabilities returns the names of the capabilities that this process can give.
func allCapabilities(t *testing.T) []string {
	t.Helper()
	_, rest, _ := strings.Cut(must(t, "setpriv", "--dump"), "Capability bounding set: ")
	line, _, _ := strings.Cut(rest, "\n")
	return strings.Split(strings.ToUpper(line), ",")
}
