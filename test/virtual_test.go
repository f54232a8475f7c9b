package test

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// virtualRuns are runs of simulated labs that are over when what they are for is: each prints the same every time. Those of labs that
// stay use what is in them.
var virtualRuns = map[string][]string{
	"red-blue":      {"run", "--sim", "red-blue"},
	"red-blue json": {"run", "--sim", "--trace", "json", "red-blue"},
	"red-blue, asked": {"run", "--sim", "red-blue", "--", "sh", "-c", `uswitch exec BLUE -- curl -s http://example.com/ && uswitch exec BLUE -- dig one.one.one.one &&
		uswitch explain RED 8.8.8.8 && uswitch why-not RED BLUE --tcp 80; uswitch reach; uswitch ping -c 2 11.11.11.2; uswitch traceroute 8.8.8.8; uswitch show conntrack; uswitch show fdb`},
	"two-networks": {"run", "--sim", "two-networks", "--", "sh", "-c", `uswitch exec ALICE -- ping -c 2 10.2.0.2; uswitch iptables -F FORWARD; uswitch iptables -P FORWARD ACCEPT
		uswitch exec ALICE -- ping -c 2 BOB; uswitch exec ALICE -- ping -c 2 10.2.0.2; uswitch show neigh`},
	"web": {"run", "--sim", "web", "--", "sh", "-c", `uswitch exec CLIENT -- curl -m 3 http://10.1.0.1:8080/; uswitch exec CLIENT -- curl -m 3 http://10.2.0.2/
		uswitch exec CLIENT -- sh -c 'for i in 1 2 3; do curl -s http://10.1.0.1:8080/$i | while read -r a; do echo "<$a>"; done & done; wait'; uswitch show published`},
	// What a container writes goes by Docker's own protocol, in which nobody says that it was passed on: it comes behind the trace.
	"host": {"run", "--sim", "host", "--", "sh", "-c", `all=$(uswitch docker run -d --name web nginx; uswitch docker run --rm alpine ping -c 1 172.17.0.2
		uswitch docker run --rm alpine curl -s http://172.17.0.2/; uswitch docker ps; uswitch docker network inspect bridge); echo "$all"`},
}

// TestVirtualRunsAreTheSameEveryTime runs every built-in lab and every lesson in memory twice, on one processor and on two, while
// others compute: not a byte differs.
func TestVirtualRunsAreTheSameEveryTime(t *testing.T) {
	t.Parallel()
	runs := map[string][]string{}
	for name, argv := range virtualRuns {
		runs[name] = argv
	}
	for _, l := range lessons(t, "en") {
		runs["lesson "+l.name] = []string{"learn", l.name, "--auto", "--sim", "--lang", "en"}
	}
	busy(t)
	for name, argv := range runs {
		t.Run(name, func(t *testing.T) {
			var first string
			for _, processors := range []string{"1", "2"} {
				out, errs := new(strings.Builder), new(strings.Builder) // in which order two pipes are read is the reader's affair
				virtually(t, out, errs, processors, argv...)
				out.WriteString("\nstandard error\n" + errs.String())
				if first == "" {
					first = out.String()
				}
				if out.String() != first {
					t.Errorf("%s: on %s processors it prints otherwise than on one:\n%s", name, processors, firstDifference(first, out.String()))
				}
			}
		})
	}
}

// virtually runs uswitch with so many processors, as a user of its own.
func virtually(t *testing.T, out, errs io.Writer, processors string, args ...string) {
	t.Helper()
	dir := t.TempDir()
	argv := []string{uswitch}
	if os.Geteuid() == 0 {
		argv = privately()
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, argv[0], append(argv[1:], args...)...)
	cmd.Env = append(os.Environ(), "GOMAXPROCS="+processors, "XDG_RUNTIME_DIR="+dir, "XDG_STATE_HOME="+dir, "PATH="+filepath.Dir(uswitch)+":"+os.Getenv("PATH"))
	cmd.Stdout, cmd.Stderr = out, errs
	if err := cmd.Run(); err != nil {
		fmt.Fprintln(errs, err)
	}
}

// busy keeps a processor busy until the test has ended, mostly.
func busy(t *testing.T) {
	stop := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		for sum := 0; ; sum++ {
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	t.Cleanup(func() {
		close(stop)
		all.Wait()
	})
}

// firstDifference is where two texts part.
func firstDifference(a, b string) string {
	one, other := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range one {
		if i >= len(other) || one[i] != other[i] {
			return fmt.Sprintf("line %d\n%s\nbut then\n%s", i+1, strings.Join(one[i:min(i+8, len(one))], "\n"), strings.Join(other[min(i, len(other)):min(i+8, len(other))], "\n"))
		}
	}
	return "the second is longer"
}
