package test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Lab files and names that are wrong: said with the file, the line and the key, before anything is made.
//
//	F85  TestF85WrongFiles
//	F75  TestF75Names       in the file, on the command line, and at the socket

func TestF85WrongFiles(t *testing.T) {
	needs(t)
	t.Parallel()
	tests := []struct {
		name, file string
		says       []string
	}{
		{"no YAML", "services: {RED: [", []string{"lab.yaml:", "not YAML"}},
		{"not a mapping", "- RED\n- BLUE\n", nil},
		{"empty", "", nil},
		{"an unknown key", threeHosts + "colours: {}\n", []string{"colours"}},
		{"an unknown key of ours", strings.Replace(threeHosts, "uplink: none", "uplink: none, up: none", 1), []string{":9: ", "x-uswitch.up", "want one of"}},
		{"a wrong type", strings.Replace(threeHosts, "uplink: none", "keep_up: 7", 1), []string{":9: ", "keep_up", "want true or false"}},
		{"a key twice", threeHosts + "name: again\n", []string{"name"}},
		{"a host twice", strings.Replace(threeHosts, "GREEN@", "RED@", 1), []string{":8"}},
		{"a network that is not there", strings.Replace(threeHosts, "GREEN@: {networks: {br0: ", "GREEN@: {networks: {br7: ", 1), []string{"br7"}},
		{"an address of another network", strings.Replace(threeHosts, greenIP, "10.0.0.4", 1), []string{":8: ", "10.0.0.4"}},
		{"an address twice", strings.Replace(threeHosts, greenIP, redIP, 1), []string{redIP}},
		{"the gateway's address", strings.Replace(threeHosts, greenIP, gatewayIP, 1), []string{gatewayIP}},
		{"a bomb of aliases", "x-a: &a [x,x,x,x,x,x,x,x,x]\nx-b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\nx-c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\n" +
			"x-d: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\nx-e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nx-f: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n" +
			"x-g: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]\nx-h: [*g,*g,*g,*g,*g,*g,*g,*g,*g]\nservices: {RED@: {command: *g}}\n", nil},
		{"another file", "include: [/etc/shadow]\n" + threeHosts, nil},
		{"a part of another file", strings.Replace(threeHosts, "RED@: {", "RED@: {extends: {file: /etc/shadow, service: root}, ", 1), nil},
		{"an environment from a file", strings.Replace(threeHosts, "RED@: {", "RED@: {env_file: /etc/shadow, ", 1), nil},
		{"too large", threeHosts + "#" + strings.Repeat("x", 20<<20), nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			l := newLab(t, test.file)
			_, text, status := l.try("run", l.file, "--trace", "off", "--", "true")
			if strings.Contains(test.file, "/etc/shadow") {
				if strings.Contains(text, "root:") || strings.Contains(text, "daemon:") {
					t.Fatal("what stands in /etc/shadow is printed")
				}
				if status == 0 && !strings.Contains(test.file, "env_file") { // whose lines Compose takes for variables
					t.Error("accepted")
				}
				return
			}
			if status != 1 || !strings.Contains(text, l.file) {
				t.Errorf("status %d, want 1 and the file's name: %s", status, text)
			}
			contains(t, strings.ReplaceAll(text, l.suffix, ""), test.says...)
			if strings.Contains(text, "goroutine ") || len(text) > 2000 {
				t.Errorf("not a message for people: %s", text[:min(len(text), 2000)])
			}
		})
	}
	t.Run("no such file", func(t *testing.T) {
		l := newLab(t, threeHosts)
		if err := os.Remove(l.file); err != nil {
			t.Fatal(err)
		}
		_, text, status := l.try("run", l.file)
		if status != 1 || !strings.Contains(text, filepath.Base(l.file)) {
			t.Errorf("status %d: %s", status, text)
		}
	})
}

func TestF75Names(t *testing.T) {
	needs(t)
	t.Parallel()
	places := map[string]string{"host": "GREEN@", "lab": "lab@", "network": "br0: {ipam", "interface": "ipv4_address: 11.11.11.4"}
	tests := map[string][]string{
		"host": {"", ".", "..", "../x", "a/b", "-x", "a b", "a\tb", `a\nb`, `a\0b`, "%d", "x:1", "é", strings.Repeat("x", 64), "gateway", "all"},
		"lab":  {"..", "../x", "a b", "-x", strings.Repeat("x", 64)}, "network": {"../x", "a b", "uplink"},
		"interface": {"lo", "sixteen-letters-", "eth0:1", "../x", "%d"},
	}
	for what, names := range tests {
		for _, name := range names {
			quoted := fmt.Sprintf(`"%s"`, name)
			switch what {
			case "network":
				quoted += ": {ipam"
			case "interface":
				quoted = "interface_name: " + quoted
			}
			l := newLab(t, strings.Replace(threeHosts, places[what], quoted, 1))
			if _, text, status := l.try("run", l.file, "--", "true"); status != 1 || !strings.Contains(text, l.file) || !strings.Contains(text, what+" name") {
				t.Errorf("%s %q: status %d: %s", what, name, status, text)
			}
		}
	}

	l := startLab(t, threeHosts)
	for _, name := range []string{"../x", "-x", "a b", strings.Repeat("x", 300)} {
		for _, command := range [][]string{{"exec", "--", name, "true"}, {"show", "fdb", "--lab=" + name}, {"stop", "--", name},
			{"set", "port", "--", name, "flood=on"}, {"run", "--name=" + name, l.file}} {
			if _, text, status := l.try(command...); status == 0 || strings.Contains(text, "goroutine ") {
				t.Errorf("%q: status %d: %s", command, status, text)
			}
		}
	}
	if !l.pings("RED", blueIP) {
		t.Error("RED does not reach BLUE any more")
	}
}
