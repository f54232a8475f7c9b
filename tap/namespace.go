package tap

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"uswitch/switch/frame"
)

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

	// ErrDown is what Write answers while the card is down (ip link set eth0 down). The frame is lost, the device stays.
	ErrDown = frame.ErrLinkDown

	// ErrFull is what Write answers when the kernel has no room for the frame. The frame is lost, the device stays.
	ErrFull = frame.ErrLinkFull

	// ErrOffload is what Write answers to a frame that is unfinished (its Offload asks for a checksum or for
	// segmentation) when the device cannot pass that on: because it is a plain one, or because the Offload is impossible.
	ErrOffload = errors.New("the device cannot finish this frame")

	// ErrNoOffload is wrapped by the error of Open when this kernel has no cards with offload; open a plain one.
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
