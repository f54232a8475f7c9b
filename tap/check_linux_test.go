package tap_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// TestCheckNamesWhatIsMissing takes something away from a child process and reads its diagnosis.
func TestCheckNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	newHost(t)
	tests := []struct {
		name    string
		command []string // to which "TEST child check" is added
		want    []string // one line each
	}{
		{"nothing", nil, nil},
		{"CAP_NET_ADMIN", []string{"setpriv", "--bounding-set", "-net_admin"}, []string{"CAP_NET_ADMIN is missing"}},
		{"CAP_SYS_ADMIN", []string{"setpriv", "--bounding-set", "-sys_admin"}, []string{"CAP_SYS_ADMIN is missing"}},
		{"both", []string{"setpriv", "--bounding-set", "-sys_admin,-net_admin"},
			[]string{"CAP_NET_ADMIN is missing", "CAP_SYS_ADMIN is missing"}},
		{"device", []string{"unshare", "-m", "sh", "-c", `mount -t tmpfs none /dev/net && "$@"`, "sh"}, []string{"/dev/net/tun is missing"}},
		{"driver", []string{"unshare", "-m", "sh", "-c", `mount -t tmpfs none /dev/net && mknod /dev/net/tun c 240 77 && "$@"`, "sh"},
			[]string{"/dev/net/tun has no driver"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			command := append(test.command, os.Args[0], "child", "check")
			needs(t, command[0])
			output, err := exec.Command(command[0], command[1:]...).CombinedOutput()
			lines := strings.FieldsFunc(string(output), func(r rune) bool { return r == '\n' })
			if len(lines) != len(test.want) || (err == nil) != (len(test.want) == 0) {
				t.Fatalf("%v, %q; want %q", err, lines, test.want)
			}
			for i, want := range test.want {
				if !strings.Contains(lines[i], want) {
					t.Errorf("line %q, want %q in it", lines[i], want)
				}
			}
		})
	}
}
