package image

import (
	"os/exec"
	"path"
	"slices"
	"strings"
	"sync"
)

// small are the images whose programs are those of busybox.
var small = []string{"busybox", "alpine"}

// IsSmall reports whether an image has busybox's programs.
func IsSmall(reference string) bool { return slices.Contains(small, Name(reference)) }

// busyboxApplets are the programs that this machine's busybox has; none where there is no busybox.
var busyboxApplets = sync.OnceValue(func() map[string]bool {
	all := map[string]bool{}
	list, err := exec.Command("busybox", "--list").Output()
	if err != nil {
		return all
	}
	for _, name := range strings.Fields(string(list)) {
		all[name] = true
	}
	return all
})

// HasBusybox reports whether this machine has one.
func HasBusybox() bool { return len(busyboxApplets()) > 0 }

// In returns the words of a command as this machine can run them in a container of an image: as Program does and, where the image
// is a small one, by this machine's busybox, as far as that has the program.
func In(reference string, argv []string) []string {
	if len(argv) == 0 || !IsSmall(reference) {
		return Program(argv)
	}
	name := argv[0]
	if slices.Contains([]string{"/bin", "/sbin"}, path.Dir(name)) {
		name = path.Base(name)
	}
	if !busyboxApplets()[name] || name == "busybox" {
		return Program(argv)
	}
	return append([]string{"busybox", name}, argv[1:]...)
}
