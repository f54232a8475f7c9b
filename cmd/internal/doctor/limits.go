package doctor

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"
)

// What a lab costs, about: the process itself, and each of its hosts with a network interface and what the kernel has for a namespace
// (measured with 300 hosts). Programs of hosts come on top.
const (
	labBytes  = 64 << 20
	hostBytes = 512 << 10
)

// directory is the row of where a lab has its lock and its socket.
func (p Place) directory(f *Findings) Row {
	r := Row{What: "directory of labs", State: OK, Needed: true}
	if f.NoDirectory != nil {
		r.State, r.Errno, r.Text = state(f.NoDirectory)
		r.Remedy = "set XDG_RUNTIME_DIR to a directory that is yours and can be written"
	}
	return r
}

// limits are the rows of what a lab of so many hosts needs.
func (p Place) limits(f *Findings) []Row {
	return []Row{p.files(f), p.memory(f), p.namespaces(f)}
}

func (p Place) files(f *Findings) Row {
	r := Row{What: fmt.Sprintf("descriptors for %d hosts", f.Hosts), State: OK,
		Text: fmt.Sprintf("%d for interfaces, published ports and flows", f.Files)}
	if f.Files < f.Hosts {
		r.State, r.Remedy = Refused, fmt.Sprintf("`ulimit -n %d`, or the hard limit of the user or the container", f.Hosts+1024)
	}
	return r
}

func (p Place) memory(f *Findings) Row {
	need := int64(labBytes) + int64(f.Hosts)*hostBytes
	have, from := p.available(), "free on this machine"
	if f.Memory > 0 && (have == 0 || f.Memory < have) {
		have, from = f.Memory, "all that "+f.MemoryFrom+" allows"
	}
	r := Row{What: fmt.Sprintf("memory for %d hosts", f.Hosts), State: OK,
		Text: fmt.Sprintf("%d MiB without the hosts' programs, of %d %s", need>>20, have>>20, from)}
	switch {
	case have == 0:
		r.State, r.Text = NotTried, "how much is free is not known here"
	case have < need:
		r.State, r.Remedy = Refused, "fewer hosts, or more memory"
		if f.Memory == have {
			r.Remedy = fmt.Sprintf("fewer hosts, or `--memory %dm` for the container", need>>20)
		}
	}
	return r
}

// available is the memory that is free on the machine, in bytes; 0: nobody knows.
func (p Place) available() int64 {
	var kib int64
	for line := range strings.Lines(p.read("/proc/meminfo")) {
		if _, err := fmt.Sscanf(line, "MemAvailable: %d kB", &kib); err == nil {
			return kib << 10
		}
	}
	return 0
}

// namespaces compares a limit of namespaces of each kind, which holds for one user, with how many hosts have.
func (p Place) namespaces(f *Findings) Row {
	r := Row{What: fmt.Sprintf("namespaces for %d hosts", f.Hosts), State: NotTried, Text: "their limit is not known here"}
	most := -1
	for _, kind := range []string{"net", "mnt"} {
		n, err := strconv.Atoi(p.read("/proc/sys/user/max_" + kind + "_namespaces"))
		if err == nil && (most < 0 || n < most) {
			most = n
			r.State, r.Text = OK, fmt.Sprintf("a user may have %d (user.max_%s_namespaces)", n, kind)
			if n <= f.Hosts {
				r.State, r.Remedy = Refused, fmt.Sprintf("`sudo sysctl -w user.max_%s_namespaces=%d`", kind, 2*f.Hosts+100)
			}
		}
	}
	return r
}

// bridge is the kernel's, of which labs need nothing. It is not tried, which would load its module.
func (p Place) bridge() Row {
	r := Row{What: "the kernel's bridge", State: Absent, Text: "not needed"}
	if exists("/sys/module/bridge") {
		r.State = OK
	}
	return r
}

// docker is whether a Docker listens beside uswitch, for whoever compares.
func docker(socket string) Row {
	r := Row{What: "docker socket", State: Absent, Text: "not needed: `uswitch docker` talks to a lab"}
	if socket == "" {
		return r
	}
	conn, err := net.DialTimeout("unix", socket, time.Second)
	if err == nil {
		conn.Close()
		r.State, r.Text = OK, "a Docker listens at "+socket+"; labs keep clear of its networks"
		return r
	}
	if !errors.Is(err, os.ErrNotExist) {
		_, r.Errno, _ = state(err)
		r.State = Refused
	}
	return r
}
