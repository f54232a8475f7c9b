package test

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Walkthrough W5: pairs and namespaces, by the numbers that both ends of a cable show.

// vethLine is a cable's near end in ip link: 4: veth0c1d2e3@if5: ... master docker0 ... link-netnsid 0.
var vethLine = regexp.MustCompile(`(?m)^(\d+): (veth[0-9a-f]{7})@if(\d+): .* master docker0 .*\n.* link-netnsid (\d+)`)

func TestW5Docker(t *testing.T) {
	needs(t, "nsenter")
	t.Parallel()
	l := startDocker(t)

	before := vethLine.FindAllStringSubmatch(l.do("ip", "link", "show"), -1)
	l.docker("run -d --name c0@ busybox sleep 100000")
	link := l.do("ip", "link", "show")
	after := vethLine.FindAllStringSubmatch(link, -1)
	if len(before) != 0 || len(after) != 1 {
		t.Fatalf("5.1: %v, then %v:\n%s", before, after, link)
	}
	index, peer := after[0][1], after[0][3]

	if strings.Contains(link, " eth0") || strings.Contains(link, "@if"+index+":") {
		t.Errorf("5.2: the other end of %s is among the host's links:\n%s", after[0][2], link)
	}

	pid := strings.TrimSpace(l.docker("inspect -f {{.State.Pid}} c0@"))
	inode := must(t, "readlink", "/proc/"+pid+"/ns/net")
	if own := must(t, "readlink", "/proc/self/ns/net"); inode == own || !strings.HasPrefix(inode, "net:[") {
		t.Errorf("5.3: %s, ours is %s", inode, own)
	}

	inside := must(t, "nsenter", "--net=/proc/"+pid+"/ns/net", "ip", "link", "show")
	contains(t, inside, peer+": eth0")

	// 5.5
	for i := 1; i < 12; i++ {
		l.docker(fmt.Sprintf("run -d --name c%d@ busybox sleep 100000", i))
		if got, want := l.address(fmt.Sprint("c", i), "bridge"), fmt.Sprintf("172.17.0.%d", i+2); got != want {
			t.Errorf("5.5: c%d has %s, want %s", i, got, want)
		}
	}
	veths := vethLine.FindAllStringSubmatch(l.do("ip", "link", "show"), -1)
	seen := map[string]bool{}
	for _, v := range veths {
		seen[v[4]] = true
	}
	if len(veths) != 12 || len(seen) != 12 {
		t.Errorf("5.5: %d cables into %d namespaces", len(veths), len(seen))
	}
	if ids := l.do("ip", "netns", "list-id"); strings.Count(ids, "nsid ") != 12 || !strings.Contains(ids, "nsid 11 (iproute2 netns name: c11") {
		t.Errorf("5.5: %s", ids)
	}
	if names := must(t, "ip", "netns", "list"); strings.Count(names, l.suffix) != 12 {
		t.Errorf("5.5: %s", names)
	}

	// As the kernel lists them: in the order of their numbers, which is that of their coming.
	l.docker("network create late@")
	l.do("ip", "link")
	l.docker("run -d --name c12@ busybox sleep 100000")
	var numbers []int
	for _, line := range regexp.MustCompile(`(?m)^\d+`).FindAllString(l.do("ip", "-o", "link"), -1) {
		n, _ := strconv.Atoi(line)
		numbers = append(numbers, n)
	}
	if len(numbers) != 17 || !slices.IsSorted(numbers) {
		t.Errorf("ip link lists %v", numbers)
	}
}
