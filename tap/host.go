package tap

import (
	"errors"
	"fmt"
	"io/fs"
	"os/exec"
	"strings"

	"uswitch/switch/frame"
)

// DefaultDir is where records of what was made are kept: gone after a reboot, as the namespaces are.
const DefaultDir = "/run/uswitch"

// Host does what needs privileges. Every method may be called from many goroutines. What a method has made when it fails
// half way, it has unmade when it returns.
type Host interface {
	// Check tries out, without a trace, what the other methods need. Its error has one line for each thing that is
	// missing.
	Check() error

	// Create makes a namespace that "ip netns" knows by this name, with lo up, on behalf of a lab. A name that is taken
	// is an error that wraps ErrOwned if a process that is alive has made it for a lab, and else fs.ErrExist. A leftover
	// of a process that is gone is removed first.
	Create(lab, name string) (Namespace, error)

	// Adopt finds a namespace that somebody else made: by name, or by a path such as /proc/1234/ns/net. It is left as it
	// is, now and by Release.
	Adopt(nameOrPath string) (Namespace, error)

	// Release deletes a namespace that Create made, together with its record, and does nothing to any other: neither an
	// adopted one nor one that took its name meanwhile. Releasing twice is no error. Processes inside keep the
	// namespace itself alive, without a name, until they end.
	Release(Namespace) error

	// Files gives a namespace files of its own for /etc, by name - resolv.conf, hosts - on behalf of a lab, in place of those
	// that it gave it before: what Start starts sees them there, and what runs sees those change that it has seen. The file
	// hostname is the program's host name besides. "ip netns exec NAME" shows them too, unless somebody else has put files
	// for a namespace of that name into /etc/netns. No files take away what there is, and so does Release.
	Files(lab string, ns Namespace, files map[string][]byte) error

	// Open puts a network interface into a namespace, sets it up, and returns the other end of its cable; the interface goes when
	// the Device is closed. A name that is taken is an error that wraps fs.ErrExist and names the owner if it can.
	Open(Namespace, Interface) (Device, error)

	// Start starts a program inside a namespace as cmd.Start does. A program that cannot be started gives the error of
	// Startable, or another one that wraps the kernel's. The program sees the namespace's devices under /sys and its
	// Files in /etc where mounting is allowed. It is killed when this process ends before it, unless cmd.SysProcAttr.Pdeathsig names another signal;
	// programs that it has started itself are not. What it writes to a writer that is no file is copied as CopyOutput does,
	// with cmd.WaitDelay for grace. The cmd belongs to the Process from then on.
	Start(Namespace, *exec.Cmd) (Process, error)

	// StartAs is Start for a program that has no more than these rights. A right that cannot be taken away is an error, and
	// nothing has begun.
	StartAs(Namespace, *exec.Cmd, Rights) (Process, error)

	// Reclaim removes what was made for these labs (for all labs if none is named) by processes that are gone, and says
	// what it did, sorted by lab and name. Running it again finds nothing. An error names what could not be removed; the
	// rest is done all the same.
	Reclaim(labs ...string) ([]Reclaimed, error)

	// Close gives back what the Host itself holds. Devices that are open stay open; their watches end.
	Close() error
}

// Outcome is what Reclaim did about one record.
type Outcome string

// What Reclaim finds, and does about it.
const (
	// Removed: the namespace was ours and nobody answers for it; namespace and record are gone.
	Removed Outcome = "removed"
	// Vanished: the namespace was gone already; so is the record now.
	Vanished Outcome = "vanished"
	// Foreign: the name belongs to another namespace now, which is left alone; the record is gone.
	Foreign Outcome = "foreign"
	// InUse: the process that made it is alive; nothing was touched.
	InUse Outcome = "in use"
	// Unreadable: the record proves nothing, so a namespace of that name is left alone; the record is gone.
	Unreadable Outcome = "unreadable"
)

// Reclaimed says what became of one namespace that was on record.
type Reclaimed struct {
	Lab       string  `json:"lab"`
	Namespace string  `json:"namespace"`
	Outcome   Outcome `json:"outcome"`
	// PID is the process that made the namespace; 0 if the record does not tell.
	PID int `json:"pid,omitempty"`
}

// String returns one sentence for a person.
func (r Reclaimed) String() string {
	who := fmt.Sprintf("namespace %s of lab %s", r.Namespace, r.Lab)
	switch r.Outcome {
	case Removed:
		return fmt.Sprintf("%s: removed; process %d, which made it, is gone", who, r.PID)
	case Vanished:
		return who + ": was gone already"
	case Foreign:
		return who + ": left alone; another one has its name now"
	case InUse:
		return fmt.Sprintf("%s: left alone; process %d is using it", who, r.PID)
	default:
		return who + ": its record was unreadable and is removed; a namespace of that name is left alone"
	}
}

