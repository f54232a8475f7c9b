package uplink

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"uswitch/switch/frame"
)

// portOwner names the process that has a port, "pid 1234 (nginx)", or is empty if the system does not tell: the socket's
// inode is in /proc/net, and whoever has a descriptor of that inode is the owner. Without privileges only one's own
// processes are visible.
func portOwner(proto uint8, port uint16) string {
	inodes := map[string]bool{}
	for _, family := range []string{"", "6"} { // thread-self: the process's first thread may be in another namespace
		readInodes("/proc/thread-self/net/"+frame.ProtoName(proto)+family, proto, port, inodes)
	}
	if len(inodes) == 0 {
		return ""
	}
	files, _ := filepath.Glob("/proc/[0-9]*/fd/*") // the pattern is well-formed
	for _, file := range files {
		target, err := os.Readlink(file)
		if err != nil || !inodes[target] {
			continue
		}
		pid := strings.Split(file, "/")[2]
		comm, err := os.ReadFile("/proc/" + pid + "/comm")
		if err != nil {
			return "pid " + pid
		}
		return fmt.Sprintf("pid %s (%s)", pid, strings.TrimSpace(string(comm)))
	}
	return ""
}

// tcpListen is the state of a listening socket in /proc/net/tcp (TCP_LISTEN).
const tcpListen = "0A"

// readInodes collects the sockets of one table that hold the port, in the form that links in /proc/PID/fd have.
//
//	sl  local_address rem_address   st tx_queue:rx_queue tr:tm->when retrnsmt   uid  timeout inode
//	 0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 35843
func readInodes(table string, proto uint8, port uint16, inodes map[string]bool) {
	f, err := os.Open(table)
	if err != nil {
		return
	}
	defer f.Close()
	suffix := fmt.Sprintf(":%04X", port)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 10 || !strings.HasSuffix(fields[1], suffix) || proto == frame.ProtoTCP && fields[3] != tcpListen {
			continue
		}
		inodes["socket:["+fields[9]+"]"] = true
	}
}
