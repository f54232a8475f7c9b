package client_test

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"uswitch/cmd/internal/docker/client"
	"uswitch/cmd/internal/docker/types"
)

var ipv4, noIPv4 = true, false

var update = flag.Bool("update", false, "write the golden files anew")

var dockerNow = time.Date(2026, 11, 21, 8, 0, 0, 0, time.UTC)

var dockerContainers = []types.Summary{
	{ID: strings.Repeat("9ce727ba", 8), Names: []string{"/web"}, Image: "nginx:1.27", Command: "uswitch serve -p 80", Created: dockerNow.Add(-5 * time.Minute).Unix(),
		State: "running", Status: "Up 5 minutes", Labels: map[string]string{"tier": "front", "a": "b"}, Ports: []types.Port{
			{IP: "0.0.0.0", PrivatePort: 80, PublicPort: 8080, Type: "tcp"}, {PrivatePort: 443, Type: "tcp"}, {PrivatePort: 53, Type: "udp"},
			{IP: "127.0.0.1", PrivatePort: 7000, PublicPort: 7000, Type: "tcp"}, {IP: "127.0.0.1", PrivatePort: 7001, PublicPort: 7001, Type: "tcp"}},
		NetworkSettings: types.SummaryNetworks{Networks: map[string]*types.EndpointSettings{"front": {}, "bridge": {}}}},
	{ID: strings.Repeat("bb4fb4d7", 8), Names: []string{"/a_much_longer_name"}, Command: "sh -c 'echo hello; sleep 300'", Created: dockerNow.Add(-26 * time.Hour).Unix(),
		State: "exited", Status: "Exited (137) 25 hours ago"},
}

var dockerNetworks = []types.Network{
	{ID: strings.Repeat("0db55d31", 8), Name: "bridge", Driver: "bridge", Scope: "local", Created: dockerNow, EnableIPv4: &ipv4},
	{ID: strings.Repeat("6dad3d19", 8), Name: "a-network-with-a-name", EnableIPv4: &noIPv4, Driver: "null", Scope: "local", Created: dockerNow, Internal: true,
		Labels: map[string]string{"x": "y"}, IPAM: types.IPAM{Driver: "default", Config: []types.IPAMConfig{{Subnet: "10.5.0.0/24", Gateway: "10.5.0.1"}}},
		Containers: map[string]types.EndpointResource{"9ce7": {Name: "web", IPv4Address: "10.5.0.2/24"}}},
}

func dockerObject() *types.Container {
	c := &types.Container{ID: strings.Repeat("9ce727ba", 8), Created: dockerNow, Path: "sleep", Args: []string{"300"}, Name: "/web",
		State: types.State{Status: "running", Running: true, Pid: 7}}
	c.NetworkSettings.IPAddress = "172.17.0.2"
	c.NetworkSettings.Networks = map[string]*types.EndpointSettings{"bridge": {IPAddress: "172.17.0.2"}, "front": {IPAddress: "10.5.0.2"}}
	c.NetworkSettings.Ports = map[string][]types.PortBinding{"80/tcp": {{HostIP: "0.0.0.0", HostPort: "8080"}}}
	return c
}

