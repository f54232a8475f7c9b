package doctor

import (
	"strings"
)

// Explain says what a lab on real network interfaces lacks here, a line for each thing, and in the last one what would help. rootless is
// why it cannot be had in a user namespace of its own, root why not with the rights of this process; either may be nil: it was
// not tried.
func (p Place) Explain(root, rootless error) (lines []string, remedy string) {
	err := p.cause(root, rootless)
	lines = strings.Split(err.Error(), "\n")
	return lines, p.remedy(err, rootless != nil)
}

// cause chooses: what keeps somebody who has every right is the cause. Others would not need it.
func (p Place) cause(root, rootless error) error {
	switch {
	case rootless == nil:
		return root
	case root == nil, strings.Contains(root.Error(), "CAP_"), strings.HasPrefix(root.Error(), "--rootless"):
		if root != nil && isTUN(root) && !isTUN(rootless) {
			return firstLine(root) // a namespace would not help
		}
		return rootless
	}
	return root
}

// isTUN reports whether /dev/net/tun itself is what is missing.
func isTUN(err error) bool { return strings.Contains(err.Error(), "/dev/net/tun ") }

// firstLine keeps the errno of the first of several errors.
func firstLine(err error) error {
	if joined, ok := err.(interface{ Unwrap() []error }); ok && len(joined.Unwrap()) > 0 {
		return firstLine(joined.Unwrap()[0])
	}
	return err
}

// remedy is the one thing that helps here.
func (p Place) remedy(err error, namespaceTried bool) string {
	text := err.Error()
	switch {
	case p.GVisor:
		return p.namespaceWall()
	case isTUN(err) && strings.Contains(text, "is missing"), isTUN(err) && strings.Contains(text, "no driver"):
		if p.Container != "" {
			return "the container needs the device: " + p.command()
		}
		return "load the kernel's module: `sudo modprobe tun`"
	case isTUN(err) && p.Container != "":
		return "the container needs the device: " + p.command()
	case isTUN(err) && !p.Root:
		return "every user may open it after `sudo chmod 666 /dev/net/tun` (which udev's rule does where systemd is), or run as root"
	case strings.Contains(text, "chroot"):
		return "pivot_root(8) makes / a mount point, as container runtimes do it"
	case strings.Contains(text, "a user namespace cannot be had"):
		return p.namespaceWall()
	case strings.Contains(text, "there are no more than"):
		return "" // which says itself what helps (tap)
	case strings.Contains(text, "read-only file system"), strings.Contains(text, "directory"):
		return "set XDG_RUNTIME_DIR to a directory that is yours and can be written"
	case !namespaceTried:
		return "without --root-only it would be tried in a user namespace"
	case p.Container != "":
		return "the container needs more rights: " + p.command() + ", with AppArmor also `--security-opt apparmor=unconfined`"
	}
	return ""
}
