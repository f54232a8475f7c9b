package doctor

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"

	"uswitch/tap"
)

// Mode says which labs can be had in a place.
type Mode string

const (
	Root     Mode = "root"     // real ones, with the rights of the process
	Rootless Mode = "rootless" // real ones, in a user namespace of their own
	InMemory Mode = "memory"   // simulated ones
)

// String returns what a person reads.
func (m Mode) String() string {
	return map[Mode]string{Root: "real labs as root", Rootless: "rootless (real labs, in a user namespace of their own)", InMemory: "in memory (--sim)"}[m]
}

// Status is the exit status of uswitch doctor.
func (m Mode) Status() int { return slices.Index([]Mode{Root, Rootless, InMemory}, m) }

// Findings are what was tried in a place.
type Findings struct {
	Root         error       // why there is no lab with the rights of this process; nil: there is
	Own          []tap.Trial // what was tried with them
	RootlessErr  error       // why there is none in a user namespace
	Namespace    []tap.Trial // how that was made
	Rootless     []tap.Trial // what was tried in it
	NoDirectory  error       // why labs have no place for their sockets
	Files        int         // descriptors that interfaces, published ports and flows may have
	Memory       int64       // bytes that the control group may have; 0: no limit
	MemoryFrom   string      // the file that says so
	Hosts        int         // of the lab that limits are compared with
	DockerSocket string      // where a Docker would listen
}

// Mode returns which labs can be had: what Run does.
func (f *Findings) Mode() Mode {
	switch {
	case f.Root == nil:
		return Root
	case f.RootlessErr == nil:
		return Rootless
	}
	return InMemory
}

// namespace reports whether a user namespace can be had.
func (f *Findings) namespace() bool {
	return len(f.Namespace) > 1 && f.Namespace[0].Err == nil && f.Namespace[1].Err == nil
}

// State is how one thing is in a place.
type State string

const (
	OK       State = "ok"
	Refused  State = "refused"
	Absent   State = "absent"
	NotTried State = "not tried" // something before it has failed
)

// Row is one thing that labs need, or would use.
type Row struct {
	What   string `json:"what"`
	State  State  `json:"state"`
	Errno  string `json:"errno,omitempty"`
	Needed bool   `json:"needed"`           // there is no lab on real network interfaces without
	Text   string `json:"text,omitempty"`   // why, or what labs do without it
	Remedy string `json:"remedy,omitempty"` // what would change it
}

// Report is what uswitch doctor prints.
type Report struct {
	Mode   Mode   `json:"mode"`
	Rows   []Row  `json:"rows"`
	Remedy string `json:"remedy,omitempty"` // the one thing that would give labs on real network interfaces; empty: they can be had
}

// Report makes rows of what was found.
func (p Place) Report(f *Findings) Report {
	r := Report{Mode: f.Mode()}
	tried := f.Own
	if r.Mode == Rootless || r.Mode == InMemory && len(f.Rootless) > 0 {
		tried = f.Rootless
	}
	for _, what := range rows {
		trials := tried
		switch {
		case what.name == tap.TrialCapabilities:
			trials = f.Own
		case what.namespace:
			trials = f.Namespace
		}
		r.Rows = append(r.Rows, p.row(what, trials, f))
	}
	r.Rows = append(append(r.Rows, p.directory(f)), p.limits(f)...)
	r.Rows = append(r.Rows, p.bridge(), docker(f.DockerSocket))
	if r.Mode == InMemory {
		_, r.Remedy = p.Explain(f.Root, f.RootlessErr)
		return r
	}
	r.Rows = append(r.Rows, rights(r.Mode))
	return r
}

// rights says what is kept while a lab is up. Whatever else could be taken from uswitch would be taken from all programs of hosts.
func rights(m Mode) Row {
	text := "uswitch drops what it does not need"
	if !tap.CanKeepCapabilities() {
		text = "uswitch keeps all that it has, for this build has C in it (CGO_ENABLED=0 has none)"
	}
	switch {
	case m == Rootless:
		text += "; programs have all, and nothing over this machine"
	case tap.InUserNamespace():
		text += "; programs have all that uswitch has, and nothing over the machine outside"
	case !tap.CanBound():
		text += "; programs have all that uswitch has, for without CAP_SETPCAP none can be taken from them"
	default:
		text += "; programs have Docker's and NET_ADMIN, and are this machine's root all the same"
	}
	return Row{What: "capabilities while a lab is up", State: OK, Text: text + "; no seccomp, landlock or no_new_privs, which programs would inherit"}
}

// row is that of one trial, which may not have been made.
func (p Place) row(what thing, trials []tap.Trial, f *Findings) Row {
	r := Row{What: what.name, State: NotTried, Needed: !what.optional, Text: "something before it has failed"}
	instead := ""
	switch {
	case what.name == tap.TrialCapabilities && f.Root != nil && f.namespace():
		instead = "not needed: a user namespace gives it"
	case what.namespace && f.Root == nil:
		instead = "not needed: this process has rights of its own"
	}
	r.Needed = r.Needed && instead == ""
	i := slices.IndexFunc(trials, func(t tap.Trial) bool { return t.What == what.name })
	if i < 0 {
		return r
	}
	r.State, r.Errno, r.Text = state(trials[i].Err)
	if r.State == OK {
		return r
	}
	if what.remedy != nil && instead == "" {
		r.Remedy = what.remedy(p, trials[i].Err)
	}
	if more := instead + what.without; more != "" {
		r.Text += "; " + more
	}
	return r
}

// state reads how a trial went.
func state(err error) (s State, errno, text string) {
	if err == nil {
		return OK, "", ""
	}
	text = strings.ReplaceAll(err.Error(), "\n", "; ")
	var number syscall.Errno
	if errors.As(err, &number) {
		errno = errnoName(number)
	}
	switch number {
	case syscall.ENOENT, syscall.ENODEV, syscall.ENXIO, syscall.EOPNOTSUPP, syscall.EPROTONOSUPPORT, syscall.EAFNOSUPPORT, syscall.ENOSYS, syscall.EINVAL, syscall.ENOPROTOOPT:
		return Absent, errno, text
	}
	return Refused, errno, text
}

// Write prints the report as a person reads it.
func (r Report) Write(w io.Writer) error {
	for _, row := range r.Rows {
		text := row.Text
		if row.Errno != "" {
			text = row.Errno + ": " + text
		}
		line := fmt.Sprintf("%-31s %-9s %s", row.What, row.State, text)
		if row.State == OK && text == "" {
			line = fmt.Sprintf("%-31s %s", row.What, row.State)
		}
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
		if row.Remedy != "" {
			if _, err := fmt.Fprintf(w, "%31s %s\n", "->", row.Remedy); err != nil {
				return err
			}
		}
	}
	if r.Remedy != "" {
		if _, err := fmt.Fprintf(w, "\nwhat would give labs on real network interfaces: %s\n", r.Remedy); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "\nhere uswitch runs: %s\n", r.Mode)
	return err
}