// TestDockerLists compares with what docker 28.2.2 prints of the same answers (TestDockerReal sees to that).
func TestDockerLists(t *testing.T) {
	ps := func(o client.DockerOptions) func(io.Writer) error {
		o.Now = dockerNow
		return func(w io.Writer) error { return client.DockerPs(w, dockerContainers, o) }
	}
	ls := func(o client.DockerOptions) func(io.Writer) error {
		return func(w io.Writer) error { return client.DockerNetworks(w, dockerNetworks, o) }
	}
	var all bytes.Buffer
	for _, part := range []struct {
		name  string
		write func(io.Writer) error
	}{
		{"docker ps", ps(client.DockerOptions{})},
		{"docker ps -q", ps(client.DockerOptions{Quiet: true})},
		{"docker ps --no-trunc", ps(client.DockerOptions{NoTrunc: true})},
		{"docker ps --format {{.Names}}: {{.Status}}", ps(client.DockerOptions{Format: "{{.Names}}: {{.Status}}"})},
		{`docker ps --format table {{.Names}}\t{{.Networks}}\t{{.Labels}}`, ps(client.DockerOptions{Format: `table {{.Names}}\t{{.Networks}}\t{{.Labels}}`})},
		{"docker ps, with nobody there", func(w io.Writer) error { return client.DockerPs(w, nil, client.DockerOptions{}) }},
		{"docker network ls", ls(client.DockerOptions{})},
		{"docker network ls -q", ls(client.DockerOptions{Quiet: true})},
		{"docker network ls --format json", ls(client.DockerOptions{Format: "json"})},
		{"docker port", func(w io.Writer) error {
			return client.DockerPort(w, map[string][]types.PortBinding{"443/tcp": {{HostIP: "0.0.0.0", HostPort: "8443"}},
				"80/tcp": {{HostIP: "0.0.0.0", HostPort: "8080"}, {HostIP: "127.0.0.1", HostPort: "81"}}}, "")
		}},
		{"docker network inspect", func(w io.Writer) error { return client.DockerInspect(w, []any{dockerNetworks[1]}, "") }},
		{"docker inspect", func(w io.Writer) error { return client.DockerInspect(w, []any{dockerObject()}, "") }},
		{"docker inspect, of nothing", func(w io.Writer) error { return client.DockerInspect(w, nil, "") }},
	} {
		fmt.Fprintf(&all, "$ %s\n", part.name)
		if err := part.write(&all); err != nil {
			t.Fatal(err)
		}
	}
	compareGolden(t, "docker", all.Bytes())
}

// compareGolden compares with a file, or writes it.
func compareGolden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name+".txt")
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// TestDockerFormats: the templates that tutorials have.
func TestDockerFormats(t *testing.T) {
	for format, want := range map[string]string{
		"{{.NetworkSettings.IPAddress}}":                                 "172.17.0.2",
		"{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}":      "172.17.0.2 10.5.0.2 ",
		"{{range $k, $v := .NetworkSettings.Networks}}{{$k}} {{end}}":    "bridge front ",
		"{{.NetworkSettings.Networks.front.IPAddress}}":                  "10.5.0.2",
		`{{(index (index .NetworkSettings.Ports "80/tcp") 0).HostPort}}`: "8080",
		"{{json .NetworkSettings.Ports}}":                                `{"80/tcp":[{"HostIp":"0.0.0.0","HostPort":"8080"}]}`,
		"{{.Id}} {{.State.Pid}}":                                         strings.Repeat("9ce727ba", 8) + " 7",
		"{{.ID}}":                                                        strings.Repeat("9ce727ba", 8),
		`{{.Name | printf "%s!"}} {{join .Args ","}} {{upper .Path}} {{index (split .Name "/") 1}}`: "/web! 300 SLEEP web",
	} {
		var b bytes.Buffer
		if err := client.DockerInspect(&b, []any{dockerObject()}, format); err != nil || b.String() != want+"\n" {
			t.Errorf("%s: %q, %v; want %q", format, b.String(), err, want)
		}
	}
	for _, format := range []string{"{{.NoSuchThing}}", "{{", "{{nosuch .}}"} {
		if err := client.DockerInspect(io.Discard, []any{dockerObject()}, format); err == nil || !strings.HasPrefix(err.Error(), "template parsing error: template: :1") {
			t.Errorf("%s: %v", format, err)
		}
	}
	if err := client.DockerPs(io.Discard, dockerContainers, client.DockerOptions{Format: "{{.Colour}}"}); err == nil || !strings.Contains(err.Error(), "the columns are Command, CreatedAt,") {
		t.Errorf("a column that is none: %v", err)
	}
}
