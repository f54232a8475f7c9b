package test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// The control socket, and clients that mean harm.
//
//	F83  TestF83SocketIsTheUsersAlone  0600 in 0700; others are turned away by their credentials; nothing else listens
//	F83  a path that is too long       package control's TestF83PathTooLong; TestF92Environment
//	F84  TestF84Requests               wrong, unknown and far too large: an error with a sentence each
//	F84  TestF84Clients                half-sent requests, many connections, clients that go, changes against each other

func TestF83SocketIsTheUsersAlone(t *testing.T) {
	needs(t, "setpriv", "ss")
	t.Parallel()
	l := startLab(t, threeHosts)
	for path, mode := range map[string]os.FileMode{"/run/uswitch": 0o700, l.socket(): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: mode %v, want %v: %v", path, info.Mode().Perm(), mode, err)
		}
	}
	pid := "pid=" + strconv.Itoa(l.cmd.Process.Pid) + ","
	for _, sockets := range []string{"-Hlntup", "-Hlxp"} {
		for line := range strings.Lines(must(t, "ss", sockets)) {
			if strings.Contains(line, pid) && !strings.Contains(line, l.socket()) {
				t.Errorf("the lab also listens on %s", line)
			}
		}
	}

	// Even where the socket's own protection fails, the lab asks who is there.
	public := filepath.Join("/run", l.name)
	if err := os.Mkdir(public, 0o755); err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(public)
	open := filepath.Join(public, "open.sock")
	must(t, "ln", l.socket(), open)
	must(t, "chmod", "666", open)
	eventually(t, "a stranger is told", func() bool {
		text, _ := output(t, "setpriv", "--reuid", "65534", "--clear-groups", "curl", "-s", "-w", "%{http_code}", "--unix-socket", open, "http://uswitch/v1/fdb")
		if strings.Contains(text, gatewayMAC) {
			t.Fatalf("a stranger is answered: %s", text)
		}
		return strings.Contains(text, "this lab belongs to user 0, and you are user 65534") && strings.HasSuffix(text, "403")
	})
	if text := must(t, "curl", "-s", "--unix-socket", open, "http://uswitch/v1/lab"); !strings.Contains(text, l.name) {
		t.Errorf("root itself: %s", text)
	}
}

func TestF84Requests(t *testing.T) {
	needs(t)
	t.Parallel()
	l := startLab(t, threeHosts)
	probe := l.probe("RED", blueIP)
	large := filepath.Join(t.TempDir(), "large")
	if err := os.WriteFile(large, []byte(`{"kind": "`+strings.Repeat("x", 2<<20)), 0o600); err != nil {
		t.Fatal(err)
	}
	const set = "http://uswitch/v1/set"
	tests := []struct {
		name   string
		args   []string
		status string
		says   string
	}{
		{"unknown path", []string{"http://uswitch/v1/nothing"}, "404", "no such thing"},
		{"another method", []string{"-X", "DELETE", "http://uswitch/v1/fdb"}, "40", "error"},
		{"no JSON", []string{"-d", "hello", set}, "400", "JSON"},
		{"half of an object", []string{"-d", `{"kind": "port"`, set}, "400", "JSON"},
		{"two objects", []string{"-d", `{"kind": "port"} {}`, set}, "400", "JSON"},
		{"an unknown key", []string{"-d", `{"colour": "red"}`, set}, "400", "colour"},
		{"a wrong type", []string{"-d", `{"kind": 7}`, set}, "400", "JSON"},
		{"deep nesting", []string{"-d", strings.Repeat("[", 5000), set}, "400", "JSON"},
		{"an unknown kind", []string{"-d", `{"kind": "weather", "values": {"sun": "on"}}`, set}, "422", "want port, network, fdb or gateway"},
		{"a host that is not there", []string{"-d", `{"kind": "port", "name": "../x", "values": {"flood": "on"}}`, set}, "422", "no such host"},
		{"one good value and one bad", []string{"-d", fmt.Sprintf(`{"kind": "port", "name": %q, "values": {"isolated": "on", "flood": "maybe"}}`, l.ns("RED")), set}, "422", "want on or off"},
		{"2 MiB", []string{"--data-binary", "@" + large, set}, "413", "larger"},
		{"a large header", []string{"-H", "X-Large: " + strings.Repeat("x", 60000), "http://uswitch/v1/fdb"}, "431", ""},
		{"another version", []string{"-H", "Uswitch-Api: 99", "http://uswitch/v1/fdb"}, "400", "speak"},
	}
	for _, test := range tests {
		text, _ := output(t, append([]string{"curl", "-s", "-w", "\n%{http_code}", "--unix-socket", l.socket()}, test.args...)...)
		body, status, _ := strings.Cut(text, "\n")
		if i := strings.LastIndex(text, "\n"); i >= 0 {
			body, status = text[:i], text[i+1:]
		}
		if !strings.HasPrefix(status, test.status) || !strings.Contains(body, test.says) {
			t.Errorf("%s: status %s, want %s and %q: %s", test.name, status, test.status, test.says, body)
		}
	}
	var ports []struct {
		Name     string
		Isolated bool
	}
	l.get("ports", &ports)
	for _, p := range ports {
		if p.Isolated {
			t.Errorf("%s is isolated, by a request that was refused", p.Name)
		}
	}
	probe.lostNothing()
}

func TestF84Clients(t *testing.T) {
	needs(t)
	t.Parallel()
	l := startLab(t, threeHosts)
	probe := l.probe("RED", blueIP)
	_ = l.do("show", "fdb")
	files := l.descriptors()

	half, err := net.Dial("unix", l.socket())
	if err != nil {
		t.Fatal(err)
	}
	defer half.Close()
	fmt.Fprint(half, "POST /v1/set HTTP/1.1\r\nHost: uswitch\r\nContent-Length: 100\r\n\r\n{\"kind\"")
	l.do("show", "fdb")

	var idle []net.Conn
	for range 200 {
		if conn, err := net.Dial("unix", l.socket()); err == nil {
			idle = append(idle, conn)
			fmt.Fprint(conn, "GET /v1/f")
		}
	}
	l.do("show", "fdb")
	for _, conn := range idle {
		conn.Close()
	}
	for range 1000 { // asks, and does not wait for the answer
		if conn, err := net.Dial("unix", l.socket()); err == nil {
			fmt.Fprint(conn, "GET /v1/fdb HTTP/1.1\r\nHost: uswitch\r\n\r\n")
			conn.Close()
		}
	}

	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() { l.set("port", l.ns("RED"), fmt.Sprintf("storm_limit=%d", 1000+i)) })
	}
	all.Wait()
	var ports []struct {
		Name  string
		Limit int `json:"storm_limit"`
	}
	l.get("ports", &ports)
	if p := ports[0]; p.Name != "RED" || p.Limit < 1000 || p.Limit > 1019 {
		t.Errorf("after twenty changes: %+v", p)
	}
	half.Close()
	eventually(t, "their files are closed", func() bool { return l.descriptors() <= files+1 })
	probe.lostNothing()
}
