package plan_test

import (
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/tools/txtar"

	"uswitch/cmd/internal/plan"
)

// TestComposeFiles reads small projects, of several files most of them, and compares what comes of each with what Compose's
// reference says of it.
func TestComposeFiles(t *testing.T) {
	a, err := txtar.ParseFile("testdata/compose/cases.txtar")
	if err != nil {
		t.Fatal(err)
	}
	projects := map[string]map[string]string{}
	for _, f := range a.Files {
		project, name, _ := strings.Cut(f.Name, "/")
		if projects[project] == nil {
			projects[project] = map[string]string{}
		}
		projects[project][name] = string(f.Data)
	}
	if len(projects) != 20 {
		t.Fatalf("%d projects: want 20", len(projects))
	}
	for name, files := range projects {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, text := range files {
				path := filepath.Join(dir, file)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			first, opts := options(dir, files)
			p, err := plan.Load(first, opts)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := summary(p), files["want"]; got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// TestComposeMistakes has what is wrong in one of several files, and where it is said to be.
func TestComposeMistakes(t *testing.T) {
	for name, test := range map[string]struct{ main, other, want string }{
		"a key in the other file": {"services: {web: {}}\n", "services:\n  web:\n    imge: x\n",
			"DIR/other.yaml:3: services.web.imge: no such key"},
		"an address in the other file": {"services: {web: {networks: [n]}}\nnetworks: {n: {}}\n",
			"services:\n  web:\n    networks:\n      n: {ipv4_address: 10.0.0.300}\n",
			`DIR/other.yaml:4: services.web.networks.n.ipv4_address: "10.0.0.300": want an IPv4 address`},
		"the other file is no YAML": {"services: {web: {}}\n", "services: [\n", "DIR/other.yaml:2: not YAML"},
		"a file that is not there": {"include: [nowhere.yaml]\nservices: {web: {}}\n", "services: {web: {}}\n",
			"DIR/main.yaml: open nowhere.yaml: no such file or directory"},
		"another machine's file": {"include: ['https://example.com/compose.yaml']\nservices: {web: {}}\n", "services: {web: {}}\n",
			"DIR/main.yaml: https://example.com/compose.yaml is on another machine: want a file of this one"},
		"an env_file that is not there": {"services:\n  web: {env_file: nowhere.env}\n", "services: {web: {}}\n",
			"DIR/main.yaml:2: services.web.env_file: DIR/nowhere.env: not read: no such file or directory"},
		"a piece of a file that is no YAML": {"services:\n  web: {extends: {file: secret, service: x}}\n", "services: {web: {}}\n",
			"DIR/main.yaml: failed to parse secret: not YAML"},
		"an unknown key in a file that is included": {"include: [keys]\nservices: {web: {}}\n", "services: {web: {}}\n",
			"DIR/keys:1: colours: no such key"},
		"a file of secrets that is included": {"include: [lines]\nservices: {web: {}}\n", "services: {web: {}}\n",
			"DIR/lines:1: not a Compose file: the key here is not a word"},
		"several hosts of one container name": {"services:\n  web: {scale: 2, container_name: ww}\n", "services: {web: {}}\n",
			"DIR/main.yaml:2: services.web.container_name: 2 hosts cannot all be called so"},
		"a link to nobody": {"services:\n  web: {links: ['nobody:x']}\n", "services: {web: {}}\n",
			`DIR/main.yaml:2: services.web.links: "nobody:x": no such service: want one of web`},
		"a setting of no network": {"services:\n  web: {sysctls: {net.ipv4.../x: 1}}\n", "services: {web: {}}\n",
			`DIR/main.yaml:2: services.web.sysctls: "net.ipv4.../x": want a name like net.ipv4.ip_forward`},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, text := range map[string]string{"main.yaml": test.main, "other.yaml": test.other, "secret": "a: b: 'password\n",
				"keys": "colours: 3\n", "lines": "root:password:7:\n"} {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			_, err := plan.Load(filepath.Join(dir, "main.yaml"), plan.LoadOptions{Files: []string{filepath.Join(dir, "other.yaml")}})
			want := strings.ReplaceAll(test.want, "DIR", dir)
			if err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "password") {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}

// TestScaleThatCannotBe has numbers of hosts on the command line, of a lab and of a project.
func TestScaleThatCannotBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "lab.yaml")
	if err := os.WriteFile(file, []byte("services: {web: {image: x}}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{math.MinInt, -1, 1 << 30} {
		o := plan.LoadOptions{Scale: map[string]int{"web": n}}
		want := fmt.Sprintf("scale: web=%d: want a whole number from 0 to", n)
		_, lab := plan.Load(file, o)
		_, _, project := plan.LoadProject(file, o)
		for what, err := range map[string]error{"lab": lab, "project": project} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: got %v, want %s", what, err, want)
			}
		}
	}
}

// options are the words of a project's args, as a command line reads them.
func options(dir string, files map[string]string) (first string, o plan.LoadOptions) {
	words := strings.Fields(files["args"])
	first, o.Stdin = filepath.Join(dir, "compose.yaml"), strings.NewReader(files["stdin"])
	given := 0
	for i := 0; i+1 < len(words); i += 2 {
		value := words[i+1]
		path := filepath.Join(dir, value)
		if value == "-" {
			path = value
		}
		switch words[i] {
		case "-f":
			if given++; given == 1 {
				first = path
			} else {
				o.Files = append(o.Files, path)
			}
		case "--env-file":
			o.EnvFiles = append(o.EnvFiles, path)
		case "--profile":
			o.Profiles = append(o.Profiles, value)
		case "--scale":
			service, n, _ := strings.Cut(value, "=")
			if o.Scale == nil {
				o.Scale = map[string]int{}
			}
			o.Scale[service], _ = strconv.Atoi(n)
		}
	}
	return first, o
}

// summary says of a plan what Compose's reference speaks of.
func summary(p *plan.Plan) string {
	var b strings.Builder
	for _, n := range p.Networks {
		fmt.Fprintf(&b, "net %s", n.Key)
		if n.Docker != p.Name+"_"+n.Key {
			fmt.Fprintf(&b, " %s", n.Docker)
		}
		if n.Subnet.Addr().As4()[0] == 10 {
			fmt.Fprintf(&b, " %v", n.Subnet)
		}
		if n.Internal {
			b.WriteString(" internal")
		}
		if !n.ICC {
			b.WriteString(" icc=false")
		}
		b.WriteString("\n")
	}
	for _, h := range p.Hosts {
		fmt.Fprintf(&b, "host %s%s\n", h.Name, attachments(p, h))
		if len(h.Command) > 0 {
			fmt.Fprintf(&b, "  run %s\n", strings.Join(h.Command, " "))
		}
		for _, line := range h.Environment {
			fmt.Fprintf(&b, "  env %s\n", line)
		}
		for _, name := range slices.Sorted(maps.Keys(h.Sysctls)) {
			fmt.Fprintf(&b, "  sysctl %s=%s\n", name, h.Sysctls[name])
		}
		for _, d := range h.DependsOn {
			fmt.Fprintf(&b, "  needs %s\n", d.Host)
		}
		for _, port := range h.Ports {
			host := strconv.Itoa(int(port.HostPort))
			if port.HostPortEnd > 0 {
				host += "-" + strconv.Itoa(int(port.HostPortEnd))
			}
			fmt.Fprintf(&b, "  port %v:%s->%d/%s\n", port.HostIP, host, port.To.Port(), port.Proto)
		}
	}
	return b.String()
}

// attachments are the networks of a host, with further names there, links, and an address that the file gives.
func attachments(p *plan.Plan, h plan.Host) string {
	var all []string
	for _, i := range h.Interfaces {
		text := p.Network(i.Network).Key
		if len(i.Aliases) > 0 {
			text += "(" + strings.Join(i.Aliases, ",") + ")"
		}
		for _, l := range i.Links {
			text += "[" + l.Alias + "=" + l.Name + "]"
		}
		if i.Address.Addr().As4()[0] == 10 {
			text += "=" + i.Address.Addr().String()
		}
		all = append(all, " "+text)
	}
	return strings.Join(all, "")
}
