package tap

import (
	"fmt"
	"strings"
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
