package doctor

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
)

// Place is where this process runs, as far as that says what helps.
type Place struct {
	Root      bool   // this process has root's rights over its place, be that a machine or a container
	Container string // docker, podman, or container where it is not known which; empty: none
	GVisor    bool   // the kernel is a program that plays one
	Chroot    bool   // / is no mount point
	Seccomp   bool   // system calls are filtered
	Setfcap   bool   // the process has CAP_SETFCAP

	read func(path string) string
}

// Here looks at the place of this process.
func Here() Place { return look(os.Geteuid(), readFile) }

func readFile(path string) string {
	text, _ := os.ReadFile(path)
	return string(bytes.TrimSpace(text))
}

func look(uid int, read func(string) string) Place {
	p := Place{Root: uid == 0, read: read}
	mounts := mountPoints(read("/proc/self/mountinfo"))
	p.Chroot = len(mounts) > 0 && !mounts["/"]
	p.GVisor = strings.Contains(read("/proc/version"), gVisor)
	p.Seccomp = strings.Contains(read("/proc/self/status"), "Seccomp:\t2")
	p.Setfcap = capability(read("/proc/self/status"), setfcap)
	switch {
	case exists("/run/.containerenv"), os.Getenv("container") == "podman":
		p.Container = "podman"
	case mounts["/.dockerenv"], exists("/.dockerenv") && mounts["/etc/hosts"]: // the file alone stands in many an image
		p.Container = "docker"
	case mounts["/proc/kcore"], mounts["/proc/keys"], mounts["/proc/sys"]: // masked and read-only, as in all of them
		p.Container = "container"
	}
	return p
}

// gVisor is in the version that its kernel gives itself (pkg/sentry/kernel/version.go of gVisor).
const gVisor = "#1 SMP Sun Jan 10 15:06:54 PST 2016"

// setfcap is the number of CAP_SETFCAP, which root needs to be root of a user namespace (verify_root_map in
// kernel/user_namespace.c, Linux 5.12).
const setfcap = 31

// capability reports whether a process has one in effect (proc_pid_status(5)).
func capability(status string, number int) bool {
	_, rest, _ := strings.Cut(status, "\nCapEff:\t")
	line, _, _ := strings.Cut(rest, "\n")
	set, err := strconv.ParseUint(line, 16, 64)
	return err == nil && set&(1<<number) != 0
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// mountPoints are those of a table of mounts (proc_pid_mountinfo(5)).
func mountPoints(mountinfo string) map[string]bool {
	points := map[string]bool{}
	for line := range strings.Lines(mountinfo) {
		if fields := strings.Fields(line); len(fields) > 4 {
			points[fields[4]] = true
		}
	}
	return points
}

// command is how a container begins that can have labs on real network interfaces.
func (p Place) command() string {
	if p.Container == "podman" {
		return "`podman run --device /dev/net/tun ...`"
	}
	return "`docker run --device /dev/net/tun --cap-add NET_ADMIN --cap-add SYS_ADMIN ...` (or `podman run --device /dev/net/tun ...`)"
}

// namespaceWall is what keeps user namespaces from being made here, and the one line that opens it.
func (p Place) namespaceWall() string {
	switch {
	case p.GVisor:
		return "gVisor has no network interfaces to give to a namespace: another runtime than runsc has"
	case p.Chroot:
		return "/ is no mount point: in a chroot no user namespace can be made (pivot_root(8) makes / one)"
	case p.read("/proc/sys/user/max_user_namespaces") == "0":
		return "user.max_user_namespaces is 0: `sudo sysctl -w user.max_user_namespaces=10000`"
	case p.read("/proc/sys/kernel/unprivileged_userns_clone") == "0":
		return "kernel.unprivileged_userns_clone is 0: `sudo sysctl -w kernel.unprivileged_userns_clone=1`"
	case p.read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1":
		return p.profile()
	case p.Root && !p.Setfcap && p.Container != "":
		return "root without CAP_SETFCAP can be root of no user namespace: " + p.command()
	case p.Root && !p.Setfcap:
		return "root without CAP_SETFCAP can be root of no user namespace: run as another user, or with that capability"
	case p.Container != "":
		return "the container's seccomp profile forbids user namespaces: " + p.command()
	case p.Seccomp:
		return "a seccomp filter forbids user namespaces: outside of it they can be had"
	}
	return "who may make user namespaces is for this machine's root to say: run as root"
}

// profile is the AppArmor profile that lets this program make user namespaces where others may not (Ubuntu, from 23.10 on).
func (p Place) profile() string {
	self, err := os.Executable()
	if err != nil {
		self = "/usr/bin/uswitch"
	}
	return fmt.Sprintf("AppArmor lets only programs with a profile do so: "+
		"`echo 'abi <abi/4.0>, include <tunables/global> profile uswitch %s flags=(unconfined) { userns, }' | sudo tee /etc/apparmor.d/uswitch && sudo apparmor_parser -r /etc/apparmor.d/uswitch`", self)
}
