package plan

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/compose-spec/compose-go/v2/types"
)

// Rights are what the programs of a host may do, in the words of Docker and Compose. They have the capabilities that Docker gives;
// and NET_ADMIN, unless anything is taken away, for in a lab networks are configured.
type Rights struct {
	User            string   `json:"user,omitempty"` // NAME or UID, and perhaps :GROUP or :GID
	Groups          []string `json:"groups,omitempty"`
	CapAdd          []string `json:"cap_add,omitempty"`
	CapDrop         []string `json:"cap_drop,omitempty"`
	Privileged      bool     `json:"privileged,omitempty"`
	NoNewPrivileges bool     `json:"no_new_privileges,omitempty"`
	ReadOnly        bool     `json:"read_only,omitempty"`
	Limits          []Limit  `json:"limits,omitempty"`
}

// Limit is one of ulimits; -1: unlimited.
type Limit struct {
	Name string `json:"name"`
	Soft int64  `json:"soft"`
	Hard int64  `json:"hard"`
}

// capabilityNames are the capabilities of Linux by their numbers (capability.h).
var capabilityNames = strings.Fields(`CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE
	NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT
	SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE
	MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE`)

// DockerCapabilities are those of a container that asks for nothing (moby daemon/pkg/oci/caps/defaults.go).
var DockerCapabilities = strings.Fields("CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE")

// limitNames are ulimits by their numbers (asm-generic/resource.h).
var limitNames = map[string]int{"cpu": 0, "fsize": 1, "data": 2, "stack": 3, "core": 4, "rss": 5, "nproc": 6, "nofile": 7, "memlock": 8,
	"locks": 10, "sigpending": 11, "msgqueue": 12, "nice": 13, "rtprio": 14, "rttime": 15}

// Resource returns the limit's number.
func (l Limit) Resource() int { return limitNames[l.Name] }

// TakesAway reports whether programs are to have less than uswitch itself has.
func (r *Rights) TakesAway() bool {
	return r.User != "" && r.User != "0" && r.User != "root" || len(r.CapDrop) > 0 || r.NoNewPrivileges || r.ReadOnly
}

// UsualCapabilities are those of programs that nobody has given or taken any, by bits.
func UsualCapabilities() (set uint64) {
	for _, name := range DockerCapabilities {
		set |= capabilityBits(name)
	}
	return set | capabilityBits("NET_ADMIN")
}

// CapabilityNames are the names of capabilities, in the order of their numbers.
func CapabilityNames(set uint64) (names []string) {
	for i, name := range capabilityNames {
		if set>>i&1 != 0 {
			names = append(names, name)
		}
	}
	return names
}

// Capabilities are the only ones that programs have, by bits; limited is false for all there are.
func (r *Rights) Capabilities() (set uint64, limited bool) {
	if r.Privileged {
		return 0, false
	}
	set = UsualCapabilities()
	if r.TakesAway() {
		set &^= capabilityBits("NET_ADMIN")
	}
	for _, name := range r.CapAdd {
		if capabilityName(name) == "ALL" {
			set = allCapabilities
		}
	}
	for _, name := range r.CapDrop {
		set &^= capabilityBits(name)
	}
	for _, name := range r.CapAdd {
		if capabilityName(name) != "ALL" {
			set |= capabilityBits(name)
		}
	}
	return set, true
}

var allCapabilities = uint64(1)<<len(capabilityNames) - 1

// capabilityName takes NET_RAW, net_raw and CAP_NET_RAW for the same.
func capabilityName(name string) string {
	return strings.TrimPrefix(strings.ToUpper(name), "CAP_")
}

// capabilityBits returns the bits of a name, or of ALL; none for what is no capability.
func capabilityBits(name string) uint64 {
	if name = capabilityName(name); name == "ALL" {
		return allCapabilities
	}
	if i := slices.Index(capabilityNames, name); i >= 0 {
		return 1 << i
	}
	return 0
}

// Verify accepts what can be acted on, in Docker's words.
func (r *Rights) Verify() error {
	for what, names := range map[string][]string{"cap_add": r.CapAdd, "cap_drop": r.CapDrop} {
		for _, name := range names {
			if capabilityBits(name) == 0 {
				return fmt.Errorf("%s: invalid capability: %q: want a name such as NET_ADMIN, or ALL", what, clip(name, 40))
			}
		}
	}
	for _, l := range r.Limits {
		switch _, known := limitNames[l.Name]; {
		case !known:
			return fmt.Errorf("ulimits: invalid ulimit type: %s: want one of %s", clip(l.Name, 40), strings.Join(slices.Sorted(maps.Keys(limitNames)), ", "))
		case l.Soft < -1 || l.Hard < -1 || l.Hard >= 0 && (l.Soft < 0 || l.Soft > l.Hard):
			return fmt.Errorf("ulimits: %s: ulimit soft limit must be less than or equal to hard limit: %d > %d", l.Name, l.Soft, l.Hard)
		}
	}
	if strings.ContainsAny(r.User+strings.Join(r.Groups, ""), "\x00\n") || strings.Count(r.User, ":") > 1 {
		return fmt.Errorf("user %q: want NAME or UID, and perhaps :GROUP", clip(r.User, 40))
	}
	return nil
}

// SecurityOption enters one of security_opt; ok is false for one that nobody acts on.
func (r *Rights) SecurityOption(option string) (ok bool) {
	switch strings.Replace(strings.TrimSpace(option), "=", ":", 1) {
	case "no-new-privileges", "no-new-privileges:true":
		r.NoNewPrivileges = true
	case "no-new-privileges:false":
	default:
		return false
	}
	return true
}

// rights reads what a service's programs may do.
func (b *builder) rights(service types.ServiceConfig, at path) (r Rights) {
	r = Rights{User: service.User, Groups: service.GroupAdd, CapAdd: service.CapAdd, CapDrop: service.CapDrop,
		Privileged: service.Privileged, ReadOnly: service.ReadOnly}
	for _, option := range service.SecurityOpt {
		if !r.SecurityOption(option) {
			b.warn(b.line(at.to("security_opt")), "security_opt: %s: not acted on (%s)", clip(option, 60), service.Name)
		}
	}
	for _, name := range sortedKeys(service.Ulimits) {
		l := Limit{Name: name, Soft: int64(service.Ulimits[name].Soft), Hard: int64(service.Ulimits[name].Hard)}
		if single := service.Ulimits[name].Single; single != 0 {
			l.Soft, l.Hard = int64(single), int64(single)
		}
		r.Limits = append(r.Limits, l)
	}
	if err := r.Verify(); err != nil {
		b.wrong(at, "%v", err)
	}
	return r
}