// Namespace says which network namespace is meant: how to get there, and how to know that it is still the same one. It is
// a plain value and keeps nothing alive.
type Namespace struct {
	// Name is for people: RED, or the path if it was adopted by path.
	Name string
	// Path leads to it: /run/netns/RED, /proc/1234/ns/net.
	Path string
	// Lab is the lab that it was made for; empty if it was adopted.
	Lab string
	// ID proves that what is found at Path is what is meant.
	ID ID
}

// ID tells a network namespace from every other one since the machine was started. The inode number is what people see,
// in "ls -l /proc/self/ns/net"; but the kernel hands the number of a namespace that died to the next one that is made, so
// identity rests on the cookie (SO_NETNS_COOKIE, Linux 5.14), which is never used again. On an older kernel it is zero.
type ID struct {
	Dev    uint64 `json:"dev"`
	Inode  uint64 `json:"inode"`
	Cookie uint64 `json:"cookie"`
}

// String returns the form that /proc shows: net:[4026532281].
func (id ID) String() string { return fmt.Sprintf("net:[%d]", id.Inode) }

// checkName accepts what can be a file's name, as "ip netns" does. What says whose name it is.
func checkName(what, name string) error {
	if name == "" || name == "." || name == ".." || len(name) > 200 || strings.ContainsAny(name, "/\x00\n") {
		return fmt.Errorf("%s %q: want 1 to 200 characters without a slash", what, name)
	}
	return nil
}

var (
	// ErrGone is what a Device answers when it is no more: closed, deleted from inside, or gone with its namespace. It
	// does not come back; open a new one.
	ErrGone = frame.ErrLinkGone

	// ErrDown is what Write answers while the interface is down (ip link set eth0 down). The frame is lost, the device stays.
	ErrDown = frame.ErrLinkDown

	// ErrFull is what Write answers when the kernel has no room for the frame. The frame is lost, the device stays.
	ErrFull = frame.ErrLinkFull

	// ErrOffload is what Write answers to a frame that is unfinished (its Offload asks for a checksum or for
	// segmentation) when the device cannot pass that on: because it is a plain one, or because the Offload is impossible.
	ErrOffload = errors.New("the device cannot finish this frame")

	// ErrNoOffload is wrapped by the error of Open when this kernel has no interfaces with offload; open a plain one.
	ErrNoOffload = errors.New("this kernel's TAPs cannot carry unfinished frames (IFF_VNET_HDR)")

	// ErrOwned is wrapped by the error of Create when the namespace belongs to a lab that is up.
	ErrOwned = errors.New("in use by a lab that is up")

	// ErrReplaced is wrapped by errors about a Namespace whose name or path now leads to another one, or to none.
	ErrReplaced = errors.New("no longer the namespace that it was")
)

// takenError says that a name is taken, and by whom; it is fs.ErrExist to errors.Is.
type takenError string

func (e takenError) Error() string      { return string(e) }
func (takenError) Is(target error) bool { return target == fs.ErrExist }

// Trial is one thing that a lab does, and how it went when it was tried.
type Trial struct {
	What     string // one of the names below
	Err      error  // nil: it can be done
	Optional bool   // labs do without
}

// What Try tries, in its order.
const (
	TrialTUN            = "/dev/net/tun"
	TrialCapabilities   = "capabilities"
	TrialNetworks       = "network namespace"
	TrialNIC            = "network interface (TUNSETIFF)"
	TrialMove           = "moving an interface"
	TrialIPv6           = "IPv6 off"
	TrialUp             = "interface up"
	TrialMountNamespace = "mount namespace"
	TrialMounts         = "mounts"
	TrialNames          = "namespace directory"
	TrialMonitor        = "link monitor"
	TrialHeaders        = "virtio-net headers"
	TrialCSUM           = "checksums left to others (CSUM)"
	TrialTSO            = "super-frames of TCP (TSO)"
	TrialUSO            = "super-frames of UDP (USO)"
)

// Tryer is what New returns besides a Host: it tells of each thing that Check tries, and of some that labs do without. What cannot
// be tried, because something before it has failed, is left out.
type Tryer interface {
	Try() []Trial

	// Look is the part of Try that asks for rights and costs nothing: that /dev/net/tun opens, and capabilities.
	Look() []Trial
}
